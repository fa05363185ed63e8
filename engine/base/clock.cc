// The process's clock, and the guard's bookkeeping: three atomic words, each valid on its own, so
// that no reader ever waits for another.
#include "base/clock.h"

#include <ctime>

#include <algorithm>

#include "base/limits.h"

namespace latchkey {
namespace {

constexpr int64_t kTimeMaxMs = limits::kTimeMaxS * 1000;
constexpr int64_t kJumpLimitMs = GuardedClock::kJumpLimitS * 1000;
constexpr uint64_t kNoJump = 0;

class ProcessClock final : public Clock {
 public:
  int64_t NowUnixMs() const override { return ReadMs(CLOCK_REALTIME); }
  // What the kernel noted at its last tick: 6 ns, where a reading of the counter takes 29.
  int64_t CoarseUnixS() const override {
    timespec time{};
    clock_gettime(CLOCK_REALTIME_COARSE, &time);
    return time.tv_sec;
  }
  // CLOCK_MONOTONIC would stand still while the machine sleeps, and its waking would look like a
  // jump of the wall clock.
  int64_t MonotonicMs() const override { return ReadMs(CLOCK_BOOTTIME); }

 private:
  static int64_t ReadMs(clockid_t id) {
    timespec time{};
    clock_gettime(id, &time);
    return static_cast<int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1000000;
  }
};

// A host's clock is not ours: whatever it answers, no sum below overflows.
int64_t Bounded(int64_t ms) { return std::clamp<int64_t>(ms, 0, kTimeMaxMs); }

}  // namespace

const Clock& SystemClock() {
  // Never destroyed: threads may ask for the time while the process exits.
  static const Clock* const clock = new ProcessClock;
  return *clock;
}

GuardedClock::GuardedClock(const Clock& clock, int64_t remembered_s)
    : clock_(clock),
      start_monotonic_ms_(clock.MonotonicMs()),
      remembered_ms_(std::clamp<int64_t>(remembered_s, 0, limits::kTimeMaxS) * 1000),
      offset_ms_(0),
      pending_jump_(kNoJump) {
  const Reading first = Read();
  offset_ms_.store(first.offset_ms());
  Remember(first.wall_ms);
}

int64_t GuardedClock::NowS() const {
  // A verification asks for no more than the second, and nearly always finds that of the one
  // before: nothing is written then. What lies between the coarse clock and the other one is never
  // seen to run backwards, since the second that was remembered is then the later one.
  const int64_t remembered_s = remembered_ms_.load() / 1000;
  if (clock_.CoarseUnixS() == remembered_s && pending_jump_.load() == kNoJump) return remembered_s;
  return Observe() / 1000;
}

int64_t GuardedClock::NowMs() const { return Observe(); }

int64_t GuardedClock::remembered_s() const {
  Observe();  // a store that nobody verifies against still remembers the time that has passed
  return remembered_ms_.load() / 1000;
}

bool GuardedClock::jump_pending() const {
  Observe();
  return pending_jump_.load() != kNoJump;
}

void GuardedClock::AcceptJump() {
  const Reading now = Read();
  // The offset first: a thread that still judges by the old one finds that its exchange fails, or
  // begins a jump that the next reading ends.
  offset_ms_.store(now.offset_ms());
  pending_jump_.store(kNoJump);
  Remember(now.wall_ms);
}

GuardedClock::Reading GuardedClock::Read() const {
  // The monotonic clock first: if the process is stopped between the two, the wall seems ahead, and
  // the next reading puts that right. The other way round it would seem to have been set back.
  const uint64_t elapsed = static_cast<uint64_t>(clock_.MonotonicMs()) -
                           static_cast<uint64_t>(start_monotonic_ms_);  // wraps, cannot overflow
  const int64_t elapsed_ms = Bounded(static_cast<int64_t>(elapsed));
  return {Bounded(clock_.NowUnixMs()), elapsed_ms};
}

int64_t GuardedClock::Observe() const {
  const Reading now = Read();
  int64_t offset_ms = offset_ms_.load();
  const int64_t ahead_ms = now.offset_ms() - offset_ms;
  const int64_t remembered_ms = remembered_ms_.load();
  if (ahead_ms > kJumpLimitMs && now.wall_ms > remembered_ms) {
    if (!HasSettled(ahead_ms, now.elapsed_ms)) return now.wall_ms;
    offset_ms_.compare_exchange_strong(offset_ms, now.offset_ms());
  } else if (ahead_ms < 0) {
    // Set back: from here on it must not run ahead. Never the other way, or a clock that runs too
    // fast would take the guard along with it.
    offset_ms_.compare_exchange_strong(offset_ms, now.offset_ms());
  }
  if (pending_jump_.load() != kNoJump) pending_jump_.store(kNoJump);
  Remember(now.wall_ms);
  return std::max(now.wall_ms, remembered_ms);
}

bool GuardedClock::HasSettled(int64_t ahead_ms, int64_t elapsed_ms) const {
  constexpr int64_t kHalfMax = 0xFFFFFFFF;  // 136 years
  const int64_t elapsed_s = elapsed_ms / 1000;
  const int64_t ahead_s = std::min(ahead_ms / 1000, kHalfMax);
  uint64_t pending = pending_jump_.load();
  if (pending != kNoJump) {
    const int64_t begun_s = static_cast<int64_t>(pending >> 32) - 1;
    const int64_t moved_s = ahead_s - static_cast<int64_t>(pending & 0xFFFFFFFF);
    const bool is_same = moved_s <= kJumpLimitS && moved_s >= -kJumpLimitS;
    if (is_same) return elapsed_s - begun_s >= kJumpSettleS;
  }
  // Rounded up, so that it never settles early.
  const int64_t begins_s = std::min((elapsed_ms + 999) / 1000 + 1, kHalfMax);
  pending_jump_.compare_exchange_strong(
      pending, static_cast<uint64_t>(begins_s) << 32 | static_cast<uint64_t>(ahead_s));
  return false;
}

void GuardedClock::Remember(int64_t wall_ms) const {
  int64_t known_ms = remembered_ms_.load();
  while (known_ms < wall_ms && !remembered_ms_.compare_exchange_weak(known_ms, wall_ms)) {
  }
}

}  // namespace latchkey
