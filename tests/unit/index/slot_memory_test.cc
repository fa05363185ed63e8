#include "index/slot_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "support/seed.h"

namespace latchkey {
namespace {

struct MarkedRun {
  unsigned char* bytes;
  size_t pages;
  unsigned char mark;  // 0 = emptied
};

bool Holds(const MarkedRun& run, unsigned char value) {
  return std::all_of(run.bytes, run.bytes + run.pages * SlotMemory::kPageSize,
                     [value](unsigned char byte) { return byte == value; });
}

// A run is zero when it is taken, stays apart from every other, and emptying it touches no
// neighbour.
TEST(SlotMemory, RunsAreZeroAndApart) {
  LATCHKEY_TEST_RANDOM(random);
  SlotMemory memory;
  std::vector<MarkedRun> runs;
  for (int step = 0; step < 400; ++step) {
    if (runs.empty() || random() % 3 != 0) {
      MarkedRun run{nullptr, 1 + random() % 40, static_cast<unsigned char>(1 + random() % 255)};
      run.bytes = static_cast<unsigned char*>(memory.Take(run.pages));
      ASSERT_NE(run.bytes, nullptr);
      ASSERT_EQ(reinterpret_cast<uintptr_t>(run.bytes) % SlotMemory::kPageSize, 0u);
      ASSERT_TRUE(Holds(run, 0));
      std::memset(run.bytes, run.mark, run.pages * SlotMemory::kPageSize);
      runs.push_back(run);
    } else {
      MarkedRun& run = runs[random() % runs.size()];
      memory.Empty(run.bytes, run.pages);
      run.mark = 0;
    }
  }
  for (const MarkedRun& run : runs) ASSERT_TRUE(Holds(run, run.mark));
}

TEST(SlotMemory, RunsLargerThanAChunkAreTaken) {
  SlotMemory memory;
  for (const size_t pages : {1u, 5000u, 1u, 20000u}) {
    auto* const run = static_cast<unsigned char*>(memory.Take(pages));
    ASSERT_NE(run, nullptr);
    run[0] = 1;
    run[pages * SlotMemory::kPageSize - 1] = 1;
  }
}

TEST(SlotMemory, WhatTheSystemRefusesIsNull) {
  SlotMemory memory;
  EXPECT_EQ(memory.Take(size_t{1} << 40), nullptr);  // 2^52 bytes: more than there are addresses
  EXPECT_NE(memory.Take(1), nullptr);
}

}  // namespace
}  // namespace latchkey
