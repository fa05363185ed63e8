#include "crew.h"

#include <gtest/gtest.h>

#include <exception>
#include <utility>

#include "seams.h"

namespace latchkey_test {
namespace {

thread_local void* me = nullptr;  // the Member whose thread this is

}  // namespace

Crew::Crew() : members_(kSize) {
  for (Member& member : members_) member.thread = std::thread([this, &member] { Loop(&member); });
}

Crew::~Crew() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (Member& member : members_) member.thread.join();
}

void Crew::Loop(Member* self) {
  JoinSimulation();
  me = self;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stop_ || self->state == State::kBusy; });
    if (stop_) return;
    const std::function<void()> work = std::exchange(self->work, nullptr);
    lock.unlock();
    try {
      work();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    lock.lock();
    self->state = State::kIdle;
    changed_.notify_all();
  }
}

bool Crew::Start(size_t who, std::function<void()> work) {
  std::unique_lock lock(mutex_);
  Member& member = members_[who];
  member.work = std::move(work);
  member.state = State::kBusy;
  changed_.notify_all();
  changed_.wait(lock, [&] { return member.state != State::kBusy; });
  return member.state == State::kIdle;
}

void Crew::Await(size_t who) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return members_[who].state == State::kIdle; });
}

void Crew::Run(size_t who, std::function<void()> work) {
  Start(who, std::move(work));
  Await(who);
}

void Crew::HoldNextSync() {
  const std::lock_guard lock(mutex_);
  hold_ = true;
  let_go_ = false;
}

void Crew::LetGo() {
  const std::lock_guard lock(mutex_);
  hold_ = false;
  let_go_ = true;
  changed_.notify_all();
}

void Crew::Syncing(const std::string& path) {
  if (me == nullptr || !path.ends_with(".log")) return;
  std::unique_lock lock(mutex_);
  if (!std::exchange(hold_, false)) return;
  auto* const self = static_cast<Member*>(me);
  self->state = State::kHeld;
  changed_.notify_all();
  changed_.wait(lock, [&] { return let_go_; });
  self->state = State::kQueued;  // on its way
}

void Crew::Queued() {
  if (me == nullptr) return;
  const std::lock_guard lock(mutex_);
  static_cast<Member*>(me)->state = State::kQueued;
  changed_.notify_all();
}

}  // namespace latchkey_test
