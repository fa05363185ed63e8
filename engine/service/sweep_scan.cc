// The walk over what a sweep covers.
#include "service/sweep_scan.h"

#include "schema/keys.h"

namespace latchkey {
namespace {

using Visit = std::function<Status(const Uuid&, const TagBytes&)>;

Status WalkOwner(const Storage& storage, const SweepRecord& sweep, const Visit& visit) {
  auto prefix = KeyWriter().Raw(sweep.owner.view());
  if (sweep.kind != 0) prefix.Be16(sweep.kind);
  Scan scan = storage.ScanPrefix(column::kByName, prefix.view(), {}, nullptr, false);
  for (; scan.Valid(); scan.Next()) {
    keys::ByNameParts parts;
    if (!keys::ParseByName(scan.key(), &parts)) {
      return Status::Error(Code::kCorruption, "a key of the name index has a foreign shape");
    }
    LATCHKEY_TRY_ASSIGN(const ListRow row, ListRow::Decode(scan.value()));
    if (row.revoked_s != 0 || !sweep.Covers(parts.owner, parts.kind, parts.creation_s, row)) {
      continue;
    }
    LATCHKEY_TRY(visit(parts.uuid, row.tag));
  }
  return scan.status();
}

Status WalkAll(const Storage& storage, const RecordMac& mac, const SweepRecord& sweep,
               const Visit& visit) {
  Scan scan = storage.ScanPrefix(column::kCredential, {}, {}, nullptr, false);
  for (; scan.Valid(); scan.Next()) {
    LATCHKEY_TRY_ASSIGN(const ByteView fields,
                        mac.Open(column::kCredential, scan.key(), scan.value()));
    LATCHKEY_TRY_ASSIGN(const CredentialRecord credential,
                        CredentialRecord::Decode(Uuid::From(scan.key()), fields));
    if (sweep.Covers(credential)) LATCHKEY_TRY(visit(credential.uuid, credential.tag));
  }
  return scan.status();
}

}  // namespace

Status ForEachCovered(const LocalAuthority& authority, const SweepRecord& sweep,
                      const Visit& visit) {
  LATCHKEY_TRY_ASSIGN(const auto view, authority.Look());
  return sweep.owner.is_nil() ? WalkAll(view->storage(), authority.mac(), sweep, visit)
                              : WalkOwner(view->storage(), sweep, visit);
}

}  // namespace latchkey
