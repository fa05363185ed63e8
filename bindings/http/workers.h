// Threads for work that may wait: a bounded line, served in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace latchkey::http {

class Workers {
 public:
  Workers(unsigned threads, size_t waiting_max);
  // Does what stands in line first.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // False when the line is full; `work` is not called then. It must not throw.
  bool Submit(std::function<void()> work);

 private:
  void Run();

  const size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace latchkey::http
