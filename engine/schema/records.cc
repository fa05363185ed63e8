// The fields of each record, by tag. The numbers are stored: append only, never reuse one.
#include "schema/records.h"

#include "schema/fields.h"

namespace latchkey {
namespace {

template <typename A, MaybeConst<FormatRecord> R>
void Fields(A& a, R& r) {
  a.Number(1, r.reader_min);
  a.Number(2, r.writer_min);
}

template <typename A, MaybeConst<StoreRecord> R>
void Fields(A& a, R& r) {
  a.Id(1, r.store_id);
  a.Id(2, r.history_id);
  a.Number(3, r.creation_s);
  a.Text(4, r.lineage);
  a.Id(5, r.repaired_history_id);
}

template <typename A, MaybeConst<BackupRecord> R>
void Fields(A& a, R& r) {
  a.Id(1, r.store_id);
  a.Id(2, r.history_id);
  a.Number(3, r.event_number);
  a.Fixed(4, r.event_id);
  a.Text(5, r.marker);
}

template <typename A, MaybeConst<HeadRecord> R>
void Fields(A& a, R& r) {
  a.Number(1, r.event_number);
  a.Fixed(2, r.event_id);
  a.Fixed(3, r.record_sum);
  a.Number(4, r.clock_s);
  a.Number(5, r.event_floor);
  a.Number(6, r.users);
  a.Number(7, r.projects);
  a.Number(8, r.active);
  a.Number(9, r.revoked);
}

template <typename A, MaybeConst<CountRecord> R>
void Fields(A& a, R& r) {
  a.Number(1, r.active);
  a.Number(2, r.revoked);
}

template <typename A, MaybeConst<OwnerRecord> R>
void Fields(A& a, R& r) {
  a.Number(1, r.sort);
  a.Text(2, r.name);
  a.Text(3, r.slug);
  a.Text(4, r.email);
  a.Number(5, r.admin);
  a.Number(6, r.locked);
  a.Number(7, r.is_private);
  a.Number(8, r.creation_s);
  a.Number(9, r.deleted_s);
  a.Number(10, r.tokens_not_before_s);
  a.Number(11, r.quota);
  a.Number(12, r.born_event);
  a.Number(13, r.last_event);
}

template <typename A, MaybeConst<GrantRecord> R>
void Fields(A& a, R& r) {
  a.Number(1, r.role);
  a.Number(2, r.last_event);
}

template <typename A, MaybeConst<KindRecord> R>
void Fields(A& a, R& r) {
  a.Text(1, r.name);
  a.Text(2, r.prefix);
  a.Number(3, r.format);
  a.Number(4, r.owner_sort);
  a.Number(5, r.last_event);
}

template <typename A, MaybeConst<CredentialRecord> R>
void Fields(A& a, R& r) {
  a.Id(1, r.owner);
  a.Id(2, r.creator);
  a.Id(3, r.minted_by);
  a.Id(4, r.predecessor);
  a.Id(5, r.successor);
  a.Number(6, r.kind);
  a.Text(7, r.name);
  a.Text(8, r.slug);
  a.Number(9, r.creation_s);
  a.Number(10, r.not_before_s);
  a.Number(11, r.expires_s);
  a.Number(12, r.cut_over_s);
  a.Number(13, r.scopes);
  a.Number(14, r.flags);
  a.Text(15, r.metadata);
  a.Text(16, r.claims);
  a.Number(17, r.born_event);
  a.Number(18, r.last_event);
  a.Number(19, r.digest_algorithm);
  a.Number(20, r.pepper_version);
  a.Fixed(21, r.tag);
  a.Fixed(22, r.nonce);
  a.Fixed(23, r.seal);
}

template <typename A, typename R>
requires MaybeConst<R, ListRow> || MaybeConst<R, ListRowView>
void Fields(A& a, R& r) {
  a.Number(1, r.revoked_s);
  a.Number(2, r.expires_s);
  a.Number(3, r.not_before_s);
  a.Text(4, r.slug);
  a.Fixed(5, r.tag);
  a.Id(6, r.creator);
  a.Id(7, r.minted_by);
  a.Id(8, r.revoked_by);
  a.Number(9, r.scopes);
  a.Number(10, r.born_event);
  a.Number(11, r.metadata_size);
}

template <typename A, MaybeConst<TombstoneRecord> R>
void Fields(A& a, R& r) {
  a.Id(1, r.owner);
  a.Number(2, r.kind);
  a.Number(3, r.revoked_s);
  a.Id(4, r.revoked_by);
  a.Text(5, r.reason);
  a.Number(6, r.event);
  a.Number(7, r.sweep);
  a.Number(8, r.pepper_version);
  a.Fixed(9, r.tag);
  a.Fixed(10, r.nonce);
  a.Fixed(11, r.seal);
}

template <typename A, MaybeConst<SweepRecord> R>
void Fields(A& a, R& r) {
  a.Id(1, r.owner);
  a.Id(2, r.creator);
  a.Id(3, r.minted_by);
  a.Number(4, r.kind);
  a.Number(5, r.scopes);
  a.Number(6, r.issued_before_s);
  a.Number(7, r.revoked_s);
  a.Id(8, r.revoked_by);
  a.Text(9, r.reason);
  a.Number(10, r.done);
}

template <typename R>
Bytes EncodeWith(const R& record, ByteView unknown) {
  FieldWriter writer(unknown);
  Fields(writer, record);
  return writer.Finish();
}

template <typename R>
Result<R> DecodeInto(R record, ByteView fields, Bytes* unknown) {
  FieldReader reader(fields);
  Fields(reader, record);
  LATCHKEY_TRY(reader.Finish(unknown));
  return record;
}

template <typename R>
Result<R> DecodeWith(R record, ByteView fields) {
  Bytes unknown;
  LATCHKEY_TRY_ASSIGN(R decoded, DecodeInto(std::move(record), fields, &unknown));
  decoded.unknown = std::move(unknown);
  return decoded;
}

}  // namespace

Bytes FormatRecord::Encode() const { return EncodeWith(*this, {}); }
Result<FormatRecord> FormatRecord::Decode(ByteView fields) {
  Bytes unknown;  // a newer format may say more; whoever cannot read it stops at reader_min
  return DecodeInto(FormatRecord{}, fields, &unknown);
}

Bytes StoreRecord::Encode() const { return EncodeWith(*this, unknown); }
Result<StoreRecord> StoreRecord::Decode(ByteView fields) {
  return DecodeWith(StoreRecord{}, fields);
}

Bytes BackupRecord::Encode() const { return EncodeWith(*this, unknown); }
Result<BackupRecord> BackupRecord::Decode(ByteView fields) {
  return DecodeWith(BackupRecord{}, fields);
}

Bytes HeadRecord::Encode() const { return EncodeWith(*this, unknown); }
Result<HeadRecord> HeadRecord::Decode(ByteView fields) { return DecodeWith(HeadRecord{}, fields); }

Bytes CountRecord::Encode() const { return EncodeWith(*this, unknown); }
Result<CountRecord> CountRecord::Decode(ByteView fields) {
  return DecodeWith(CountRecord{}, fields);
}

Bytes OwnerRecord::Encode() const { return EncodeWith(*this, unknown); }
Result<OwnerRecord> OwnerRecord::Decode(const Uuid& uuid, ByteView fields) {
  OwnerRecord record;
  record.uuid = uuid;
  return DecodeWith(std::move(record), fields);
}

Bytes GrantRecord::Encode() const { return EncodeWith(*this, unknown); }
Result<GrantRecord> GrantRecord::Decode(ByteView fields) {
  return DecodeWith(GrantRecord{}, fields);
}

Bytes KindRecord::Encode() const { return EncodeWith(*this, unknown); }
Result<KindRecord> KindRecord::Decode(uint16_t kind, ByteView fields) {
  KindRecord record;
  record.kind = kind;
  return DecodeWith(std::move(record), fields);
}

Bytes CredentialRecord::Encode() const { return EncodeWith(*this, unknown); }
Result<CredentialRecord> CredentialRecord::Decode(const Uuid& uuid, ByteView fields) {
  CredentialRecord record;
  LATCHKEY_TRY(Decode(uuid, fields, &record));
  return record;
}
Status CredentialRecord::Decode(const Uuid& uuid, ByteView fields, CredentialRecord* record) {
  CredentialRecord blank;
  blank.uuid = uuid;
  for (Bytes CredentialRecord::*text :
       {&CredentialRecord::name, &CredentialRecord::slug, &CredentialRecord::metadata,
        &CredentialRecord::claims, &CredentialRecord::unknown}) {
    (record->*text).clear();
    blank.*text = std::move(record->*text);
  }
  *record = std::move(blank);
  FieldReader reader(fields);
  Fields(reader, *record);
  return reader.Finish(&record->unknown);
}

Bytes ListRow::Encode() const { return EncodeWith(*this, unknown); }
Result<ListRow> ListRow::Decode(ByteView fields) { return DecodeWith(ListRow{}, fields); }
Status ListRowView::Decode(ByteView fields, ListRowView* row) {
  FieldReader reader(fields);
  Fields(reader, *row);
  Bytes unknown;
  return reader.Finish(&unknown);
}

ListRow ListRowOf(const CredentialRecord& credential) {
  ListRow row;
  row.expires_s = credential.expires_s;
  row.not_before_s = credential.not_before_s;
  row.slug = credential.slug;
  row.tag = credential.tag;
  row.creator = credential.creator;
  row.minted_by = credential.minted_by;
  row.scopes = credential.scopes;
  row.born_event = credential.born_event;
  row.metadata_size = credential.metadata.size();
  return row;
}

Bytes TombstoneRecord::Encode() const { return EncodeWith(*this, unknown); }
Result<TombstoneRecord> TombstoneRecord::Decode(const Uuid& uuid, ByteView fields) {
  TombstoneRecord record;
  record.uuid = uuid;
  return DecodeWith(std::move(record), fields);
}

TombstoneRecord TombstoneOf(const CredentialRecord& credential) {
  TombstoneRecord tombstone;
  tombstone.uuid = credential.uuid;
  tombstone.owner = credential.owner;
  tombstone.kind = credential.kind;
  tombstone.pepper_version = credential.pepper_version;
  tombstone.tag = credential.tag;
  tombstone.nonce = credential.nonce;
  tombstone.seal = credential.seal;
  return tombstone;
}

bool SweepRecord::Covers(const Uuid& its_owner, uint16_t its_kind, int64_t its_creation_s,
                         const ListRow& row) const {
  return row.born_event < number && Concerns(its_owner, its_kind) &&
         (creator.is_nil() || creator == row.creator) &&
         (minted_by.is_nil() || minted_by == row.minted_by) && (row.scopes & scopes) == scopes &&
         (issued_before_s == 0 || its_creation_s < issued_before_s);
}

bool SweepRecord::Covers(const CredentialRecord& credential) const {
  return Covers(credential.owner, credential.kind, credential.creation_s, ListRowOf(credential));
}

Bytes SweepRecord::Encode() const { return EncodeWith(*this, unknown); }
Result<SweepRecord> SweepRecord::Decode(uint64_t number, ByteView fields) {
  SweepRecord record;
  record.number = number;
  return DecodeWith(std::move(record), fields);
}

}  // namespace latchkey
