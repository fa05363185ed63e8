#include "index/owner_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include "support/seed.h"
#include "unit/index/allocation_faults.h"

namespace latchkey {
namespace {

bool operator==(const OwnerTable::Word& a, const OwnerTable::Word& b) {
  return a.sort == b.sort && a.locked == b.locked && a.deleted == b.deleted;
}

Uuid NumberedUuid(uint64_t number) {
  Uuid uuid;  // the last bytes alone differ, as in UUIDs that people make up
  StoreLe64(uuid.bytes.data() + 8, __builtin_bswap64(number));
  return uuid;
}

OwnerRecord RandomOwner(std::mt19937_64& random, const Uuid& uuid) {
  OwnerRecord owner;
  owner.uuid = uuid;
  owner.sort = random() % 2 ? OwnerSort::kUser : OwnerSort::kProject;
  owner.locked = random() % 2 == 0;
  owner.deleted_s = random() % 2 ? 0 : 1'750'000'000;
  return owner;
}

TEST(OwnerTable, AgreesWithMap) {
  LATCHKEY_TEST_RANDOM(random);
  OwnerTable table;
  std::map<Uuid, std::pair<uint32_t, OwnerTable::Word>> model;
  for (int step = 0; step < 30'000; ++step) {
    Uuid uuid = NumberedUuid(random() % 20'000);
    if (random() % 2) uuid.bytes[random() % 16] = 0x80;
    const OwnerRecord owner = RandomOwner(random, uuid);
    ASSERT_TRUE(table.Reserve(1).ok());
    const uint32_t index = table.Put(owner);
    const auto [known, is_new] = model.try_emplace(uuid, index, OwnerTable::Word{});
    ASSERT_EQ(index, known->second.first) << "an index moved";
    ASSERT_TRUE(!is_new || index == model.size() - 1);
    known->second.second = {owner.sort, owner.locked, owner.deleted_s != 0};
  }
  ASSERT_EQ(table.size(), model.size());
  for (const auto& [uuid, known] : model) {
    ASSERT_EQ(table.IndexOf(uuid), known.first);
    ASSERT_EQ(table.uuid(known.first), uuid);
    ASSERT_TRUE(table.word(known.first) == known.second);
  }
  EXPECT_EQ(table.IndexOf(NumberedUuid(1 << 20)), OwnerTable::kNone);
}

TEST(OwnerTable, WhatIsReservedNeedsNoMemory) {
  LATCHKEY_TEST_RANDOM(random);
  constexpr size_t kOwners = 10'000;
  OwnerTable table;
  ASSERT_TRUE(table.Reserve(kOwners).ok());
  const test::AllocationFaults faults(0);
  for (uint64_t i = 0; i < kOwners; ++i) {
    ASSERT_EQ(table.Put(RandomOwner(random, NumberedUuid(i))), i);
  }
  EXPECT_EQ(faults.allocations(), 0u);
}

TEST(OwnerTable, WithoutMemoryReserveSaysSoAndNothingIsLost) {
  LATCHKEY_TEST_RANDOM(random);
  OwnerTable table;
  ASSERT_TRUE(table.Reserve(100).ok());
  for (uint64_t i = 0; i < 100; ++i) table.Put(RandomOwner(random, NumberedUuid(i)));
  EXPECT_EQ(table.Reserve(SIZE_MAX).code(), Code::kInternal);
  size_t failures = 0;
  for (;; ++failures) {
    const test::AllocationFaults faults(failures);
    if (table.Reserve(20'000).ok()) break;
    EXPECT_EQ(table.Put(RandomOwner(random, NumberedUuid(1000))), OwnerTable::kNone);
  }
  EXPECT_GE(failures, 3u);  // the index first, then a chunk further each time
  for (uint64_t i = 0; i < 20'100; ++i) {
    ASSERT_EQ(table.Put(RandomOwner(random, NumberedUuid(i))), i);
  }
  EXPECT_EQ(table.Put(RandomOwner(random, NumberedUuid(1 << 20))), OwnerTable::kNone);
}

TEST(OwnerTable, NoneIsRefused) {
  const OwnerTable table;
  EXPECT_TRUE(table.word(OwnerTable::kNone).deleted);
  EXPECT_TRUE(table.word(OwnerTable::kNone).locked);
}

// Readers look owners up while the table grows: what Put() has returned is found, as it was put.
TEST(OwnerTable, ReadersSeeWhatWasPut) {
  constexpr uint32_t kOwners = 20'000;
  OwnerTable table;
  std::atomic<uint32_t> put{0};
  std::atomic<uint32_t> locked{0};
  std::atomic<bool> failed{false};
  std::vector<std::thread> readers;
  for (uint64_t reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      std::mt19937_64 random(reader);
      while (put.load() < kOwners && !failed.load()) {
        const uint32_t locked_before = locked.load();
        const uint32_t known = put.load();
        if (known == 0) continue;
        const auto owner = static_cast<uint32_t>(random() % known);
        const uint32_t index = table.IndexOf(NumberedUuid(owner));
        if (index != owner || table.uuid(index) != NumberedUuid(owner)) failed = true;
        if (owner < locked_before && !table.word(index).locked) failed = true;
      }
    });
  }
  for (uint32_t i = 0; i < kOwners; ++i) {
    OwnerRecord owner;
    owner.uuid = NumberedUuid(i);
    EXPECT_TRUE(table.Reserve(1).ok());
    table.Put(owner);
    put.store(i + 1);
    if (i < 100) continue;
    owner.uuid = NumberedUuid(i - 100);
    owner.locked = true;
    table.Put(owner);
    locked.store(i - 99);
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(failed.load());
}

}  // namespace
}  // namespace latchkey
