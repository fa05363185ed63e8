// Many readers beside one writer. What a call has returned is told to the readers by an atomic
// counter that they load before they look; what has not yet begun, by one that they load
// afterwards.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "index/verify_table.h"
#include "support/seed.h"
#include "unit/index/table_entries.h"

namespace latchkey {
namespace {

using test::EntryOf;
using test::NumberedTag;

constexpr size_t kReaders = 6;

// Runs `read(reader's number)` on kReaders threads, again and again, until the writer is done or
// one of them says what is wrong.
class Readers {
 public:
  explicit Readers(std::function<std::string(std::mt19937_64&)> read, uint64_t seed) {
    for (size_t i = 0; i < kReaders; ++i) {
      threads_.emplace_back([this, read, seed, i] {
        std::mt19937_64 random(seed + i);
        while (!stop_.load() && !failed_.load()) {
          const std::string wrong = read(random);
          if (!wrong.empty() && !failed_.exchange(true)) what_ = wrong;
        }
      });
    }
  }
  bool failed() const { return failed_.load(); }
  std::string Stop() {
    stop_.store(true);
    for (std::thread& thread : threads_) thread.join();
    return what_;
  }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<bool> failed_{false};
  std::string what_;
  std::vector<std::thread> threads_;
};

TEST(VerifyTableThreads, ReadersSeeWhatHasReturned) {
  LATCHKEY_TEST_RANDOM(random);
  constexpr uint64_t kEntries = 60'000;
  constexpr uint64_t kRevokedBehind = 40;
  const uint64_t first = random();  // other tags in every run
  VerifyTable table;
  std::atomic<uint64_t> insert_begun{0};
  std::atomic<uint64_t> inserted{0};
  std::atomic<uint64_t> revoke_begun{0};
  std::atomic<uint64_t> revoked{0};
  const auto read = [&](std::mt19937_64& mine) -> std::string {
    const uint64_t revoked_before = revoked.load();
    const uint64_t inserted_before = inserted.load();
    // Mostly near the two places where something is going on.
    const uint64_t around = mine() % 2 ? revoked_before : inserted_before;
    const uint64_t number =
        mine() % 4 ? around + mine() % 8 - std::min<uint64_t>(around, 4) : mine() % kEntries;
    const TagBytes tag = NumberedTag(first + number);
    const VerifyTable::Sight sight = table.Look(tag);
    const bool is_found = sight.is_found;
    const TableEntry found = sight.words.Entry();
    VerifyTable::Touch(sight, static_cast<uint32_t>(mine() % 50));
    if (number < inserted_before && !is_found) return "an entry was inserted and is not found";
    if (!is_found) return "";
    if (number >= insert_begun.load()) return "an entry is found that nobody has inserted";
    if (number < revoked_before && !found.revoked) return "an entry was revoked and is live";
    if (found.revoked && number >= revoke_begun.load()) return "an entry is revoked by nobody";
    TableEntry due = EntryOf(tag);
    due.revoked = found.revoked;
    due.last_used_s = found.last_used_s;
    return found == due ? "" : "an entry is torn";
  };
  Readers readers(read, random());
  for (uint64_t i = 0; i < kEntries && !readers.failed(); ++i) {
    const TableEntry entry = EntryOf(NumberedTag(first + i));
    EXPECT_TRUE(table.Reserve(std::span(&entry.tag, 1)).ok());
    insert_begun.store(i + 1);
    table.Insert(entry);
    inserted.store(i + 1);
    if (i < kRevokedBehind) continue;
    revoke_begun.store(i + 1 - kRevokedBehind);
    EXPECT_TRUE(table.Revoke(NumberedTag(first + i - kRevokedBehind)));
    revoked.store(i + 1 - kRevokedBehind);
  }
  EXPECT_EQ(readers.Stop(), "");
}

// One segment moves every few microseconds. Each entry in it is replaced again and again; none may
// be missing for a moment, and none may go back to an older version than one that was already
// there.
TEST(VerifyTableThreads, NoReaderIsLostWhileASegmentMoves) {
  LATCHKEY_TEST_RANDOM(random);
  constexpr uint64_t kTags = 30;
  constexpr uint64_t kVersions = 4000;
  std::vector<TagBytes> tags;
  for (uint64_t i = 0; i < kTags; ++i) {
    tags.push_back(NumberedTag(random()));
    tags.back()[15] = 7;
  }
  const auto versioned = [&](size_t i, uint64_t version) {
    TableEntry entry = EntryOf(tags[i]);
    entry.scopes = version;
    entry.not_before_s = static_cast<int64_t>(test::Stir(version) >> 24);
    return entry;
  };
  VerifyTable table;
  std::atomic<uint64_t> begun{0};
  std::atomic<uint64_t> done{0};
  for (size_t i = 0; i < kTags; ++i) table.Insert(versioned(i, 0));
  const auto read = [&](std::mt19937_64& mine) -> std::string {
    const size_t i = mine() % kTags;
    const uint64_t done_before = done.load();
    TableEntry found;
    if (!table.Find(tags[i], &found)) return "an entry is missing";
    if (found.scopes < done_before) return "an entry is older than one that was there";
    if (found.scopes > begun.load()) return "an entry is newer than all that was inserted";
    return found == versioned(i, found.scopes) ? "" : "an entry is torn";
  };
  Readers readers(read, random());
  for (uint64_t version = 1; version <= kVersions && !readers.failed(); ++version) {
    begun.store(version);
    for (size_t i = 0; i < kTags; ++i) table.Insert(versioned(i, version));
    done.store(version);
  }
  EXPECT_EQ(readers.Stop(), "");
}

// Several writers at once, each with tags of its own.
TEST(VerifyTableThreads, WritersExcludeEachOther) {
  constexpr uint64_t kEntries = 8000;
  constexpr uint64_t kWriters = 4;
  VerifyTable table;
  std::vector<std::thread> writers;
  for (uint64_t writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&table, writer] {
      for (uint64_t i = writer; i < kEntries; i += kWriters) {
        const TableEntry entry = EntryOf(NumberedTag(i));
        EXPECT_TRUE(table.Reserve(std::span(&entry.tag, 1)).ok());
        table.Insert(entry);
        if (i % 3 == 0) {
          EXPECT_TRUE(table.Revoke(entry.tag));
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(table.size(), kEntries);
  for (uint64_t i = 0; i < kEntries; ++i) {
    TableEntry due = EntryOf(NumberedTag(i));
    due.revoked = i % 3 == 0;
    TableEntry found;
    ASSERT_TRUE(table.Find(due.tag, &found));
    ASSERT_EQ(found, due);
  }
}

}  // namespace
}  // namespace latchkey
