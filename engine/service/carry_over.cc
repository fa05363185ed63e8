// Of the damaged store only what takes away is taken over (README.md says why that is enough).
#include "service/carry_over.h"

#include <algorithm>
#include <set>
#include <vector>

#include "authority/decide.h"
#include "base/clock.h"
#include "schema/lineage.h"
#include "service/salvaged.h"

namespace latchkey {
namespace {

class Carrier {
 public:
  Carrier(const std::string& damaged_path, const RecordMac& mac, const StoreRecord& store,
          const Salvaged& salvaged, RestoredHistory* history, RestoreReport* report)
      : damaged_path_(damaged_path),
        mac_(mac),
        store_(store),
        salvaged_(salvaged),
        history_(*history),
        report_(*report) {}

  Status Run() {
    LATCHKEY_TRY(CarrySweeps());
    LATCHKEY_TRY(CarryOwners());
    return CarryTombstones();
  }

 private:
  Status CarrySweeps();
  Status CarryOwners();
  Status CarryTombstones();
  Status KeepUnknown(const std::set<Uuid>& unknown);
  Status Keep(const CredentialRecord& credential, const TombstoneRecord& tombstone, bool* kept);

  const std::string& damaged_path_;
  const RecordMac& mac_;
  const StoreRecord& store_;
  const Salvaged& salvaged_;
  RestoredHistory& history_;
  RestoreReport& report_;
};

// All that the backup holds was born before a sweep that it does not hold.
Status Carrier::CarrySweeps() {
  for (const auto& [number, sweep] : salvaged_.sweeps) {
    Result<SweepRecord> here = history_.reader().Sweep(number);
    LATCHKEY_TRY_ASSIGN(const bool exists, Exists(here));
    SweepRecord carried = sweep;
    if (exists) {
      carried.done = here->done;
      if (carried.Encode() == here->Encode()) continue;
    }
    carried.done = false;
    const int64_t revoked_s = carried.revoked_s;
    const Uuid revoked_by = carried.revoked_by;
    LATCHKEY_TRY(history_.Append(revoked_s, revoked_by, SweepStarted{std::move(carried)}));
    ++report_.carried_sweeps;
  }
  return Status::Ok();
}

// Up to which event the damaged store has the history of the backup. If it cannot be read which
// histories it goes on from, it is taken to go on from the backup.
uint64_t SharedWith(const Salvaged& salvaged, const StoreRecord& store) {
  if (!salvaged.store) return UINT64_MAX;
  std::vector<Ancestor> theirs = LineageOf(*salvaged.store);
  theirs.push_back({salvaged.store->history_id, UINT64_MAX});
  uint64_t shared = 0;
  for (const Ancestor& ours : LineageOf(store)) {  // the history of the backup is the last
    for (const Ancestor& each : theirs) {
      if (each.history_id != ours.history_id) continue;
      shared = std::max(shared, std::min(each.shared_number, ours.shared_number));
    }
  }
  return shared;
}

// What the damaged store says of an owner is older than what the backup says only if the number of
// its event is lower, and of a history that both have.
Status Carrier::CarryOwners() {
  const uint64_t shared = SharedWith(salvaged_, store_);
  for (const auto& [uuid, later] : salvaged_.owners) {
    const Result<OwnerRecord> here = history_.reader().Owner(uuid);
    LATCHKEY_TRY_ASSIGN(const bool exists, Exists(here));
    if (!exists || here->deleted_s != 0) continue;
    if (later.last_event <= std::min(here->last_event, shared)) continue;
    OwnerRecord owner = *here;
    if (later.deleted_s != 0) {
      owner = later;  // it has given up its slug and address
      owner.born_event = here->born_event;
    }
    owner.locked = here->locked || later.locked;
    owner.admin = here->admin && later.admin;
    owner.tokens_not_before_s = std::max(here->tokens_not_before_s, later.tokens_not_before_s);
    if (owner.Encode() == here->Encode()) continue;
    LATCHKEY_TRY(
        history_.Append(SystemClock().NowUnixMs() / 1000, Uuid{}, OwnerPut{std::move(owner), {}}));
    ++report_.carried_owners;
  }
  return Status::Ok();
}

Status Carrier::CarryTombstones() {
  std::set<Uuid> unknown;
  for (const auto& [uuid, tombstone] : salvaged_.tombstones) {
    const Result<CredentialRecord> here = history_.reader().Credential(uuid);
    LATCHKEY_TRY_ASSIGN(const bool exists, Exists(here));
    if (!exists) {
      unknown.insert(uuid);
      continue;
    }
    LATCHKEY_TRY_ASSIGN(const bool revoked, Exists(history_.reader().Tombstone(uuid)));
    if (revoked) continue;
    LATCHKEY_TRY(history_.Append(
        tombstone.revoked_s, tombstone.revoked_by,
        CredentialRevoked{RevokedOf(*here), tombstone.revoked_s, tombstone.reason}));
    ++report_.carried_tombstones;
  }
  return unknown.empty() ? Status::Ok() : KeepUnknown(unknown);
}

Status Carrier::KeepUnknown(const std::set<Uuid>& unknown) {
  LATCHKEY_TRY_ASSIGN(const auto credentials, SalvageCredentials(damaged_path_, mac_, unknown));
  for (const Uuid& uuid : unknown) {
    bool kept = false;
    if (const auto found = credentials.find(uuid); found != credentials.end()) {
      LATCHKEY_TRY(Keep(found->second, salvaged_.tombstones.at(uuid), &kept));
    }
    ++(kept ? report_.kept_unknown : report_.dropped_unknown);
  }
  return Status::Ok();
}

// Made and revoked, as if it had come with an import: its secret can then never be imported as a
// live one. *kept is false where the backup has no place for it.
Status Carrier::Keep(const CredentialRecord& credential, const TombstoneRecord& tombstone,
                     bool* kept) {
  LATCHKEY_TRY_ASSIGN(const bool owned, Exists(history_.reader().Owner(credential.owner)));
  LATCHKEY_TRY_ASSIGN(const bool tag_taken,
                      Exists(history_.reader().CredentialByTag(credential.tag)));
  LATCHKEY_TRY_ASSIGN(
      const bool slug_taken,
      history_.reader().IsSlugTaken(credential.owner, credential.kind, credential.slug));
  *kept = owned && !tag_taken && !slug_taken && history_.FindKind(credential.kind) != nullptr;
  if (!*kept) return Status::Ok();
  // In one group: it is never there without its tombstone.
  const Revoked revoked = RevokedOf(credential);
  LATCHKEY_TRY(history_.AppendWithNext(credential.creation_s, credential.creator,
                                       CredentialCreated{credential}));
  return history_.Append(tombstone.revoked_s, tombstone.revoked_by,
                         CredentialRevoked{revoked, tombstone.revoked_s, tombstone.reason});
}

}  // namespace

Status CarryOver(const std::string& damaged_path, const RecordMac& mac, const StoreRecord& store,
                 RestoredHistory* history, RestoreReport* report) {
  LATCHKEY_TRY_ASSIGN(const Salvaged salvaged, SalvageRestrictions(damaged_path, mac));
  report->damaged_store_files = salvaged.files.files;
  report->unreadable_files = salvaged.files.damaged;
  report->unreadable_records = salvaged.damaged_records;
  const uint64_t found = salvaged.tombstones.size();
  report->missing_tombstones = salvaged.head.revoked - std::min(salvaged.head.revoked, found);
  history->set_clock_s(salvaged.head.clock_s);
  return Carrier(damaged_path, mac, store, salvaged, history, report).Run();
}

}  // namespace latchkey
