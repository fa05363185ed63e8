// How RocksDB is set up: one place, with the reason beside each choice.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/db.h>

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/column.h"
#include "storage/storage.h"

namespace latchkey {

// The first write that failed, in a commit or in the background (a flush, a compaction): whatever
// it was, nothing is committed after it. Every method may be called from any thread.
class FirstError {
 public:
  void Note(const rocksdb::Status& error) {
    const std::lock_guard lock(mutex_);
    if (first_.ok()) first_ = error;
  }
  rocksdb::Status get() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  mutable std::mutex mutex_;
  rocksdb::Status first_;
};

// All but the environment.
rocksdb::DBOptions MakeDbOptions(const StorageOptions& options, rocksdb::WALRecoveryMode mode,
                                 std::shared_ptr<FirstError> first_error);
rocksdb::ColumnFamilyOptions MakeColumnOptions(Access access,
                                               const std::shared_ptr<rocksdb::Cache>& cache);
std::vector<rocksdb::ColumnFamilyDescriptor> MakeColumns(
    const StorageOptions& options, const std::shared_ptr<rocksdb::Cache>& cache);

// What differs while a bulk load runs, by the names that SetOptions() knows.
std::unordered_map<std::string, std::string> CompactionOptions(bool bulk_load);

// A logger that keeps nothing.
std::shared_ptr<rocksdb::Logger> SilentLogger();

}  // namespace latchkey
