// Days of a host's life with a store, drawn from a seed: what it asks and changes, on several
// threads; what time it is; what the disk does; how each process ends. A model knows what every
// answer should be.
#include "simulation.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "seams.h"

namespace latchkey {
extern uint64_t memory_budget_bytes_min;
}

namespace latchkey_test {
namespace {

constexpr size_t kEnds = 8;
constexpr size_t kStepsBetween = 40;

class SimulationTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    JoinSimulation();
    latchkey::memory_budget_bytes_min = 0;
    const TestStore store;  // libsodium draws for itself, once in a process
  }

  struct Past {
    uint64_t trace = 0;
    std::vector<std::string> steps;
  };
  // Says how to have it again when something is wrong.
  static Past RunOne(uint64_t seed, size_t ends, Tally* tally) {
    Simulation simulation(seed, tally);
    try {
      simulation.Run(ends, kStepsBetween);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    if (HasFailure()) {
      const std::vector<std::string>& steps = simulation.steps();
      for (size_t i = steps.size() < 20 ? 0 : steps.size() - 20; i < steps.size(); ++i) {
        std::printf("step %zu: %s\n", i, steps[i].c_str());
      }
      const auto* test = testing::UnitTest::GetInstance()->current_test_info();
      std::printf("again: LATCHKEY_TEST_SEED=%llu %s --gtest_filter=%s.%s\n",
                  static_cast<unsigned long long>(seed), program_invocation_name,
                  test->test_suite_name(), test->name());
    }
    return {simulation.trace(), simulation.steps()};
  }
};

// A count of runs, so that the seed alone says what is run; with LATCHKEY_CHECK many more.
TEST_F(SimulationTest, EveryAnswerIsRight) {
  const uint64_t seed = TestSeed();
  const uint64_t runs = IsLongRun() ? 150 : 3;
  Tally tally;
  uint64_t run = 0;
  while (run < runs && !HasFailure()) RunOne(seed + run++, kEnds, &tally);
  std::printf(
      "simulation: faults %llu, wrong %d, runs %llu, steps %llu, days %lld, opened %llu, "
      "unknown %llu, groups %llu, backups %llu, restores %llu\n",
      static_cast<unsigned long long>(tally.faults), HasFailure() ? 1 : 0,
      static_cast<unsigned long long>(run), static_cast<unsigned long long>(tally.steps),
      static_cast<long long>(tally.days), static_cast<unsigned long long>(tally.opened),
      static_cast<unsigned long long>(tally.unknown), static_cast<unsigned long long>(tally.groups),
      static_cast<unsigned long long>(tally.backups),
      static_cast<unsigned long long>(tally.restores));
}

TEST_F(SimulationTest, OneSeedIsOneRun) {
  const uint64_t seed = TestSeed();
  Tally tally;
  const Past first = RunOne(seed, 3, &tally);
  const Past second = RunOne(seed, 3, &tally);
  for (size_t i = 0; i < std::min(first.steps.size(), second.steps.size()); ++i) {
    ASSERT_EQ(first.steps[i], second.steps[i]) << "step " << i;
  }
  EXPECT_EQ(first.trace, second.trace);
  EXPECT_NE(first.trace, RunOne(seed + 1, 3, &tally).trace);
}

}  // namespace
}  // namespace latchkey_test
