// libc's calls that a simulation answers. As in tests/fault/file_calls.cc: a symbol of the program
// is found before that of a library.
#include "seams.h"

#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdarg>
#include <cstring>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <utility>

namespace latchkey_test {
namespace {

constexpr int64_t kTickMs = 500;  // the background waits a second; what waits less is somebody else
constexpr auto kStuck = std::chrono::seconds(60);

enum class Part : uint8_t { kNone, kHost, kBackground };
thread_local Part part = Part::kNone;
// What the next reading of CLOCK_MONOTONIC says at least, by which a waiter tells that his time is
// up: the standard library does not ask the wait.
thread_local std::optional<timespec> time_is_up;

struct Randomness {
  std::mutex mutex;
  std::optional<std::mt19937_64> stream;
};
Randomness& TheRandomness() {
  static Randomness* const randomness = new Randomness;
  return *randomness;
}

std::atomic<int64_t> boot_time_ms{-1};  // -1 = the system's

// Where the background of the one open store stands. `leave` belongs to the mutex that it waits
// with, `is_released` to the holder's.
enum class Leave : uint8_t { kNone, kToLookAround, kToEnd };
struct Standing {
  pthread_cond_t* condition = nullptr;
  pthread_mutex_t* mutex = nullptr;
  Leave leave = Leave::kNone;
  bool is_released = false;
};
struct Holder {
  std::mutex mutex;
  std::condition_variable came;
  bool holds = false;
  Standing* standing = nullptr;
};
Holder& TheHolder() {
  static Holder* const holder = new Holder;
  return *holder;
}

std::function<void()>& ToldOfQueueing() {
  static auto* const told = new std::function<void()>;
  return *told;
}

template <typename Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}
#define NEXT(name)                                                          \
  (*[] {                                                                    \
    static const auto next = latchkey_test::Next<decltype(&::name)>(#name); \
    return next;                                                            \
  }())

bool IsATickAway(clockid_t clock, const timespec& until) {
  timespec now{};
  clock_gettime(clock, &now);
  const int64_t ms = (until.tv_sec - now.tv_sec) * 1000 + (until.tv_nsec - now.tv_nsec) / 1000000;
  return ms > kTickMs;
}

extern "C" char __executable_start;  // by the linker
extern "C" char etext;

// RocksDB's own threads wait by the clock as well.
bool IsOfTheProgram(const void* caller) {
  const auto* at = static_cast<const char*>(caller);
  return at >= &__executable_start && at < &etext;
}

// As a wait that takes a second. The waiter's mutex is held, before and after.
int Stand(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec& until) {
  part = Part::kBackground;
  Standing standing{condition, mutex};
  {
    Holder& holder = TheHolder();
    const std::lock_guard lock(holder.mutex);
    holder.standing = &standing;
    holder.came.notify_all();
  }
  // Woken by its owner it stands on.
  while (standing.leave == Leave::kNone) pthread_cond_wait(condition, mutex);
  if (standing.leave == Leave::kToLookAround) {
    time_is_up = until;
    return ETIMEDOUT;
  }
  // From here on no wake-up is on its way that its owner gave it before: the next is to end it.
  {
    Holder& holder = TheHolder();
    const std::lock_guard lock(holder.mutex);
    standing.is_released = true;
    holder.holds = false;
    holder.came.notify_all();
  }
  return pthread_cond_wait(condition, mutex);
}

Standing* AwaitStanding() {
  Holder& holder = TheHolder();
  std::unique_lock lock(holder.mutex);
  if (!holder.came.wait_for(lock, kStuck, [&] { return holder.standing != nullptr; })) {
    throw std::runtime_error("the background of the store does not come to stand");
  }
  return std::exchange(holder.standing, nullptr);
}

void LetLeave(Standing* standing, Leave leave) {
  // It is gone as soon as the mutex is free.
  pthread_mutex_t* const mutex = standing->mutex;
  pthread_mutex_lock(mutex);
  standing->leave = leave;
  pthread_cond_broadcast(standing->condition);
  pthread_mutex_unlock(mutex);
}

}  // namespace

void JoinSimulation() { part = Part::kHost; }
bool IsInSimulation() { return part != Part::kNone; }

void SeedRandomness(uint64_t seed) {
  const std::lock_guard lock(TheRandomness().mutex);
  TheRandomness().stream.emplace(seed);
}
void UnseedRandomness() {
  const std::lock_guard lock(TheRandomness().mutex);
  TheRandomness().stream.reset();
}

void SetBootTimeMs(int64_t ms) { boot_time_ms.store(ms); }
int64_t BootTimeMs() { return boot_time_ms.load(); }

void HoldBackground() {
  const std::lock_guard lock(TheHolder().mutex);
  TheHolder().holds = true;
}

void AwaitBackground() {
  Standing* const standing = AwaitStanding();
  const std::lock_guard lock(TheHolder().mutex);
  TheHolder().standing = standing;
}

void RunBackgroundOnce() {
  LetLeave(AwaitStanding(), Leave::kToLookAround);
  Standing* const again = AwaitStanding();
  const std::lock_guard lock(TheHolder().mutex);
  TheHolder().standing = again;
}

void ReleaseBackground() {
  Standing* const standing = AwaitStanding();
  LetLeave(standing, Leave::kToEnd);
  Holder& holder = TheHolder();
  std::unique_lock lock(holder.mutex);
  holder.came.wait(lock, [&] { return standing->is_released; });
}

void StopHolding() {
  const std::lock_guard lock(TheHolder().mutex);
  TheHolder().holds = false;
}

void OnQueued(std::function<void()> told) { ToldOfQueueing() = std::move(told); }

}  // namespace latchkey_test

