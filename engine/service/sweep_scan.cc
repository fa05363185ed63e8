// The walk over what a sweep covers.
#include "service/sweep_scan.h"

#include "schema/keys.h"

namespace latchkey {
namespace {

using Visit = std::function<Status(const Covered&)>;

class Walk {
 public:
  Walk(const LocalAuthority& authority, const LocalAuthority::View& view, const SweepRecord& sweep,
       const std::vector<SweepRecord>& pending_sweeps, const Visit& visit)
      : mac_(authority.mac()),
        storage_(view.storage()),
        snapshot_(storage_),
        sweep_(sweep),
        pending_sweeps_(pending_sweeps),
        visit_(visit) {}

  // By the name index, whose rows say whether there is a tombstone.
  Status Owner() {
    auto prefix = KeyWriter().Raw(sweep_.owner.view());
    if (sweep_.kind != 0) prefix.Be16(sweep_.kind);
    Scan scan = storage_.ScanPrefix(column::kByName, prefix.view(), {}, &snapshot_, false);
    for (; scan.Valid(); scan.Next()) {
      keys::ByNameParts parts;
      if (!keys::ParseByName(scan.key(), &parts)) {
        return Status::Error(Code::kCorruption, "a key of the name index has a foreign shape");
      }
      LATCHKEY_TRY_ASSIGN(const ListRow row, ListRow::Decode(scan.value()));
      if (row.revoked_s != 0) continue;
      LATCHKEY_TRY(Visited(parts.owner, parts.kind, parts.creation_s, parts.uuid, row));
    }
    return scan.status();
  }

  // By the records, with the tombstones beside them: both have the same keys in the same order.
  Status All() {
    Scan scan = storage_.ScanPrefix(column::kCredential, {}, {}, &snapshot_, false);
    Scan tombstones = storage_.ScanPrefix(column::kTombstone, {}, {}, &snapshot_, false);
    for (; scan.Valid(); scan.Next()) {
      while (tombstones.Valid() && tombstones.key() < scan.key()) tombstones.Next();
      LATCHKEY_TRY(tombstones.status());
      if (tombstones.Valid() && tombstones.key() == scan.key()) {
        LATCHKEY_TRY(mac_.Open(column::kTombstone, tombstones.key(), tombstones.value()).status());
        continue;
      }
      LATCHKEY_TRY_ASSIGN(const ByteView fields,
                          mac_.Open(column::kCredential, scan.key(), scan.value()));
      LATCHKEY_TRY_ASSIGN(const CredentialRecord credential,
                          CredentialRecord::Decode(Uuid::From(scan.key()), fields));
      LATCHKEY_TRY(Visited(credential.owner, credential.kind, credential.creation_s,
                           credential.uuid, ListRowOf(credential)));
    }
    return scan.status();
  }

 private:
  Status Visited(const Uuid& owner, uint16_t kind, int64_t creation_s, const Uuid& uuid,
                 const ListRow& row) {
    if (!sweep_.Covers(owner, kind, creation_s, row)) return Status::Ok();
    bool denied_before = false;
    for (const SweepRecord& earlier : pending_sweeps_) {
      denied_before = denied_before || (earlier.number < sweep_.number &&
                                        earlier.Covers(owner, kind, creation_s, row));
    }
    return visit_(Covered{uuid, row.tag, denied_before});
  }

  const RecordMac& mac_;
  const Storage& storage_;
  const Snapshot snapshot_;
  const SweepRecord& sweep_;
  const std::vector<SweepRecord>& pending_sweeps_;
  const Visit& visit_;
};

}  // namespace

Status ForEachCovered(const LocalAuthority& authority, const SweepRecord& sweep,
                      const Visit& visit) {
  // The sweeps first, then the snapshot: one that ends in between has left its tombstones in it.
  const auto state = authority.Now();
  LATCHKEY_TRY_ASSIGN(const auto view, authority.Look());
  Walk walk(authority, *view, sweep, state->pending_sweeps, visit);
  return sweep.owner.is_nil() ? walk.All() : walk.Owner();
}

}  // namespace latchkey
