// One clock for the whole engine, and the guard that keeps it from running backwards.
#pragma once

#include <atomic>
#include <cstdint>

namespace latchkey {

// Replaced by a host or a test. Methods may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t NowUnixMs() const = 0;  // wall clock, may jump
  // The second of that clock, as cheaply as it is to be had: up to a tick of the system (1 to 10
  // ms) late, as time(2) is.
  virtual int64_t CoarseUnixS() const { return NowUnixMs() / 1000; }
  virtual int64_t MonotonicMs() const = 0;  // never runs backwards; origin unspecified
};

// CLOCK_REALTIME and CLOCK_BOOTTIME. Lives for the whole process.
const Clock& SystemClock();

// The time that verdicts and records use: never before the latest time the store remembers, so a
// clock that is set back revives nothing.
//
// A jump of more than kJumpLimitS ahead of the monotonic clock is *used* but not *remembered* until
// it has lasted kJumpSettleS or an operator accepts it: one bad clock must not kill every key for
// good. A jump that goes back before then is forgotten. Many small steps add up to a jump.
//
// The first reading is believed, however far ahead of `remembered_s` it is: the store may have been
// closed for years, and no monotonic clock spans that. To doubt it would leave every process that
// lives for less than an hour without a memory.
//
// Every method may be called from any thread; none takes a lock or allocates.
class GuardedClock {
 public:
  static constexpr int64_t kJumpLimitS = 5 * 60;
  static constexpr int64_t kJumpSettleS = 60 * 60;

  // `clock` outlives this. `remembered_s` is what the store last persisted; 0 = nothing yet.
  GuardedClock(const Clock& clock, int64_t remembered_s);

  // Whole Unix seconds, never below remembered_s(); of a coarse clock, for verdicts.
  int64_t NowS() const;
  int64_t NowMs() const;         // milliseconds of the same time, for UUIDs
  int64_t remembered_s() const;  // what a commit should persist now
  bool jump_pending() const;     // a jump is being used but is not remembered yet
  void AcceptJump();             // the operator says the clock is right

 private:
  // One reading of both clocks.
  struct Reading {
    int64_t wall_ms;
    int64_t elapsed_ms;  // monotonic, since the guard was made
    int64_t offset_ms() const { return wall_ms - elapsed_ms; }
  };
  Reading Read() const;
  // Reads the clocks, updates the guard, returns the guarded milliseconds.
  int64_t Observe() const;
  // Whether a jump that is `ahead_ms` ahead at `elapsed_ms` has lasted long enough; if there was
  // none like it before, it begins here.
  bool HasSettled(int64_t ahead_ms, int64_t elapsed_ms) const;
  void Remember(int64_t wall_ms) const;

  const Clock& clock_;
  const int64_t start_monotonic_ms_;
  mutable std::atomic<int64_t> remembered_ms_;
  mutable std::atomic<int64_t> offset_ms_;  // wall less elapsed, as far as the wall is believed
  // The jump that is used but not remembered, in one word so that no thread sees half of it; 0 =
  // none. High half: elapsed seconds at its beginning plus 1. Low half: seconds ahead.
  mutable std::atomic<uint64_t> pending_jump_;
};

}  // namespace latchkey
