// What a store handle is, and what every call through it does first: count itself in, so that a
// close can tell that calls are running, and notice that the process was forked.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <new>

#include "latchkey/latchkey.h"
#include "service/engine.h"

namespace latchkey {

// The host's clock function as a Clock. The monotonic time is the system's: a host that sets its
// clock forward is then seen to jump.
class HostClock : public Clock {
 public:
  HostClock(latchkey_clock_function function, void* context)
      : function_(function), context_(context) {}
  int64_t NowUnixMs() const override { return function_(context_); }
  int64_t MonotonicMs() const override { return SystemClock().MonotonicMs(); }

 private:
  latchkey_clock_function function_;
  void* context_;
};

// Calls that are inside the library, counted apart by thread so that verifying threads do not share
// a cache line.
//
// A thread that has a stripe for itself counts with plain loads and stores: an atomic addition, or
// a fence, would make every verification wait until the one before has its line of the table. What
// the fence is for, that a closer who sees no call is seen by every later one, is then the closer's
// work: membarrier(2) has every thread of the process pass a fence. Where the system has no such
// call, and on the last stripe, which the threads share for whom there is no other, it is an atomic
// addition.
class CallCounter {
 public:
  static constexpr size_t kStripes = 64;
  class Stripe;

  CallCounter();
  // Give Leave() what Enter() returned.
  Stripe* Enter() {
    const size_t mine = MyStripe();
    Stripe* const stripe = &stripes_[mine];
    if (has_barrier_ && mine != kShared) {
      stripe->calls.store(stripe->calls.load(std::memory_order_relaxed) + 1,
                          std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      stripe->calls.fetch_add(1, std::memory_order_seq_cst);
    }
    return stripe;
  }
  void Leave(Stripe* stripe) {
    if (has_barrier_ && stripe != &stripes_[kShared]) {
      stripe->calls.store(stripe->calls.load(std::memory_order_relaxed) - 1,
                          std::memory_order_release);
    } else {
      stripe->calls.fetch_sub(1, std::memory_order_release);
    }
  }
  // *any: calls are inside. Only a door that was closed before makes the answer final. INTERNAL
  // when the system refuses the barrier that it has granted before; then nothing is known.
  Status Any(bool* any) const;

  class alignas(64) Stripe {
    friend class CallCounter;
    std::atomic<int64_t> calls{0};
  };

 private:
  static constexpr size_t kShared = kStripes - 1;
  // The calling thread's: its own until it ends, else kShared.
  static size_t MyStripe();

  std::array<Stripe, kStripes> stripes_;
  const bool has_barrier_;
};

// One page that the kernel wipes in a child (MADV_WIPEONFORK): reading 0 there means "inherited".
class ForkGuard {
 public:
  ForkGuard();
  ~ForkGuard();
  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;
  bool ok() const { return page_ != nullptr; }
  bool inherited() const { return page_->load(std::memory_order_relaxed) == 0; }

 private:
  std::atomic<uint64_t>* page_ = nullptr;
};

// What every call asks of a store with one load: anything but 0 is looked into.
struct Door {
  static constexpr uint32_t kClosing = 1;
  static constexpr uint32_t kFailed = 2;  // the load has failed
  std::atomic<uint32_t> state{0};
  Status why = Status::Ok();  // set before kFailed is

  void Fail(Status status) {
    why = status;
    state.fetch_or(kFailed, std::memory_order_seq_cst);
  }
};

}  // namespace latchkey

struct latchkey_store {
  latchkey::ForkGuard fork_guard;
  latchkey::CallCounter calls;
  latchkey::Door door;
  std::unique_ptr<latchkey::HostClock> clock;  // before the engine, which uses it to the end
  std::unique_ptr<latchkey::Engine> engine;
};

namespace latchkey {

// Which calls go on although the load of the store has failed.
enum class After : uint8_t { kSoundLoad, kAnyLoad };

// Counts a call in for its lifetime. status() is not OK when the call must not go on.
class Entry {
 public:
  explicit Entry(latchkey_store* store, After after = After::kSoundLoad) : store_(store) {
    if (store == nullptr) {
      status_ = Status::Error(Code::kInvalidArgument, "the store handle is NULL");
    } else if (store->fork_guard.inherited()) {
      store_ = nullptr;
      status_ =
          Status::Error(Code::kUnsupported,
                        "the store was opened before a fork: open it anew in the child, after "
                        "the parent has closed it");
    } else {
      stripe_ = store->calls.Enter();
      const uint32_t door = store->door.state.load(std::memory_order_seq_cst);
      if ((door & Door::kClosing) != 0) {
        status_ = Status::Error(Code::kBusy, "the store is being closed");
      } else if (door != 0 && after == After::kSoundLoad) {
        status_ = store->door.why;
      }
    }
  }
  ~Entry() {
    if (store_ != nullptr) store_->calls.Leave(stripe_);
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  const Status& status() const { return status_; }

 private:
  latchkey_store* store_;
  CallCounter::Stripe* stripe_ = nullptr;
  Status status_ = Status::Ok();
};

// Remembers the outcome for latchkey_error_text() and turns it into a code.
latchkey_code Finish(Status status) noexcept;

// Runs the body of one C function: nothing thrown leaves it.
template <typename Body>
latchkey_code Guard(Body&& body) noexcept {
  try {
    return Finish(body());
  } catch (const std::bad_alloc&) {
    return Finish(Status::Error(Code::kInternal, "there is no memory"));
  } catch (...) {
    return Finish(Status::Error(Code::kInternal, "an exception reached the C API: a defect"));
  }
}

// As Guard(), for a function with a store: `body(engine)`.
template <typename Body>
latchkey_code Call(latchkey_store* store, Body&& body, After after = After::kSoundLoad) noexcept {
  return Guard([&]() -> Status {
    const Entry entry(store, after);
    if (!entry.status().ok()) return entry.status();
    return body(*store->engine);
  });
}

}  // namespace latchkey
