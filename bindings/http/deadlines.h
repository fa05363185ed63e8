// Ends connections that take too long over a request: who sends a byte a minute, or takes a reply
// as slowly, would otherwise hold a connection for as long as he likes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <unordered_set>

namespace latchkey::http {

// One connection's deadline. Its thread sets it, the watch reads it.
class Deadline {
 public:
  explicit Deadline(int fd) : fd_(fd) {}
  int fd() const { return fd_; }
  void Set(int64_t at_ms) { at_ms_.store(at_ms, std::memory_order_relaxed); }
  // While the host is at work, time does not count.
  void Suspend() { Set(INT64_MAX); }
  int64_t at_ms() const { return at_ms_.load(std::memory_order_relaxed); }

 private:
  const int fd_;
  std::atomic<int64_t> at_ms_ = INT64_MAX;
};

int64_t SteadyMs();

class DeadlineWatch {
 public:
  DeadlineWatch();
  ~DeadlineWatch();
  DeadlineWatch(const DeadlineWatch&) = delete;
  DeadlineWatch& operator=(const DeadlineWatch&) = delete;

  Deadline* Add(int fd);
  // Before the descriptor is closed, so that no other connection with its number is cut.
  void Remove(Deadline* deadline);

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  std::unordered_set<Deadline*> deadlines_;
  std::thread thread_;
};

}  // namespace latchkey::http
