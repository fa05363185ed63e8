// What shows the truth about the records, and what it is.
#include "authority/truth.h"

#include <algorithm>

#include "schema/keys.h"

namespace latchkey {
namespace {

constexpr ByteView kWithdrawnReason = "a repair could not show that it had not been revoked";

// A record that does not decode is as good as one whose MAC does not hold.
template <typename Record, typename... Key>
std::optional<Record> DecodeStored(const std::optional<Bytes>& fields, const Key&... key) {
  if (!fields) return std::nullopt;
  Result<Record> record = Record::Decode(key..., *fields);
  if (!record.ok()) return std::nullopt;
  return std::move(*record);
}

template <typename Record>
uint64_t OrNone(const Result<Record>& record, uint64_t Record::*number) {
  return record.ok() ? record.value().*number : 0;
}

// The number of the event that wrote a record last; 0 if it does not say.
uint64_t LastEventOf(uint8_t column, ByteView key, ByteView fields) {
  uint64_t number = 0;
  switch (column) {
    case column::kOwner:
      return OrNone(OwnerRecord::Decode({}, fields), &OwnerRecord::last_event);
    case column::kGrant:
      return OrNone(GrantRecord::Decode(fields), &GrantRecord::last_event);
    case column::kKind:
      return OrNone(KindRecord::Decode(0, fields), &KindRecord::last_event);
    case column::kCredential:
      return OrNone(CredentialRecord::Decode({}, fields), &CredentialRecord::last_event);
    case column::kTombstone:
      return OrNone(TombstoneRecord::Decode({}, fields), &TombstoneRecord::event);
    default:  // a sweep
      return KeyReader(key).Be64(&number) ? number : 0;
  }
}

// In the place of a credential that is lost: for a tombstone, so that its tag, its name and its
// UUID stay taken.
CredentialRecord StandIn(const TombstoneRecord& tombstone) {
  CredentialRecord credential;
  credential.uuid = tombstone.uuid;
  credential.owner = tombstone.owner;
  credential.kind = tombstone.kind;
  credential.name = "Lost " + FormatUuid(tombstone.uuid);
  credential.slug = "lost-" + FormatUuid(tombstone.uuid);
  credential.creation_s = tombstone.revoked_s;
  credential.expires_s = tombstone.revoked_s;
  credential.born_event = tombstone.event;
  credential.last_event = tombstone.event;
  credential.pepper_version = tombstone.pepper_version;
  credential.tag = tombstone.tag;
  credential.nonce = tombstone.nonce;
  credential.seal = tombstone.seal;
  return credential;
}

}  // namespace

Truth::Truth(const Storage& storage, const Snapshot& snapshot, const RecordMac& mac)
    : storage_(storage), snapshot_(snapshot), mac_(mac), history_(storage, snapshot) {}

Result<std::optional<Bytes>> Truth::Stored(uint8_t column, ByteView key) const {
  const Result<Bytes> value = storage_.Get(column, key, &snapshot_);
  if (value.code() == Code::kNotFound) return std::optional<Bytes>();
  if (!value.ok()) return value.status();
  const Result<ByteView> fields = mac_.Open(column, key, *value);
  if (!fields.ok()) return std::optional<Bytes>();
  return std::optional<Bytes>(Bytes(*fields));
}

Status Truth::Establish(const Marker& marker, const Result<Ack>& ack, int64_t now_s,
                        const Tick& tick) {
  now_s_ = now_s;
  LATCHKEY_TRY(ReadHead(marker, ack));
  LATCHKEY_TRY_ASSIGN(chain_, SurveyChain(storage_, snapshot_, head_, tick));
  LATCHKEY_TRY(SumUp(tick));
  // What is newer than the head shows that a later one was there.
  is_latest_ = ack_fits_ && !chain_.goes_on && last_number_ <= head_.event_number;
  Note(head_.event_number);
  Note(chain_.last_number);
  if (ack.ok()) Note(ack.value().event_number);
  if (!head_holds_ || !is_latest_) {
    proof_ = Proof::kNothing;
  } else if (adds_up()) {
    proof_ = Proof::kSum;
  } else if (chain_.holds && head_.event_floor == 0) {
    proof_ = Proof::kEvents;
    return history_.Read(tick);
  }
  return Status::Ok();
}

Status Truth::ReadHead(const Marker& marker, const Result<Ack>& ack) {
  const Result<Bytes> format = storage_.Get(column::kDefault, keys::kFormat, &snapshot_);
  if (!format.ok() && format.code() != Code::kNotFound) return format.status();
  if (format.ok()) {
    const Result<FormatRecord> needs = FormatRecord::Decode(*format);
    if (needs.ok() &&
        std::max(needs.value().reader_min, needs.value().writer_min) > kFormatVersion) {
      return Status::Error(Code::kUnsupported, "the store was made by a newer latchkey");
    }
  }
  LATCHKEY_TRY_ASSIGN(const auto head, Stored(column::kDefault, keys::kHead));
  if (auto decoded = DecodeStored<HeadRecord>(head)) {
    head_holds_ = true;
    head_ = std::move(*decoded);
  }
  LATCHKEY_TRY_ASSIGN(const auto store, Stored(column::kDefault, keys::kStore));
  store_ = DecodeStored<StoreRecord>(store);
  if (store_ && store_->store_id != marker.store_id) {
    return Status::Error(Code::kRolledBack,
                         "marker and database are not of one store: restore a backup");
  }
  // A repair that was cut off before it wrote the new history's `ack` has left the old one.
  ack_fits_ = ack.ok() && store_ && ack.value().store_id == store_->store_id &&
              (ack.value().history_id == store_->history_id ||
               ack.value().history_id == store_->repaired_history_id) &&
              ack.value().event_number <= head_.event_number;
  return Status::Ok();
}

Status Truth::SumUp(const Tick& tick) {
  for (const uint8_t column : {column::kOwner, column::kGrant, column::kKind, column::kCredential,
                               column::kTombstone, column::kSweep}) {
    Scan scan = storage_.ScanPrefix(column, {}, {}, &snapshot_, /*fill_cache=*/false);
    for (; scan.Valid(); scan.Next()) {
      LATCHKEY_TRY(tick());
      const Result<ByteView> fields = mac_.Open(column, scan.key(), scan.value());
      if (!fields.ok()) continue;
      RecordMac::Add(&sum_, scan.value());
      Note(LastEventOf(column, scan.key(), *fields));
    }
    LATCHKEY_TRY(scan.status());
  }
  return Status::Ok();
}

TombstoneRecord Truth::Withdrawal(const CredentialRecord& credential) const {
  TombstoneRecord tombstone = TombstoneOf(credential);
  tombstone.revoked_s = std::max<int64_t>(now_s_, 1);
  tombstone.reason = kWithdrawnReason;
  tombstone.event = last_number_;
  return tombstone;
}

Result<Truth::Verdict> Truth::Judge(const Uuid& uuid) const {
  LATCHKEY_TRY_ASSIGN(const auto fields, Stored(column::kCredential, uuid.view()));
  LATCHKEY_TRY_ASSIGN(const auto tombstone_fields, Stored(column::kTombstone, uuid.view()));
  Verdict verdict;
  verdict.credential = DecodeStored<CredentialRecord>(fields, uuid);
  verdict.tombstone = DecodeStored<TombstoneRecord>(tombstone_fields, uuid);
  if (proof_ == Proof::kEvents) {
    const auto found = history_.credentials().find(uuid);
    if (found != history_.credentials().end()) {
      LATCHKEY_TRY_ASSIGN(verdict.credential, history_.Credential(found->second));
      if (!verdict.tombstone && found->second.revoked != 0) {
        LATCHKEY_TRY_ASSIGN(verdict.tombstone,
                            history_.Tombstone(found->second, *verdict.credential));
        verdict.tombstone_from_event = true;
      }
      return verdict;
    }
    // No event speaks of it: it is kept where it denies, and nowhere else.
    if (!verdict.tombstone) verdict.credential.reset();
  }
  if (!verdict.credential && verdict.tombstone) {
    verdict.credential = StandIn(*verdict.tombstone);
    verdict.stands_in = true;
  }
  if (proof_ == Proof::kNothing && verdict.credential && !verdict.tombstone) {
    verdict.tombstone = Withdrawal(*verdict.credential);
    verdict.withdrawn = true;
  }
  return verdict;
}

Result<std::optional<OwnerRecord>> Truth::Owner(const Uuid& uuid) const {
  if (proof_ == Proof::kEvents) {
    const auto found = history_.owners().find(uuid);
    if (found != history_.owners().end()) {
      LATCHKEY_TRY_ASSIGN(OwnerRecord owner, history_.Owner(found->second));
      return std::optional<OwnerRecord>(std::move(owner));
    }
  }
  LATCHKEY_TRY_ASSIGN(const auto fields, Stored(column::kOwner, uuid.view()));
  auto owner = DecodeStored<OwnerRecord>(fields, uuid);
  if (proof_ == Proof::kEvents && owner && owner->deleted_s == 0) owner.reset();
  return owner;
}

// A sweep is never dropped, and never made to cover less.
Result<std::optional<SweepRecord>> Truth::Sweep(uint64_t number) const {
  LATCHKEY_TRY_ASSIGN(const auto fields, Stored(column::kSweep, keys::Sweep(number).view()));
  auto sweep = DecodeStored<SweepRecord>(fields, number);
  if (proof_ != Proof::kEvents) return sweep;
  const auto found = history_.sweeps().find(number);
  if (found == history_.sweeps().end()) return sweep;
  if (!sweep || (sweep->done && !found->second.done)) sweep = found->second;
  return sweep;
}

Result<std::optional<KindRecord>> Truth::Kind(uint16_t number) const {
  if (proof_ == Proof::kEvents) {
    const auto found = history_.kinds().find(number);
    if (found == history_.kinds().end()) return std::optional<KindRecord>();
    return std::optional<KindRecord>(found->second);
  }
  LATCHKEY_TRY_ASSIGN(const auto fields, Stored(column::kKind, keys::Kind(number).view()));
  return DecodeStored<KindRecord>(fields, number);
}

Result<std::optional<GrantRecord>> Truth::Grant(ByteView key) const {
  if (proof_ == Proof::kNothing) return std::optional<GrantRecord>();  // a role gives
  if (proof_ == Proof::kEvents) {
    const auto found = history_.grants().find(Bytes(key));
    if (found == history_.grants().end()) return std::optional<GrantRecord>();
    return std::optional<GrantRecord>(found->second);
  }
  LATCHKEY_TRY_ASSIGN(const auto fields, Stored(column::kGrant, key));
  return DecodeStored<GrantRecord>(fields);
}

}  // namespace latchkey
