// A clock for tests: the time is what a file says.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace latchkey::http {

// Unix seconds with at most three decimals ("1795000000", "1795000000.250"), read again every 20 ms
// by a thread of its own. What is not that leaves the time as it was, so the file may be rewritten
// in place.
class ClockFile {
 public:
  // Throws std::runtime_error when the file does not hold a time.
  explicit ClockFile(std::string path);
  ~ClockFile();
  ClockFile(const ClockFile&) = delete;
  ClockFile& operator=(const ClockFile&) = delete;

  int64_t NowMs() const { return now_ms_.load(std::memory_order_relaxed); }
  // A latchkey_clock_function; `self` is a ClockFile*.
  static int64_t Read(void* self) { return static_cast<const ClockFile*>(self)->NowMs(); }

 private:
  bool Refresh();
  void Run();

  const std::string path_;
  std::atomic<int64_t> now_ms_ = 0;
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace latchkey::http
