// How each event changes the store.
#include "authority/open_group.h"

#include <cassert>

#include "authority/event_chain.h"
#include "base/text.h"
#include "crypto/key_format.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

const std::array<KindRecord, 3>& OwnKinds() {
  static const std::array<KindRecord, 3> kinds = [] {
    std::array<KindRecord, 3> all;
    all[0].kind = kind::kUserToken;
    all[0].name = "user-token";
    all[0].format = static_cast<uint8_t>(SecretFormat::kJwt);
    all[0].owner_sort = OwnerSort::kUser;
    all[1].kind = kind::kUserKey;
    all[1].name = "user-key";
    all[1].prefix = "bencher_user_";
    all[1].format = static_cast<uint8_t>(SecretFormat::kBase62x30);
    all[1].owner_sort = OwnerSort::kUser;
    all[2].kind = kind::kProjectKey;
    all[2].name = "project-key";
    all[2].prefix = "bencher_run_";
    all[2].format = static_cast<uint8_t>(SecretFormat::kBase62x30);
    all[2].owner_sort = OwnerSort::kProject;
    return all;
  }();
  return kinds;
}

// The value of a MACed record in `default`, which is not counted in the sum: the head cannot hold
// its own MAC, and counts are rebuilt from records.
void PutUncounted(Batch* batch, const RecordMac& mac, ByteView key, const Bytes& fields) {
  batch->Put(column::kDefault, key, mac.Close(column::kDefault, key, fields));
}

}  // namespace

const KindRecord* FindKindIn(const std::vector<KindRecord>& host_kinds, uint16_t number) {
  for (const KindRecord& own : OwnKinds()) {
    if (own.kind == number) return &own;
  }
  for (const KindRecord& host : host_kinds) {
    if (host.kind == number) return &host;
  }
  return nullptr;
}

OpenGroup::OpenGroup(const Storage& storage, const RecordMac& mac, AuthorityState state,
                     CommittedRecords* committed, KeyFilter* filter)
    : mac_(mac),
      batch_(storage, filter),
      source_(batch_),
      reader_(source_, mac),
      state_(std::move(state)),
      committed_(committed) {}

const KindRecord* OpenGroup::FindKind(uint16_t number) const {
  return FindKindIn(state_.host_kinds, number);
}

Result<std::shared_ptr<const OwnerRecord>> OpenGroup::Owner(const Uuid& uuid) const {
  if (const auto changed = owners_.find(uuid); changed != owners_.end()) return changed->second;
  if (auto committed = committed_->FindOwner(uuid)) return committed;
  LATCHKEY_TRY_ASSIGN(OwnerRecord record, reader_.Owner(uuid));
  auto owner = std::make_shared<const OwnerRecord>(std::move(record));
  committed_->KeepOwner(owner);
  return owner;
}

Result<CountRecord> OpenGroup::Count(const Uuid& owner, uint16_t kind) const {
  const CountKey key{owner, kind};
  if (const auto changed = counts_.find(key); changed != counts_.end()) return changed->second;
  if (std::optional<CountRecord> committed = committed_->FindCount(key)) return *committed;
  LATCHKEY_TRY_ASSIGN(CountRecord count, reader_.Count(owner, kind));
  committed_->KeepCount(key, count);
  return count;
}

Status OpenGroup::Append(Event event) {
  HeadRecord& head = state_.head;
  event.number = head.event_number + 1;
  LATCHKEY_TRY(std::visit([&](auto& body) { return Write(&event, &body); }, event.body));

  const Bytes encoded = event.Encode();
  head.event_id = NextEventId(head.event_id, event.number, encoded);
  head.event_number = event.number;
  batch_.Put(column::kEvent, keys::Event(0, event.number).view(),
             Bytes(View(head.event_id)) + encoded);
  events_.push_back(std::move(event));
  return Status::Ok();
}

void OpenGroup::set_clock_s(int64_t clock_s) {
  state_.head.clock_s = std::max(state_.head.clock_s, clock_s);
}

void OpenGroup::WriteHead() {
  for (const auto& [key, count] : counts_) {
    PutUncounted(&batch_, mac_, keys::Count(key.owner, key.kind).view(), count.Encode());
  }
  PutUncounted(&batch_, mac_, keys::kHead, state_.head.Encode());
}

