// What follows from the records: indexes, counts, the head, and the few names beside it.
#include <algorithm>

#include "authority/repair_pass.h"
#include "base/text.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

constexpr std::array<uint8_t, 5> kIndexes = {column::kOwnerSlug, column::kOwnerEmail,
                                             column::kByTag, column::kByName, column::kBySlug};

}  // namespace

Status RepairPass::PutIndex(uint8_t column, ByteView key, ByteView value, const Uuid& uuid) {
  const Result<Bytes> stored = storage_.Get(column, key, &snapshot_);
  if (stored.ok()) ++index_present_[column];
  if (stored.ok() && *stored == value) return Status::Ok();
  if (!stored.ok() && stored.code() != Code::kNotFound) return stored.status();
  switch (column) {
    case column::kOwnerSlug:
      Found("the slug of an owner does not lead to it: mended", uuid);
      break;
    case column::kOwnerEmail:
      Found("the e-mail address of a user does not lead to him: mended", uuid);
      break;
    case column::kByTag:
      Found("the tag of a credential does not lead to it: mended", uuid);
      break;
    case column::kByName:
      Found("the name index does not show a credential as it is: mended", uuid);
      break;
    default:
      Found("the slug of a credential does not lead to it: mended", uuid);
  }
  if (stored.ok()) overwritten_.emplace(column, Bytes(key));
  ++report_.indexes_mended;
  return mender_.Put(column, key, value);
}

Status RepairPass::IndexOwners() {
  for (const auto& [uuid, owner] : owners_) {
    if (owner.deleted_s != 0) continue;
    LATCHKEY_TRY(PutIndex(column::kOwnerSlug, keys::OwnerSlug(owner.sort, owner.slug).view(),
                          uuid.view(), uuid));
    if (owner.email.empty()) continue;
    LATCHKEY_TRY(PutIndex(column::kOwnerEmail, FoldAscii(owner.email), uuid.view(), uuid));
  }
  return Status::Ok();
}

Status RepairPass::IndexCredential(const CredentialRecord& credential,
                                   const TombstoneRecord* tombstone) {
  const Uuid& uuid = credential.uuid;
  CountRecord& count = counts_[{credential.owner, credential.kind}];
  ++(tombstone == nullptr ? count.active : count.revoked);
  ++(tombstone == nullptr ? head_.active : head_.revoked);
  ListRow row = ListRowOf(credential);
  if (tombstone != nullptr) {
    row.revoked_s = tombstone->revoked_s;
    row.revoked_by = tombstone->revoked_by;
  }
  LATCHKEY_TRY(PutIndex(column::kByTag, View(credential.tag), uuid.view(), uuid));
  LATCHKEY_TRY(PutIndex(
      column::kByName,
      keys::ByName(credential.owner, credential.kind, credential.name, credential.creation_s, uuid)
          .view(),
      row.Encode(), uuid));
  return PutIndex(column::kBySlug,
                  keys::BySlug(credential.owner, credential.kind, credential.slug).view(),
                  uuid.view(), uuid);
}

// An entry that leads to a record which does not lead back.
Result<bool> RepairPass::IsStray(uint8_t column, ByteView key, ByteView value) const {
  if (column == column::kByName) {
    keys::ByNameParts parts;
    if (!keys::ParseByName(key, &parts)) return true;
    LATCHKEY_TRY_ASSIGN(const Truth::Verdict verdict, truth_.Judge(parts.uuid));
    if (!verdict.credential) return true;
    const CredentialRecord& credential = *verdict.credential;
    return key != keys::ByName(credential.owner, credential.kind, credential.name,
                               credential.creation_s, credential.uuid)
                      .view();
  }
  if (value.size() != Uuid::kSize) return true;
  const Uuid uuid = Uuid::From(value);
  if (column == column::kOwnerSlug || column == column::kOwnerEmail) {
    const auto owner = owners_.find(uuid);
    if (owner == owners_.end() || owner->second.deleted_s != 0) return true;
    return column == column::kOwnerEmail
               ? owner->second.email.empty() || key != FoldAscii(owner->second.email)
               : key != keys::OwnerSlug(owner->second.sort, owner->second.slug).view();
  }
  LATCHKEY_TRY_ASSIGN(const Truth::Verdict verdict, truth_.Judge(uuid));
  if (!verdict.credential) return true;
  const CredentialRecord& credential = *verdict.credential;
  return column == column::kByTag
             ? key != View(credential.tag)
             : key != keys::BySlug(credential.owner, credential.kind, credential.slug).view();
}

// Every record has led to its entries; where there are more, those that no record leads to go.
Status RepairPass::Strays() {
  for (const uint8_t column : kIndexes) {
    uint64_t entries = 0;
    Scan count = storage_.ScanPrefix(column, {}, {}, &snapshot_, /*fill_cache=*/false);
    for (; count.Valid(); count.Next(), ++entries) LATCHKEY_TRY(Tick());
    LATCHKEY_TRY(count.status());
    if (entries == index_present_[column]) continue;
    Scan scan = storage_.ScanPrefix(column, {}, {}, &snapshot_, /*fill_cache=*/false);
    for (; scan.Valid(); scan.Next()) {
      LATCHKEY_TRY(Tick());
      if (overwritten_.contains({column, Bytes(scan.key())})) continue;
      LATCHKEY_TRY_ASSIGN(const bool is_stray, IsStray(column, scan.key(), scan.value()));
      if (!is_stray) continue;
      Found("an index has an entry that no record leads to: taken out");
      ++report_.indexes_mended;
      LATCHKEY_TRY(mender_.Delete(column, scan.key()));
    }
    LATCHKEY_TRY(scan.status());
  }
  return Status::Ok();
}

