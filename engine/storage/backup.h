// A folder of backups of one store: numbered, each whole by itself, while what several have in
// common is kept once. The folder names the store that it is for; RocksDB has the rest of it.
//
//   DIR/BACKUPS  text: "latchkey backups 1", "store UUID"; replaced by rename
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"

namespace latchkey {

class Storage;

struct StoredBackup {
  uint32_t number = 0;  // from 1, ascending
  int64_t time_s = 0;   // when it was made
  uint64_t bytes = 0;   // of all its files, those that it shares included
  uint32_t files = 0;
  Bytes note;  // what its maker wrote on it
};

// Asked with the bytes copied so far, by one thread at a time; false stops the backup.
using BackupProgress = std::function<bool(uint64_t bytes)>;

// Holds a lock on the folder (flock): many may read it, or one write to it. Not thread-safe.
class BackupDir {
 public:
  // To read. NOT_FOUND: no such folder. INVALID_ARGUMENT: not a folder of backups. BUSY: a backup
  // is being made there.
  static Result<std::unique_ptr<BackupDir>> Open(const std::string& path);
  // To write: makes the folder (its parent must exist), takes an empty one, or one that is for this
  // store already. CONFLICT: it is for another store. Else as Open(); BUSY also: it is being read.
  static Result<std::unique_ptr<BackupDir>> OpenOrCreate(const std::string& path,
                                                         const Uuid& store_id);
  ~BackupDir();
  BackupDir(const BackupDir&) = delete;
  BackupDir& operator=(const BackupDir&) = delete;

  const Uuid& store_id() const { return store_id_; }
  // Oldest first. One that was cut off is none.
  Result<std::vector<StoredBackup>> List() const;
  // 0 = the newest. NOT_FOUND.
  Result<StoredBackup> Find(uint32_t number) const;
  // Reads all files of one and compares their sizes and checksums. CORRUPTION, NOT_FOUND, IO.
  Status Verify(uint32_t number) const;
  // Copies the database of one into `rocks_path`, checking checksums; fsynced. As Verify().
  Status CopyOut(uint32_t number, const std::string& rocks_path) const;

  // Needs OpenOrCreate(). Holds all that was committed when it began; commits go on meanwhile. On
  // the device when it returns. BUSY: `progress` stopped it, and nothing is left of it. IO,
  // NO_SPACE.
  Result<StoredBackup> Create(const Storage& storage, ByteView note,
                              const BackupProgress& progress);
  // Drops the oldest ones until no more than `count` (1 or more) are left.
  Status DropAllBut(uint32_t count);

 private:
  explicit BackupDir(std::string path) : path_(std::move(path)) {}
  Status OpenFolder();
  Status Lock(bool to_write);
  Result<bool> ReadMarker();  // false: there is none
  Status WriteMarker();
  Status CheckEmpty() const;

  std::string path_;
  int fd_ = -1;
  Uuid store_id_;
};

}  // namespace latchkey
