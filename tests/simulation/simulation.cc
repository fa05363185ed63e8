#include "simulation.h"

#include <algorithm>
#include <array>

namespace latchkey_test {
namespace {

using latchkey_model::Key;

constexpr uint64_t kDirectoryBudgets[] = {0, 1, 12'000};
constexpr int64_t kDayS = 24 * 3600;
constexpr int64_t kYearS = 365 * kDayS;

// What a clock may do: so much passes, and it is set so much ahead.
struct Turn {
  const char* name;
  int64_t passed_s;
  int64_t set_s;
};
constexpr Turn kTurns[] = {
    {"half a minute passes", 30, 0},
    {"half an hour passes", 1800, 0},
    {"an hour and a bit passes", 3700, 0},
    {"a day passes", kDayS, 0},
    {"the clock stands still for a day", kDayS, -kDayS},
    {"the clock is set back a day", 0, -kDayS},
    {"the clock is set ahead 4 minutes", 0, 240},
    {"the clock is set ahead a day", 0, kDayS},
    {"the clock is set ahead a year", 0, kYearS},
    {"the clock is set back a year", 0, -kYearS},
};

}  // namespace

Simulation::Simulation(uint64_t seed, Tally* tally)
    : World(seed, kDirectoryBudgets[seed / 3 % std::size(kDirectoryBudgets)]),
      Driver(seed, &store()),
      seed_(seed),
      tally_(*tally) {}

void Simulation::Run(size_t ends, size_t steps_between) {
  const auto goes_on = [] { return !testing::Test::HasFailure(); };
  // Into a store without a credential: by files.
  if (Chance(2)) ImportSome(/*fails=*/Chance(4));
  for (size_t i = 0; i < ends && goes_on(); ++i) {
    DrawWeights();
    for (size_t step = 0; step < steps_between && goes_on(); ++step) OneStep();
    if (!goes_on()) break;
    if (!backups_.empty() && Chance(5)) {
      Restore();
    } else if (Chance(8)) {
      CutAmidABackup();
    } else if (Chance(4)) {
      CutAmidACall();
    } else {
      EndIn(static_cast<End>(Draw(3)));
    }
  }
  tally_.days += passed_s() / kDayS;
}

void Simulation::OneStep() {
  ++tally_.steps;
  const latchkey_stats before = store().Stats();
  const int64_t remembered_s = guard().remembered_s();
  const uint64_t choice = Draw(100);
  if (choice < 70) {
    std::string what;
    crew().Run(Draw(Crew::kSize), [&] { what = Step(); });
    Happens(std::move(what));
  } else if (choice < 71) {
    BackUp();
  } else if (choice < 81) {
    Tick();
  } else if (choice < 90) {
    Group(/*fails=*/false);
  } else if (choice < 94) {
    Storm();
  } else if (choice < 96) {
    FillDisk();
  } else {
    ImportSome(/*fails=*/Chance(3));
  }
  // Every commit writes what the guard remembers.
  if (store().Stats().event_number > before.event_number) {
    SetDurable(std::min(remembered_s, guard().remembered_s()));
  }
}

void Simulation::Happens(std::string what) {
  const latchkey_stats stats = store().Stats();
  what += " (" + std::to_string(stats.event_number) + ", " + std::to_string(stats.time_s) + ")";
  for (const char c : what) trace_ = (trace_ ^ static_cast<uint8_t>(c)) * 1099511628211u;
  steps_.push_back(std::move(what));
}

void Simulation::StepClock() {
  if (Chance(4)) {
    SetClockRight();
    return Happens("the clock is set right");
  }
  const Turn& turn = kTurns[Draw(Chance(3) ? std::size(kTurns) : 4)];
  PassTime(turn.passed_s, turn.set_s);
  Happens(turn.name);
}

void Simulation::Tick() {
  PassTime(static_cast<int64_t>(1 + Draw(90)), 0);
  RunBackground();
  EXPECT_EQ(0u, store().Stats().sweeps_pending);
  CompareCounts();
  Happens("tick");
}

}  // namespace latchkey_test
