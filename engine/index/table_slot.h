// One entry of the verify table as it lies in memory: a cache line of atomic words. README.md says
// why each access has the memory order it has.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/uuid.h"
#include "index/slot_memory.h"
#include "schema/records.h"

namespace latchkey {

struct TableEntry {
  TagBytes tag{};
  Uuid uuid;
  uint32_t owner_index = 0;  // in the OwnerTable
  uint16_t kind = 0;
  bool revoked = false;
  int64_t expires_s = 0;     // 0..2^40 - 1
  int64_t not_before_s = 0;  // 0..2^40 - 1
  uint64_t scopes = 0;
  uint32_t last_used_s = 0;  // 0 = never
  uint32_t era = 0;          // 24 bits: when it was inserted; the table's business

  bool operator==(const TableEntry&) const = default;
};

// A slot goes kEmpty -> kLive or kRevoked -> kDead; kLive -> kRevoked. Zero bytes are an empty
// slot.
enum class SlotState : uint8_t { kEmpty = 0, kLive = 1, kRevoked = 2, kDead = 3 };

// state:2 | reach:6 | kind:16 | expires_s:40, most significant first. A slot's reach says how far
// from it the farthest entry lies whose search begins there, whoever's entry the slot itself holds.
inline constexpr int kSlotStateShift = 62;
inline constexpr int kSlotReachShift = 56;
inline constexpr int kSlotKindShift = 40;
inline constexpr int64_t kSlotExpiresMax = (int64_t{1} << kSlotKindShift) - 1;
inline constexpr size_t kSlotReachMax = 63;  // this far, or farther: search up to an empty slot

constexpr SlotState StateOf(uint64_t state_word) {
  return static_cast<SlotState>(state_word >> kSlotStateShift);
}
constexpr uint64_t WithState(uint64_t state_word, SlotState state) {
  constexpr uint64_t kRest = (uint64_t{1} << kSlotStateShift) - 1;
  return (state_word & kRest) | (static_cast<uint64_t>(state) << kSlotStateShift);
}
constexpr size_t ReachOf(uint64_t state_word) {
  return static_cast<size_t>(state_word >> kSlotReachShift) & kSlotReachMax;
}
constexpr uint64_t WithReach(uint64_t state_word, size_t reach) {
  constexpr uint64_t kRest = ~(uint64_t{kSlotReachMax} << kSlotReachShift);
  return (state_word & kRest) | (static_cast<uint64_t>(reach) << kSlotReachShift);
}

// era:24 | not_before_s:40.
inline constexpr int kSlotEraShift = 40;
inline constexpr int64_t kSlotNotBeforeMax = (int64_t{1} << kSlotEraShift) - 1;
inline constexpr uint32_t kSlotEraMax = (uint32_t{1} << 24) - 1;

// A tag as two words.
struct TagWords {
  TagWords() = default;
  TagWords(const TagBytes& tag)  // NOLINT: the same tag, in registers
      : low(LoadLe64(tag.data())), high(LoadLe64(tag.data() + 8)) {}
  TagBytes bytes() const {
    TagBytes tag;
    StoreLe64(tag.data(), low);
    StoreLe64(tag.data() + 8, high);
    return tag;
  }
  uint64_t low = 0;
  uint64_t high = 0;
};

// What was read from a slot. Not zeroed before, and read word by word as it was written: this is on
// the way of every verification.
struct SlotWords {
  uint64_t state_word;
  uint64_t tag_low;
  uint64_t tag_high;
  uint64_t uuid_low;
  uint64_t uuid_high;
  uint32_t owner_index;
  uint32_t last_used_s;
  uint64_t scopes;
  uint64_t era_word;

