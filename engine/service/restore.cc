// From a backup to a store: taken out, proved, given a history of its own, and its revocations.
#include "service/restore.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include "authority/backup_note.h"
#include "authority/decide.h"
#include "authority/epoch.h"
#include "authority/load.h"
#include "authority/new_store.h"
#include "base/clock.h"
#include "schema/keys.h"
#include "service/salvaged.h"
#include "storage/backup.h"
#include "storage/store_marker.h"

namespace latchkey {
namespace {

constexpr size_t kGroupEvents = 256;
constexpr ByteView kListedReason = "restored with a list of revocations";

class PassAll : public LoadSink {
 public:
  Status Continue() override { return Status::Ok(); }
  Status Take(std::span<const LoadedCredential>) override { return Status::Ok(); }
};

class Restorer {
 public:
  explicit Restorer(const RestoreWish& wish) : wish_(wish) {}
  ~Restorer() {
    if (done_ || dir_ == nullptr) return;
    open_.reset();
    storage_.reset();
    std::error_code ignored;  // what is left there is no store: it has no marker
    std::filesystem::remove_all(dir_->rocks_path(), ignored);
    std::filesystem::remove(dir_->path() + "/ack", ignored);
  }
  Restorer(const Restorer&) = delete;
  Restorer& operator=(const Restorer&) = delete;

  Result<RestoreReport> Run();

 private:
  Status TakeOut();
  Status OpenSound();
  Status BeginNewHistory();
  Status CarryOver();
  uint64_t SharedWith(const Salvaged& salvaged) const;
  Status CarrySweeps(const Salvaged& salvaged);
  Status CarryOwners(const Salvaged& salvaged);
  Status CarryTombstones(const Salvaged& salvaged);
  Status KeepUnknown(const Salvaged& salvaged, const std::set<Uuid>& unknown);
  Status Keep(const CredentialRecord& credential, const TombstoneRecord& tombstone, bool* kept);
  Status RevokeListed();
  Status Finish();

  Status Append(int64_t time_s, const Uuid& actor, EventBody body);
  Status Commit();
  void OpenNext();
  const Reader& reader() const { return open_->reader(); }

