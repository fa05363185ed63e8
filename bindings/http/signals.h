// Signals, waited for by one thread instead of interrupting all.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace latchkey::http {

// From its construction on, SIGTERM and SIGINT ask the process to end, and a second one ends it at
// once (with 128 and the signal's number); SIGHUP calls a function. Must be made before any other
// thread, since threads inherit what is blocked.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // What SIGHUP does, on a thread of its own. Before that it does nothing.
  void OnHangup(std::function<void()> hangup);
  // Returns when the process has been asked to end.
  void WaitForEnd();
  bool end_asked();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable end_changed_;
  bool end_asked_ = false;
  bool stop_ = false;
  std::function<void()> hangup_;
  std::thread thread_;
};

}  // namespace latchkey::http
