#include "base/clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <thread>
#include <vector>

#include "base/limits.h"
#include "support/manual_clock.h"
#include "support/seed.h"

namespace latchkey {
namespace {

using test::ManualClock;

constexpr int64_t kStartS = 1'750'000'000;
constexpr int64_t kStartMs = kStartS * 1000;
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kYearMs = 365 * 24 * kHourMs;

TEST(SystemClock, IsTheSystems) {
  const int64_t before = SystemClock().MonotonicMs();
  EXPECT_NEAR(static_cast<double>(SystemClock().NowUnixMs() / 1000),
              static_cast<double>(std::time(nullptr)), 5);
  EXPECT_GE(SystemClock().MonotonicMs(), before);
}

// Its seconds are those of some milliseconds ago.
class LateClock : public ManualClock {
 public:
  using ManualClock::ManualClock;
  int64_t CoarseUnixS() const override { return (NowUnixMs() - kLateMs) / 1000; }
  static constexpr int64_t kLateMs = 10;
};

TEST(SystemClock, TheCoarseSecondIsThisOneOrTheOneBefore) {
  for (int i = 0; i < 100'000; ++i) {
    const int64_t before_s = (SystemClock().NowUnixMs() - 20) / 1000;
    const int64_t coarse_s = SystemClock().CoarseUnixS();
    ASSERT_GE(coarse_s, before_s);
    ASSERT_LE(coarse_s, SystemClock().NowUnixMs() / 1000);
  }
}

TEST(GuardedClock, ACoarseClockNeverMakesItRunBackwards) {
  LateClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  int64_t latest_s = 0;
  for (int i = 0; i < 20'000; ++i) {
    clock.AdvanceMs(3);
    // Whoever made a record a moment ago had the fine clock's time.
    if (i % 7 == 0) latest_s = std::max(latest_s, guard.NowMs() / 1000);
    const int64_t now_s = guard.NowS();
    ASSERT_GE(now_s, latest_s);
    ASSERT_LE(now_s, clock.NowUnixMs() / 1000);
    ASSERT_GE(now_s, (clock.NowUnixMs() - LateClock::kLateMs) / 1000);
    latest_s = now_s;
  }
}

TEST(GuardedClock, FollowsTheClockAndRemembersIt) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  EXPECT_EQ(guard.NowMs(), kStartMs);
  for (int i = 0; i < 10'000; ++i) {
    clock.AdvanceMs(777);
    ASSERT_EQ(guard.NowMs(), clock.NowUnixMs());
    ASSERT_EQ(guard.NowS(), clock.NowUnixMs() / 1000);
    ASSERT_EQ(guard.remembered_s(), clock.NowUnixMs() / 1000);
    ASSERT_FALSE(guard.jump_pending());
  }
}

TEST(GuardedClock, RemembersWithoutBeingAskedForTheTime) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  clock.AdvanceMs(kHourMs);
  EXPECT_EQ(guard.remembered_s(), kStartS + 3600);
}

TEST(GuardedClock, AClockSetBackRevivesNothing) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  clock.StepWallMs(-kYearMs);
  EXPECT_EQ(guard.NowMs(), kStartMs);
  EXPECT_EQ(guard.remembered_s(), kStartS);
  clock.AdvanceMs(kHourMs);  // an hour of real time does not bring a year back
  EXPECT_EQ(guard.NowS(), kStartS);
  clock.StepWallMs(kYearMs);  // corrected
  EXPECT_EQ(guard.NowMs(), kStartMs + kHourMs);
}

TEST(GuardedClock, AClockSetBackWhileTheStoreWasClosedRevivesNothing) {
  ManualClock clock(kStartMs - kYearMs);
  GuardedClock guard(clock, kStartS);
  EXPECT_EQ(guard.NowS(), kStartS);
  EXPECT_EQ(guard.NowMs(), kStartMs);
  EXPECT_EQ(guard.remembered_s(), kStartS);
}

TEST(GuardedClock, AStoreClosedForYearsBelievesTheFirstReading) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, kStartS - 5 * kYearMs / 1000);
  EXPECT_EQ(guard.NowS(), kStartS);
  EXPECT_EQ(guard.remembered_s(), kStartS);
  EXPECT_FALSE(guard.jump_pending());
}

TEST(GuardedClock, AStepOfFiveMinutesIsRememberedAndOneMoreIsNot) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  clock.StepWallMs(5 * kMinuteMs);
  EXPECT_FALSE(guard.jump_pending());
  EXPECT_EQ(guard.remembered_s(), kStartS + 300);
  clock.StepWallMs(1);  // small steps add up
  EXPECT_TRUE(guard.jump_pending());
  EXPECT_EQ(guard.NowMs(), kStartMs + 300'001);  // used
  EXPECT_EQ(guard.remembered_s(), kStartS + 300);
}

