// A table with a budget holds what fits, and never more; and the set of tags that can be added to
// without memory.
#include <gtest/gtest.h>

#include <set>

#include "index/tag_set.h"
#include "index/verify_table.h"
#include "support/seed.h"
#include "unit/index/allocation_faults.h"
#include "unit/index/table_entries.h"

namespace latchkey {
namespace {

using test::EntryOf;
using test::NumberedTag;

constexpr size_t kPage = SlotMemory::kPageSize;

TEST(VerifyTableBudget, HoldsWhatFitsAndServesIt) {
  for (const size_t pages : {1, 3, 256, 300, 1000, 3000}) {
    VerifyTable table(pages * kPage);
    std::set<uint64_t> inserted;
    for (uint64_t i = 0; i < 200'000; ++i) {
      const TagBytes tag = NumberedTag(i);
      const Result<bool> fits = table.Reserve(tag);
      ASSERT_TRUE(fits.ok());
      ASSERT_EQ(table.Insert(EntryOf(tag)), *fits);
      if (*fits) inserted.insert(i);
      if (i % 1000 == 0) {
        ASSERT_LE(table.memory_bytes(), pages * kPage);
      }
    }
    EXPECT_EQ(table.size(), inserted.size());
    EXPECT_LE(table.memory_bytes(), pages * kPage);
    // Two thirds of the slots of all pages at least.
    EXPECT_GE(inserted.size() * 3, pages * SlotRun::kSlotsPerPage * 2);
    for (uint64_t i = 0; i < 200'000; ++i) {
      TableEntry found;
      ASSERT_EQ(table.Find(NumberedTag(i), &found), inserted.count(i) != 0);
    }
  }
}

TEST(VerifyTableBudget, ReservingMoreThanTheBudgetTakesTheBudget) {
  VerifyTable table(512 * kPage);
  ASSERT_TRUE(table.ReserveCount(10'000'000).ok());
  EXPECT_EQ(table.memory_bytes(), 512 * kPage);
  std::vector<TagBytes> tags;
  for (uint64_t i = 0; i < 100'000; ++i) tags.push_back(NumberedTag(i));
  const Result<bool> fits = table.Reserve(tags);
  ASSERT_TRUE(fits.ok());
  EXPECT_FALSE(*fits);
}

// What is there already takes no new room, even when there is none: it is revoked, or used, where
// it is. Another change of it cannot be held, and then nothing is served.
TEST(VerifyTableBudget, AFullSegmentStillFollows) {
  VerifyTable table(256 * kPage);
  std::vector<TagBytes> tags;
  uint64_t number = 0;
  for (;; ++number) {
    TagBytes tag = NumberedTag(number);
    tag[15] = 9;  // all in one segment
    if (!table.Insert(EntryOf(tag))) break;
    tags.push_back(tag);
  }
  const size_t memory_bytes = table.memory_bytes();
  for (const TagBytes& tag : tags) {
    TableEntry entry = EntryOf(tag);
    entry.last_used_s = 7;
    EXPECT_TRUE(table.Insert(entry));
    entry.revoked = true;
    EXPECT_TRUE(table.Insert(entry));
    TableEntry found;
    ASSERT_TRUE(table.Find(tag, &found));
    EXPECT_EQ(found, entry);
  }
  EXPECT_EQ(table.revoked(), tags.size());
  EXPECT_EQ(table.memory_bytes(), memory_bytes);
  TableEntry changed = EntryOf(tags[0]);
  changed.scopes ^= 1;
  const bool is_held = table.Insert(changed);
  TableEntry found;
  EXPECT_EQ(table.Find(tags[0], &found), is_held);
  if (is_held) {
    EXPECT_TRUE(found.revoked);
  }
}

TEST(TagSet, HoldsWhatWasAdded) {
  LATCHKEY_TEST_RANDOM(random);
  TagSet set;
  std::set<uint64_t> due;
  EXPECT_FALSE(set.Contains(NumberedTag(1)));
  for (int round = 0; round < 200; ++round) {
    const size_t count = random() % 50;
    set.Reserve(count);
    const test::AllocationFaults faults(0);
    for (size_t i = 0; i < count; ++i) set.Add(NumberedTag(random() % 4000));
    EXPECT_EQ(faults.allocations(), 0u);
  }
  set.Clear();
  EXPECT_EQ(set.size(), 0u);
  for (int i = 0; i < 1000; ++i) {
    set.Reserve(1);
    const uint64_t number = random() % 2000;
    set.Add(NumberedTag(number));
    due.insert(number);
  }
  EXPECT_EQ(set.size(), due.size());
  for (uint64_t number = 0; number < 2000; ++number) {
    EXPECT_EQ(set.Contains(NumberedTag(number)), due.count(number) != 0);
  }
}

}  // namespace
}  // namespace latchkey
