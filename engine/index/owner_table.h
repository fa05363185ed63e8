// What a verdict asks about an owner: one atomic word each, found by a small index that entries of
// the verify table hold. Owners are never taken out: a deleted one stays, as deleted.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "base/status.h"
#include "base/uuid.h"
#include "schema/records.h"

namespace latchkey {

class OwnerTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Word {  // unpacked
    OwnerSort sort = OwnerSort::kUser;
    bool locked = false;
    bool deleted = false;
  };

  OwnerTable();
  ~OwnerTable();

  // Makes room for `count` more owners, so that Put() cannot fail. INTERNAL when there is no
  // memory.
  Status Reserve(size_t count);
  // Adds the owner or follows its change; returns its index, which never moves. From its return on
  // every thread sees the change. One writer at a time. kNone: it was new, and no room was
  // reserved.
  uint32_t Put(const OwnerRecord& owner);

  // Any thread.
  uint32_t IndexOf(const Uuid& uuid) const;  // kNone; takes a shared lock
  // `index` came from this table. No lock, no allocation. kNone reads as a deleted owner.
  Word word(uint32_t index) const {
    if (index == kNone) return {OwnerSort::kUser, true, true};
    const uint32_t word = slot(index).word.load(std::memory_order_acquire);
    return {static_cast<OwnerSort>(word & kSortMask), (word & kLockedBit) != 0,
            (word & kDeletedBit) != 0};
  }
  const Uuid& uuid(uint32_t index) const { return slot(index).uuid; }
  size_t size() const;

 private:
  struct Slot {
    std::atomic<uint32_t> word{0};
    Uuid uuid;  // does not change once the slot's index is known to anyone
  };
  // A word: sort:8, then one bit each.
  static constexpr uint32_t kSortMask = 0xFF;
  static constexpr uint32_t kLockedBit = 1 << 8;
  static constexpr uint32_t kDeletedBit = 1 << 9;

  static constexpr size_t kChunkSlots = 4096;
  static constexpr size_t kChunks = 1 << 14;  // 67 million owners
  static constexpr size_t kIndexSizeMin = 64;

  Slot& slot(uint32_t index) const {
    Slot* const chunk = chunks_[index / kChunkSlots].load(std::memory_order_acquire);
    return chunk[index % kChunkSlots];
  }
  static uint32_t PackWord(const OwnerRecord& owner) {
    return static_cast<uint32_t>(owner.sort) | (owner.locked ? kLockedBit : 0) |
           (owner.deleted_s != 0 ? kDeletedBit : 0);
  }
  // The place in an index where the owner is, or would go.
  size_t PlaceOf(const std::vector<uint32_t>& index, const Uuid& uuid) const;
  void GrowIndex(size_t owners);

  std::unique_ptr<std::atomic<Slot*>[]> chunks_;  // a chunk never moves once made
  std::atomic<uint32_t> size_{0};
  size_t reserved_ = 0;              // owners that chunks_ and index_ have room for
  mutable std::shared_mutex mutex_;  // of index_
  // Open addressing by UUID, a power of two in size, at most half full; kNone where there is
  // nothing. Unlike a map of nodes it can be given its memory beforehand.
  std::vector<uint32_t> index_;
};

}  // namespace latchkey
