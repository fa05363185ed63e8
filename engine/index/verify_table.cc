// Probing, and the growth of segments. README.md argues for every memory order in this file.
#include "index/verify_table.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/declassify.h"

namespace latchkey {
namespace {

constexpr double kLoadMax = 0.75;
constexpr double kGrowth = 1.3;
// What a segment must still be able to take after it was made anew, as a part of its entries.
// Without it, one full of dead slots could be copied at the same size for every single insert.
constexpr double kHeadroom = 1.0 / 16;

bool HasRoom(const SlotRun& run, double used) {
  return used <= kLoadMax * static_cast<double>(run.count);
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

struct Probed {
  TableSlot* slot;      // that holds the tag, else where the search began
  uint64_t state_word;  // of that slot
  bool is_found;
};

// Where a table has no run yet, every search begins, and ends, here.
TableSlot no_slot{};

// 1 when the slot, whose state word is `state`, serves the tag, else 0. All 128 bits are compared
// at once and nothing branches: neither the work nor the result tells how many of them are equal.
size_t Serves(const TableSlot& slot, uint64_t state, TagWords tag) {
  const uint64_t difference = (slot.tag_low.load(std::memory_order_acquire) ^ tag.low) |
                              (slot.tag_high.load(std::memory_order_acquire) ^ tag.high);
  const auto is_served = static_cast<size_t>(StateOf(state) == SlotState::kLive) |
                         static_cast<size_t>(StateOf(state) == SlotState::kRevoked);
  return static_cast<size_t>(difference == 0) & is_served;
}

// To find nothing is an answer only if the first slot's state word has not changed since.
//
// The first two slots are compared without a branch between them: which of them holds an entry
// cannot be foretold, and a wrong guess costs more than the second line, which is asked for
// together with the first. The reach ends nearly every search there, whether the tag is there or
// not.
Probed Probe(SlotRun run, TagWords tag) {
  if (run.count == 0) return {&no_slot, 0, false};
  size_t i = Declassify(run.Home(tag.low));  // the tag is keyed: where it leads tells nothing
  TableSlot* const home = &run.slots[i];
  if (++i == run.count) i = 0;
  TableSlot* const beside = &run.slots[i];
  const uint64_t home_state = home->state_word.load(std::memory_order_acquire);
  const uint64_t beside_state = beside->state_word.load(std::memory_order_acquire);
  const size_t at_home = Declassify(Serves(*home, home_state, tag));
  const size_t is_beside = Declassify(Serves(*beside, beside_state, tag));
  if ((at_home | is_beside) != 0) {
    TableSlot* const slots[] = {beside, home};
    const uint64_t states[] = {beside_state, home_state};
    return {slots[at_home], states[at_home], true};
  }
  const size_t reach = ReachOf(home_state);
  const size_t last = reach == kSlotReachMax ? run.count - 1 : reach;
  for (size_t distance = 2; distance <= last; ++distance) {
    if (++i == run.count) i = 0;
    TableSlot* const slot = &run.slots[i];
    const uint64_t state = slot->state_word.load(std::memory_order_acquire);
    if (StateOf(state) == SlotState::kEmpty) break;
    if (Declassify(Serves(*slot, state, tag)) != 0) return {slot, state, true};
  }
  return {home, home_state, false};
}

// Fills the first empty slot from where the search for the entry begins; false when there is none.
// The reach is raised last: whoever sees it finds the entry.
bool Place(const SlotRun& run, const TableEntry& entry) {
  const size_t home = run.count == 0 ? 0 : run.Home(TagWords(entry.tag).low);
  size_t i = home;
  for (size_t distance = 0; distance < run.count; ++distance) {
    TableSlot& slot = run.slots[i];
    if (StateOf(slot.state_word.load(std::memory_order_relaxed)) == SlotState::kEmpty) {
      slot.Fill(entry);
      const uint64_t state = run.slots[home].state_word.load(std::memory_order_relaxed);
      const size_t reach = std::min(distance, kSlotReachMax);
      if (reach > ReachOf(state)) {
        run.slots[home].state_word.store(WithReach(state, reach), std::memory_order_release);
      }
      return true;
    }
    if (++i == run.count) i = 0;
  }
  return false;
}

// Where `after` differs from the `known` entry of a slot only in what may change there, changes it;
// else false, and nothing happened.
bool Follow(TableSlot* slot, uint64_t state, const TableEntry& known, const TableEntry& after) {
  TableEntry moved = known;
  moved.revoked = after.revoked;
  moved.last_used_s = after.last_used_s;
  if (moved != after) return false;
  if (after.last_used_s != known.last_used_s) {
    slot->last_used_s.store(after.last_used_s, std::memory_order_relaxed);
  }
  if (after.revoked && !known.revoked) {
    slot->state_word.store(WithState(state, SlotState::kRevoked), std::memory_order_release);
  }
  return true;
}

}  // namespace

void VerifyTable::Settle() { std::atomic_thread_fence(std::memory_order_seq_cst); }

VerifyTable::VerifyTable(size_t budget_bytes)
    : budget_pages_(budget_bytes == 0 ? 0
                                      : std::max<size_t>(budget_bytes / SlotMemory::kPageSize, 1)) {
}
VerifyTable::~VerifyTable() = default;

// Tags are as good as random, so an even share for each segment wastes next to nothing, and whether
// there is room does not depend on what the others have taken.
size_t VerifyTable::PagesMax(size_t segment) const {
  if (budget_pages_ == 0) return SlotRun::kPagesMax;
  return budget_pages_ / kSegments + (segment < budget_pages_ % kSegments ? 1 : 0);
}

Result<bool> VerifyTable::Reserve(std::span<const TagBytes> tags) {
  std::array<size_t, kSegments> wanted{};
  for (const TagBytes& tag : tags) ++wanted[SegmentOf(tag)];
  bool fits = true;
  const std::lock_guard lock(writer_);
  for (size_t segment = 0; segment < kSegments; ++segment) {
    if (wanted[segment] == 0) continue;
    LATCHKEY_TRY_ASSIGN(const bool has_room, MakeRoom(segment, wanted[segment]));
    fits = fits && has_room;
  }
  return fits;
}

Result<bool> VerifyTable::Reserve(const TagBytes& tag) {
  const std::lock_guard lock(writer_);
  return MakeRoom(SegmentOf(tag), 1);
}

Status VerifyTable::ReserveCount(size_t entries) {
  // Tags are as good as random: a segment's share strays from the mean by about its square root.
  const double mean = static_cast<double>(entries) / kSegments;
  const double share = mean + 2 * std::sqrt(mean);
  for (size_t segment = 0; segment < kSegments; ++segment) {
    const size_t pages = std::min(PagesFor(segment, kSegments, share), PagesMax(segment));
    const std::lock_guard lock(writer_);
    if (pages > RunOf(segment).pages()) LATCHKEY_TRY(Grow(segment, pages));
  }
  return Status::Ok();
}

Result<bool> VerifyTable::MakeRoom(size_t segment, size_t entries) {
  const Usage& usage = usage_[segment];
  if (HasRoom(RunOf(segment), static_cast<double>(usage.used + entries))) return true;
  const double wanted = static_cast<double>(usage.entries + entries) * (1 + kHeadroom);
  const size_t pages = std::min(PagesFor(segment, kSegments, wanted), PagesMax(segment));
  if (!HasRoom(SlotRun{nullptr, pages * SlotRun::kSlotsPerPage}, wanted)) return false;
  LATCHKEY_TRY(Grow(segment, pages));
  return true;
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
    if (Place(fresh, entry)) ++usage.entries;
  }
  usage.used = usage.entries;
  usage_[segment] = usage;
  runs_[segment].store(fresh.Pack(), std::memory_order_release);
  Settle();  // whoever finds an old page empty finds also that the segment has moved
  if (old.count != 0) memory_.Empty(old.slots, old.pages());
  return Status::Ok();
}

bool VerifyTable::Insert(const TableEntry& entry) {
  assert(entry.expires_s >= 0 && entry.expires_s <= kSlotExpiresMax);
  assert(entry.not_before_s >= 0 && entry.not_before_s <= kSlotNotBeforeMax);
  const size_t segment = SegmentOf(entry.tag);
  const std::lock_guard lock(writer_);
  const Result<bool> has_room = MakeRoom(segment, 1);
  // Without memory to grow, a quarter of the slots is still free.
  const bool may_place = !has_room.ok() || *has_room;
  const SlotRun run = RunOf(segment);
  const Probed before = Probe(run, entry.tag);
  TableEntry after = entry;
  after.era = era_;
  if (before.is_found) {
    const TableEntry known = before.slot->Load(before.state_word);
    after.revoked |= known.revoked;
    after.era = known.era;
    after.last_used_s = std::max(after.last_used_s, known.last_used_s);
    if (Follow(before.slot, before.state_word, known, after)) {
      if (after.revoked != known.revoked) revoked_.fetch_add(1, std::memory_order_relaxed);
      Settle();
      return true;
    }
  }
  const bool is_placed = may_place && Place(run, after);
  assert(is_placed || !may_place);
  if (is_placed) {
    ++usage_[segment].used;
    ++usage_[segment].entries;
    size_.fetch_add(1, std::memory_order_relaxed);
    if (after.revoked) revoked_.fetch_add(1, std::memory_order_relaxed);
  }
  // Without a slot, which is to say without Reserve() or beyond the budget, the entry is not
  // served, and what it was to replace is not served either.
  if (before.is_found) {
    // After the new slot is there and in reach, so that no reader finds neither. Its reach may have
    // been raised just now.
    const uint64_t state = before.slot->state_word.load(std::memory_order_relaxed);
    before.slot->state_word.store(WithState(state, SlotState::kDead), std::memory_order_release);
    --usage_[segment].entries;
    size_.fetch_sub(1, std::memory_order_relaxed);
    if (StateOf(state) == SlotState::kRevoked) revoked_.fetch_sub(1, std::memory_order_relaxed);
  }
  Settle();
  return is_placed;
}

bool VerifyTable::Revoke(const TagBytes& tag) {
  const std::lock_guard lock(writer_);
  const Probed found = Probe(RunOf(SegmentOf(tag)), tag);
  if (!found.is_found) return false;
  if (StateOf(found.state_word) != SlotState::kRevoked) {
    revoked_.fetch_add(1, std::memory_order_relaxed);
  }
  found.slot->state_word.store(WithState(found.state_word, SlotState::kRevoked),
                               std::memory_order_release);
  Settle();
  return true;
}

uint32_t VerifyTable::NewEra() {
  const std::lock_guard lock(writer_);
  return era_ < kSlotEraMax ? ++era_ : 0;
}

VerifyTable::Sight VerifyTable::Look(TagWords tag) const {
  Sight sight;
  const size_t segment = Declassify(SegmentOf(tag));
  do {
    sight.packed_run = runs_[segment].load(std::memory_order_acquire);
    const Probed probed = Probe(SlotRun::Unpack(sight.packed_run), tag);
    sight.is_found = probed.is_found;
    sight.slot = probed.slot;
    probed.slot->Read(probed.state_word, &sight.words);
  } while (!StillHolds(tag, sight));
  return sight;
}

bool VerifyTable::StillHolds(TagWords tag, const Sight& sight) const {
  // The order matters: an emptied slot may read as it did before, its segment's word may not.
  return sight.slot->state_word.load(std::memory_order_acquire) == sight.words.state_word &&
         runs_[Declassify(SegmentOf(tag))].load(std::memory_order_acquire) == sight.packed_run;
}

bool VerifyTable::Find(const TagBytes& tag, TableEntry* out) const {
  const Sight sight = Look(tag);
  if (sight.is_found) *out = sight.words.Entry();
  return sight.is_found;
}

void VerifyTable::Prefetch(TagWords tag, size_t lines) const {
  const SlotRun run = RunOf(Declassify(SegmentOf(tag)));
  if (run.count == 0) return;
  const TableSlot* const home = &run.slots[run.Home(tag.low)];
  // Some may lie behind the run's end: asked for, not touched.
  for (size_t i = 0; i < lines; ++i) __builtin_prefetch(home + i);
}

void VerifyTable::Touch(const Sight& sight, uint32_t now_s) {
  if (!sight.is_found) return;
  // Threads read the clock apart: the later one of a second stays, and no line is fought over.
  if (sight.slot->last_used_s.load(std::memory_order_relaxed) < now_s) {
    sight.slot->last_used_s.store(now_s, std::memory_order_relaxed);
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
