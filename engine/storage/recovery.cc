// Opening: never onto a shorter history than the owner accepts, and a refusal changes no byte.
//
// RocksDB's recovery modes do not give that by themselves (log_frames.h says why), so the framing
// of the logs and of the MANIFEST is checked here first, and RocksDB opens for writing only what is
// whole. What a cut-off write explains is read without writing, shown to the owner, and dropped if
// he agrees.
#include <fcntl.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <set>

#include "storage/ingest_impl.h"
#include "storage/log_frames.h"
#include "storage/rocks_status.h"
#include "storage/storage.h"
#include "storage/storage_impl.h"
#include "storage/table_files_impl.h"

namespace latchkey {
namespace {

constexpr ByteView kCurrentFile = "CURRENT";
constexpr ByteView kLockFile = "LOCK";
constexpr ByteView kManifestPrefix = "MANIFEST-";
constexpr ByteView kLogSuffix = ".log";

struct LogFile {
  uint64_t number = 0;
  bool empty = true;
  LogEnd end = LogEnd::kWhole;
  Bytes name;
  size_t whole_size = 0;
};

rocksdb::Env* EnvOf(const StorageOptions& options) {
  return options.env != nullptr ? options.env : rocksdb::Env::Default();
}

std::string PathOf(const StorageOptions& options, ByteView name) {
  std::string path = options.path;
  return path.append("/").append(name);
}

// RocksDB's own lock, held while its files are looked at, so that nobody writes under our eyes.
class FolderLock {
 public:
  explicit FolderLock(const StorageOptions& options) : env_(EnvOf(options)) {
    const std::string name = PathOf(options, kLockFile);
    // A copy of a store may lack the file, and looking must not make one.
    if (env_->FileExists(name).ok()) status_ = env_->LockFile(name, &lock_);
  }
  ~FolderLock() { Release(); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  Status status() const { return status_.ok() ? Status::Ok() : FromRocksOpen(status_); }
  void Release() {
    if (lock_ != nullptr) env_->UnlockFile(lock_).PermitUncheckedError();
    lock_ = nullptr;
  }

 private:
  rocksdb::Env* env_;
  rocksdb::FileLock* lock_ = nullptr;
  rocksdb::Status status_;
};

// The names in the folder; none if there is no folder.
Result<std::vector<std::string>> ListFolder(const StorageOptions& options) {
  std::vector<std::string> names;
  const rocksdb::Status status = EnvOf(options)->GetChildren(options.path, &names);
  if (status.IsNotFound() || status.subcode() == rocksdb::Status::kPathNotFound) {
    return std::vector<std::string>();
  }
  if (!status.ok()) return FromRocks(status);
  std::erase_if(names, [](const std::string& name) { return name == "." || name == ".."; });
  return names;
}

Result<Bytes> ReadWholeFile(const StorageOptions& options, ByteView name) {
  Bytes content;
  const rocksdb::Status status =
      rocksdb::ReadFileToString(EnvOf(options), PathOf(options, name), &content);
  if (!status.ok()) return FromRocksOpen(status);
  return content;
}

// The MANIFEST is read tolerantly by RocksDB in every mode: a damaged one would silently be an
// older list of tables, and the newer tables would be deleted.
Status CheckManifest(const StorageOptions& options) {
  LATCHKEY_TRY_ASSIGN(const Bytes current, ReadWholeFile(options, kCurrentFile));
  const ByteView name = ByteView(current).substr(0, current.find('\n'));
  if (!name.starts_with(kManifestPrefix) || name.find('/') != ByteView::npos) {
    return Status::Error(Code::kCorruption, "the store's list of files is damaged");
  }
  LATCHKEY_TRY_ASSIGN(const Bytes manifest, ReadWholeFile(options, name));
  if (manifest.empty() || CheckLogFrames(manifest) == LogEnd::kBroken) {
    return Status::Error(Code::kCorruption, "the store's list of files is damaged");
  }
  return Status::Ok();
}

// All columns of the catalogue and no others.
Status CheckColumns(const StorageOptions& options) {
  rocksdb::DBOptions db;
  db.env = EnvOf(options);
  std::vector<std::string> names;
  const rocksdb::Status status = rocksdb::DB::ListColumnFamilies(db, options.path, &names);
  if (!status.ok()) return FromRocksOpen(status);
  std::set<std::string> stored(names.begin(), names.end());
  for (const ColumnSpec& spec : options.columns) {
    if (stored.erase(spec.name) == 0) {
      return Status::Error(Code::kCorruption, "a column of the store is missing");
    }
  }
  if (!stored.empty()) {
    return Status::Error(Code::kUnsupported, "this build does not know a column of the store");
  }
  return Status::Ok();
}

// The write-ahead logs, oldest first.
Result<std::vector<LogFile>> SurveyLogs(const StorageOptions& options,
                                        const std::vector<std::string>& names) {
  std::vector<LogFile> logs;
  for (const std::string& name : names) {
    const ByteView view = name;
    if (!view.ends_with(kLogSuffix)) continue;
    const ByteView digits = view.substr(0, view.size() - kLogSuffix.size());
    LogFile log;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), log.number);
    if (error != std::errc() || end != digits.data() + digits.size()) continue;
    LATCHKEY_TRY_ASSIGN(const Bytes content, ReadWholeFile(options, name));
    log.empty = content.empty();
    log.name = name;
    log.end = CheckLogFrames(content, &log.whole_size);
    logs.push_back(log);
  }
  std::sort(logs.begin(), logs.end(),
            [](const LogFile& a, const LogFile& b) { return a.number < b.number; });
  return logs;
}

bool AllWhole(const std::vector<LogFile>& logs) {
  return std::all_of(logs.begin(), logs.end(),
                     [](const LogFile& log) { return log.end == LogEnd::kWhole; });
}

// Only a write that was cut off leaves a torn log, and nothing is written behind it: every log with
// something in it but the last must be whole, or dropping its tail would leave a hole.
Status CheckOnlyLastIsTorn(const std::vector<LogFile>& logs) {
  const Status damaged = Status::Error(Code::kCorruption, "the log of the store is damaged");
  const auto last =
      std::find_if(logs.rbegin(), logs.rend(), [](const LogFile& log) { return !log.empty; });
  for (auto log = logs.rbegin(); log != logs.rend(); ++log) {
    if (log->end == LogEnd::kBroken) return damaged;
    if (log->end == LogEnd::kTorn && log != last) return damaged;
  }
  return Status::Ok();
}

// Drops the tail for good. RocksDB would read past it, and leave it there for as long as nothing is
// flushed: a kill later it would stand before a log that is not empty, and pass for damage.
Status CutOffTail(const StorageOptions& options, const LogFile& log) {
  const int fd = open(PathOf(options, log.name).c_str(), O_WRONLY | O_CLOEXEC);
  const bool is_cut =
      fd >= 0 && ftruncate(fd, static_cast<off_t>(log.whole_size)) == 0 && fsync(fd) == 0;
  const auto origin = static_cast<uint32_t>(errno);
  if (fd >= 0) close(fd);
  if (is_cut) return Status::Ok();
  return Status::Error(Code::kIo, "the tail of the log could not be cut off", origin);
}

Status CheckOptions(const StorageOptions& options) {
  for (size_t i = 0; i < options.columns.size(); ++i) {
    if (options.columns[i].id != i) {
      return Status::Error(Code::kInternal, "the column catalogue is not dense");
    }
  }
  return Status::Ok();
}

}  // namespace

