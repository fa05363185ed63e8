#include "index/verify_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "support/seed.h"
#include "unit/index/allocation_faults.h"
#include "unit/index/table_entries.h"

namespace latchkey {
namespace {

using test::EntryOf;
using test::MakeTag;
using test::NumberedTag;

void Add(VerifyTable& table, const TableEntry& entry) {
  ASSERT_TRUE(table.Reserve(std::span(&entry.tag, 1)).ok());
  table.Insert(entry);
}

// The table must be as the model says, entry by entry.
void ExpectSame(const VerifyTable& table, const std::map<TagBytes, TableEntry>& model) {
  ASSERT_EQ(table.size(), model.size());
  for (const auto& [tag, due] : model) {
    TableEntry found;
    ASSERT_TRUE(table.Find(tag, &found));
    ASSERT_EQ(found, due);
  }
  std::map<TagBytes, TableEntry> visited;
  table.ForEach([&](const TableEntry& entry) {
    EXPECT_TRUE(visited.try_emplace(entry.tag, entry).second) << "visited twice";
  });
  ASSERT_EQ(visited, model);
  const auto revoked = std::count_if(model.begin(), model.end(),
                                     [](const auto& known) { return known.second.revoked; });
  ASSERT_EQ(table.revoked(), static_cast<size_t>(revoked));
}

// Few segments, many tags that begin at the same slot or at the last one, many that differ in one
// word or one bit only.
TagBytes CrowdedTag(std::mt19937_64& random) {
  const auto word = [&]() -> uint64_t {
    constexpr uint64_t kEdges[] = {0, 1, ~uint64_t{0}, uint64_t{1} << 63, 0x8000000080000000};
    return random() % 2 ? kEdges[random() % 5] : uint64_t{1} << random() % 56;
  };
  TagBytes tag = MakeTag(word(), word());
  tag[15] = static_cast<uint8_t>(random() % 2 * 255);
  return tag;
}

TEST(VerifyTable, AgreesWithMap) {
  LATCHKEY_TEST_RANDOM(random);
  for (int round = 0; round < 20; ++round) {
    VerifyTable table;
    std::map<TagBytes, TableEntry> model;
    for (int step = 0; step < 3000; ++step) {
      const TagBytes tag = CrowdedTag(random);
      const auto known = model.find(tag);
      switch (random() % 5) {
        case 0: {
          TableEntry entry = EntryOf(tag, random() % 3);
          entry.revoked = random() % 8 == 0;
          entry.last_used_s = static_cast<uint32_t>(random() % 100);
          Add(table, entry);
          if (known != model.end()) {
            entry.revoked |= known->second.revoked;
            entry.last_used_s = std::max(entry.last_used_s, known->second.last_used_s);
          }
          model[tag] = entry;
          break;
        }
        case 1: {
          ASSERT_EQ(table.Revoke(tag), known != model.end());
          if (known != model.end()) known->second.revoked = true;
          break;
        }
        case 2: {
          const auto now_s = static_cast<uint32_t>(random() % 100);
          VerifyTable::Touch(table.Look(tag), now_s);
          if (known != model.end()) {
            known->second.last_used_s = std::max(known->second.last_used_s, now_s);
          }
          break;
        }
        default: {
          TableEntry found;
          ASSERT_EQ(table.Find(tag, &found), known != model.end()) << "step " << step;
          if (known != model.end()) {
            ASSERT_EQ(found, known->second) << "step " << step;
          }
        }
      }
    }
    ExpectSame(table, model);
  }
}

TEST(VerifyTable, TagsThatDifferInOneBitAreDifferent) {
  LATCHKEY_TEST_RANDOM(random);
  const TagBytes base = MakeTag(random(), random());
  for (size_t bit = 0; bit < 128; ++bit) {
    VerifyTable table;
    TagBytes near = base;
    near[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    Add(table, EntryOf(base));
    TableEntry found;
    EXPECT_FALSE(table.Find(near, &found)) << "bit " << bit;
    EXPECT_FALSE(table.Revoke(near)) << "bit " << bit;
    Add(table, EntryOf(near));
    EXPECT_TRUE(table.Revoke(near));
    ASSERT_TRUE(table.Find(base, &found));
    EXPECT_EQ(found, EntryOf(base));
  }
}

// 120 bytes an entry are promised. Because the segments take turns in growing it is always about
// 98, and more at any size means that they no longer do.
TEST(VerifyTable, ALargeTableGrowsAndStaysWithinItsMemory) {
  constexpr uint64_t kEntries = 1'400'000;  // beyond a million by more than one growth of a segment
  VerifyTable table;
  EXPECT_EQ(table.memory_bytes(), 0u);
  std::vector<TagBytes> tags;
  for (uint64_t i = 0; i < kEntries; ++i) {
    tags.push_back(NumberedTag(i));
    if (tags.size() < 256) continue;
    ASSERT_TRUE(table.Reserve(tags).ok());
    for (const TagBytes& tag : tags) table.Insert(EntryOf(tag));
    tags.clear();
    if (i >= 1'000'000) {
      ASSERT_LE(table.memory_bytes(), 102 * table.size()) << table.size();
    }
  }
  for (const TagBytes& tag : tags) Add(table, EntryOf(tag));
  ASSERT_EQ(table.size(), kEntries);
  for (uint64_t i = 0; i < kEntries; ++i) {
    TableEntry found;
    ASSERT_TRUE(table.Find(NumberedTag(i), &found));
    ASSERT_EQ(found, EntryOf(NumberedTag(i)));
    ASSERT_FALSE(table.Find(NumberedTag(kEntries + i), &found));
  }
}

TEST(VerifyTable, ReserveCountMakesTheRoomBeforehand) {
  constexpr uint64_t kEntries = 1'000'000;
  VerifyTable table;
  ASSERT_TRUE(table.ReserveCount(kEntries).ok());
  const size_t before = table.memory_bytes();
  EXPECT_LE(before, 105 * kEntries);
  for (uint64_t i = 0; i < kEntries; ++i) Add(table, EntryOf(NumberedTag(i)));
  EXPECT_LE(table.memory_bytes(),
            before + before / 50);  // few segments hold more than was to expect
  ASSERT_TRUE(table.ReserveCount(10).ok());
  EXPECT_EQ(table.size(), kEntries);
}

TEST(VerifyTable, ASmallTableIsSmall) {
  VerifyTable table;
  for (uint64_t i = 0; i < 1000; ++i) Add(table, EntryOf(NumberedTag(i)));
  EXPECT_LE(table.memory_bytes(), size_t{1} << 20);
}

// What was there before an era began is revoked, also when its entry was replaced or has moved
// since; what came later is not.
TEST(VerifyTable, RevokeOlderTakesWhatWasThereBefore) {
  LATCHKEY_TEST_RANDOM(random);
  VerifyTable table;
  std::map<TagBytes, TableEntry> model;
  std::vector<std::map<TagBytes, TableEntry>> before;
  std::vector<uint32_t> eras;
  const auto add = [&](const TagBytes& tag) {
    TableEntry entry = EntryOf(tag, random() % 2);
    entry.kind = random() % 2 ? 2 : 3;
    Add(table, entry);
    const auto known = model.find(tag);
    if (known != model.end()) entry.revoked = known->second.revoked;
    model[tag] = entry;
  };
  for (int round = 0; round < 6; ++round) {
    for (uint64_t i = 0; i < 3000; ++i) add(NumberedTag(random() % 12'000));
    before.push_back(model);
    eras.push_back(table.NewEra());
    for (uint64_t i = 0; i < 3000; ++i) add(NumberedTag(random() % 12'000));
    const size_t which = random() % eras.size();  // an older one, too
    uint64_t due = 0;
    for (auto& [tag, entry] : model) {
      if (before[which].count(tag) == 0 || entry.kind != 2 || entry.revoked) continue;
      entry.revoked = true;
      ++due;
    }
    const auto fits = [](const SlotWords& words) { return words.kind() == 2; };
    ASSERT_EQ(table.RevokeOlder(eras[which], fits), due);
    ASSERT_EQ(table.RevokeOlder(eras[which], fits), 0u);
    for (const auto& [tag, entry] : model) {
      TableEntry found;
      ASSERT_TRUE(table.Find(tag, &found));
      found.era = 0;
      ASSERT_EQ(found, entry);
    }
  }
  EXPECT_EQ(table.RevokeOlder(0, [](const SlotWords&) { return true; }), 0u);
}

// Replacing leaves dead slots behind; they must neither fill the table nor make it grow for ever.
TEST(VerifyTable, ReplacingDoesNotUseUpTheTable) {
  VerifyTable table;
  for (uint64_t i = 0; i < 5000; ++i) Add(table, EntryOf(NumberedTag(i)));
  const size_t before = table.memory_bytes();
  for (uint64_t version = 1; version <= 40; ++version) {
    for (uint64_t i = 0; i < 5000; ++i) Add(table, EntryOf(NumberedTag(i), version));
  }
  EXPECT_LE(table.memory_bytes(), before * 2);
  EXPECT_EQ(table.size(), 5000u);
  for (uint64_t i = 0; i < 5000; ++i) {
    TableEntry found;
    ASSERT_TRUE(table.Find(NumberedTag(i), &found));
    ASSERT_EQ(found, EntryOf(NumberedTag(i), 40));
  }
}

// More entries than a reach can count begin at one slot, and the last of them wrap around.
TEST(VerifyTable, EntriesBeyondAnyReachAreFound) {
  for (const uint64_t low : {uint64_t{0}, ~uint64_t{0} >> 8}) {
    VerifyTable table;
    const auto tag = [&](uint64_t i) { return MakeTag(low | uint64_t{0xFF} << 56, i); };
    for (uint64_t i = 0; i < 300; ++i) {
      Add(table, EntryOf(tag(i)));
      for (uint64_t j = 0; j <= i + 1; ++j) {
        TableEntry found;
        ASSERT_EQ(table.Find(tag(j), &found), j <= i) << i << " " << j;
      }
    }
    for (uint64_t i = 0; i < 300; ++i) {
      EXPECT_TRUE(table.Revoke(tag(i)));
      Add(table, EntryOf(tag(i), 1));
      TableEntry found;
      ASSERT_TRUE(table.Find(tag(i), &found));
      ASSERT_TRUE(found.revoked);
      ASSERT_EQ(found.scopes, EntryOf(tag(i), 1).scopes);
    }
  }
}

TEST(VerifyTable, ASightHoldsUntilItsEntryChanges) {
  VerifyTable table;
  const TagBytes tag = NumberedTag(1);
  VerifyTable::Sight sight = table.Look(tag);
  EXPECT_FALSE(sight.is_found);
  EXPECT_TRUE(table.StillHolds(tag, sight));
  Add(table, EntryOf(tag));
  EXPECT_FALSE(table.StillHolds(tag, sight)) << "inserted";
  sight = table.Look(tag);
  EXPECT_TRUE(sight.is_found);
  EXPECT_EQ(sight.words.Entry(), EntryOf(tag));
  Add(table, EntryOf(NumberedTag(2)));
  VerifyTable::Touch(sight, 5);
  EXPECT_TRUE(table.StillHolds(tag, sight));
  Add(table, EntryOf(tag, 1));
  EXPECT_FALSE(table.StillHolds(tag, sight)) << "replaced";
  sight = table.Look(tag);
  EXPECT_EQ(sight.words.last_used_s, 5u);
  EXPECT_TRUE(table.Revoke(tag));
  EXPECT_FALSE(table.StillHolds(tag, sight)) << "revoked";
  sight = table.Look(tag);
  EXPECT_TRUE(sight.words.revoked());
  ASSERT_TRUE(table.ReserveCount(100'000).ok());
  EXPECT_FALSE(table.StillHolds(tag, sight)) << "moved";
}

// An absent tag that begins at a taken slot, whose entry has none behind it, becomes present behind
// it: the slot itself says so.
TEST(VerifyTable, ASightOfNothingHoldsUntilSomethingIsThere) {
  VerifyTable table;
  Add(table, EntryOf(MakeTag(7, 1)));
  const TagBytes tag = MakeTag(7, 2);
  const VerifyTable::Sight sight = table.Look(tag);
  EXPECT_FALSE(sight.is_found);
  EXPECT_TRUE(table.StillHolds(tag, sight));
  Add(table, EntryOf(tag));
  EXPECT_FALSE(table.StillHolds(tag, sight));
  EXPECT_TRUE(table.Look(tag).is_found);
}

TEST(VerifyTable, RevokedStaysRevoked) {
  VerifyTable table;
  TableEntry entry = EntryOf(NumberedTag(1));
  Add(table, entry);
  EXPECT_TRUE(table.Revoke(entry.tag));
  EXPECT_TRUE(table.Revoke(entry.tag));
  Add(table, entry);
  entry.scopes ^= 1;
  Add(table, entry);
  for (uint64_t i = 100; i < 20'000; ++i)
    Add(table, EntryOf(NumberedTag(i)));  // grows all segments
  TableEntry found;
  ASSERT_TRUE(table.Find(entry.tag, &found));
  entry.revoked = true;
  EXPECT_EQ(found, entry);
}

TEST(VerifyTable, WithoutMemoryReserveSaysSoAndNothingIsLost) {
  VerifyTable table;
  Add(table, EntryOf(NumberedTag(1)));
  EXPECT_EQ(table.ReserveCount(SIZE_MAX / 128).code(), Code::kInternal);
  TableEntry found;
  ASSERT_TRUE(table.Find(NumberedTag(1), &found));
  EXPECT_EQ(found, EntryOf(NumberedTag(1)));
}

TEST(VerifyTable, NothingAllocatesButGrowth) {
  VerifyTable table;
  ASSERT_TRUE(table.ReserveCount(2000).ok());
  const test::AllocationFaults faults(0);
  TableEntry found;
  for (uint64_t i = 0; i < 1000; ++i) {
    table.Insert(EntryOf(NumberedTag(i)));
    EXPECT_TRUE(table.Find(NumberedTag(i), &found));
    table.Prefetch(NumberedTag(i), VerifyTable::kLinesOfMany);
    VerifyTable::Touch(table.Look(NumberedTag(i)), 7);
    EXPECT_TRUE(table.Revoke(NumberedTag(i)));
  }
  EXPECT_EQ(faults.allocations(), 0u);
}

TEST(VerifyTable, EdgesOfTheFieldsSurvive) {
  VerifyTable table;
  TableEntry entry = EntryOf(NumberedTag(1));
  entry.kind = UINT16_MAX;
  entry.expires_s = kSlotExpiresMax;
  entry.not_before_s = kSlotNotBeforeMax;
  entry.scopes = UINT64_MAX;
  entry.owner_index = UINT32_MAX;
  entry.last_used_s = UINT32_MAX;
  TableEntry zero;
  zero.tag = MakeTag(0, 0);
  Add(table, entry);
  Add(table, zero);
  for (int revoked = 0; revoked < 2; ++revoked) {
    TableEntry found;
    ASSERT_TRUE(table.Find(entry.tag, &found));
    EXPECT_EQ(found, entry);
    ASSERT_TRUE(table.Find(zero.tag, &found));
    EXPECT_EQ(found, zero);
    EXPECT_TRUE(table.Revoke(entry.tag));
    EXPECT_TRUE(table.Revoke(zero.tag));
    entry.revoked = zero.revoked = true;
  }
}

}  // namespace
}  // namespace latchkey
