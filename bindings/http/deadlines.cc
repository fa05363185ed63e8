#include "deadlines.h"

#include <sys/socket.h>

#include <chrono>

namespace latchkey::http {
namespace {

constexpr auto kPeriod = std::chrono::milliseconds(500);

}  // namespace

int64_t SteadyMs() {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  return duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

DeadlineWatch::DeadlineWatch() : thread_([this] { Run(); }) {}

DeadlineWatch::~DeadlineWatch() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_one();
  thread_.join();
  for (Deadline* deadline : deadlines_) delete deadline;
}

Deadline* DeadlineWatch::Add(int fd) {
  auto* deadline = new Deadline(fd);
  const std::lock_guard lock(mutex_);
  deadlines_.insert(deadline);
  return deadline;
}

void DeadlineWatch::Remove(Deadline* deadline) {
  const std::lock_guard lock(mutex_);
  deadlines_.erase(deadline);
  delete deadline;
}

void DeadlineWatch::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, kPeriod, [this] { return stop_; })) {
    const int64_t now_ms = SteadyMs();
    for (Deadline* deadline : deadlines_) {
      if (deadline->at_ms() > now_ms) continue;
      // The server then sees an end, and cleans up as after any other.
      shutdown(deadline->fd(), SHUT_RDWR);
      deadline->Suspend();
    }
  }
}

}  // namespace latchkey::http