Result<std::unique_ptr<Storage::Impl>> Storage::Impl::Open(const StorageOptions& options,
                                                           rocksdb::WALRecoveryMode mode,
                                                           bool read_only) {
  auto impl = std::make_unique<Impl>();
  impl->env = WithTableFiles(*EnvOf(options));
  impl->cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  impl->first_error = std::make_shared<FirstError>();
  rocksdb::DBOptions db_options = MakeDbOptions(options, mode, impl->first_error);
  db_options.env = impl->env.get();
  const std::vector<rocksdb::ColumnFamilyDescriptor> columns = MakeColumns(options, impl->cache);
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const rocksdb::Status status =
      read_only ? rocksdb::DB::OpenForReadOnly(db_options, options.path, columns, &handles, &db)
                : rocksdb::DB::Open(db_options, options.path, columns, &handles, &db);
  if (!status.ok()) return FromRocksOpen(status);
  impl->db = std::make_unique<OpenDb>(db, std::move(handles));
  return impl;
}

Result<std::unique_ptr<Storage>> Storage::Open(const StorageOptions& options,
                                               const TailCheck& accept_tail) {
  using rocksdb::WALRecoveryMode;
  LATCHKEY_TRY(CheckOptions(options));
  LATCHKEY_TRY_ASSIGN(std::vector<std::string> names, ListFolder(options));
  if (options.create) {
    if (!names.empty()) return Status::Error(Code::kConflict, "there is a store already");
    LATCHKEY_TRY_ASSIGN(auto made,
                        Impl::Open(options, WALRecoveryMode::kAbsoluteConsistency, false));
    return std::unique_ptr<Storage>(new Storage(std::move(made)));
  }
  if (names.empty()) return Status::Error(Code::kNotFound, "there is no store");

  FolderLock lock(options);
  LATCHKEY_TRY(lock.status());
  LATCHKEY_TRY(CheckManifest(options));
  LATCHKEY_TRY(CheckColumns(options));
  LATCHKEY_TRY_ASSIGN(names, ListFolder(options));  // as it is under the lock
  LATCHKEY_TRY_ASSIGN(std::vector<LogFile> logs, SurveyLogs(options, names));

  WALRecoveryMode mode = WALRecoveryMode::kAbsoluteConsistency;
  if (!AllWhole(logs)) {
    LATCHKEY_TRY_ASSIGN(auto looked,
                        Impl::Open(options, WALRecoveryMode::kTolerateCorruptedTailRecords, true));
    uint64_t oldest_needed = 0;
    if (!looked->db->get()->GetIntProperty(rocksdb::DB::Properties::kMinLogNumberToKeep,
                                           &oldest_needed)) {
      return Status::Error(Code::kInternal, "the storage engine does not name its oldest log");
    }
    // A log whose tail was dropped by an open that then crashed may still lie there, unneeded.
    std::erase_if(logs, [&](const LogFile& log) { return log.number < oldest_needed; });
    LATCHKEY_TRY(CheckOnlyLastIsTorn(logs));
    if (!AllWhole(logs)) {
      if (!accept_tail) return Status::Error(Code::kCorruption, "the log of the store is cut off");
      {
        const Storage shorter(std::move(looked));
        LATCHKEY_TRY(accept_tail(shorter));
      }
      if (options.read_only) mode = WALRecoveryMode::kTolerateCorruptedTailRecords;
      for (const LogFile& log : logs) {
        if (log.end != LogEnd::kWhole && !options.read_only) {
          LATCHKEY_TRY(CutOffTail(options, log));
        }
      }
    }
  }
  lock.Release();
  LATCHKEY_TRY_ASSIGN(auto opened, Impl::Open(options, mode, options.read_only));
  if (!options.read_only) RemoveIngestLeftovers(EnvOf(options), options.path, names);
  return std::unique_ptr<Storage>(new Storage(std::move(opened)));
}

}  // namespace latchkey
