// What a Batch holds. Seen by this room only.
#pragma once

#include <rocksdb/comparator.h>
#include <rocksdb/utilities/write_batch_with_index.h>

#include "storage/batch.h"
#include "storage/storage_impl.h"

namespace latchkey {

struct Batch::Impl {
  explicit Impl(const OpenDb* open_db)
      : db(open_db), writes(rocksdb::BytewiseComparator(), 0, /*overwrite_key=*/true) {}

  // Put() and Delete() return nothing; what RocksDB refused there fails the Commit().
  void Note(const rocksdb::Status& status) {
    if (failed.ok() && !status.ok()) failed = status;
  }

  const OpenDb* db;
  rocksdb::WriteBatchWithIndex writes;
  rocksdb::Status failed;
};

}  // namespace latchkey
