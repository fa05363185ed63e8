// What an answer from the store needs beside the store.
#include "service/restrictions.h"

#include <algorithm>
#include <thread>

#include "service/open_sweeps.h"

namespace latchkey {
namespace {

bool AskTheSame(const SweepRecord& a, const SweepRecord& b) {
  return a.owner == b.owner && a.creator == b.creator && a.minted_by == b.minted_by &&
         a.kind == b.kind && a.scopes == b.scopes && a.issued_before_s == b.issued_before_s;
}

}  // namespace

bool ChangesWhatIsDenied(const Event& event) {
  return std::holds_alternative<OwnerPut>(event.body) ||
         std::holds_alternative<CredentialRevoked>(event.body) ||
         std::holds_alternative<SweepStarted>(event.body) ||
         std::holds_alternative<Swept>(event.body);
}

uint64_t Restrictions::Moment() const {
  for (;;) {
    const uint64_t turn = turn_.load(std::memory_order_seq_cst);
    if (turn % 2 == 0) return turn;
    std::this_thread::yield();
  }
}

bool Restrictions::Deny(const CredentialRecord& credential) const {
  if (!any_.load(std::memory_order_seq_cst)) return false;
  const std::lock_guard lock(mutex_);
  return tags_.Contains(credential.tag) ||
         std::any_of(sweeps_.begin(), sweeps_.end(),
                     [&](const SweepRecord& sweep) { return sweep.Covers(credential); });
}

void Restrictions::Reserve(size_t tags, size_t sweeps) {
  const std::lock_guard lock(mutex_);
  if (tags > 0) tags_.Reserve(tags);
  sweeps_.reserve(sweeps_.size() + sweeps);
}

void Restrictions::Add(const Revoked& revoked) noexcept {
  const std::lock_guard lock(mutex_);
  tags_.Add(revoked.tag);
  any_.store(true, std::memory_order_seq_cst);
}

void Restrictions::Add(const SweepRecord& sweep) noexcept {
  const std::lock_guard lock(mutex_);
  any_.store(true, std::memory_order_seq_cst);
  for (SweepRecord& known : sweeps_) {
    if (!AskTheSame(known, sweep)) continue;
    known.number = std::max(known.number, sweep.number);
    return;
  }
  sweeps_.push_back(PredicateOf(sweep));
}

}  // namespace latchkey
