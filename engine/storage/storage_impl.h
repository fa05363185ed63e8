// What a Storage holds. Seen by this room only.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/perf_level.h>

#include <atomic>
#include <cassert>
#include <memory>
#include <semaphore>
#include <utility>
#include <vector>

#include "storage/rocks_options.h"
#include "storage/storage.h"

namespace latchkey {

// Column handles must be gone before the database: with Debian's RocksDB, which keeps its
// assertions, a leaked one aborts the process.
class OpenDb {
 public:
  OpenDb(rocksdb::DB* db, std::vector<rocksdb::ColumnFamilyHandle*> columns)
      : db_(db), columns_(std::move(columns)) {}
  ~OpenDb() {
    // A handle that cannot be closed is RocksDB's bug; there is nobody left to tell.
    for (rocksdb::ColumnFamilyHandle* column : columns_) {
      db_->DestroyColumnFamilyHandle(column).PermitUncheckedError();
    }
  }
  OpenDb(const OpenDb&) = delete;
  OpenDb& operator=(const OpenDb&) = delete;

  rocksdb::DB* get() const { return db_.get(); }
  rocksdb::DB* operator->() const { return db_.get(); }
  rocksdb::ColumnFamilyHandle* column(uint8_t id) const {
    assert(id < columns_.size());
    return columns_[id];
  }
  const std::vector<rocksdb::ColumnFamilyHandle*>& columns() const { return columns_; }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> columns_;
};

// RocksDB counts for each thread how often it compares keys, and more. With Debian's build that is
// a tenth of the instructions of a create; nobody here reads it. The host may, in its own calls:
// so it is off only as long as ours last.
class CountersOff {
 public:
  CountersOff() : before_(rocksdb::GetPerfLevel()) {
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
  }
  ~CountersOff() { rocksdb::SetPerfLevel(before_); }
  CountersOff(const CountersOff&) = delete;
  CountersOff& operator=(const CountersOff&) = delete;

 private:
  rocksdb::PerfLevel before_;
};

// Commits, and the sync of the log with which a backup begins, one at a time. RocksDB asserts that
// a log is left alone once a write of it has failed, and with Debian's build, which keeps that
// assertion, whoever syncs it then ends the process. The gate may be given back by another thread
// than took it.
class LogHold {
 public:
  explicit LogHold(std::binary_semaphore* gate) : gate_(gate) { gate_->acquire(); }
  ~LogHold() { Release(); }
  LogHold(const LogHold&) = delete;
  LogHold& operator=(const LogHold&) = delete;
  void Release() {
    if (!is_released_.exchange(true)) gate_->release();
  }

 private:
  std::binary_semaphore* const gate_;
  std::atomic<bool> is_released_{false};
};

struct Storage::Impl {
  // One attempt to open. `mode` says how the log is read; read-only changes nothing in the folder.
  static Result<std::unique_ptr<Impl>> Open(const StorageOptions& options,
                                            rocksdb::WALRecoveryMode mode, bool read_only);

  std::unique_ptr<rocksdb::Env> env;
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<FirstError> first_error;
  std::unique_ptr<OpenDb> db;
  std::binary_semaphore log_gate{1};
};

// Never a null pointer, which RocksDB would hand to memcmp() even for no bytes at all.
inline rocksdb::Slice ToSlice(ByteView bytes) {
  return {bytes.data() == nullptr ? "" : bytes.data(), bytes.size()};
}
inline ByteView FromSlice(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

}  // namespace latchkey