Status RepairPass::Counts() {
  Scan scan = storage_.ScanPrefix(column::kDefault, keys::kCountPrefix, {}, &snapshot_, false);
  for (; scan.Valid(); scan.Next()) {
    const auto owner_kind = keys::ParseCount(scan.key());
    if (owner_kind && counts_.contains(*owner_kind)) continue;
    // One of zeros says what an absent one says.
    const Result<ByteView> fields = mac_.Open(column::kDefault, scan.key(), scan.value());
    if (owner_kind && fields.ok() && fields.value().empty()) continue;
    Found("there is a count of credentials that there are not: taken out",
          owner_kind ? owner_kind->first : Uuid{});
    ++report_.indexes_mended;
    LATCHKEY_TRY(mender_.Delete(column::kDefault, scan.key()));
  }
  LATCHKEY_TRY(scan.status());
  for (auto& [owner_kind, count] : counts_) {
    const auto key = keys::Count(owner_kind.first, owner_kind.second);
    LATCHKEY_TRY_ASSIGN(const auto stored, truth_.Stored(column::kDefault, key.view()));
    if (stored) {
      const Result<CountRecord> here = CountRecord::Decode(*stored);
      if (here.ok() && here.value().active == count.active &&
          here.value().revoked == count.revoked) {
        continue;
      }
      if (here.ok()) count.unknown = here.value().unknown;
    }
    Found("an owner's count of credentials is wrong: mended", owner_kind.first);
    ++report_.indexes_mended;
    LATCHKEY_TRY(mender_.Put(column::kDefault, key.view(),
                             mac_.Close(column::kDefault, key.view(), count.Encode())));
  }
  return Status::Ok();
}

// Where the history is lost all of it goes, or what is left would pass for the whole of it.
Status RepairPass::Events() {
  report_.events_lost = begins_history_ ? truth_.chain().events : 0;
  if (!begins_history_ && truth_.chain().strays == 0) return Status::Ok();
  Scan scan = storage_.ScanPrefix(column::kEvent, {}, {}, &snapshot_, /*fill_cache=*/false);
  for (; scan.Valid(); scan.Next()) {
    LATCHKEY_TRY(Tick());
    if (!begins_history_) {
      const std::optional<uint64_t> number = EventNumber(scan.key());
      if (number && *number > head_.event_floor && *number <= head_.event_number) continue;
      Found("an event is not of the chain that the head ends: taken out");
      ++report_.records_set_aside;
    }
    LATCHKEY_TRY(mender_.Delete(column::kEvent, scan.key()));
  }
  return scan.status();
}

Status RepairPass::Names() {
  const Bytes format = FormatRecord{kFormatVersion, kFormatVersion}.Encode();
  const Result<Bytes> stored = storage_.Get(column::kDefault, keys::kFormat, &snapshot_);
  if (!stored.ok() && stored.code() != Code::kNotFound) return stored.status();
  if (!stored.ok() || *stored != format) {
    Found("the number of the format is missing or wrong: written again");
    LATCHKEY_TRY(mender_.Put(column::kDefault, keys::kFormat, format));
  }
  for (const Marker::PepperCheck& check : marker_.peppers) {
    const auto key = keys::Pepper(check.version);
    const Bytes fields(View(ring_.check_value(check.version)));
    LATCHKEY_TRY_ASSIGN(const auto here, truth_.Stored(column::kDefault, key.view()));
    if (here && *here == fields) continue;
    Found("the check value of the pepper is missing or wrong: written again");
    LATCHKEY_TRY(mender_.Put(column::kDefault, key.view(),
                             mac_.Close(column::kDefault, key.view(), fields)));
  }
  if (!begins_history_) return Status::Ok();
  return mender_.Put(column::kDefault, keys::kStore,
                     mac_.Close(column::kDefault, keys::kStore, store_.Encode()));
}

// In the last batch: until it is written nothing adds up, and the next repair begins again.
Status RepairPass::Head() {
  const HeadRecord& before = truth_.head();
  if (truth_.head_holds() && head_.Encode() == before.Encode()) return Status::Ok();
  if (truth_.head_holds() && !begins_history_) {
    if (head_.users != before.users || head_.projects != before.projects ||
        head_.active != before.active || head_.revoked != before.revoked) {
      Found("the counts of the head are wrong: mended");
    } else {
      Found("the sum of the head is not that of the records: mended");
    }
    ++report_.indexes_mended;
  }
  return mender_.Put(column::kDefault, keys::kHead,
                     mac_.Close(column::kDefault, keys::kHead, head_.Encode()));
}

}  // namespace latchkey
