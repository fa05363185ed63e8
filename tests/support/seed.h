// Randomised tests that can be replayed.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

namespace latchkey::test {

// True in the long runs of ./dev check.
inline bool IsLongRun() { return std::getenv("LATCHKEY_CHECK") != nullptr; }

// LATCHKEY_TEST_SEED from the environment, or a fresh one. Printed and recorded with the running
// test, so that a failure, or a crash, can be replayed.
inline uint64_t Seed() {
  uint64_t seed = 0;
  if (const char* given = std::getenv("LATCHKEY_TEST_SEED"); given != nullptr) {
    seed = std::strtoull(given, nullptr, 10);
  } else {
    std::random_device device;
    seed = static_cast<uint64_t>(device()) << 32 | device();
  }
  std::printf("LATCHKEY_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  if (testing::UnitTest::GetInstance()->current_test_info() != nullptr) {
    testing::Test::RecordProperty("LATCHKEY_TEST_SEED", std::to_string(seed));
  }
  return seed;
}

}  // namespace latchkey::test

// Declares a std::mt19937_64 of that name, and names its seed in every failure of this scope.
#define LATCHKEY_TEST_RANDOM(name)                                                  \
  const uint64_t name##_seed = ::latchkey::test::Seed();                            \
  SCOPED_TRACE(testing::Message() << "replay: LATCHKEY_TEST_SEED=" << name##_seed); \
  std::mt19937_64 name(name##_seed)
