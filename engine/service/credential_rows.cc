// Reading the name index at a snapshot, and what sweeps make of its rows.
#include "service/credential_rows.h"

#include <algorithm>
#include <iterator>

#include "schema/keys.h"

namespace latchkey {
namespace {

// Where the walk begins: the key of the position, which need not exist. Rows of a name are made
// after 1970 and have a UUID, so what is earlier lies before all of them.
KeyWriter KeyOf(const Uuid& owner, uint16_t kind, const RowPosition& position) {
  const bool is_early = position.creation_s < 0;
  return keys::ByName(owner, kind, position.name, is_early ? 0 : position.creation_s,
                      is_early ? Uuid{} : position.uuid);
}

// Shows the row as the first of the sweeps that covers it will have left it. `payload` holds what
// the row then borrows.
Status ApplySweeps(const std::vector<SweepRecord>& sweeps, const keys::ByNameParts& parts,
                   DirectoryRowView* row, Bytes* payload) {
  LATCHKEY_TRY_ASSIGN(ListRow shown, ListRow::Decode(row->payload));
  for (const SweepRecord& sweep : sweeps) {
    if (!sweep.Covers(parts.owner, parts.kind, parts.creation_s, shown)) continue;
    shown.revoked_s = sweep.revoked_s;
    shown.revoked_by = sweep.revoked_by;
    *payload = shown.Encode();
    row->payload = *payload;
    row->revoked = true;
    break;
  }
  return Status::Ok();
}

}  // namespace

CredentialRows::CredentialRows(std::unique_ptr<LocalAuthority::View> view, const RecordMac& mac,
                               const Uuid& owner, uint16_t kind)
    : view_(std::move(view)),
      snapshot_(view_->storage()),
      source_(view_->storage(), &snapshot_),
      reader_(source_, mac),
      owner_(owner),
      kind_(kind) {}

Result<std::unique_ptr<CredentialRows>> CredentialRows::Take(const LocalAuthority& authority,
                                                             const Uuid& owner, uint16_t kind) {
  // The sweeps first, then the snapshot: one that ends in between has left its mark in the rows,
  // and one that begins in between is in the snapshot.
  const auto state = authority.Now();
  LATCHKEY_TRY_ASSIGN(auto view, authority.Look());
  std::unique_ptr<CredentialRows> rows(
      new CredentialRows(std::move(view), authority.mac(), owner, kind));
  LATCHKEY_TRY(rows->ReadSweeps(*state, authority.mac()));
  return rows;
}

Status CredentialRows::ReadSweeps(const AuthorityState& before, const RecordMac& mac) {
  const auto concerns = [&](const SweepRecord& sweep) { return sweep.Concerns(owner_, kind_); };
  std::copy_if(before.pending_sweeps.begin(), before.pending_sweeps.end(),
               std::back_inserter(sweeps_), concerns);
  Scan scan = view_->storage().ScanPrefix(
      column::kSweep, {}, keys::Sweep(before.head.event_number + 1).view(), &snapshot_);
  for (; scan.Valid(); scan.Next()) {
    LATCHKEY_TRY_ASSIGN(const ByteView fields, mac.Open(column::kSweep, scan.key(), scan.value()));
    uint64_t number = 0;
    if (KeyReader key(scan.key()); !key.Be64(&number) || !key.AtEnd()) {
      return Status::Error(Code::kCorruption, "the key of a sweep has a foreign shape");
    }
    LATCHKEY_TRY_ASSIGN(SweepRecord sweep, SweepRecord::Decode(number, fields));
    if (concerns(sweep)) sweeps_.push_back(std::move(sweep));
  }
  return scan.status();
}

Result<uint64_t> CredentialRows::Count() const {
  LATCHKEY_TRY_ASSIGN(const CountRecord count, reader_.Count(owner_, kind_));
  return count.active + count.revoked;
}

Result<std::optional<uint64_t>> CredentialRows::CountInState(bool revoked) const {
  if (!sweeps_.empty()) return std::optional<uint64_t>();
  LATCHKEY_TRY_ASSIGN(const CountRecord count, reader_.Count(owner_, kind_));
  return std::optional<uint64_t>(revoked ? count.revoked : count.active);
}

Scan CredentialRows::ScanOf(const Range& range) const {
  const Storage& storage = view_->storage();
  const auto prefix =
      range.name ? keys::ByExactName(owner_, kind_, *range.name) : keys::OwnerKind(owner_, kind_);
  KeyWriter bound;
  if (range.after) bound = KeyOf(owner_, kind_, *range.after);
  if (range.descending) {
    return storage.ScanPrefixBackward(column::kByName, prefix.view(), bound.view(), &snapshot_,
                                      range.is_short);
  }
  if (range.after) bound.U8(0);  // the first key that is greater
  return storage.ScanPrefix(column::kByName, prefix.view(), bound.view(), &snapshot_,
                            range.is_short);
}

Status CredentialRows::Walk(const Range& range,
                            const std::function<bool(const DirectoryRowView&)>& visit) const {
  keys::ByNameParts parts;
  Bytes payload;
  Scan scan = ScanOf(range);
  for (; scan.Valid(); scan.Next()) {
    if (!keys::ParseByName(scan.key(), &parts)) {
      return Status::Error(Code::kCorruption, "a key of the name index has a foreign shape");
    }
    ListRowView shown;
    LATCHKEY_TRY(ListRowView::Decode(scan.value(), &shown));
    DirectoryRowView row{parts.name, parts.creation_s,     parts.uuid,
                         shown.slug, shown.revoked_s != 0, scan.value()};
    if (!row.revoked && !sweeps_.empty()) {
      LATCHKEY_TRY(ApplySweeps(sweeps_, parts, &row, &payload));
    }
    if (!visit(row)) break;
  }
  return scan.status();
}

}  // namespace latchkey
