// Committing a large batch by files: one table a column, sorted and synced, which RocksDB then
// takes as they are. A create costs the log, the memtable and a flush; this is the flush alone.
#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <system_error>
#include <thread>

#include "storage/batch_impl.h"
#include "storage/ingest_impl.h"
#include "storage/rocks_status.h"
#include "storage/storage_impl.h"

namespace latchkey {
namespace {

using Entry = Batch::Impl::Entry;
using Change = Batch::Impl::Change;

struct Table {
  uint8_t column = 0;
  std::vector<const Entry*> entries;
  size_t bytes = 0;
  std::string path;
  rocksdb::Status status;
};

std::vector<Table> Split(const Batch::Impl& batch) {
  std::vector<Table> tables(batch.db->columns().size());
  for (const Entry& entry : batch.entries) {
    Table& table = tables[entry.column];
    table.entries.push_back(&entry);
    table.bytes += entry.key_size + entry.value_size;
  }
  for (size_t i = 0; i < tables.size(); ++i) {
    tables[i].column = static_cast<uint8_t>(i);
    tables[i].path =
        batch.db->get()->GetName() + "/" + std::string(kIngestPrefix) + std::to_string(i) + ".sst";
  }
  std::erase_if(tables, [](const Table& table) { return table.entries.empty(); });
  return tables;
}

rocksdb::Status WriteTable(const OpenDb& db, Table* table) {
  std::sort(table->entries.begin(), table->entries.end(),
            [](const Entry* a, const Entry* b) { return a->key_view() < b->key_view(); });
  rocksdb::ColumnFamilyHandle* column = db.column(table->column);
  const rocksdb::Options options = db.get()->GetOptions(column);
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(options), options, column,
                                /*invalidate_page_cache=*/false);
  rocksdb::Status status = writer.Open(table->path);
  for (const Entry* entry : table->entries) {
    if (!status.ok()) return status;
    const rocksdb::Slice key = ToSlice(entry->key_view());
    status = entry->change == Change::kPut      ? writer.Put(key, ToSlice(entry->value_view()))
             : entry->change == Change::kDelete ? writer.Delete(key)
                                                : rocksdb::Status::NotSupported();
  }
  return status.ok() ? writer.Finish() : status;  // synced
}

// By two threads, so that the largest column is not waited for twice. What one cannot take, because
// no thread can be had, the other does.
rocksdb::Status WriteTables(const OpenDb& db, std::vector<Table>* tables) {
  std::sort(tables->begin(), tables->end(),
            [](const Table& a, const Table& b) { return a.bytes > b.bytes; });
  std::atomic<size_t> next{0};
  const auto write_some = [&]() noexcept {
    const CountersOff counters_off;
    for (size_t i = next++; i < tables->size(); i = next++) {
      Table& table = (*tables)[i];
      try {
        table.status = WriteTable(db, &table);
      } catch (const std::bad_alloc&) {
        table.status = rocksdb::Status::MemoryLimit();
      }
    }
  };
  std::thread second;
  try {
    second = std::thread(write_some);
  } catch (const std::system_error&) {
  }
  write_some();
  if (second.joinable()) second.join();
  for (const Table& table : *tables) {
    if (!table.status.ok()) return table.status;
  }
  return rocksdb::Status::OK();
}

rocksdb::Status TakeIn(const OpenDb& db, const std::vector<Table>& tables) {
  std::vector<rocksdb::IngestExternalFileArg> arguments;
  for (const Table& table : tables) {
    rocksdb::IngestExternalFileArg& argument = arguments.emplace_back();
    argument.column_family = db.column(table.column);
    argument.external_files = {table.path};
    argument.options.move_files = true;  // a link, not a copy; RocksDB syncs it and its folder
    argument.options.failed_move_fall_back_to_copy = false;
    argument.options.write_global_seqno = false;  // in the MANIFEST alone: the file stays as it was
  }
  // Memtables with any of these keys are flushed first, all columns as one; then one record of the
  // MANIFEST takes all tables or none.
  return db.get()->IngestExternalFiles(arguments);
}

}  // namespace

Status Storage::Ingest(Batch* batch) {
  if (const rocksdb::Status failed = impl_->first_error->get(); !failed.ok()) {
    return FromRocks(failed);
  }
  if (batch->empty()) return Status::Ok();
  batch->impl_->TellFilter();
  std::vector<Table> tables = Split(*batch->impl_);
  rocksdb::Status status = WriteTables(*impl_->db, &tables);
  if (status.ok()) status = TakeIn(*impl_->db, tables);
  if (status.ok()) return Status::Ok();
  impl_->first_error->Note(status);
  return FromRocks(impl_->first_error->get());
}

void RemoveIngestLeftovers(rocksdb::Env* env, const std::string& path,
                           const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (name.starts_with(kIngestPrefix)) env->DeleteFile(path + "/" + name).PermitUncheckedError();
  }
}

}  // namespace latchkey
