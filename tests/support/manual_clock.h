// A clock that only a test moves.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace latchkey::test {

// Methods may be called from any thread.
class ManualClock : public Clock {
 public:
  explicit ManualClock(int64_t wall_ms = 1'750'000'000'000, int64_t monotonic_ms = 5'000)
      : wall_ms_(wall_ms), monotonic_ms_(monotonic_ms) {}

  int64_t NowUnixMs() const override { return wall_ms_.load(); }
  int64_t MonotonicMs() const override { return monotonic_ms_.load(); }

  void SetWallMs(int64_t ms) { wall_ms_.store(ms); }
  void SetMonotonicMs(int64_t ms) { monotonic_ms_.store(ms); }
  void StepWallMs(int64_t ms) { wall_ms_.fetch_add(ms); }  // somebody sets the clock
  // Time passes: the monotonic clock first, as no reading between the two may look like a jump.
  void AdvanceMs(int64_t ms) {
    monotonic_ms_.fetch_add(ms);
    wall_ms_.fetch_add(ms);
  }

 private:
  std::atomic<int64_t> wall_ms_;
  std::atomic<int64_t> monotonic_ms_;
};

}  // namespace latchkey::test
