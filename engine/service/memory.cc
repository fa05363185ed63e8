// How each event changes what is in memory.
#include "service/memory.h"

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

// Nothing is asked about but the kind and the scopes, which the verify table knows.
bool IsInTable(const SweepRecord& sweep) {
  return sweep.owner.is_nil() && sweep.creator.is_nil() && sweep.minted_by.is_nil() &&
         sweep.issued_before_s == 0;
}

}  // namespace

Memory::Memory(const LocalAuthority& authority, size_t directory_budget_bytes)
    : authority_(authority),
      directories_(authority, directory_budget_bytes),
      owner_cache_(authority) {
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

Status Memory::LoadCredential(const CredentialRecord& credential, bool revoked,
                              uint32_t last_used_s) {
  TableEntry entry = EntryOf(credential);
  if (entry.owner_index == OwnerTable::kNone) {
    return Status::Error(Code::kCorruption, "a credential belongs to an owner that there is not");
  }
  entry.revoked = revoked;
  entry.last_used_s = last_used_s;
  LATCHKEY_TRY(table_.Reserve(entry.tag));
  table_.Insert(entry);
  return Status::Ok();
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
  return tags.empty() ? Status::Ok() : table_.Reserve(tags);
}

void Memory::Apply(std::span<const Event> events) noexcept {
  for (const Event& event : events) ApplyOne(event);
  directories_.Apply(events);
  owner_cache_.End();
}

void Memory::ApplyOne(const Event& event) {
  if (const auto* put = std::get_if<OwnerPut>(&event.body)) {
    owners_.Put(put->owner);
  } else if (const auto* created = std::get_if<CredentialCreated>(&event.body)) {
    table_.Insert(EntryOf(created->credential));
  } else if (const auto* revoked = std::get_if<CredentialRevoked>(&event.body)) {
    table_.Revoke(revoked->credential.tag);
  } else if (const auto* swept = std::get_if<Swept>(&event.body)) {
    for (const Revoked& credential : swept->credentials) table_.Revoke(credential.tag);
  } else if (const auto* started = std::get_if<SweepStarted>(&event.body)) {
    BeginSweep(started->sweep);
  } else if (std::holds_alternative<KindPut>(event.body)) {
    PublishKinds();
  }
}

// Events are applied in order: what is in the table now was born before the sweep.
void Memory::BeginSweep(const SweepRecord& sweep) {
  if (!IsInTable(sweep)) return;
  const std::lock_guard lock(sweep_mutex_);
  sweep_number_ = sweep.number;
  sweep_era_ = table_.NewEra();
}

uint32_t Memory::EraOf(const SweepRecord& sweep) const {
  const std::lock_guard lock(sweep_mutex_);
  return sweep.number == sweep_number_ ? sweep_era_ : 0;
}

void Memory::Restrict(std::span<const Event> events) noexcept {
  for (const Event& event : events) {
    if (const auto* put = std::get_if<OwnerPut>(&event.body)) {
      // Only owners that were there: one that was being created has nothing to deny.
      if (put->owner.born_event != event.number &&
          (put->owner.locked || put->owner.deleted_s != 0)) {
        owners_.Put(put->owner);
      }
    } else if (const auto* revoked = std::get_if<CredentialRevoked>(&event.body)) {
      table_.Revoke(revoked->credential.tag);
    } else if (const auto* sweep = std::get_if<SweepStarted>(&event.body)) {
      // If the store cannot be read now, the sweep is tried again when it has healed. What the
      // group would have created is not in the table.
      BeginSweep(sweep->sweep);
      Deny(sweep->sweep).status().IgnoreBecause("tried again when the store has healed");
    }
  }
}

Result<uint64_t> Memory::Deny(const SweepRecord& sweep) {
  const uint32_t era = IsInTable(sweep) ? EraOf(sweep) : 0;
  if (era != 0) {
    return table_.RevokeOlder(era, [&](const SlotWords& entry) {
      return (sweep.kind == 0 || sweep.kind == entry.kind()) &&
             (entry.scopes & sweep.scopes) == sweep.scopes;
    });
  }
  uint64_t denied = 0;
  LATCHKEY_TRY(ForEachCovered(authority_, sweep, [&](const Uuid&, const TagBytes& tag) {
    TableEntry entry;
    if (table_.Find(tag, &entry) && !entry.revoked) ++denied;
    table_.Revoke(tag);
    return Status::Ok();
  }));
  return denied;
}

}  // namespace latchkey
