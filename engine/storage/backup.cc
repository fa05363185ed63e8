// Backups by RocksDB's backup engine.
#include "storage/backup.h"

#include <fcntl.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/backup_engine.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "storage/metered_files_impl.h"
#include "storage/rocks_status.h"
#include "storage/storage_impl.h"

namespace latchkey {
namespace {

constexpr char kMarkerFile[] = "BACKUPS";
constexpr char kMarkerTemporary[] = "BACKUPS.tmp";
constexpr ByteView kMarkerHead = "latchkey backups 1\nstore ";

Status FromErrno(int error) {
  const auto origin = static_cast<uint32_t>(error);
  if (error == ENOSPC || error == EDQUOT) {
    return Status::Error(Code::kNoSpace, "no space left for the backup", origin);
  }
  return Status::Error(Code::kIo, "the folder of backups could not be read or written", origin);
}

rocksdb::BackupEngineOptions EngineOptionsFor(const std::string& path, rocksdb::Env* backup_env) {
  rocksdb::BackupEngineOptions options(path, backup_env);
  options.sync = true;
  options.backup_log_files = true;
  return options;
}

Result<std::unique_ptr<rocksdb::BackupEngine>> OpenToWrite(const std::string& path,
                                                           rocksdb::Env* db_env,
                                                           rocksdb::Env* backup_env) {
  rocksdb::BackupEngine* engine = nullptr;
  const rocksdb::Status status =
      rocksdb::BackupEngine::Open(EngineOptionsFor(path, backup_env), db_env, &engine);
  if (!status.ok()) return FromRocks(status);
  return std::unique_ptr<rocksdb::BackupEngine>(engine);
}

Result<std::unique_ptr<rocksdb::BackupEngineReadOnly>> OpenToRead(const std::string& path) {
  rocksdb::BackupEngineReadOnly* engine = nullptr;
  const rocksdb::Status status = rocksdb::BackupEngineReadOnly::Open(
      EngineOptionsFor(path, nullptr), rocksdb::Env::Default(), &engine);
  if (!status.ok()) return FromRocks(status);
  return std::unique_ptr<rocksdb::BackupEngineReadOnly>(engine);
}

StoredBackup FromInfo(const rocksdb::BackupInfo& info) {
  return {info.backup_id, info.timestamp, info.size, info.number_files, info.app_metadata};
}

// What is missing from a backup that there is has been damaged.
Status FromRocksBackup(const rocksdb::Status& status) {
  if (status.IsNotFound() || status.IsPathNotFound() || status.IsInvalidArgument()) {
    return Status::Error(Code::kCorruption, "the backup is damaged: a part of it is missing");
  }
  if (status.IsCorruption()) {
    return Status::Error(Code::kCorruption, "the backup is damaged: a checksum does not hold");
  }
  return FromRocks(status);
}

Status SyncFolder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FromErrno(errno);
  const int synced = fsync(fd);
  const int error = errno;
  close(fd);
  return synced == 0 ? Status::Ok() : FromErrno(error);
}

}  // namespace

BackupDir::~BackupDir() {
  if (fd_ >= 0) close(fd_);  // and with it goes the lock
}

Status BackupDir::OpenFolder() {
  fd_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd_ >= 0) return Status::Ok();
  if (errno == ENOENT) {
    return Status::Error(Code::kNotFound, "there is no folder of backups", ENOENT);
  }
  if (errno == ENOTDIR) {
    return Status::Error(Code::kInvalidArgument, "the place of the backups is not a folder");
  }
  return FromErrno(errno);
}

Status BackupDir::Lock(bool to_write) {
  if (flock(fd_, (to_write ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) return Status::Ok();
  if (errno == EWOULDBLOCK) {
    return Status::Error(Code::kBusy, "the folder of backups is in use", EWOULDBLOCK);
  }
  return FromErrno(errno);
}

Result<bool> BackupDir::ReadMarker() {
  Bytes text;
  rocksdb::Env* env = rocksdb::Env::Default();
  const std::string name = path_ + "/" + kMarkerFile;
  if (env->FileExists(name).IsNotFound()) return false;
  const rocksdb::Status status = rocksdb::ReadFileToString(env, name, &text);
  if (!status.ok()) return FromRocks(status);
  const ByteView view = text;
  const Status foreign =
      Status::Error(Code::kInvalidArgument, "the folder is not one of latchkey's backups");
  if (!view.starts_with(kMarkerHead) || !view.ends_with('\n')) return foreign;
  const Result<Uuid> id =
      ParseUuid(view.substr(kMarkerHead.size(), view.size() - kMarkerHead.size() - 1));
  if (!id.ok()) return foreign;
  store_id_ = *id;
  return true;
}

Status BackupDir::WriteMarker() {
  rocksdb::Env* env = rocksdb::Env::Default();
  const Bytes text = Bytes(kMarkerHead) + FormatUuid(store_id_) + "\n";
  const std::string temporary = path_ + "/" + kMarkerTemporary;
  rocksdb::Status status = rocksdb::WriteStringToFile(env, text, temporary, /*should_sync=*/true);
  if (status.ok()) status = env->RenameFile(temporary, path_ + "/" + kMarkerFile);
  return status.ok() ? Status::Ok() : FromRocks(status);
}

Status BackupDir::CheckEmpty() const {
  std::vector<std::string> names;
  const rocksdb::Status status = rocksdb::Env::Default()->GetChildren(path_, &names);
  if (!status.ok()) return FromRocks(status);
  const bool empty = std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return name == "." || name == ".." || name == kMarkerTemporary;  // left by one cut off
  });
  if (empty) return Status::Ok();
  return Status::Error(Code::kInvalidArgument, "the folder holds something else than backups");
}

