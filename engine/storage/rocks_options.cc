// Every option of RocksDB that we set, and why.
#include "storage/rocks_options.h"

#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>
#include <cstdarg>
#include <utility>

namespace latchkey {
namespace {

constexpr size_t kMiB = 1 << 20;

constexpr int kLevel0Files = 8;
constexpr size_t kLevelBaseBytes = 16 * kMiB;
// Each group of a bulk load is one file a column, of a megabyte or two, which overlaps all others.
// Merging them eight by eight took a third of the processor time of an import of a million, and
// merging 24 of them into what was there wrote ten million seven times.
constexpr int kLevel0FilesOfBulkLoad = 96;
constexpr size_t kLevelBaseBytesOfBulkLoad = 512 * kMiB;

class NoLog : public rocksdb::Logger {
 public:
  NoLog() : rocksdb::Logger(rocksdb::FATAL_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// Keeps the greater of two little-endian u64. The name is what a build that opens the store later
// knows the meaning by: it never changes.
class Max64 : public rocksdb::AssociativeMergeOperator {
 public:
  const char* Name() const override { return "latchkey.max64"; }
  bool Merge(const rocksdb::Slice&, const rocksdb::Slice* existing, const rocksdb::Slice& value,
             std::string* out, rocksdb::Logger*) const override {
    if (value.size() != sizeof(uint64_t)) return false;
    uint64_t greatest = LoadLe64(value.data());
    if (existing != nullptr) {
      if (existing->size() != sizeof(uint64_t)) return false;
      greatest = std::max(greatest, LoadLe64(existing->data()));
    }
    out->resize(sizeof greatest);
    StoreLe64(out->data(), greatest);
    return true;
  }
};

class Listener : public rocksdb::EventListener {
 public:
  explicit Listener(std::shared_ptr<FirstError> first_error)
      : first_error_(std::move(first_error)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
    first_error_->Note(*error);
  }
  // A full disk is otherwise waited out by a thread of RocksDB, whatever the resume count says.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

 private:
  std::shared_ptr<FirstError> first_error_;
};

void SetDurability(rocksdb::DBOptions* db) {
  // A recycled log ends in records of its former life, which no mode of recovery can tell from a
  // torn tail.
  db->recycle_log_file_num = 0;
  // A closed log that is missing or shorter than it was is noticed.
  db->track_and_verify_wals_in_manifest = true;
  // All columns are flushed as one, so that the tables always hold whole batches up to one moment:
  // a damaged log can then never leave one column ahead of another.
  db->atomic_flush = true;
  db->paranoid_checks = true;
  // The log was fsynced with every commit; a flush that fails in a destructor could tell nobody.
  // Whoever wants a quick next open calls Flush() and reads its answer.
  db->avoid_flush_during_shutdown = true;
  // An fsync that failed once is not tried again on the same file: the pages may be gone. The owner
  // reopens and reads back what is true.
  db->max_bgerror_resume_count = 0;
}

void SetResources(rocksdb::DBOptions* db) {
  // Replay costs about 113 ms a MiB of log.
  db->max_total_wal_size = 4 * kMiB;
  // What the memtables of all columns may hold together. The log bound comes first, unless flushes
  // fall behind.
  db->db_write_buffer_size = 64 * kMiB;
  db->max_background_jobs = 2;
  db->max_manifest_file_size = 4 * kMiB;  // read whole by every open
  // Large writes reach the device as they go, so that a commit's fsync does not queue behind a
  // whole flush.
  db->bytes_per_sync = 1 * kMiB;
  // We live in somebody else's process: room for 16 GiB of tables, not for its whole fd limit.
  db->max_open_files = 256;
  db->skip_stats_update_on_db_open = true;  // reads every table at open, for a compaction hint
  db->stats_dump_period_sec = 0;
  db->stats_persist_period_sec = 0;
}

}  // namespace

std::shared_ptr<rocksdb::Logger> SilentLogger() { return std::make_shared<NoLog>(); }

rocksdb::DBOptions MakeDbOptions(const StorageOptions& options, rocksdb::WALRecoveryMode mode,
                                 std::shared_ptr<FirstError> first_error) {
  rocksdb::DBOptions db;
  db.create_if_missing = options.create;
  db.create_missing_column_families = options.create;
  db.error_if_exists = options.create;
  db.wal_recovery_mode = mode;
  // RocksDB's messages can hold keys, and keys hold names; and an open that is refused must not
  // have rotated a log file.
  db.info_log = SilentLogger();
  db.db_host_id = "";  // by default every file names the machine that wrote it
  db.listeners.push_back(std::make_shared<Listener>(std::move(first_error)));
  SetDurability(&db);
  SetResources(&db);
  return db;
}

rocksdb::ColumnFamilyOptions MakeColumnOptions(Access access,
                                               const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions column;
  // Above what the log bound lets through, so that recovery never has to flush halfway and an open
  // that is refused has written nothing.
  column.write_buffer_size = 32 * kMiB;
  column.arena_block_size = 64 * 1024;  // an eighth of the buffer by default: too much for 14
  column.max_write_buffer_number = 4;   // a slow flush does not stall commits at once
  column.level_compaction_dynamic_level_bytes = true;
  // The log bound makes files of some 100 KB. With RocksDB's sizes (four files, a first level of
  // 256 MiB) each four of them would have the whole of a column with random keys written anew.
  column.level0_file_num_compaction_trigger = kLevel0Files;
  column.max_bytes_for_level_base = kLevelBaseBytes;
  // Beyond what a bulk load leaves while its files are merged: a revoke never waits for that.
  column.level0_slowdown_writes_trigger = 5 * kLevel0FilesOfBulkLoad;
  column.level0_stop_writes_trigger = 10 * kLevel0FilesOfBulkLoad;
  column.target_file_size_base = 32 * kMiB;
  column.compression = rocksdb::kNoCompression;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;  // LRU: HyperClockCache is experimental in 7.8
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  // Index and filter count against the cache, so that the host's number bounds the memory.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // In parts of a block each. Whole, those of ten million credentials take more than the cache, and
  // a single lookup then read half a megabyte of filter to be told where not to look.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;

  switch (access) {
    case Access::kPoint:
      // Absent keys cost 0.6 us instead of 8. No optimize_filters_for_hits: it would drop the
      // filter where nearly all keys are.
      table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
      table.whole_key_filtering = true;
      // The same in the memtable: 64 KiB, some 80 bits for each key that the log bound lets in.
      column.memtable_prefix_bloom_size_ratio = 0.002;
      column.memtable_whole_key_filtering = true;
      break;
    case Access::kPrefixScan:
      // Cold rows are at the bottom and share long prefixes.
      column.bottommost_compression = rocksdb::kLZ4Compression;
      break;
    case Access::kAppend:
      table.block_size = 16 * 1024;
      column.compression = rocksdb::kLZ4Compression;
      break;
    case Access::kMax64:
      column.merge_operator = std::make_shared<Max64>();
      break;
  }
  // 100,000 deletions in a row make a Seek take 31-49 ms: a file with a dense run of them is
  // compacted soon.
  column.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(4096, 1024));
  column.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return column;
}

std::unordered_map<std::string, std::string> CompactionOptions(bool bulk_load) {
  return {{"level0_file_num_compaction_trigger",
           std::to_string(bulk_load ? kLevel0FilesOfBulkLoad : kLevel0Files)},
          {"max_bytes_for_level_base",
           std::to_string(bulk_load ? kLevelBaseBytesOfBulkLoad : kLevelBaseBytes)}};
}

std::vector<rocksdb::ColumnFamilyDescriptor> MakeColumns(
    const StorageOptions& options, const std::shared_ptr<rocksdb::Cache>& cache) {
  std::vector<rocksdb::ColumnFamilyDescriptor> columns;
  columns.reserve(options.columns.size());
  for (const ColumnSpec& spec : options.columns) {
    columns.emplace_back(spec.name, MakeColumnOptions(spec.access, cache));
  }
  return columns;
}

}  // namespace latchkey