TEST(GuardedClock, TheTimeThatPassesIsNoJump) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  clock.AdvanceMs(kYearMs);  // nobody asked for a year
  EXPECT_FALSE(guard.jump_pending());
  EXPECT_EQ(guard.remembered_s(), kStartS + kYearMs / 1000);
}

TEST(GuardedClock, AJumpThatGoesBackIsForgotten) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  clock.StepWallMs(10 * kYearMs);
  EXPECT_EQ(guard.NowMs(), kStartMs + 10 * kYearMs);
  clock.AdvanceMs(59 * kMinuteMs);
  EXPECT_TRUE(guard.jump_pending());
  EXPECT_EQ(guard.remembered_s(), kStartS);
  clock.StepWallMs(-10 * kYearMs);
  EXPECT_EQ(guard.NowMs(), kStartMs + 59 * kMinuteMs);  // keys live again
  EXPECT_FALSE(guard.jump_pending());
  clock.StepWallMs(10 * kYearMs);  // the next one starts from nothing
  clock.AdvanceMs(2 * kMinuteMs);
  EXPECT_TRUE(guard.jump_pending());
  clock.AdvanceMs(59 * kMinuteMs);
  EXPECT_TRUE(guard.jump_pending());
  EXPECT_LT(guard.remembered_s(), kStartS + 7200);
}

TEST(GuardedClock, AJumpThatLastsAnHourIsRemembered) {
  ManualClock clock(kStartMs, 123'456);
  GuardedClock guard(clock, 0);
  clock.AdvanceMs(500);
  clock.StepWallMs(kYearMs);
  EXPECT_TRUE(guard.jump_pending());
  clock.AdvanceMs(kHourMs - 1);
  EXPECT_TRUE(guard.jump_pending());  // not one millisecond early
  clock.AdvanceMs(1001);              // and at most a second late
  EXPECT_FALSE(guard.jump_pending());
  EXPECT_EQ(guard.remembered_s(), clock.NowUnixMs() / 1000);
  clock.AdvanceMs(kMinuteMs);
  EXPECT_FALSE(guard.jump_pending());  // it is the clock now
  const int64_t latest_ms = clock.NowUnixMs();
  EXPECT_EQ(guard.remembered_s(), latest_ms / 1000);
  clock.StepWallMs(-kYearMs);
  EXPECT_EQ(guard.NowMs(), latest_ms);
}

TEST(GuardedClock, AnHourCountsByTheMonotonicClock) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  clock.StepWallMs(kYearMs);
  EXPECT_TRUE(guard.jump_pending());
  clock.StepWallMs(4 * kMinuteMs);  // the wall may do what it likes
  EXPECT_TRUE(guard.jump_pending());
  EXPECT_EQ(guard.remembered_s(), kStartS);
}

TEST(GuardedClock, AJumpUponAJumpHasToLastAnHourItself) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  clock.StepWallMs(kHourMs);
  EXPECT_TRUE(guard.jump_pending());
  clock.AdvanceMs(59 * kMinuteMs);
  clock.StepWallMs(50 * kYearMs);
  EXPECT_TRUE(guard.jump_pending());
  clock.AdvanceMs(2 * kMinuteMs);
  EXPECT_TRUE(guard.jump_pending());
  EXPECT_EQ(guard.remembered_s(), kStartS);
  clock.AdvanceMs(kHourMs);
  EXPECT_FALSE(guard.jump_pending());
}

TEST(GuardedClock, AnOperatorAcceptsAJump) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  clock.StepWallMs(kYearMs);
  EXPECT_TRUE(guard.jump_pending());
  guard.AcceptJump();
  EXPECT_FALSE(guard.jump_pending());
  EXPECT_EQ(guard.remembered_s(), kStartS + kYearMs / 1000);
  clock.AdvanceMs(kMinuteMs);
  EXPECT_FALSE(guard.jump_pending());
  clock.StepWallMs(-kYearMs);
  EXPECT_EQ(guard.NowMs(), kStartMs + kYearMs + kMinuteMs);
}

TEST(GuardedClock, AcceptingNeverForgets) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  clock.StepWallMs(-kYearMs);
  guard.AcceptJump();
  EXPECT_EQ(guard.NowMs(), kStartMs);
  EXPECT_EQ(guard.remembered_s(), kStartS);
}

TEST(GuardedClock, AClockSetBackMustNotRunAheadFromThere) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  clock.StepWallMs(-kHourMs);
  EXPECT_EQ(guard.NowMs(), kStartMs);
  clock.AdvanceMs(2 * kHourMs);
  EXPECT_EQ(guard.NowMs(), kStartMs + kHourMs);
  clock.StepWallMs(10 * kMinuteMs);  // still behind where it started from
  EXPECT_TRUE(guard.jump_pending());
  EXPECT_EQ(guard.remembered_s(), kStartS + 3600);
}

