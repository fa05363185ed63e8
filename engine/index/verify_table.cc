// Probing, and the growth of segments. README.md argues for every memory order in this file.
#include "index/verify_table.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace latchkey {
namespace {

constexpr double kLoadMax = 0.75;
constexpr double kGrowth = 1.3;
// What a segment must still be able to take after it was made anew, as a part of its entries.
// Without it, one full of dead slots could be copied at the same size for every single insert.
constexpr double kHeadroom = 1.0 / 16;

bool HasRoom(const SlotRun& run, size_t used) {
  return static_cast<double>(used) <= kLoadMax * static_cast<double>(run.count);
}

// Segments fill alike, so with the same sizes to choose from all would grow at the same time. Each
// has its own: powers of kGrowth, shifted by the segment's share of one step. Then they take turns,
// and the table as a whole is about as full at one size as at another.
size_t PagesFor(size_t segment, size_t segments, double entries) {
  const double pages_min = std::max(1.0, std::ceil(entries / (kLoadMax * SlotRun::kSlotsPerPage)));
  const double phase = static_cast<double>(segment) / static_cast<double>(segments);
  const double step = std::ceil(std::log(pages_min) / std::log(kGrowth) - phase);
  const double pages = std::floor(std::pow(kGrowth, std::max(0.0, step) + phase));
  return static_cast<size_t>(std::max(pages_min, pages));
}

// The slot that holds the tag, and its state word; nullptr when there is none. Compares all 128
// bits at once: neither the work nor the result tells how many of them are equal.
TableSlot* Probe(const SlotRun& run, const TagWords& tag, uint64_t* state_word) {
  size_t i = run.count == 0 ? 0 : run.Home(tag.low);
  for (size_t probed = 0; probed < run.count; ++probed) {
    TableSlot& slot = run.slots[i];
    const uint64_t state = slot.state_word.load(std::memory_order_acquire);
    if (StateOf(state) == SlotState::kEmpty) return nullptr;
    const uint64_t difference = (slot.tag_low.load(std::memory_order_acquire) ^ tag.low) |
                                (slot.tag_high.load(std::memory_order_acquire) ^ tag.high);
    if (difference == 0 && StateOf(state) != SlotState::kDead) {
      *state_word = state;
      return &slot;
    }
    if (++i == run.count) i = 0;
  }
  return nullptr;
}

// The slot where a new entry for the tag goes; nullptr when none is empty.
TableSlot* FirstEmpty(const SlotRun& run, uint64_t tag_low) {
  size_t i = run.count == 0 ? 0 : run.Home(tag_low);
  for (size_t probed = 0; probed < run.count; ++probed) {
    TableSlot& slot = run.slots[i];
    if (StateOf(slot.state_word.load(std::memory_order_relaxed)) == SlotState::kEmpty) return &slot;
    if (++i == run.count) i = 0;
  }
  return nullptr;
}

// What a writer stored is seen by whoever looks after the writer has returned, also by threads that
// learn of its return in ways that order nothing.
void Settle() { std::atomic_thread_fence(std::memory_order_seq_cst); }

}  // namespace

VerifyTable::VerifyTable() = default;
VerifyTable::~VerifyTable() = default;

Status VerifyTable::Reserve(std::span<const TagBytes> tags) {
  std::array<size_t, kSegments> wanted{};
  for (const TagBytes& tag : tags) ++wanted[SegmentOf(tag)];
  const std::lock_guard lock(writer_);
  for (size_t segment = 0; segment < kSegments; ++segment) {
    if (wanted[segment] != 0) LATCHKEY_TRY(MakeRoom(segment, wanted[segment]));
  }
  return Status::Ok();
}

Status VerifyTable::Reserve(const TagBytes& tag) {
  const std::lock_guard lock(writer_);
  return MakeRoom(SegmentOf(tag), 1);
}

Status VerifyTable::ReserveCount(size_t entries) {
  // Tags are as good as random: a segment's share strays from the mean by about its square root.
  const double mean = static_cast<double>(entries) / kSegments;
  const double share = mean + 2 * std::sqrt(mean);
  for (size_t segment = 0; segment < kSegments; ++segment) {
    const size_t pages = PagesFor(segment, kSegments, share);
    const std::lock_guard lock(writer_);
    if (pages > RunOf(segment).pages()) LATCHKEY_TRY(Grow(segment, pages));
  }
  return Status::Ok();
}

Status VerifyTable::MakeRoom(size_t segment, size_t entries) {
  const Usage& usage = usage_[segment];
  if (HasRoom(RunOf(segment), usage.used + entries)) return Status::Ok();
  const auto wanted = static_cast<double>(usage.entries + entries);
  return Grow(segment, PagesFor(segment, kSegments, wanted * (1 + kHeadroom)));
}

