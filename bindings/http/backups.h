// Backups of the store while it is served.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "host.h"

namespace latchkey::http {

// Makes a backup whenever one is due, on a thread of its own: Options::backup_every_s after the
// newest in the folder, which may be older than this process; at once where there is none. One that
// fails is logged, counted, and tried again a few minutes later.
class Backups {
 public:
  // Borrows the host, whose store is open.
  explicit Backups(Host* host);
  // One that is being made is stopped, and is none.
  ~Backups();
  Backups(const Backups&) = delete;
  Backups& operator=(const Backups&) = delete;

 private:
  void Run();
  // Whether it was made.
  bool Make();
  // False when it is time to stop.
  bool Wait(int64_t wait_s);
  bool stopping();

  Host& host_;
  std::mutex mutex_;
  std::condition_variable stop_asked_;
  bool stop_ = false;
  std::thread thread_;
};

// How long until the next one is due, at `now_s`, when the newest was made at `newest_s`. Whatever
// clock made that one, the next is no further away than `every_s`.
constexpr int64_t SecondsUntilDue(int64_t newest_s, int64_t now_s, int64_t every_s) {
  return std::clamp<int64_t>(newest_s + every_s - now_s, 0, every_s);
}

}  // namespace latchkey::http
