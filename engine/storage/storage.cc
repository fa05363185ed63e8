// The store over RocksDB: reading, scanning, committing.
#include "storage/storage.h"

#include <rocksdb/transaction_log.h>

#include <algorithm>
#include <utility>

#include "storage/batch_impl.h"
#include "storage/rocks_status.h"
#include "storage/storage_impl.h"

namespace latchkey {
namespace {

// The smallest key above all that begin with `prefix`; empty when there is none.
Bytes AbovePrefix(ByteView prefix) {
  Bytes above(prefix);
  while (!above.empty() && static_cast<uint8_t>(above.back()) == 0xff) above.pop_back();
  if (!above.empty()) above.back() = static_cast<char>(static_cast<uint8_t>(above.back()) + 1);
  return above;
}

constexpr size_t kBatchHeaderBytes = 64;

// One write a key, those of a column side by side and in order, which the memtables like best.
rocksdb::Status Gather(const Batch::Impl& batch, rocksdb::WriteBatch* writes) {
  using Change = Batch::Impl::Change;
  if (batch.merged_onto_foreign) return rocksdb::Status::Corruption();
  rocksdb::Status status;
  for (const Batch::Impl::Entry* entry : batch.Sorted()) {
    rocksdb::ColumnFamilyHandle* column = batch.db->column(entry->column);
    const rocksdb::Slice key = ToSlice(entry->key_view());
    const rocksdb::Slice value = ToSlice(entry->value_view());
    switch (entry->change) {
      case Change::kPut:
        status = writes->Put(column, key, value);
        break;
      case Change::kDelete:
        status = writes->Delete(column, key);
        break;
      case Change::kMax64:
        status = writes->Merge(column, key, value);
        break;
      case Change::kNone:
        break;
    }
    if (!status.ok()) return status;
  }
  return status;
}

}  // namespace

// ---- Snapshot

Snapshot::Snapshot(const Storage& storage)
    : storage_(storage), snapshot_(storage.impl_->db->get()->GetSnapshot()) {}

Snapshot::~Snapshot() {
  storage_.impl_->db->get()->ReleaseSnapshot(static_cast<const rocksdb::Snapshot*>(snapshot_));
}

// ---- Scan

struct Scan::Impl {
  Bytes prefix;
  Bytes above;  // RocksDB borrows both for as long as the iterator lives
  rocksdb::Slice above_slice;
  std::unique_ptr<rocksdb::Iterator> iterator;
};

Scan::Scan(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Scan::~Scan() = default;
Scan::Scan(Scan&&) noexcept = default;

bool Scan::Valid() const {
  return impl_->iterator->Valid() && impl_->iterator->key().starts_with(ToSlice(impl_->prefix));
}
void Scan::Next() { impl_->iterator->Next(); }
ByteView Scan::key() const { return FromSlice(impl_->iterator->key()); }
ByteView Scan::value() const { return FromSlice(impl_->iterator->value()); }
Status Scan::status() const { return FromRocks(impl_->iterator->status()); }

// ---- Storage

Storage::Storage(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Storage::~Storage() = default;

Result<Bytes> Storage::Get(uint8_t column, ByteView key, const Snapshot* snapshot) const {
  rocksdb::ReadOptions read;
  if (snapshot != nullptr) {
    read.snapshot = static_cast<const rocksdb::Snapshot*>(snapshot->snapshot_);
  }
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      impl_->db->get()->Get(read, impl_->db->column(column), ToSlice(key), &value);
  if (!status.ok()) return FromRocks(status);
  return Bytes(value.data(), value.size());
}

Result<std::vector<std::optional<Bytes>>> Storage::MultiGet(uint8_t column,
                                                            std::span<const ByteView> keys,
                                                            const Snapshot* snapshot) const {
  rocksdb::ReadOptions read;
  if (snapshot != nullptr) {
    read.snapshot = static_cast<const rocksdb::Snapshot*>(snapshot->snapshot_);
  }
  std::vector<rocksdb::Slice> slices(keys.size());
  std::transform(keys.begin(), keys.end(), slices.begin(), ToSlice);
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  impl_->db->get()->MultiGet(read, impl_->db->column(column), keys.size(), slices.data(),
                             values.data(), statuses.data());
  std::vector<std::optional<Bytes>> found(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return FromRocks(statuses[i]);
    found[i].emplace(values[i].data(), values[i].size());
  }
  return found;
}

Scan Storage::ScanPrefix(uint8_t column, ByteView prefix, ByteView from, const Snapshot* snapshot,
                         bool fill_cache) const {
  auto scan = std::make_unique<Scan::Impl>();
  scan->prefix = prefix;
  scan->above = AbovePrefix(prefix);
  scan->above_slice = scan->above;
  rocksdb::ReadOptions read;
  read.total_order_seek = true;
  read.fill_cache = fill_cache;
  if (!scan->above.empty()) read.iterate_upper_bound = &scan->above_slice;
  if (snapshot != nullptr) {
    read.snapshot = static_cast<const rocksdb::Snapshot*>(snapshot->snapshot_);
  }
  scan->iterator.reset(impl_->db->get()->NewIterator(read, impl_->db->column(column)));
  scan->iterator->Seek(ToSlice(std::max(prefix, from)));
  return Scan(std::move(scan));
}

Result<Bytes> Storage::LastKey(uint8_t column, ByteView prefix) const {
  const Bytes above = AbovePrefix(prefix);
  const rocksdb::Slice above_slice = above;
  rocksdb::ReadOptions read;
  read.total_order_seek = true;
  // An upper bound makes SeekToLast() stop below it.
  if (!above.empty()) read.iterate_upper_bound = &above_slice;
  const std::unique_ptr<rocksdb::Iterator> iterator(
      impl_->db->get()->NewIterator(read, impl_->db->column(column)));
  iterator->SeekToLast();
  if (!iterator->status().ok()) return FromRocks(iterator->status());
  if (!iterator->Valid() || !iterator->key().starts_with(ToSlice(prefix))) {
    return Status::Error(Code::kNotFound, "no key with this prefix");
  }
  return Bytes(FromSlice(iterator->key()));
}

Status Storage::Commit(Batch* batch) {
  const CountersOff counters_off;
  if (const rocksdb::Status failed = impl_->first_error->get(); !failed.ok()) {
    return FromRocks(failed);
  }
  if (batch->empty()) return Status::Ok();
  batch->impl_->TellFilter();
  rocksdb::WriteBatch writes(batch->size_bytes() + kBatchHeaderBytes);
  rocksdb::Status status = Gather(*batch->impl_, &writes);
  if (status.ok()) {
    rocksdb::WriteOptions write;
    write.sync = true;
    status = impl_->db->get()->Write(write, &writes);
  }
  if (status.ok()) return Status::Ok();
  impl_->first_error->Note(status);  // RocksDB may have noted it already, in its own words
  return FromRocks(impl_->first_error->get());
}

Status Storage::SetBulkLoad(std::span<const uint8_t> columns, bool on) {
  for (const uint8_t column : columns) {
    const rocksdb::Status status =
        impl_->db->get()->SetOptions(impl_->db->column(column), CompactionOptions(on));
    if (!status.ok()) return FromRocks(status);
  }
  return Status::Ok();
}

Status Storage::Flush() {
  if (const rocksdb::Status failed = impl_->first_error->get(); !failed.ok()) {
    return FromRocks(failed);
  }
  rocksdb::FlushOptions flush;
  flush.wait = true;
  return FromRocks(impl_->db->get()->Flush(flush, impl_->db->columns()));
}

Storage::Sizes Storage::sizes() const {
  rocksdb::DB* db = impl_->db->get();
  Sizes sizes{};
  rocksdb::VectorLogPtr logs;
  if (db->GetSortedWalFiles(logs).ok()) {
    for (const auto& log : logs) sizes.log_bytes += log->SizeFileBytes();
  }
  uint64_t tables = 0;
  uint64_t memtables = 0;
  db->GetAggregatedIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &tables);
  db->GetAggregatedIntProperty(rocksdb::DB::Properties::kSizeAllMemTables, &memtables);
  sizes.disk_bytes = tables + sizes.log_bytes;
  sizes.memory_bytes = memtables + impl_->cache->GetUsage();
  return sizes;
}

}  // namespace latchkey
