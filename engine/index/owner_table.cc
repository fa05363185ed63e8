// Chunks of slots, and the index over them.
#include "index/owner_table.h"

#include <bit>
#include <mutex>
#include <new>

namespace latchkey {

OwnerTable::OwnerTable()
    : chunks_(std::make_unique<std::atomic<Slot*>[]>(kChunks)), index_(kIndexSizeMin, kNone) {}

OwnerTable::~OwnerTable() {
  for (size_t i = 0; i < kChunks; ++i) delete[] chunks_[i].load(std::memory_order_relaxed);
}

Status OwnerTable::Reserve(size_t count) {
  const Status no_memory = Status::Error(Code::kInternal, "no memory for the table of owners");
  const size_t room = kChunks * kChunkSlots - size();
  if (count > room) return no_memory;
  const size_t wanted = size() + count;
  if (wanted <= reserved_) return Status::Ok();
  try {
    if (wanted * 2 > index_.size()) GrowIndex(wanted);
    for (size_t chunk = reserved_ / kChunkSlots; chunk * kChunkSlots < wanted; ++chunk) {
      if (chunks_[chunk].load(std::memory_order_relaxed) == nullptr) {
        chunks_[chunk].store(new Slot[kChunkSlots], std::memory_order_release);
      }
    }
  } catch (const std::bad_alloc&) {
    return no_memory;
  }
  reserved_ = wanted;
  return Status::Ok();
}

void OwnerTable::GrowIndex(size_t owners) {
  // The writer alone changes index_, so it may read it without the lock; readers wait for the swap
  // only.
  std::vector<uint32_t> larger(std::bit_ceil(owners * 2), kNone);
  for (const uint32_t index : index_) {
    if (index != kNone) larger[PlaceOf(larger, slot(index).uuid)] = index;
  }
  const std::unique_lock lock(mutex_);
  index_.swap(larger);
}

size_t OwnerTable::PlaceOf(const std::vector<uint32_t>& index, const Uuid& uuid) const {
  // Some bits are the same in all UUIDs, so the place is taken from a product that all bits stir.
  constexpr uint64_t kGolden = 0x9E3779B97F4A7C15;
  size_t place = (UuidHash()(uuid) * kGolden) >> (64 - std::countr_zero(index.size()));
  while (index[place] != kNone && slot(index[place]).uuid != uuid) {
    place = (place + 1) & (index.size() - 1);
  }
  return place;
}

uint32_t OwnerTable::Put(const OwnerRecord& owner) {
  uint32_t index = IndexOf(owner.uuid);
  if (index == kNone) {
    index = size_.load(std::memory_order_relaxed);
    if (index >= reserved_) return kNone;
    slot(index).uuid = owner.uuid;
    slot(index).word.store(PackWord(owner), std::memory_order_release);
    const std::unique_lock lock(mutex_);
    index_[PlaceOf(index_, owner.uuid)] = index;
    size_.store(index + 1, std::memory_order_release);
  } else {
    slot(index).word.store(PackWord(owner), std::memory_order_release);
  }
  // A lock that has returned is seen by every later verification, however its thread learns of it.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return index;
}

uint32_t OwnerTable::IndexOf(const Uuid& uuid) const {
  const std::shared_lock lock(mutex_);
  return index_[PlaceOf(index_, uuid)];
}

size_t OwnerTable::size() const { return size_.load(std::memory_order_acquire); }

}  // namespace latchkey
