#include "index/record_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "unit/index/allocation_faults.h"

namespace latchkey {
namespace {

struct NumberHash {
  uint64_t operator()(uint64_t number) const { return number; }
};
using Cache = RecordCache<uint64_t, uint64_t, NumberHash>;

TEST(RecordCache, GivesBackWhatWasKept) {
  Cache cache;
  Cache::Ticket ticket;
  EXPECT_FALSE(cache.Find(1, &ticket).has_value());
  cache.Keep(1, 100, ticket);
  EXPECT_EQ(cache.Find(1, &ticket), 100u);
  cache.Keep(1, 101, ticket);
  EXPECT_EQ(cache.Find(1, &ticket), 101u);
  EXPECT_FALSE(cache.Find(2, &ticket).has_value());
}

TEST(RecordCache, WithoutATicketNothingIsKept) {
  Cache cache;
  cache.Keep(1, 100, Cache::Ticket());
  Cache::Ticket ticket;
  EXPECT_FALSE(cache.Find(1, &ticket).has_value());
}

TEST(RecordCache, AChangeTakesTheRecordOutUntilItEnds) {
  Cache cache;
  Cache::Ticket before;
  cache.Find(1, &before);
  cache.Keep(1, 100, before);
  cache.Begin(1);
  Cache::Ticket during;
  EXPECT_FALSE(cache.Find(1, &during).has_value());
  cache.Keep(1, 100, during);  // read from the store before or after the commit: nobody knows
  EXPECT_FALSE(cache.Find(1, &during).has_value());
  cache.Begin(1);  // a group may change a record twice
  cache.End();
  for (const Cache::Ticket& late : {before, during}) cache.Keep(1, 100, late);
  Cache::Ticket after;
  EXPECT_FALSE(cache.Find(1, &after).has_value());
  cache.Keep(1, 200, after);
  EXPECT_EQ(cache.Find(1, &after), 200u);
}

TEST(RecordCache, IsBoundedAndKeepsWhatIsAskedForOften) {
  Cache cache;
  Cache::Ticket ticket;
  cache.Find(0, &ticket);
  cache.Keep(0, 7, ticket);
  for (uint64_t key = 1; key < 20 * Cache::kCapacity; ++key) {
    ASSERT_FALSE(cache.Find(key, &ticket).has_value());
    cache.Keep(key, key, ticket);
    if (key % 16 == 0) {
      ASSERT_EQ(cache.Find(0, &ticket), 7u) << key;
    }
  }
  size_t kept = 0;
  for (uint64_t key = 0; key < 20 * Cache::kCapacity; ++key)
    kept += cache.Find(key, &ticket) ? 1 : 0;
  EXPECT_LE(kept, Cache::kCapacity);
  EXPECT_GE(kept, Cache::kCapacity / 2);
}

TEST(RecordCache, ChangingAllocatesNothing) {
  Cache cache;
  const test::AllocationFaults faults(0);
  for (uint64_t key = 0; key < 1000; ++key) cache.Begin(key);
  cache.End();
  EXPECT_EQ(faults.allocations(), 0u);
}

// One writer counts up in a "store"; what it has returned no reader finds undone, and no reader
// finds less than it found before.
TEST(RecordCache, NeverGoesBack) {
  constexpr uint64_t kChanges = 3'000;
  Cache cache;
  std::atomic<uint64_t> store{0};
  std::atomic<uint64_t> returned{0};
  std::atomic<uint64_t> hits{0};
  std::atomic<bool> failed{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      uint64_t seen = 0;
      while (seen < kChanges && !failed.load()) {
        const uint64_t due = returned.load();
        Cache::Ticket ticket;
        uint64_t value = 0;
        if (const auto known = cache.Find(5, &ticket)) {
          value = *known;
          hits.fetch_add(1);
        } else {
          value = store.load();
          std::this_thread::yield();
          cache.Keep(5, value, ticket);
        }
        if (value < due || value < seen) failed = true;
        seen = value;
      }
    });
  }
  for (uint64_t change = 1; change <= kChanges; ++change) {
    cache.Begin(5);
    store.store(change);
    if (change % 8 == 0) std::this_thread::yield();
    cache.End();
    returned.store(change);
    // Now and then so quiet that the readers find it in the cache.
    const uint64_t before = hits.load();
    while (change % 16 == 1 && hits.load() == before && !failed.load()) std::this_thread::yield();
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(failed.load());
}

}  // namespace
}  // namespace latchkey
