// RocksDB behind a narrow interface. Everything about RocksDB that the engine relies on, and every
// trap it avoids, is in this room (README.md here, rocks_options.cc).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/batch.h"
#include "storage/column.h"

namespace rocksdb {
class Env;
}

namespace latchkey {

// A moment of the store that stays as it is while others write. Not to outlive its Storage.
class Snapshot {
 public:
  explicit Snapshot(const Storage& storage);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  friend class Storage;
  const Storage& storage_;
  const void* snapshot_;
};

// Walks the keys of one column that begin with a prefix, in byte order or in its reverse. Not
// thread-safe; not to outlive its Storage or Snapshot.
//
//   for (Scan scan(...); scan.Valid(); scan.Next()) { ... }
//   LATCHKEY_TRY(scan.status());
class Scan {
 public:
  ~Scan();
  Scan(Scan&&) noexcept;
  bool Valid() const;
  void Next();
  ByteView key() const;    // borrowed until Next()
  ByteView value() const;  // borrowed until Next()
  Status status() const;   // must be read after the loop: an I/O error also ends it

 private:
  friend class Storage;
  struct Impl;
  explicit Scan(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct StorageOptions {
  std::string path;                     // the folder that RocksDB has for itself
  std::span<const ColumnSpec> columns;  // static storage; all of them are opened, others refused
  bool create = false;                  // make a new store; CONFLICT if there is one
  bool read_only = false;               // changes no byte of the folder, and cannot Commit()
  rocksdb::Env* env = nullptr;          // for fault tests; nullptr = the system's
  size_t block_cache_bytes = 64 << 20;
};

// Asked when the log could be read only by dropping its tail: may the store be opened at the state
// that is left? Reads through the Storage it is given, which is read-only. Anything but OK refuses.
using TailCheck = std::function<Status(const Storage& shorter)>;

// Every const method may be called from any thread at once; Commit() and Ingest() by one thread at
// a time.
class Storage {
 public:
  // Opens with kAbsoluteConsistency. If the log was cut off, opens read-only and tolerantly, asks
  // `accept_tail`, and only then drops the tail; if it has changed, refuses. A refusal changes no
  // byte. CORRUPTION, IO, NO_SPACE, BUSY (this or another process holds it), NOT_FOUND (none there,
  // and not `create`), CONFLICT, UNSUPPORTED (a column that is not in `columns`).
  static Result<std::unique_ptr<Storage>> Open(const StorageOptions& options,
                                               const TailCheck& accept_tail);
  // Flushes nothing: the log holds what was committed. Everything made from it must be gone.
  ~Storage();

  // NOT_FOUND, IO, CORRUPTION. At the latest state, or at `snapshot`.
  Result<Bytes> Get(uint8_t column, ByteView key, const Snapshot* snapshot = nullptr) const;
  // One answer a key, in order; nullopt = not found.
  Result<std::vector<std::optional<Bytes>>> MultiGet(uint8_t column, std::span<const ByteView> keys,
                                                     const Snapshot* snapshot = nullptr) const;
  // Keys that begin with `prefix` and are >= `from` (empty = the prefix's first). Bulk scans should
  // leave the block cache alone (`fill_cache` false).
  Scan ScanPrefix(uint8_t column, ByteView prefix, ByteView from = {},
                  const Snapshot* snapshot = nullptr, bool fill_cache = true) const;
  // The same from the last key to the first: keys that begin with `prefix` and are < `below` (empty
  // = no such bound).
  Scan ScanPrefixBackward(uint8_t column, ByteView prefix, ByteView below = {},
                          const Snapshot* snapshot = nullptr, bool fill_cache = true) const;
  // The last key of the column that begins with `prefix`; NOT_FOUND when there is none.
  Result<Bytes> LastKey(uint8_t column, ByteView prefix) const;

  // Writes the batch and waits until the log is on the device (fsync). After any error the outcome
  // is unknown and this Storage refuses every later Commit() with the same error: open a new one.
  Status Commit(Batch* batch);
  // The same by sorted files instead of the log, for a batch of thousands of keys: a fixed cost of
  // some milliseconds, and a third of the time a key. As durable as Commit(), and there whole or
  // not at all. The batch must hold no MergeMax64().
  Status Ingest(Batch* batch);
  // Has a write failed, one of these or in the background (of a flush, a backup)? They refuse then.
  bool has_failed() const;

  // While many large batches are ingested into these columns: their files are merged in few large
  // steps instead of many small ones. Reads find more files to look into, up to some dozens; writes
  // never wait for it. What is left is merged in the background when it ends. An error loses
  // nothing.
  Status SetBulkLoad(std::span<const uint8_t> columns, bool on);

  // Writes the memtables out, so that the next open has no log to replay.
  Status Flush();
  struct Sizes {
    uint64_t disk_bytes;
    uint64_t log_bytes;
    uint64_t memory_bytes;  // memtables and block cache
  };
  Sizes sizes() const;

 private:
  friend class BackupDir;
  friend class Batch;
  friend class Snapshot;
  struct Impl;
  explicit Storage(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace latchkey
