// How each event changes what is in memory.
#include "service/memory.h"

#include <algorithm>

#include "authority/open_group.h"
#include "crypto/key_format.h"
#include "service/sweep_scan.h"

namespace latchkey {
namespace {

// Appended to the kinds of a set, so that latchkey's own come first.
KindSet::Shape ShapeOf(const KindRecord& kind) {
  return KindSet::Shape{kind.kind, kind.format, kind.prefix,
                        SecretSize(static_cast<SecretFormat>(kind.format), kind.prefix)};
}

// Nothing is asked about but the owner, the kind and the scopes, which the verify table knows.
bool IsInTable(const SweepRecord& sweep) {
  return sweep.creator.is_nil() && sweep.minted_by.is_nil() && sweep.issued_before_s == 0;
}

}  // namespace

Memory::Memory(const LocalAuthority& authority, const MemoryBudgets& budgets)
    : authority_(authority),
      table_(budgets.table_bytes),
      directories_(authority, budgets.directories_bytes),
      owner_cache_(authority) {
  restrictions_.StartAt(authority.Now()->head.event_number);
  LoadKinds({});
}

Memory::~Memory() = default;

void Memory::LoadKinds(const std::vector<KindRecord>& host_kinds) {
  PrepareKinds(host_kinds);
  PublishKinds();
}

void Memory::PrepareKinds(const std::vector<KindRecord>& host_kinds) {
  auto set = std::make_unique<KindSet>();
  for (const uint16_t own : {kind::kUserKey, kind::kProjectKey}) {
    set->shapes.push_back(ShapeOf(*FindKindIn({}, own)));
  }
  for (const KindRecord& host : host_kinds) set->shapes.push_back(ShapeOf(host));
  kind_sets_.reserve(kind_sets_.size() + 1);
  prepared_kinds_ = std::move(set);
}

void Memory::PublishKinds() {
  if (prepared_kinds_ == nullptr) return;
  kind_sets_.push_back(std::move(prepared_kinds_));
  kinds_.store(kind_sets_.back().get(), std::memory_order_release);
}

Status Memory::Reserve(size_t credentials) { return table_.ReserveCount(credentials); }

Status Memory::LoadOwner(const OwnerRecord& owner) {
  LATCHKEY_TRY(owners_.Reserve(1));
  owners_.Put(owner);
  return Status::Ok();
}

TableEntry Memory::EntryOf(const CredentialRecord& credential) const {
  TableEntry entry;
  entry.tag = credential.tag;
  entry.uuid = credential.uuid;
  entry.owner_index = owners_.IndexOf(credential.owner);
  entry.kind = credential.kind;
  entry.expires_s = credential.expires_s;
  entry.not_before_s = credential.not_before_s;
  entry.scopes = credential.scopes;
  return entry;
}

void Memory::BeginLoad(const std::vector<SweepRecord>& pending_sweeps) {
  const std::lock_guard lock(mutex_);
  for (const SweepRecord& sweep : pending_sweeps) {
    const bool is_known =
        std::any_of(sweeps_meanwhile_.begin(), sweeps_meanwhile_.end(),
                    [&](const SweepRecord& known) { return known.number == sweep.number; });
    if (!is_known) sweeps_meanwhile_.push_back(PredicateOf(sweep));
  }
}

bool Memory::DeniedMeanwhile(const CredentialRecord& credential) const {
  return revoked_meanwhile_.Contains(credential.tag) || restrictions_.Deny(credential) ||
         std::any_of(sweeps_meanwhile_.begin(), sweeps_meanwhile_.end(),
                     [&](const SweepRecord& sweep) { return sweep.Covers(credential); });
}

Status Memory::Load(std::span<const LoadedCredential> credentials) {
  const std::lock_guard lock(mutex_);
  for (const LoadedCredential& loaded : credentials) {
    const CredentialRecord& credential = loaded.record;
    // Committed, and applied in a moment; its owner may be as new.
    if (credential.born_event > restrictions_.applied_event()) continue;
    TableEntry entry = EntryOf(credential);
    if (entry.owner_index == OwnerTable::kNone) {
      return Status::Error(Code::kCorruption, "a credential belongs to an owner that there is not");
    }
    entry.revoked = loaded.revoked || DeniedMeanwhile(credential);
    entry.last_used_s = loaded.last_used_s;
    LATCHKEY_TRY_ASSIGN(const bool fits, table_.Reserve(entry.tag));
    if (!fits || !table_.Insert(entry)) overflowed_ = true;
  }
  return Status::Ok();
}

void Memory::EndLoad() {
  const std::lock_guard lock(mutex_);
  loading_ = false;
  std::vector<SweepRecord>().swap(sweeps_meanwhile_);
  revoked_meanwhile_.Clear();
  if (!overflowed_) complete_.store(true, std::memory_order_seq_cst);
}

void Memory::SetIncomplete() noexcept {
  overflowed_ = true;
  complete_.store(false, std::memory_order_seq_cst);
}

Status Memory::Prepare(std::span<const Event> events) {
  owner_cache_.Begin(events);
  std::vector<TagBytes> tags;
  std::vector<KindRecord> kinds = authority_.state().host_kinds;
  const size_t kinds_before = kinds.size();
  size_t owners = 0;
  for (const Event& event : events) {
    if (const auto* created = std::get_if<CredentialCreated>(&event.body)) {
      tags.push_back(created->credential.tag);
    } else if (std::holds_alternative<OwnerPut>(event.body)) {
      ++owners;
    } else if (const auto* put = std::get_if<KindPut>(&event.body)) {
      kinds.push_back(put->kind);
    }
  }
  if (kinds.size() > kinds_before) PrepareKinds(kinds);
  if (owners > 0) LATCHKEY_TRY(owners_.Reserve(owners));
  const std::lock_guard lock(mutex_);
  LATCHKEY_TRY_ASSIGN(const bool fits, table_.Reserve(tags));
  // Before the commit: whoever is told of the credential must not find the table complete.
  if (!fits) SetIncomplete();
  ReserveForRevocations(events);
  return Status::Ok();
}

// As applying cannot fail. A table that is complete has an entry for whatever is revoked.
void Memory::ReserveForRevocations(std::span<const Event> events) {
  size_t revoked = 0;
  size_t sweeps = 0;
  for (const Event& event : events) {
    revoked += std::holds_alternative<CredentialRevoked>(event.body);
    sweeps += std::holds_alternative<SweepStarted>(event.body);
  }
  if (sweeps > 0) open_sweeps_.Reserve(sweeps);
  if (complete()) revoked = 0;
  if (revoked + sweeps > 0) restrictions_.Reserve(revoked, sweeps);
  if (!loading_) return;
  if (revoked > 0) revoked_meanwhile_.Reserve(revoked);
  sweeps_meanwhile_.reserve(sweeps_meanwhile_.size() + sweeps);
}

void Memory::Apply(std::span<const Event> events) noexcept {
  if (!events.empty()) {
    const bool denies = std::any_of(events.begin(), events.end(), ChangesWhatIsDenied);
    const std::lock_guard lock(mutex_);
    if (denies) restrictions_.BeginTurn();
    for (const Event& event : events) ApplyOne(event);
    restrictions_.Applied(events.back().number);
    if (denies) restrictions_.EndTurn();
  }
  directories_.Apply(events);
  owner_cache_.End();
}

void Memory::ApplyOne(const Event& event) {
  if (const auto* put = std::get_if<OwnerPut>(&event.body)) {
    owners_.Put(put->owner);
  } else if (const auto* created = std::get_if<CredentialCreated>(&event.body)) {
    // The loader may have taken the room that was there before the commit.
    if (!table_.Insert(EntryOf(created->credential))) SetIncomplete();
  } else if (const auto* revoked = std::get_if<CredentialRevoked>(&event.body)) {
    if (!table_.Revoke(revoked->credential.tag) && loading_) {
      revoked_meanwhile_.Add(revoked->credential.tag);
    }
  } else if (const auto* swept = std::get_if<Swept>(&event.body)) {
    for (const Revoked& credential : swept->credentials) table_.Revoke(credential.tag);
    if (swept->done) open_sweeps_.CloseNumber(swept->sweep);
  } else if (const auto* started = std::get_if<SweepStarted>(&event.body)) {
    BeginSweep(started->sweep.number, started->sweep);
  } else if (std::holds_alternative<KindPut>(event.body)) {
    PublishKinds();
  }
}

// Events are applied in order: what is in the table now was born before the sweep. What is loaded
// later is compared with it then.
void Memory::BeginSweep(uint64_t number, const SweepRecord& sweep) noexcept {
  const uint64_t id = open_sweeps_.Add(number, sweep);
  if (loading_) sweeps_meanwhile_.push_back(PredicateOf(sweep));
  if (IsInTable(sweep)) table_sweep_ = {id, table_.NewEra(), complete()};
}

Memory::TableSweep Memory::Remembered(uint64_t id) const {
  const std::lock_guard lock(mutex_);
  return id == table_sweep_.id ? table_sweep_ : TableSweep{};
}

void Memory::Restrict(std::span<const Event> events) noexcept {
  {
    const std::lock_guard lock(mutex_);
    restrictions_.BeginTurn();
    for (const Event& event : events) RestrictOne(event, events.front().number);
    restrictions_.EndTurn();
  }
  // Also those that are committed, and whose callers are on their way to Deny(): a store that is to
  // be reopened cannot be asked.
  DenyOpen();
}

void Memory::RestrictOne(const Event& event, uint64_t first_number) noexcept {
  if (const auto* put = std::get_if<OwnerPut>(&event.body)) {
    // Only owners that were there: one that was being created has nothing to deny.
    if (put->owner.born_event != event.number && (put->owner.locked || put->owner.deleted_s != 0)) {
      owners_.Put(put->owner);
    }
  } else if (const auto* revoked = std::get_if<CredentialRevoked>(&event.body)) {
    if (!table_.Revoke(revoked->credential.tag) && !complete()) {
      restrictions_.Add(revoked->credential);
    }
  } else if (const auto* started = std::get_if<SweepStarted>(&event.body)) {
    // What the group would have created is not there; and if it was not written, its numbers are
    // given again.
    SweepRecord predicate = PredicateOf(started->sweep);
    predicate.number = first_number;
    restrictions_.Add(predicate);
    BeginSweep(/*number=*/0, predicate);
  }
}

uint64_t Memory::DenyInTable(const SweepRecord& sweep, uint32_t era) {
  uint32_t owner_index = OwnerTable::kNone;
  if (!sweep.owner.is_nil()) {
    const std::lock_guard lock(mutex_);
    owner_index = owners_.IndexOf(sweep.owner);
  }
  return table_.RevokeOlder(era, [&](const SlotWords& entry) {
    return (sweep.owner.is_nil() || entry.owner_index == owner_index) &&
           (sweep.kind == 0 || sweep.kind == entry.kind()) &&
           (entry.scopes & sweep.scopes) == sweep.scopes;
  });
}

// By the owner's rows, of which there are few. If they cannot be read, by the whole table.
Result<uint64_t> Memory::DenyByWalk(const SweepRecord& sweep, uint32_t era) {
  uint64_t denied = 0;
  const Status walked = ForEachCovered(authority_, sweep, [&](const Covered& covered) {
    if (!covered.denied_before) ++denied;
    table_.Revoke(covered.tag);
    return Status::Ok();
  });
  if (walked.ok()) return denied;
  if (era != 0) DenyInTable(sweep, era);
  return walked;
}

Result<uint64_t> Memory::DenyNow(uint64_t id, const SweepRecord& sweep, bool must_count) {
  const TableSweep known = Remembered(id);
  const bool by_table = known.era != 0 && sweep.owner.is_nil() && (known.covers_all || !must_count);
  const Result<uint64_t> denied =
      by_table ? DenyInTable(sweep, known.era) : DenyByWalk(sweep, known.era);
  if (denied.ok() || known.era != 0) {
    open_sweeps_.Close(id);
  } else {
    open_sweeps_.Doubt(id);
  }
  return denied;
}

Result<uint64_t> Memory::Deny(const SweepRecord& sweep) {
  return DenyNow(open_sweeps_.IdOf(sweep.number), sweep, /*must_count=*/true);
}

void Memory::DenyOpen() {
  for (OpenSweep open = open_sweeps_.NextAfter(0); open.id != 0;
       open = open_sweeps_.NextAfter(open.id)) {
    DenyNow(open.id, open.predicate, /*must_count=*/false)
        .status()
        .IgnoreBecause("doubted until the store can be read");
  }
}

void Memory::SettleDoubts() {
  if (is_doubted()) DenyOpen();
}

uint32_t Memory::LastUsed(const TagBytes& tag, const Uuid& uuid, const Storage& storage) const {
  const bool is_complete = complete();
  const uint32_t noted_s = stored_uses_.Of(tag);
  TableEntry entry;
  if (table_.Find(tag, &entry)) return std::max(noted_s, entry.last_used_s);
  if (is_complete) return noted_s;
  const Result<Bytes> stored = storage.Get(column::kUsage, uuid.view());
  if (!stored.ok() || stored->size() != 8) return noted_s;
  return std::max(noted_s, static_cast<uint32_t>(LoadLe64(stored->data())));
}

}  // namespace latchkey
