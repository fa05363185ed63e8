// The verify table: lookup tag -> what a verdict needs, one 64-byte line an entry.
//
// Open addressing in 256 segments by the tag's top byte, each grown alone, so that no commit waits
// for growth. Slots go EMPTY -> LIVE -> DEAD and are never reused within a generation of their
// segment. Readers take no lock and make no one wait (README.md gives the memory orders and why
// they suffice); writers exclude each other.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>

#include "base/result.h"
#include "index/slot_memory.h"
#include "index/table_slot.h"
#include "schema/records.h"

namespace latchkey {

class VerifyTable {
 public:
  // With a budget (0 = none) the segments together never take more bytes than that, but for the
  // moment in which one of them is made anew; what does not fit is not in the table.
  explicit VerifyTable(size_t budget_bytes = 0);
  ~VerifyTable();
  VerifyTable(const VerifyTable&) = delete;
  VerifyTable& operator=(const VerifyTable&) = delete;

  // Makes room for these tags, so that inserting them cannot fail. False when the budget leaves no
  // room for all of them; INTERNAL when there is no memory.
  Result<bool> Reserve(std::span<const TagBytes> tags);
  Result<bool> Reserve(const TagBytes& tag);
  // Makes room for about this many entries in all, or as many as the budget allows, before a bulk
  // load.
  Status ReserveCount(size_t entries);

  // Needs its room reserved. A tag that is there already has its entry replaced, except that a
  // revoked one stays revoked and the later of both uses is kept. When it returns, every later
  // Find() on any thread sees it. False: the budget leaves no room, and the table serves nothing
  // for the tag.
  bool Insert(const TableEntry& entry);
  // From its return on no Find() on any thread gives the entry as not revoked. False: no such tag.
  bool Revoke(const TagBytes& tag);

  // Ends an era: what is in the table now is older than what comes later. Gives RevokeOlder() its
  // `era`. 0, which nothing is older than, when there are no more (16 million).
  uint32_t NewEra();
  // Revokes what was in the table before NewEra() gave `era`, and fits, as Revoke() would; returns
  // how much of it was not revoked. `fits(const SlotWords&)` must not be a writer. Another writer
  // waits for one of the 256 segments at most.
  template <typename Fits>
  uint64_t RevokeOlder(uint32_t era, Fits&& fits);

  // What Look() saw, and where. Where nothing was found, the words are those of whoever has the
  // slot in which the search began, or zero: the caller's work may go on with them, his answer may
  // not.
  struct Sight {
    SlotWords words;
    bool is_found;

   private:
    friend class VerifyTable;
    TableSlot* slot;
    uint64_t packed_run;
  };
  // Copies the entry out as it was at one moment of the call. No lock, no allocation. The work does
  // not depend on how much of the tag matches, nor on whether an entry is found.
  Sight Look(TagWords tag) const;
  // Nothing of what was seen has changed up to now: a revocation, for one, or an insertion.
  bool StillHolds(TagWords tag, const Sight& sight) const;
  // As Look(); false when there is no entry, and then `*out` means nothing.
  bool Find(const TagBytes& tag, TableEntry* out) const;
  // Asks the processor for the first lines of what Look() will pass: for whoever has something else
  // to do until they are there. At 66 percent full, 18 % of the searches for what is there go
  // beyond two lines, 4 % beyond six: six pay for whoever looks for many, for one they do not.
  static constexpr size_t kLinesOfOne = 2;
  static constexpr size_t kLinesOfMany = 6;
  void Prefetch(TagWords tag, size_t lines) const;
  // Notes a use of what was found, at most once a second and credential; one relaxed four-byte
  // store into the slot that Look() saw. If its entry has moved meanwhile, the use is lost.
  static void Touch(const Sight& sight, uint32_t now_s);

  // Calls `visit(const TableEntry&)` for every entry that is there throughout, in no order. A
  // writer waits for one of the 256 segments at most; `visit` must not be one.
  template <typename Visit>
  void ForEach(Visit&& visit) const;

  size_t size() const;          // entries, revoked ones included
  size_t revoked() const;       // of them, the revoked ones
  size_t memory_bytes() const;  // of the segments in use

 private:
  static constexpr size_t kSegments = 256;

  // What writers know of a segment.
  struct Usage {
    size_t used = 0;     // slots that are not empty
    size_t entries = 0;  // of those, the ones that are not dead
  };

  static size_t SegmentOf(TagWords tag) { return tag.high >> 56; }
  SlotRun RunOf(size_t segment) const {
    return SlotRun::Unpack(runs_[segment].load(std::memory_order_acquire));
  }
  // What a writer stored is seen by whoever looks after the writer has returned, also by threads
  // that learn of its return in ways that order nothing.
  static void Settle();
  size_t PagesMax(size_t segment) const;
  // The rest needs writer_. False when the budget leaves no room.
  Result<bool> MakeRoom(size_t segment, size_t entries);
  Status Grow(size_t segment, size_t pages);

  // Apart from what writers count, so that an insert does not take these lines from the readers.
  alignas(64) std::array<std::atomic<uint64_t>, kSegments> runs_{};  // SlotRun::Pack()
  alignas(64) mutable std::mutex writer_;
  const size_t budget_pages_;  // 0 = as many as there may be
  std::array<Usage, kSegments> usage_{};
  uint32_t era_ = 0;
  SlotMemory memory_;
  std::atomic<size_t> size_{0};
  std::atomic<size_t> revoked_{0};
};

template <typename Fits>
uint64_t VerifyTable::RevokeOlder(uint32_t era, Fits&& fits) {
  uint64_t count = 0;
  for (size_t segment = 0; segment < kSegments; ++segment) {
    const std::lock_guard lock(writer_);
    const SlotRun run = RunOf(segment);
    for (size_t i = 0; i < run.count; ++i) {
      TableSlot& slot = run.slots[i];
      SlotWords words;
      slot.Read(slot.state_word.load(std::memory_order_acquire), &words);
      if (StateOf(words.state_word) != SlotState::kLive || words.era() >= era) continue;
      if (!fits(static_cast<const SlotWords&>(words))) continue;
      slot.state_word.store(WithState(words.state_word, SlotState::kRevoked),
                            std::memory_order_release);
      revoked_.fetch_add(1, std::memory_order_relaxed);
      ++count;
    }
  }
  Settle();
  return count;
}

template <typename Visit>
void VerifyTable::ForEach(Visit&& visit) const {
  for (size_t segment = 0; segment < kSegments; ++segment) {
    const std::lock_guard lock(writer_);
    const SlotRun run = RunOf(segment);
    for (size_t i = 0; i < run.count; ++i) {
      const uint64_t state = run.slots[i].state_word.load(std::memory_order_acquire);
      if (StateOf(state) == SlotState::kLive || StateOf(state) == SlotState::kRevoked) {
        visit(static_cast<const TableEntry&>(run.slots[i].Load(state)));
      }
    }
  }
}

}  // namespace latchkey
