// Fills the verify table from the store, behind the open or before it ends.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "service/memory.h"

namespace latchkey {

struct LoadOptions {
  // Called about ten times a second, and once at the end; by one thread at a time.
  std::function<void(uint64_t done, uint64_t total)> progress;
  // The load has failed, with the status that every use of the store is to be answered with.
  std::function<void(Status)> failed;
  // For tests: called with the number of credentials that were handed over, before each hand-over.
  std::function<void(uint64_t done)> hold;
};

class Loader : private LoadSink {
 public:
  Loader(const LocalAuthority& authority, Memory& memory, LoadOptions options);
  ~Loader() override;

  // Loads in the calling thread. CORRUPTION: a MAC, or the sum of all records, does not hold; IO.
  Status Run();
  // Loads in a thread of its own.
  void Start();
  // Ends the load, if it has not ended yet, and its thread. Called once at most by hand.
  void Stop();
  // Waits until the load has ended; how it ended.
  Status Wait() const;

  bool loading() const { return loading_.load(std::memory_order_acquire); }
  // OK while loading, and when the load was stopped.
  Status status() const;
  uint64_t done() const { return done_.load(std::memory_order_relaxed); }
  uint64_t total() const { return total_.load(std::memory_order_relaxed); }

 private:
  Status Load();
  Status UntilEnd();
  Status RunOnce();
  void End(Status status);
  Status Continue() override;
  Status Take(std::span<const LoadedCredential> credentials) override;
  void WaitUntilHealed();

  const LocalAuthority& authority_;
  Memory& memory_;
  const LoadOptions options_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> loading_{true};
  std::atomic<uint64_t> done_{0};
  std::atomic<uint64_t> total_{0};
  std::chrono::steady_clock::time_point told_;  // the latest progress
  mutable std::mutex mutex_;
  mutable std::condition_variable ended_;  // also: stop_ was set
  Status outcome_ = Status::Ok();
  std::thread thread_;
};

}  // namespace latchkey