  bool revoked() const { return StateOf(state_word) == SlotState::kRevoked; }
  uint16_t kind() const { return static_cast<uint16_t>(state_word >> kSlotKindShift); }
  int64_t expires_s() const { return static_cast<int64_t>(state_word) & kSlotExpiresMax; }
  int64_t not_before_s() const { return static_cast<int64_t>(era_word) & kSlotNotBeforeMax; }
  uint32_t era() const { return static_cast<uint32_t>(era_word >> kSlotEraShift); }
  Uuid uuid() const {
    Uuid out;
    StoreLe64(out.bytes.data(), uuid_low);
    StoreLe64(out.bytes.data() + 8, uuid_high);
    return out;
  }
  // The words of an entry that lies in no slot, or not yet.
  static SlotWords Of(const TableEntry& entry) {
    const SlotState state = entry.revoked ? SlotState::kRevoked : SlotState::kLive;
    SlotWords words;
    words.state_word = WithState(static_cast<uint64_t>(entry.kind) << kSlotKindShift |
                                     static_cast<uint64_t>(entry.expires_s & kSlotExpiresMax),
                                 state);
    words.tag_low = LoadLe64(entry.tag.data());
    words.tag_high = LoadLe64(entry.tag.data() + 8);
    words.uuid_low = LoadLe64(entry.uuid.bytes.data());
    words.uuid_high = LoadLe64(entry.uuid.bytes.data() + 8);
    words.owner_index = entry.owner_index;
    words.last_used_s = entry.last_used_s;
    words.scopes = entry.scopes;
    words.era_word = static_cast<uint64_t>(entry.era) << kSlotEraShift |
                     static_cast<uint64_t>(entry.not_before_s & kSlotNotBeforeMax);
    return words;
  }
  TableEntry Entry() const {
    TableEntry entry;
    StoreLe64(entry.tag.data(), tag_low);
    StoreLe64(entry.tag.data() + 8, tag_high);
    entry.uuid = uuid();
    entry.owner_index = owner_index;
    entry.kind = kind();
    entry.revoked = revoked();
    entry.expires_s = expires_s();
    entry.not_before_s = not_before_s();
    entry.era = era();
    entry.scopes = scopes;
    entry.last_used_s = last_used_s;
    return entry;
  }
};

// Once a slot is not empty, nothing in it changes but its state, its reach and when it was last
// used.
struct alignas(64) TableSlot {
  std::atomic<uint64_t> state_word;
  std::atomic<uint64_t> tag_low;
  std::atomic<uint64_t> tag_high;
  std::atomic<uint64_t> uuid_low;
  std::atomic<uint64_t> uuid_high;
  std::atomic<uint32_t> owner_index;
  std::atomic<uint32_t> last_used_s;
  std::atomic<uint64_t> scopes;
  std::atomic<uint64_t> era_word;

  // What the slot holds, given the state word that was read from it. Acquire: whoever goes on to
  // ask whether the segment has moved asks after these.
  void Read(uint64_t state, SlotWords* out) const {
    constexpr auto kOrder = std::memory_order_acquire;
    out->state_word = state;
    out->tag_low = tag_low.load(kOrder);
    out->tag_high = tag_high.load(kOrder);
    out->uuid_low = uuid_low.load(kOrder);
    out->uuid_high = uuid_high.load(kOrder);
    out->owner_index = owner_index.load(kOrder);
    out->last_used_s = last_used_s.load(kOrder);
    out->scopes = scopes.load(kOrder);
    out->era_word = era_word.load(kOrder);
  }
  TableEntry Load(uint64_t state) const {
    SlotWords words;
    Read(state, &words);
    return words.Entry();
  }

  // Fills an empty slot; the state word last, which is what makes it an entry.
  void Fill(const TableEntry& entry) {
    constexpr auto kOrder = std::memory_order_relaxed;
    const SlotWords words = SlotWords::Of(entry);
    tag_low.store(words.tag_low, kOrder);
    tag_high.store(words.tag_high, kOrder);
    uuid_low.store(words.uuid_low, kOrder);
    uuid_high.store(words.uuid_high, kOrder);
    owner_index.store(words.owner_index, kOrder);
    last_used_s.store(words.last_used_s, kOrder);
    scopes.store(words.scopes, kOrder);
    era_word.store(words.era_word, kOrder);
    state_word.store(words.state_word, std::memory_order_release);
  }
};
static_assert(sizeof(TableSlot) == 64 && std::atomic<uint64_t>::is_always_lock_free);

// Where the slots of a segment lie and how many there are. Both fit one word, so that no reader can
// see the one without the other: page count:28 | page number:36, which are addresses below 2^48.
struct SlotRun {
  static constexpr size_t kSlotsPerPage = SlotMemory::kPageSize / sizeof(TableSlot);
  static constexpr int kPageNumberBits = 36;
  static constexpr size_t kPagesMax = (size_t{1} << (64 - kPageNumberBits)) - 1;

  TableSlot* slots = nullptr;
  size_t count = 0;

  size_t pages() const { return count / kSlotsPerPage; }

  uint64_t Pack() const {
    return static_cast<uint64_t>(pages()) << kPageNumberBits |
           reinterpret_cast<uintptr_t>(slots) / SlotMemory::kPageSize;
  }
  static SlotRun Unpack(uint64_t word) {
    const uint64_t page_number = word & ((uint64_t{1} << kPageNumberBits) - 1);
    return {reinterpret_cast<TableSlot*>(page_number * SlotMemory::kPageSize),
            static_cast<size_t>(word >> kPageNumberBits) * kSlotsPerPage};
  }

  // The slot at which the search for a tag begins. Grows with `tag_low`, so that a segment is
  // copied into a larger one from front to back.
  size_t Home(uint64_t tag_low) const {
    __extension__ using Product = unsigned __int128;
    return static_cast<size_t>(static_cast<Product>(tag_low) * count >> 64);
  }
};

}  // namespace latchkey
