// Threads of which one moves at a time: whoever has the turn makes a call, and gives it back when
// the call has returned, stands in the commit queue, or is held where it would sync.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace latchkey_test {

class Crew {
 public:
  static constexpr size_t kSize = 4;

  Crew();
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // Starts it on that thread, and waits as the head of this file says. False: it is not done.
  bool Start(size_t who, std::function<void()> work);
  void Await(size_t who);  // until it is done
  void Run(size_t who, std::function<void()> work);

  // The next member of the crew who syncs a log is held there, until it is let go.
  void HoldNextSync();
  void LetGo();
  // By whom the calls are made: to be told by the disk before each sync, and by the commit queue.
  void Syncing(const std::string& path);
  void Queued();

 private:
  enum class State : uint8_t { kIdle, kBusy, kQueued, kHeld };
  struct Member {
    State state = State::kIdle;
    std::function<void()> work;
    std::thread thread;
  };
  void Loop(Member* self);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  bool hold_ = false;
  bool let_go_ = false;
  std::vector<Member> members_;
};

}  // namespace latchkey_test