// ---- The calls themselves -----------------------------------------------------------------------

#define SEEN extern "C" __attribute__((visibility("default")))

using latchkey_test::TheHolder;
using latchkey_test::TheRandomness;

SEEN ssize_t getrandom(void* out, size_t size, unsigned flags) {
  {
    const std::lock_guard lock(TheRandomness().mutex);
    if (auto& stream = TheRandomness().stream) {
      auto* bytes = static_cast<uint8_t*>(out);
      for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>((*stream)() >> 32);
      return static_cast<ssize_t>(size);
    }
  }
  return syscall(SYS_getrandom, out, size, flags);
}

SEEN int clock_gettime(clockid_t clock, struct timespec* time) noexcept {
  const int64_t ms = latchkey_test::boot_time_ms.load(std::memory_order_relaxed);
  if (clock != CLOCK_BOOTTIME || ms < 0) {
    const int result = NEXT(clock_gettime)(clock, time);
    if (clock == CLOCK_MONOTONIC && latchkey_test::time_is_up) {
      *time = *std::exchange(latchkey_test::time_is_up, std::nullopt);
    }
    return result;
  }
  time->tv_sec = ms / 1000;
  time->tv_nsec = ms % 1000 * 1000000;
  return 0;
}

SEEN int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                                const struct timespec* until) {
  const void* const caller = __builtin_return_address(0);
  bool holds = false;
  if (latchkey_test::part != latchkey_test::Part::kHost && latchkey_test::IsOfTheProgram(caller)) {
    const std::lock_guard lock(TheHolder().mutex);
    holds = TheHolder().holds;
  }
  if (!holds || !latchkey_test::IsATickAway(clock, *until)) {
    return NEXT(pthread_cond_clockwait)(condition, mutex, clock, until);
  }
  return latchkey_test::Stand(condition, mutex, *until);
}

// The commit queue sleeps by a futex of its own.
SEEN long syscall(long number, ...) noexcept {
  va_list rest;
  va_start(rest, number);
  long of[6];
  for (long& each : of) each = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_futex && of[1] == FUTEX_WAIT_PRIVATE && latchkey_test::IsInSimulation() &&
      latchkey_test::ToldOfQueueing()) {
    latchkey_test::ToldOfQueueing()();
  }
  return NEXT(syscall)(number, of[0], of[1], of[2], of[3], of[4], of[5]);
}