// Locked only when it is known to be a folder of backups: that of a store is locked by its owner.
Result<std::unique_ptr<BackupDir>> BackupDir::Open(const std::string& path) {
  std::unique_ptr<BackupDir> dir(new BackupDir(path));
  LATCHKEY_TRY(dir->OpenFolder());
  LATCHKEY_TRY_ASSIGN(const bool marked, dir->ReadMarker());
  if (!marked) {
    return Status::Error(Code::kInvalidArgument, "the folder is not one of latchkey's backups");
  }
  LATCHKEY_TRY(dir->Lock(/*to_write=*/false));
  return dir;
}

Result<std::unique_ptr<BackupDir>> BackupDir::OpenOrCreate(const std::string& path,
                                                           const Uuid& store_id) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    if (errno != ENOENT) return FromErrno(errno);
    return Status::Error(Code::kNotFound, "the folder above the backups does not exist", ENOENT);
  }
  std::unique_ptr<BackupDir> dir(new BackupDir(path));
  LATCHKEY_TRY(dir->OpenFolder());
  LATCHKEY_TRY_ASSIGN(bool marked, dir->ReadMarker());
  if (!marked) LATCHKEY_TRY(dir->CheckEmpty());
  LATCHKEY_TRY(dir->Lock(/*to_write=*/true));
  LATCHKEY_TRY_ASSIGN(marked, dir->ReadMarker());  // another may have been first
  if (!marked) {
    dir->store_id_ = store_id;
    LATCHKEY_TRY(dir->WriteMarker());
  } else if (dir->store_id_ != store_id) {
    return Status::Error(Code::kConflict, "the folder holds backups of another store");
  }
  // Every time: whoever made the folder may have failed here.
  LATCHKEY_TRY(SyncFolder(path));
  LATCHKEY_TRY(SyncFolder(path + "/.."));
  return dir;
}

Result<std::vector<StoredBackup>> BackupDir::List() const {
  if (rocksdb::Env::Default()->FileExists(path_ + "/meta").IsNotFound()) {
    return std::vector<StoredBackup>();  // none has ever been made
  }
  LATCHKEY_TRY_ASSIGN(const auto engine, OpenToRead(path_));
  std::vector<rocksdb::BackupInfo> infos;
  engine->GetBackupInfo(&infos);
  std::vector<StoredBackup> backups(infos.size());
  std::transform(infos.begin(), infos.end(), backups.begin(), FromInfo);
  return backups;
}

Result<StoredBackup> BackupDir::Find(uint32_t number) const {
  LATCHKEY_TRY_ASSIGN(std::vector<StoredBackup> all, List());
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const StoredBackup& backup) {
    return number == 0 || backup.number == number;
  });
  if (found == all.rend()) return Status::Error(Code::kNotFound, "there is no such backup");
  return std::move(*found);
}

Status BackupDir::Verify(uint32_t number) const {
  LATCHKEY_TRY_ASSIGN(const StoredBackup backup, Find(number));
  LATCHKEY_TRY_ASSIGN(const auto engine, OpenToRead(path_));
  return FromRocksBackup(engine->VerifyBackup(backup.number, /*verify_with_checksum=*/true));
}

Status BackupDir::CopyOut(uint32_t number, const std::string& rocks_path) const {
  LATCHKEY_TRY_ASSIGN(const StoredBackup backup, Find(number));
  LATCHKEY_TRY_ASSIGN(const auto engine, OpenToRead(path_));
  const rocksdb::Status status = engine->RestoreDBFromBackup(backup.number, rocks_path, rocks_path);
  return status.ok() ? SyncFolder(rocks_path) : FromRocksBackup(status);
}

Result<StoredBackup> BackupDir::Create(const Storage& storage, ByteView note,
                                       const BackupProgress& progress) {
  Meter meter(progress);
  const Status stopped = Status::Error(Code::kBusy, "the backup was stopped");
  if (!meter.Add(0)) return stopped;
  const auto files = std::make_shared<MeteredFileSystem>(&meter);
  const std::unique_ptr<rocksdb::Env> metered = rocksdb::NewCompositeEnv(files);
  rocksdb::DB* const db = storage.impl_->db->get();
  std::optional<LogHold> hold;  // outlives the engine, which knows it through the files
  LATCHKEY_TRY_ASSIGN(const auto engine, OpenToWrite(path_, db->GetEnv(), metered.get()));
  // Without a flush, for which a commit might have to wait: the log is small, and is copied.
  rocksdb::CreateBackupOptions create;
  create.flush_before_backup = false;
  rocksdb::BackupID number = 0;
  hold.emplace(&storage.impl_->log_gate);
  files->ReleaseAtFirstFile(&*hold);
  if (!storage.impl_->first_error->get().ok()) {
    return Status::Error(Code::kBusy, "a write of the store has failed: it reopens itself");
  }
  const rocksdb::Status status =
      engine->CreateNewBackupWithMetadata(create, db, Bytes(note), &number);
  if (meter.stopped()) return stopped;
  if (!status.ok()) return FromRocks(status);
  return Find(number);
}

Status BackupDir::DropAllBut(uint32_t count) {
  LATCHKEY_TRY_ASSIGN(const auto engine, OpenToWrite(path_, rocksdb::Env::Default(), nullptr));
  return FromRocks(engine->PurgeOldBackups(count));
}

}  // namespace latchkey
