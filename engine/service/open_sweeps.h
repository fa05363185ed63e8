// The mass revocations that the verify table has yet to be told of: from the commit to the end of
// the walk that tells it what they cover, and for longer where that walk fails.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "schema/records.h"

namespace latchkey {

// What the sweep asks, without its texts: copying them could fail.
SweepRecord PredicateOf(const SweepRecord& sweep);

struct OpenSweep {
  uint64_t id = 0;        // counts up; 0 = none
  uint64_t number = 0;    // of its event; 0 = nobody knows whether it was committed
  SweepRecord predicate;  // its number is the event before which what it covers was born
  bool is_doubted = false;
};

class OpenSweeps {
 public:
  // ---- For the committing thread.

  // Makes room for so many more. Throws std::bad_alloc.
  void Reserve(size_t count);
  // Returns its id.
  uint64_t Add(uint64_t number, const SweepRecord& predicate) noexcept;
  // The store has all of its tombstones.
  void CloseNumber(uint64_t number) noexcept;

  // ---- For any thread.

  // The table denies all that it covers. Nothing, if there is no such any more.
  void Close(uint64_t id) noexcept;
  // The table could not be told: until the sweep is closed, what the table allows the store must
  // allow too. Nothing, if there is no such any more.
  void Doubt(uint64_t id) noexcept;
  bool any_doubted() const { return any_doubted_.load(std::memory_order_acquire); }
  // Its id; 0 when there is none.
  uint64_t IdOf(uint64_t number) const;
  // The first behind `id`; one without an id when there is none.
  OpenSweep NextAfter(uint64_t id) const;

 private:
  template <typename Which>
  void CloseIf(Which&& which) noexcept;

  mutable std::mutex mutex_;
  std::vector<OpenSweep> open_;  // by their ids
  uint64_t last_id_ = 0;
  std::atomic<bool> any_doubted_{false};
};

}  // namespace latchkey
