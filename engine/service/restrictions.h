// What an answer from the store needs beside the store: how far memory follows the committed
// events, whether anything that denies is being applied just now, and what is denied although the
// store does not say so, because the write failed and nobody knows what became of it.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "index/tag_set.h"
#include "schema/events.h"

namespace latchkey {

class Restrictions {
 public:
  // ---- For whoever answers; any thread.

  // A moment at which nothing that denies is half applied; waits for one, which takes microseconds.
  uint64_t Moment() const;
  // Nothing that denies has been applied since the moment.
  bool StillIs(uint64_t moment) const { return turn_.load(std::memory_order_seq_cst) == moment; }
  // The latest event that memory has applied. What the store holds beyond it has not returned yet.
  uint64_t applied_event() const { return applied_event_.load(std::memory_order_seq_cst); }
  // Is the credential denied by a write that failed?
  bool Deny(const CredentialRecord& credential) const;

  // ---- For whoever opens, then for the committing thread.

  void StartAt(uint64_t event) { applied_event_.store(event, std::memory_order_seq_cst); }
  // Makes room for what Add() may be given. Throws std::bad_alloc.
  void Reserve(size_t tags, size_t sweeps);
  // Around the changes to memory, where one of the events denies.
  void BeginTurn() noexcept { turn_.fetch_add(1, std::memory_order_seq_cst); }
  void EndTurn() noexcept { turn_.fetch_add(1, std::memory_order_seq_cst); }
  // Before EndTurn().
  void Applied(uint64_t event) noexcept { applied_event_.store(event, std::memory_order_seq_cst); }
  // Denies for as long as this object lives: what a failed write would have revoked is submitted
  // again until it is in the store, or was never there.
  void Add(const Revoked& revoked) noexcept;
  void Add(const SweepRecord& sweep) noexcept;

 private:
  std::atomic<uint64_t> turn_{0};  // odd while what denies is being applied
  std::atomic<uint64_t> applied_event_{0};
  std::atomic<bool> any_{false};  // so that nobody locks to learn that there is nothing
  mutable std::mutex mutex_;      // of what follows
  TagSet tags_;
  std::vector<SweepRecord> sweeps_;  // one for each predicate
};

// Does the event take something away, or give it back (an owner who is unlocked)?
bool ChangesWhatIsDenied(const Event& event);

}  // namespace latchkey
