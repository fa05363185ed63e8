// A short list, and most of the time an empty one.
#include "service/open_sweeps.h"

#include <algorithm>
#include <utility>

namespace latchkey {

SweepRecord PredicateOf(const SweepRecord& sweep) {
  SweepRecord predicate;
  predicate.number = sweep.number;
  predicate.owner = sweep.owner;
  predicate.creator = sweep.creator;
  predicate.minted_by = sweep.minted_by;
  predicate.kind = sweep.kind;
  predicate.scopes = sweep.scopes;
  predicate.issued_before_s = sweep.issued_before_s;
  return predicate;
}

void OpenSweeps::Reserve(size_t count) {
  const std::lock_guard lock(mutex_);
  open_.reserve(open_.size() + count);
}

uint64_t OpenSweeps::Add(uint64_t number, const SweepRecord& predicate) noexcept {
  const std::lock_guard lock(mutex_);
  open_.push_back(OpenSweep{++last_id_, number, PredicateOf(predicate), false});
  return last_id_;
}

template <typename Which>
void OpenSweeps::CloseIf(Which&& which) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase_if(open_, std::forward<Which>(which));
  any_doubted_.store(std::any_of(open_.begin(), open_.end(),
                                 [](const OpenSweep& open) { return open.is_doubted; }),
                     std::memory_order_release);
}

void OpenSweeps::CloseNumber(uint64_t number) noexcept {
  CloseIf([&](const OpenSweep& open) { return open.number == number; });
}

void OpenSweeps::Close(uint64_t id) noexcept {
  CloseIf([&](const OpenSweep& open) { return open.id == id; });
}

void OpenSweeps::Doubt(uint64_t id) noexcept {
  const std::lock_guard lock(mutex_);
  for (OpenSweep& open : open_) {
    if (open.id != id) continue;
    open.is_doubted = true;
    any_doubted_.store(true, std::memory_order_release);
  }
}

uint64_t OpenSweeps::IdOf(uint64_t number) const {
  const std::lock_guard lock(mutex_);
  for (const OpenSweep& open : open_) {
    if (open.number == number) return open.id;
  }
  return 0;
}

OpenSweep OpenSweeps::NextAfter(uint64_t id) const {
  const std::lock_guard lock(mutex_);
  for (const OpenSweep& open : open_) {
    if (open.id > id) return open;
  }
  return OpenSweep();
}

}  // namespace latchkey
