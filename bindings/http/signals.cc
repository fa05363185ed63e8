#include "signals.h"

#include <signal.h>
#include <unistd.h>

namespace latchkey::http {
namespace {

// Wakes the thread to end it.
constexpr int kStop = SIGUSR1;

sigset_t Waited() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, kStop}) sigaddset(&set, number);
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = Waited();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A client that has gone is an error of a write, and no reason to die.
  signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread([this] { Run(); });
}

Signals::~Signals() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  pthread_kill(thread_.native_handle(), kStop);
  thread_.join();
}

void Signals::OnHangup(std::function<void()> hangup) {
  const std::lock_guard lock(mutex_);
  hangup_ = std::move(hangup);
}

void Signals::WaitForEnd() {
  std::unique_lock lock(mutex_);
  end_changed_.wait(lock, [this] { return end_asked_; });
}

bool Signals::end_asked() {
  const std::lock_guard lock(mutex_);
  return end_asked_;
}

void Signals::Run() {
  const sigset_t set = Waited();
  while (true) {
    int number = 0;
    if (sigwait(&set, &number) != 0) continue;
    std::unique_lock lock(mutex_);
    if (number == SIGHUP) {
      const std::function<void()> hangup = hangup_;
      lock.unlock();
      if (hangup) hangup();
    } else if (number == kStop) {
      if (stop_) return;
    } else if (end_asked_) {
      _exit(128 + number);
    } else {
      end_asked_ = true;
      end_changed_.notify_all();
    }
  }
}

}  // namespace latchkey::http
