// The commit queue: many callers, one group at a time, no thread of its own. The caller whose
// command stands first leads: it takes what has gathered behind it, runs the group, and wakes the
// others.
#pragma once

#include <array>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "authority/turn.h"
#include "base/status.h"
#include "schema/commands.h"
#include "schema/events.h"

namespace latchkey {

// What a command came to.
struct Outcome {
  Status status = Status::Ok();
  std::vector<Event> events;  // committed with it; none: it was so already, or was refused
};

class CommitQueue {
 public:
  static constexpr size_t kRequestsMax = 256;  // in one group
  // One call's commands, standing in the queue.
  struct Request {
    // What it is part of: a load of many commands at once begins, gives some, ends.
    enum class Bulk : uint8_t { kNone, kBegin, kCommands, kEnd };
    std::span<const Command> commands;
    std::vector<Outcome> outcomes;  // one a command, filled by the group runner
    Bulk bulk = Bulk::kNone;        // anything but kNone has its group to itself
    bool begun = false;             // the answer to kBegin
    Turn turn;
  };

  // Runs `run_group(requests)` for groups of at most `commands_max` commands (a request is never
  // split) until `request` is done; `run_group` fills every request's outcomes
  // and throws nothing.
  template <typename RunGroup>
  void Run(Request* request, size_t commands_max, RunGroup&& run_group);

 private:
  std::mutex mutex_;
  std::deque<Request*> waiting_;
};

template <typename RunGroup>
void CommitQueue::Run(Request* request, size_t commands_max, RunGroup&& run_group) {
  std::unique_lock lock(mutex_);
  waiting_.push_back(request);
  if (waiting_.front() != request) {
    lock.unlock();
    if (request->turn.Await() == Turn::Word::kDone) return;
    lock.lock();
  }

  // The leader: its group stays at the front of the queue, so nobody else leads meanwhile. Nothing
  // here may throw, or those who wait would wait for ever.
  std::array<Request*, kRequestsMax> gathered;
  size_t size = 0;
  size_t commands = 0;
  for (Request* next : waiting_) {
    commands += next->commands.size();
    const bool alone = next->bulk != Request::Bulk::kNone ||
                       (size != 0 && gathered[0]->bulk != Request::Bulk::kNone);
    if (size == kRequestsMax || (size != 0 && (commands > commands_max || alone))) break;
    gathered[size++] = next;
  }
  const std::span<Request* const> group(gathered.data(), size);
  lock.unlock();
  run_group(group);
  lock.lock();
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(size));
  Request* const next_leader = waiting_.empty() ? nullptr : waiting_.front();
  lock.unlock();
  // First, so that it decides its group while the others wake up. It cannot be gone: nobody but
  // itself can lead it out of the queue.
  if (next_leader != nullptr) next_leader->turn.Tell(Turn::Word::kLead);
  for (Request* finished : group) {
    if (finished != request) finished->turn.Tell(Turn::Word::kDone);
  }
}

}  // namespace latchkey