// A clock that runs a hundred times too fast must not take the guard along with it step by step.
TEST(GuardedClock, AClockThatRunsTooFastIsNotRemembered) {
  ManualClock clock(kStartMs);
  GuardedClock guard(clock, 0);
  for (int i = 0; i < 100'000; ++i) {
    clock.AdvanceMs(10);
    clock.StepWallMs(990);
    ASSERT_EQ(guard.NowMs(), clock.NowUnixMs());
  }
  EXPECT_LT(guard.remembered_s(), kStartS + 400);
  EXPECT_TRUE(guard.jump_pending());
}

TEST(GuardedClock, AHostsClockMayAnswerAnything) {
  constexpr int64_t kEdges[] = {INT64_MIN, -1, 0, 1, kStartMs, limits::kTimeMaxS * 1000, INT64_MAX};
  for (const int64_t wall : kEdges) {
    for (const int64_t monotonic : kEdges) {
      for (const int64_t remembered : kEdges) {
        ManualClock clock(wall, monotonic);
        GuardedClock guard(clock, remembered);
        for (const int64_t next : kEdges) {
          clock.SetWallMs(next);
          clock.SetMonotonicMs(wall ^ next);
          ASSERT_GE(guard.NowS(), 0);
          ASSERT_LE(guard.NowS(), limits::kTimeMaxS);
          ASSERT_LE(guard.remembered_s(), guard.NowS());
          guard.AcceptJump();
        }
      }
    }
  }
}

// What must hold whatever the clock does. Steps are drawn so that small ones, jumps and waits mix.
TEST(GuardedClock, RandomStepsKeepThePromise) {
  LATCHKEY_TEST_RANDOM(random);
  for (int round = 0; round < 500; ++round) {
    ManualClock clock(kStartMs);
    const int64_t stored_s = kStartS + static_cast<int64_t>(random() % 2000) - 1000;
    GuardedClock guard(clock, stored_s);
    int64_t largest_remembered_s = guard.remembered_s();
    ASSERT_GE(largest_remembered_s, stored_s);
    for (int step = 0; step < 200; ++step) {
      constexpr int64_t kSteps[] = {1, 999, kMinuteMs, 4 * kMinuteMs, kHourMs, kYearMs};
      const int64_t by = kSteps[random() % 6];
      switch (random() % 4) {
        case 0:
          clock.StepWallMs(by);
          break;
        case 1:
          clock.StepWallMs(-by);
          break;
        default:
          clock.AdvanceMs(by);
          break;
      }
      if (random() % 50 == 0) guard.AcceptJump();
      const int64_t now_ms = guard.NowMs();
      const int64_t remembered_s = guard.remembered_s();
      ASSERT_GE(remembered_s, largest_remembered_s) << "forgot, step " << step;
      ASSERT_GE(now_ms, remembered_s * 1000) << "revived, step " << step;
      ASSERT_GE(now_ms, clock.NowUnixMs()) << "a key lives too long, step " << step;
      ASSERT_EQ(guard.NowS(), now_ms / 1000);
      const bool is_pending = guard.jump_pending();
      ASSERT_TRUE(is_pending || now_ms / 1000 == remembered_s) << "step " << step;
      ASSERT_TRUE(!is_pending || now_ms == clock.NowUnixMs()) << "step " << step;
      largest_remembered_s = remembered_s;
    }
  }
}

// Every reading is a little before or after the last one, so threads race to remember: some later
// time, some earlier. No thread may see time run back behind what any thread has been told.
class UnsteadyClock : public Clock {
 public:
  explicit UnsteadyClock(uint64_t seed) : seed_(seed) {}
  int64_t NowUnixMs() const override {
    const uint64_t tick = tick_.fetch_add(1);
    const uint64_t mixed = (tick ^ seed_) * 0x9E3779B97F4A7C15;
    return kStartMs + static_cast<int64_t>(tick / 4 + (mixed >> 60));  // up to 15 ms ahead
  }
  int64_t MonotonicMs() const override { return static_cast<int64_t>(tick_.load() / 4); }

 private:
  const uint64_t seed_;
  mutable std::atomic<uint64_t> tick_{0};
};

TEST(GuardedClock, IsMonotoneUnderThreads) {
  LATCHKEY_TEST_RANDOM(random);
  const UnsteadyClock clock(random());
  const GuardedClock guard(clock, 0);
  std::atomic<int64_t> latest_ms{0};
  std::atomic<int> backwards{0};
  std::atomic<int> below_remembered{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      for (int step = 0; step < 300'000; ++step) {
        const int64_t known_ms = latest_ms.load();  // some thread has returned this already
        const int64_t remembered_s = guard.remembered_s();
        const int64_t now_ms = guard.NowMs();
        if (now_ms < known_ms) backwards.fetch_add(1);
        if (now_ms < remembered_s * 1000) below_remembered.fetch_add(1);
        int64_t latest = known_ms;
        while (latest < now_ms && !latest_ms.compare_exchange_weak(latest, now_ms)) {
        }
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(backwards.load(), 0);
  EXPECT_EQ(below_remembered.load(), 0);
  EXPECT_FALSE(guard.jump_pending());
}

}  // namespace
}  // namespace latchkey