Status VerifyTable::Grow(size_t segment, size_t pages) {
  const SlotRun old = RunOf(segment);
  void* const memory = pages > SlotRun::kPagesMax ? nullptr : memory_.Take(pages);
  if (memory == nullptr) {
    return Status::Error(Code::kInternal, "no memory for the table of credentials");
  }
  const SlotRun fresh{static_cast<TableSlot*>(memory), pages * SlotRun::kSlotsPerPage};
  Usage usage;
  for (size_t i = 0; i < old.count; ++i) {
    const uint64_t state = old.slots[i].state_word.load(std::memory_order_relaxed);
    if (StateOf(state) == SlotState::kEmpty || StateOf(state) == SlotState::kDead) continue;
    const TableEntry entry = old.slots[i].Load(state);
    FirstEmpty(fresh, TagWords(entry.tag).low)->Fill(entry);
    ++usage.entries;
  }
  usage.used = usage.entries;
  usage_[segment] = usage;
  runs_[segment].store(fresh.Pack(), std::memory_order_release);
  Settle();  // whoever finds an old page empty finds also that the segment has moved
  if (old.count != 0) memory_.Empty(old.slots, old.pages());
  return Status::Ok();
}

void VerifyTable::Insert(const TableEntry& entry) {
  assert(entry.expires_s >= 0 && entry.expires_s <= kSlotExpiresMax);
  const TagWords tag(entry.tag);
  const size_t segment = SegmentOf(entry.tag);
  const std::lock_guard lock(writer_);
  MakeRoom(segment, 1).IgnoreBecause("a quarter of the slots is still free");
  const SlotRun run = RunOf(segment);
  uint64_t state = 0;
  TableSlot* const before = Probe(run, tag, &state);
  TableEntry after = entry;
  if (before != nullptr) {
    const TableEntry known = before->Load(state);
    after.revoked |= known.revoked;
    after.last_used_s = std::max(after.last_used_s, known.last_used_s);
    if (after == known) return;
  }
  TableSlot* const slot = FirstEmpty(run, tag.low);
  assert(slot != nullptr);
  if (slot != nullptr) {
    slot->Fill(after);
    ++usage_[segment].used;
    ++usage_[segment].entries;
    size_.fetch_add(1, std::memory_order_relaxed);
    if (after.revoked) revoked_.fetch_add(1, std::memory_order_relaxed);
  }
  // Without a slot, which is to say without Reserve(), the entry is not served, and what it was to
  // replace is not served either.
  if (before != nullptr) {
    // After the new slot is there, so that no reader finds neither.
    before->state_word.store(WithState(state, SlotState::kDead), std::memory_order_release);
    --usage_[segment].entries;
    size_.fetch_sub(1, std::memory_order_relaxed);
    if (StateOf(state) == SlotState::kRevoked) revoked_.fetch_sub(1, std::memory_order_relaxed);
  }
  Settle();
}

bool VerifyTable::Revoke(const TagBytes& tag) {
  const std::lock_guard lock(writer_);
  uint64_t state = 0;
  TableSlot* const slot = Probe(RunOf(SegmentOf(tag)), TagWords(tag), &state);
  if (slot == nullptr) return false;
  if (StateOf(state) != SlotState::kRevoked) revoked_.fetch_add(1, std::memory_order_relaxed);
  slot->state_word.store(WithState(state, SlotState::kRevoked), std::memory_order_release);
  Settle();
  return true;
}

bool VerifyTable::Find(const TagBytes& tag, TableEntry* out) const {
  const TagWords words(tag);
  const std::atomic<uint64_t>& run = runs_[SegmentOf(tag)];
  for (;;) {
    const uint64_t packed = run.load(std::memory_order_acquire);
    uint64_t state = 0;
    const TableSlot* const slot = Probe(SlotRun::Unpack(packed), words, &state);
    if (slot != nullptr) {
      *out = slot->Load(state);
      if (slot->state_word.load(std::memory_order_acquire) != state) continue;
    }
    if (run.load(std::memory_order_acquire) == packed) return slot != nullptr;
  }
}

void VerifyTable::Prefetch(const TagBytes& tag) const {
  const SlotRun run = RunOf(SegmentOf(tag));
  if (run.count != 0) __builtin_prefetch(&run.slots[run.Home(TagWords(tag).low)]);
}

void VerifyTable::Touch(const TagBytes& tag, uint32_t now_s) const {
  const TagWords words(tag);
  const std::atomic<uint64_t>& run = runs_[SegmentOf(tag)];
  for (;;) {
    const uint64_t packed = run.load(std::memory_order_acquire);
    uint64_t state = 0;
    TableSlot* const slot = Probe(SlotRun::Unpack(packed), words, &state);
    if (run.load(std::memory_order_acquire) != packed) continue;
    // Threads read the clock apart: the later one of a second stays, and no line is fought over.
    if (slot != nullptr && slot->last_used_s.load(std::memory_order_relaxed) < now_s) {
      slot->last_used_s.store(now_s, std::memory_order_relaxed);
    }
    return;
  }
}

size_t VerifyTable::size() const { return size_.load(std::memory_order_relaxed); }

size_t VerifyTable::revoked() const { return revoked_.load(std::memory_order_relaxed); }

size_t VerifyTable::memory_bytes() const {
  size_t pages = 0;
  for (size_t segment = 0; segment < kSegments; ++segment) pages += RunOf(segment).pages();
  return pages * SlotMemory::kPageSize;
}

}  // namespace latchkey
