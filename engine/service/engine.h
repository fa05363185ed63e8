// The engine: opens and closes the whole, and holds the parts that the use cases work on. One file
// a use case stands beside this one (README.md).
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "service/loader.h"
#include "service/sweep_counts.h"

namespace latchkey {

enum class LogLevel : uint32_t { kError = 0, kWarning = 1, kInfo = 2 };

struct EngineOptions {
  AuthorityOptions store;
  const Clock* clock = nullptr;  // nullptr = the system's; outlives the engine
  // A Status holds fixed texts only, so nothing secret can reach a log. Called from any thread.
  std::function<void(LogLevel, Status)> log;
  MemoryBudgets budgets;
  bool load_first = false;  // Open() returns when all has been read and has added up
  LoadOptions load;
};

// What is answered when a change is on the device and in force, and what it made of the store
// cannot be read.
Status MadeButUnread();

class Engine {
 public:
  // Unless `load_first`, the credentials are loaded behind it; see loader().
  static Result<std::unique_ptr<Engine>> Open(EngineOptions options);
  // Stops the load and the background thread, flushes, closes. No call may be running.
  ~Engine();

  LocalAuthority& authority() { return *authority_; }
  const LocalAuthority& authority() const { return *authority_; }
  Memory& memory() { return *memory_; }
  const Memory& memory() const { return *memory_; }
  const Loader& loader() const { return *loader_; }
  GuardedClock& clock() { return *clock_; }
  const GuardedClock& clock() const { return *clock_; }
  Random& random() { return random_; }
  SweepCounts& sweep_counts() { return sweep_counts_; }

  // Runs a command of now; the events it committed, or why it was refused.
  Result<std::vector<Event>> Run(const Uuid& actor, decltype(Command::body) body);
  // As Run(), and denies at once what a sweep among the events covers; *denied (may be null)
  // counts.
  Result<std::vector<Event>> RunAndDeny(const Uuid& actor, decltype(Command::body) body,
                                        uint64_t* denied);
  // A new UUID of version 7.
  Result<Uuid> NewUuid();
  // Eight random characters of base36, for slugs.
  Result<Bytes> NewSlugSuffix();
  // The background thread has something to do (a sweep was started).
  void Wake();

 private:
  explicit Engine(EngineOptions options) : options_(std::move(options)) {}
  Status StartLoad();
  void Background();
  void TendOnce();
  void RunSweeps();
  Status RunSweep(const SweepRecord& sweep);
  void FlushUsage();

  EngineOptions options_;
  Random random_;
  std::unique_ptr<LocalAuthority> authority_;
  std::unique_ptr<GuardedClock> clock_;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<Loader> loader_;
  SweepCounts sweep_counts_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  bool woken_ = false;
  std::atomic<bool> stopping_{false};
  int64_t clock_persisted_s_ = 0;
  int64_t usage_flushed_s_ = 0;
  std::thread background_;
};

}  // namespace latchkey