void OpenGroup::Remember() noexcept {
  for (auto& [uuid, owner] : owners_) committed_->KeepOwner(std::move(owner));
  for (auto& [key, count] : counts_) committed_->KeepCount(key, std::move(count));
}

Status OpenGroup::ForgetMac(uint8_t column, ByteView key) {
  Result<Bytes> before = batch_.Get(column, key);
  if (before.ok()) RecordMac::Subtract(&state_.head.record_sum, *before);
  return before.code() == Code::kNotFound ? Status::Ok() : before.status();
}

Status OpenGroup::PutRecord(uint8_t column, ByteView key, const Bytes& fields) {
  LATCHKEY_TRY(ForgetMac(column, key));
  PutNewRecord(column, key, fields);
  return Status::Ok();
}

void OpenGroup::PutNewRecord(uint8_t column, ByteView key, const Bytes& fields) {
  const Bytes value = mac_.Close(column, key, fields);
  RecordMac::Add(&state_.head.record_sum, value);
  batch_.Put(column, key, value);
}

Status OpenGroup::DeleteRecord(uint8_t column, ByteView key) {
  LATCHKEY_TRY(ForgetMac(column, key));
  batch_.Delete(column, key);
  return Status::Ok();
}

void OpenGroup::CountOwner(const OwnerRecord& owner, int64_t change) {
  if (owner.deleted_s != 0) return;
  uint64_t& count = owner.sort == OwnerSort::kUser ? state_.head.users : state_.head.projects;
  count += static_cast<uint64_t>(change);
}

Status OpenGroup::Write(Event* event, OwnerPut* body) {
  OwnerRecord& owner = body->owner;
  const bool is_new = owner.born_event == 0;
  if (is_new) {
    owner.born_event = event->number;
  } else {
    // Read here rather than trusted from the event, which a follower has without it.
    LATCHKEY_TRY_ASSIGN(body->before, reader_.Owner(owner.uuid));
    const OwnerRecord& before = body->before;
    CountOwner(before, -1);
    if (before.deleted_s == 0) {
      batch_.Delete(column::kOwnerSlug, keys::OwnerSlug(before.sort, before.slug).view());
      if (!before.email.empty()) batch_.Delete(column::kOwnerEmail, FoldAscii(before.email));
    }
  }
  owner.last_event = event->number;
  CountOwner(owner, +1);
  if (owner.deleted_s == 0) {
    batch_.Put(column::kOwnerSlug, keys::OwnerSlug(owner.sort, owner.slug).view(),
               owner.uuid.view());
    if (!owner.email.empty()) {
      batch_.Put(column::kOwnerEmail, FoldAscii(owner.email), owner.uuid.view());
    }
  }
  owners_[owner.uuid] = std::make_shared<const OwnerRecord>(owner);
  return PutRecord(column::kOwner, owner.uuid.view(), owner.Encode());
}

Status OpenGroup::Write(Event* event, GrantPut* body) {
  GrantRecord grant;
  grant.role = body->role;
  grant.last_event = event->number;
  return PutRecord(column::kGrant, keys::Grant(body->project, body->user).view(), grant.Encode());
}

Status OpenGroup::Write(Event*, GrantRemoved* body) {
  return DeleteRecord(column::kGrant, keys::Grant(body->project, body->user).view());
}

Status OpenGroup::Write(Event* event, KindPut* body) {
  body->kind.last_event = event->number;
  state_.host_kinds.push_back(body->kind);
  return PutRecord(column::kKind, keys::Kind(body->kind.kind).view(), body->kind.Encode());
}

Status OpenGroup::AddToCount(const Uuid& owner, uint16_t kind, int64_t active, int64_t revoked) {
  state_.head.active += static_cast<uint64_t>(active);
  state_.head.revoked += static_cast<uint64_t>(revoked);
  LATCHKEY_TRY_ASSIGN(CountRecord count, Count(owner, kind));
  count.active += static_cast<uint64_t>(active);
  count.revoked += static_cast<uint64_t>(revoked);
  counts_[CountKey{owner, kind}] = std::move(count);
  return Status::Ok();
}

