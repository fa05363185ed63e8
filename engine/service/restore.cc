// From a backup to a store: taken out, proved, given a history of its own, and its revocations.
#include "service/restore.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "authority/backup_note.h"
#include "authority/decide.h"
#include "authority/epoch.h"
#include "authority/load.h"
#include "authority/new_store.h"
#include "base/clock.h"
#include "schema/keys.h"
#include "schema/lineage.h"
#include "service/carry_over.h"
#include "service/restored_history.h"
#include "storage/backup.h"
#include "storage/store_marker.h"

namespace latchkey {
namespace {

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
    history_.reset();
    storage_.reset();
    std::error_code ignored;  // what is left there is no store: its marker goes first
    std::filesystem::remove(dir_->path() + "/LATCHKEY", ignored);
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
  Status RevokeListed();
  Status Finish();

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
  AuthorityState state_;  // as the backup has it
  std::unique_ptr<RestoredHistory> history_;
  bool done_ = false;
};

Result<RestoreReport> Restorer::Run() {
  LATCHKEY_TRY(TakeOut());
  LATCHKEY_TRY(OpenSound());
  LATCHKEY_TRY(BeginNewHistory());
  if (!wish_.damaged_path.empty()) {
    LATCHKEY_TRY(CarryOver(wish_.damaged_path, *mac_, store_, history_.get(), &report_));
  }
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
  LATCHKEY_TRY(storage_->Commit(&batch));
  history_ = std::make_unique<RestoredHistory>(storage_.get(), *mac_, std::move(state_));
  return Status::Ok();
}

Status Restorer::RevokeListed() {
  const int64_t now_s = std::max<int64_t>(SystemClock().NowUnixMs() / 1000, 1);
  for (const ListedRevocation& listed : wish_.revocations) {
    const Result<CredentialRecord> here = history_->reader().Credential(listed.uuid);
    LATCHKEY_TRY_ASSIGN(const bool exists, Exists(here));
    if (!exists) {
      ++report_.listed_unknown;
      continue;
    }
    LATCHKEY_TRY_ASSIGN(const bool revoked, Exists(history_->reader().Tombstone(listed.uuid)));
    if (revoked || history_->IsSwept(*here)) continue;
    const int64_t revoked_s = listed.revoked_s == 0 ? now_s : listed.revoked_s;
    LATCHKEY_TRY(history_->Append(
        now_s, Uuid{}, CredentialRevoked{RevokedOf(*here), revoked_s, Bytes(kListedReason)}));
    ++report_.listed;
  }
  return Status::Ok();
}

Status Restorer::Finish() {
  LATCHKEY_TRY(history_->Commit());
  const HeadRecord& head = history_->head();
  report_.store_id = store_.store_id;
  report_.history_id = store_.history_id;
  report_.event_number = head.event_number;
  report_.active = head.active;
  report_.revoked = head.revoked;
  LATCHKEY_TRY(storage_->Flush());
  LATCHKEY_TRY(dir_->CreateAck(Ack{store_.store_id, store_.history_id, head.event_number}));
  history_.reset();
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