  const RestoreWish& wish_;
  RestoreReport report_;
  Random random_;
  std::unique_ptr<StoreDir> dir_;
  std::unique_ptr<StoreDir> damaged_;  // its lock, if it has a marker still
  BackupRecord note_;
  Marker marker_;
  std::unique_ptr<PepperRing> ring_;
  std::unique_ptr<RecordMac> mac_;
  std::unique_ptr<Storage> storage_;
  StoreRecord store_;
  AuthorityState state_;
  CommittedRecords committed_;
  std::unique_ptr<OpenGroup> open_;
  int64_t clock_s_ = 0;
  bool done_ = false;
};

Result<RestoreReport> Restorer::Run() {
  LATCHKEY_TRY(TakeOut());
  LATCHKEY_TRY(OpenSound());
  LATCHKEY_TRY(BeginNewHistory());
  OpenNext();
  if (!wish_.damaged_path.empty()) LATCHKEY_TRY(CarryOver());
  LATCHKEY_TRY(RevokeListed());
  LATCHKEY_TRY(Finish());
  return report_;
}

// All that can be refused is refused before anything is made.
Status Restorer::TakeOut() {
  LATCHKEY_TRY_ASSIGN(const auto backups, BackupDir::Open(wish_.backups));
  LATCHKEY_TRY_ASSIGN(const StoredBackup backup, backups->Find(wish_.number));
  LATCHKEY_TRY_ASSIGN(const BackupRecord unproven, ReadNote(backup.note));
  LATCHKEY_TRY_ASSIGN(marker_, ParseMarker(unproven.marker, kFormatVersion));
  if (marker_.format_writer_min > kFormatVersion) {
    return Status::Error(Code::kUnsupported, "the backup was made by a newer latchkey");
  }
  LATCHKEY_TRY_ASSIGN(const PepperFile peppers, PepperFile::Load(wish_.pepper_path));
  LATCHKEY_TRY_ASSIGN(PepperRing ring, PepperRing::Make(peppers, marker_.store_id));
  ring_ = std::make_unique<PepperRing>(std::move(ring));
  mac_ = std::make_unique<RecordMac>(*ring_);
  LATCHKEY_TRY(CheckPeppers(*ring_, marker_));
  LATCHKEY_TRY_ASSIGN(note_, OpenNote(*mac_, backup.note));
  if (note_.store_id != marker_.store_id || note_.store_id != backups->store_id()) {
    return Status::Error(Code::kCorruption, "the backup is not of the store that its folder names");
  }
  if (!wish_.damaged_path.empty()) {
    Result<std::unique_ptr<StoreDir>> damaged = StoreDir::Open(wish_.damaged_path, kFormatVersion);
    if (damaged.code() == Code::kBusy) return damaged.status();
    if (damaged.ok()) {
      damaged_ = std::move(*damaged);
      if (damaged_->marker().store_id != note_.store_id) {
        return Status::Error(Code::kInvalidArgument,
                             "the damaged store is not the one that the backup is of");
      }
    } else if (!std::filesystem::is_directory(wish_.damaged_path + "/rocks")) {
      return Status::Error(Code::kNotFound, "there is no damaged store");
    }
  }
  LATCHKEY_TRY_ASSIGN(dir_, StoreDir::Create(wish_.path));
  report_.number = backup.number;
  return backups->CopyOut(backup.number, dir_->rocks_path());
}

// A backup is trusted as little as a store is: every MAC, their sum, and the moment that it names.
Status Restorer::OpenSound() {
  StorageOptions options;
  options.path = dir_->rocks_path();
  options.columns = kColumns;
  // The log ends where it did when it was copied, perhaps within a write.
  LATCHKEY_TRY_ASSIGN(storage_,
                      Storage::Open(options, [](const Storage&) { return Status::Ok(); }));
  const StorageSource source(*storage_);
  LATCHKEY_TRY_ASSIGN(store_, Reader(source, *mac_).Store());
  LATCHKEY_TRY_ASSIGN(state_, LoadState(*storage_, *mac_));
  const Epoch epoch{note_.history_id, note_.event_number, note_.event_id};
  if (store_.store_id != note_.store_id || store_.history_id != note_.history_id ||
      !CheckEpoch(*storage_, store_, state_.head, epoch).ok()) {
    return Status::Error(Code::kCorruption, "the backup does not hold the moment that it names");
  }
  PassAll pass;
  const Snapshot snapshot(*storage_);
  return LoadRecords(*storage_, *mac_, snapshot, &pass);
}

Status Restorer::BeginNewHistory() {
  LATCHKEY_TRY_ASSIGN(const Uuid history_id, NewId(random_));
  report_.shared_number = state_.head.event_number;
  BeginHistory(history_id, state_.head.event_number, &store_);
  Batch batch(*storage_);
  batch.Put(column::kDefault, keys::kStore,
            mac_->Close(column::kDefault, keys::kStore, store_.Encode()));
  return storage_->Commit(&batch);
}

void Restorer::OpenNext() {
  open_ = std::make_unique<OpenGroup>(*storage_, *mac_, std::move(state_), &committed_);
}

Status Restorer::Append(int64_t time_s, const Uuid& actor, EventBody body) {
  LATCHKEY_TRY(open_->Append(Event{0, time_s, actor, std::move(body)}));
  return open_->events().size() < kGroupEvents ? Status::Ok() : Commit();
}

Status Restorer::Commit() {
  open_->set_clock_s(clock_s_);
  open_->WriteHead();
  LATCHKEY_TRY(storage_->Commit(&open_->batch()));
  open_->Remember();
  state_ = open_->TakeState();
  OpenNext();
  return Status::Ok();
}

Status Restorer::CarryOver() {
  LATCHKEY_TRY_ASSIGN(const Salvaged salvaged, SalvageRestrictions(wish_.damaged_path, *mac_));
  report_.damaged_store_files = salvaged.files.files;
  report_.unreadable_files = salvaged.files.damaged;
  report_.unreadable_records = salvaged.damaged_records;
  const uint64_t found = salvaged.tombstones.size();
  report_.missing_tombstones = salvaged.head.revoked - std::min(salvaged.head.revoked, found);
  clock_s_ = salvaged.head.clock_s;
  LATCHKEY_TRY(CarrySweeps(salvaged));
  LATCHKEY_TRY(CarryOwners(salvaged));
  return CarryTombstones(salvaged);
}

// All that the backup holds was born before a sweep that it does not hold.
Status Restorer::CarrySweeps(const Salvaged& salvaged) {
  for (const auto& [number, sweep] : salvaged.sweeps) {
    Result<SweepRecord> here = reader().Sweep(number);
    LATCHKEY_TRY_ASSIGN(const bool exists, Exists(here));
    SweepRecord carried = sweep;
    if (exists) {
      carried.done = here->done;
      if (carried.Encode() == here->Encode()) continue;
    }
    carried.done = false;
    const int64_t revoked_s = carried.revoked_s;
    const Uuid revoked_by = carried.revoked_by;
    LATCHKEY_TRY(Append(revoked_s, revoked_by, SweepStarted{std::move(carried)}));
    ++report_.carried_sweeps;
  }
  return Status::Ok();
}

// Up to which event the damaged store has the history of the backup. If it cannot be read which
// histories it goes on from, it is taken to go on from the backup.
uint64_t Restorer::SharedWith(const Salvaged& salvaged) const {
  if (!salvaged.store) return UINT64_MAX;
  std::vector<Ancestor> theirs = LineageOf(*salvaged.store);
  theirs.push_back({salvaged.store->history_id, UINT64_MAX});
  uint64_t shared = 0;
  for (const Ancestor& ours : LineageOf(store_)) {  // the history of the backup is the last
    for (const Ancestor& each : theirs) {
      if (each.history_id != ours.history_id) continue;
      shared = std::max(shared, std::min(each.shared_number, ours.shared_number));
    }
  }
  return shared;
}

// What the damaged store says of an owner is older than what the backup says only if the number of
// its event is lower, and of a history that both have.
Status Restorer::CarryOwners(const Salvaged& salvaged) {
  const uint64_t shared = SharedWith(salvaged);
  for (const auto& [uuid, later] : salvaged.owners) {
    const Result<OwnerRecord> here = reader().Owner(uuid);
    LATCHKEY_TRY_ASSIGN(const bool exists, Exists(here));
    if (!exists || here->deleted_s != 0) continue;
    if (later.last_event <= std::min(here->last_event, shared)) continue;
    OwnerRecord owner = *here;
    if (later.deleted_s != 0) {
      owner = later;  // it has given up its slug and address
      owner.born_event = here->born_event;
    }
    owner.locked = owner.locked || later.locked;
    owner.admin = owner.admin && later.admin;
    owner.tokens_not_before_s = std::max(owner.tokens_not_before_s, later.tokens_not_before_s);
    if (owner.Encode() == here->Encode()) continue;
    LATCHKEY_TRY(Append(SystemClock().NowUnixMs() / 1000, Uuid{}, OwnerPut{std::move(owner), {}}));
    ++report_.carried_owners;
  }
  return Status::Ok();
}

Status Restorer::CarryTombstones(const Salvaged& salvaged) {
  std::set<Uuid> unknown;
  for (const auto& [uuid, tombstone] : salvaged.tombstones) {
    const Result<CredentialRecord> here = reader().Credential(uuid);
    LATCHKEY_TRY_ASSIGN(const bool exists, Exists(here));
    if (!exists) {
      unknown.insert(uuid);
      continue;
    }
    LATCHKEY_TRY_ASSIGN(const bool revoked, Exists(reader().Tombstone(uuid)));
    if (revoked) continue;
    LATCHKEY_TRY(
        Append(tombstone.revoked_s, tombstone.revoked_by,
               CredentialRevoked{RevokedOf(*here), tombstone.revoked_s, tombstone.reason}));
    ++report_.carried_tombstones;
  }
  return unknown.empty() ? Status::Ok() : KeepUnknown(salvaged, unknown);
}

Status Restorer::KeepUnknown(const Salvaged& salvaged, const std::set<Uuid>& unknown) {
  LATCHKEY_TRY_ASSIGN(const auto credentials,
                      SalvageCredentials(wish_.damaged_path, *mac_, unknown));
  for (const Uuid& uuid : unknown) {
    bool kept = false;
    if (const auto found = credentials.find(uuid); found != credentials.end()) {
      LATCHKEY_TRY(Keep(found->second, salvaged.tombstones.at(uuid), &kept));
    }
    ++(kept ? report_.kept_unknown : report_.dropped_unknown);
  }
  return Status::Ok();
}

// Made and revoked, as if it had come with an import: its secret can then never be imported as a
// live one. *kept is false where the backup has no place for it.
Status Restorer::Keep(const CredentialRecord& credential, const TombstoneRecord& tombstone,
                      bool* kept) {
  LATCHKEY_TRY_ASSIGN(const bool owned, Exists(reader().Owner(credential.owner)));
  LATCHKEY_TRY_ASSIGN(const bool tag_taken, Exists(reader().CredentialByTag(credential.tag)));
  LATCHKEY_TRY_ASSIGN(const bool slug_taken,
                      reader().IsSlugTaken(credential.owner, credential.kind, credential.slug));
  *kept = owned && !tag_taken && !slug_taken && open_->FindKind(credential.kind) != nullptr;
  if (!*kept) return Status::Ok();
  // In one group: it is never there without its tombstone.
  const Revoked revoked = RevokedOf(credential);
  LATCHKEY_TRY(open_->Append(
      Event{0, credential.creation_s, credential.creator, CredentialCreated{credential}}));
  return Append(tombstone.revoked_s, tombstone.revoked_by,
                CredentialRevoked{revoked, tombstone.revoked_s, tombstone.reason});
}

Status Restorer::RevokeListed() {
  const int64_t now_s = std::max<int64_t>(SystemClock().NowUnixMs() / 1000, 1);
  for (const ListedRevocation& listed : wish_.revocations) {
    const Result<CredentialRecord> here = reader().Credential(listed.uuid);
    LATCHKEY_TRY_ASSIGN(const bool exists, Exists(here));
    if (!exists) {
      ++report_.listed_unknown;
      continue;
    }
    LATCHKEY_TRY_ASSIGN(const bool revoked, Exists(reader().Tombstone(listed.uuid)));
    if (revoked) continue;
    const int64_t revoked_s = listed.revoked_s == 0 ? now_s : listed.revoked_s;
    LATCHKEY_TRY(Append(now_s, Uuid{},
                        CredentialRevoked{RevokedOf(*here), revoked_s, Bytes(kListedReason)}));
    ++report_.listed;
  }
  return Status::Ok();
}

Status Restorer::Finish() {
  LATCHKEY_TRY(Commit());
  const HeadRecord& head = open_->state().head;
  report_.store_id = store_.store_id;
  report_.history_id = store_.history_id;
  report_.event_number = head.event_number;
  report_.active = head.active;
  report_.revoked = head.revoked;
  LATCHKEY_TRY(storage_->Flush());
  LATCHKEY_TRY(dir_->CreateAck(Ack{store_.store_id, store_.history_id, head.event_number}));
  open_.reset();
  storage_.reset();
  // Last: a folder without a marker is not a store, so a restore that was cut off is none.
  LATCHKEY_TRY(dir_->WriteMarker(marker_));
  done_ = true;
  return Status::Ok();
}

}  // namespace

Result<RestoreReport> Restore(const RestoreWish& wish) {
  LATCHKEY_TRY(InitCrypto());
  for (const ListedRevocation& listed : wish.revocations) {
    if (listed.revoked_s < 0) {
      return Status::Error(Code::kInvalidArgument, "a revocation has a time from 1970 on");
    }
  }
  return Restorer(wish).Run();
}

}  // namespace latchkey