Status OpenGroup::Write(Event* event, CredentialCreated* body) {
  CredentialRecord& credential = body->credential;
  credential.born_event = event->number;
  credential.last_event = event->number;
  const auto by_name = keys::ByName(credential.owner, credential.kind, credential.name,
                                    credential.creation_s, credential.uuid);
  batch_.Put(column::kByTag, View(credential.tag), credential.uuid.view());
  batch_.Put(column::kByName, by_name.view(), ListRowOf(credential).Encode());
  batch_.Put(column::kBySlug,
             keys::BySlug(credential.owner, credential.kind, credential.slug).view(),
             credential.uuid.view());
  LATCHKEY_TRY(AddToCount(credential.owner, credential.kind, +1, 0));
  assert(reader_.Credential(credential.uuid).code() == Code::kNotFound);
  PutNewRecord(column::kCredential, credential.uuid.view(), credential.Encode());
  return Status::Ok();
}

Status OpenGroup::Write(Event* event, CredentialRenamed* body) {
  LATCHKEY_TRY_ASSIGN(CredentialRecord credential, reader_.Credential(body->uuid));
  const auto before = keys::ByName(credential.owner, credential.kind, credential.name,
                                   credential.creation_s, credential.uuid);
  // The row moves as it is: its state is in its value.
  Result<Bytes> row = batch_.Get(column::kByName, before.view());
  if (!row.ok()) return row.status();
  credential.name = body->name;
  credential.last_event = event->number;
  const auto after = keys::ByName(credential.owner, credential.kind, credential.name,
                                  credential.creation_s, credential.uuid);
  batch_.Delete(column::kByName, before.view());
  batch_.Put(column::kByName, after.view(), *row);
  return PutRecord(column::kCredential, credential.uuid.view(), credential.Encode());
}

Status OpenGroup::WriteTombstone(const CredentialRecord& credential,
                                 const TombstoneRecord& tombstone) {
  const auto by_name = keys::ByName(credential.owner, credential.kind, credential.name,
                                    credential.creation_s, credential.uuid);
  LATCHKEY_TRY_ASSIGN(ListRow row, reader_.RowAt(by_name.view()));
  row.revoked_s = tombstone.revoked_s;
  row.revoked_by = tombstone.revoked_by;
  batch_.Put(column::kByName, by_name.view(), row.Encode());
  LATCHKEY_TRY(AddToCount(credential.owner, credential.kind, -1, +1));
  return PutRecord(column::kTombstone, credential.uuid.view(), tombstone.Encode());
}

Status OpenGroup::Write(Event* event, CredentialRevoked* body) {
  LATCHKEY_TRY_ASSIGN(const CredentialRecord credential, reader_.Credential(body->credential.uuid));
  TombstoneRecord tombstone = TombstoneOf(credential);
  tombstone.revoked_s = body->revoked_s;
  tombstone.revoked_by = event->actor;
  tombstone.reason = body->reason;
  tombstone.event = event->number;
  return WriteTombstone(credential, tombstone);
}

Status OpenGroup::Write(Event* event, SweepStarted* body) {
  body->sweep.number = event->number;
  state_.pending_sweeps.push_back(body->sweep);
  return PutRecord(column::kSweep, keys::Sweep(event->number).view(), body->sweep.Encode());
}

Status OpenGroup::Write(Event* event, Swept* body) {
  LATCHKEY_TRY_ASSIGN(SweepRecord sweep, reader_.Sweep(body->sweep));
  for (const Revoked& revoked : body->credentials) {
    LATCHKEY_TRY_ASSIGN(const CredentialRecord credential, reader_.Credential(revoked.uuid));
    TombstoneRecord tombstone = TombstoneOf(credential);
    tombstone.revoked_s = sweep.revoked_s;
    tombstone.revoked_by = sweep.revoked_by;
    tombstone.reason = sweep.reason;
    tombstone.event = event->number;
    tombstone.sweep = sweep.number;
    LATCHKEY_TRY(WriteTombstone(credential, tombstone));
  }
  if (!body->done) return Status::Ok();
  sweep.done = true;
  std::erase_if(state_.pending_sweeps,
                [&](const SweepRecord& pending) { return pending.number == sweep.number; });
  return PutRecord(column::kSweep, keys::Sweep(sweep.number).view(), sweep.Encode());
}

Status OpenGroup::Write(Event*, ClockAccepted*) { return Status::Ok(); }

}  // namespace latchkey
