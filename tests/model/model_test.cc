// Random changes and questions to a store and to a model of it, which must stay the same: records,
// lists page by page with their totals, verdicts; with reopens and consistency checks in between.
// The store is loaded behind the open, before it, or into a table that holds a quarter of it, in
// turn. LATCHKEY_TEST_SEED replays the first of the runs.
#include <chrono>

#include "driver.h"

namespace latchkey {
extern uint64_t memory_budget_bytes_min;
}

namespace {

constexpr latchkey_test::LoadChoice kLoadChoices[] = {
    {LATCHKEY_LOAD_BEHIND, 64 * 4096}, {LATCHKEY_LOAD_BEHIND, 0}, {LATCHKEY_LOAD_FIRST, 0}};

void CompareFor(const char* suite, uint64_t directory_budget_bytes) {
  const auto run_time = std::chrono::seconds(latchkey_test::IsNightRun()  ? 600
                                             : latchkey_test::IsLongRun() ? 60
                                                                          : 6);
  const auto end = std::chrono::steady_clock::now() + run_time;
  uint64_t seed = latchkey_test::TestSeed();
  int runs = 0;
  latchkey::memory_budget_bytes_min = 0;
  do {
    latchkey_test::load_choice = kLoadChoices[seed % std::size(kLoadChoices)];
    SCOPED_TRACE("LATCHKEY_TEST_SEED=" + std::to_string(seed));
    latchkey_test::TestStore store(directory_budget_bytes);
    latchkey_model::Driver driver(seed++, &store);
    for (int epoch = 0; epoch < 6 && !testing::Test::HasFailure(); ++epoch) {
      driver.DrawWeights();
      for (int step = 0; step < 150 && !testing::Test::HasFailure(); ++step) driver.Step();
      if (!testing::Test::HasFailure()) driver.Reopen();
    }
    ++runs;
  } while (!testing::Test::HasFailure() && std::chrono::steady_clock::now() < end);
  std::cout << suite << ": tried " << runs << " runs of 900 steps, wrong "
            << (testing::Test::HasFailure() ? 1 : 0) << std::endl;
}

TEST(Model, StaysTheSame) { CompareFor("model", 0); }
TEST(Model, StaysTheSameWhereEveryListIsReadFromTheStore) {
  CompareFor("model, lists from the store", 1);
}
TEST(Model, StaysTheSameWhereListsDriveOneAnotherOut) {
  CompareFor("model, lists under a budget", 12'000);
}

}  // namespace
