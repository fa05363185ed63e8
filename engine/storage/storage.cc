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
  Impl(ByteView its_prefix, Bytes its_above, const void* snapshot, bool fill_cache)
      : prefix(its_prefix), prefix_slice(prefix), above(std::move(its_above)), above_slice(above) {
    read.total_order_seek = true;
    read.fill_cache = fill_cache;
    read.snapshot = static_cast<const rocksdb::Snapshot*>(snapshot);
    if (!above.empty()) read.iterate_upper_bound = &above_slice;
  }
#if defined(__SANITIZE_THREAD__)
  // ThreadSanitizer does not see how RocksDB orders what it lends with those who wrote it. So it is
  // copied, in the one frame that engine/cmake/tsan.supp names, and all else is looked at.
  __attribute__((noinline)) static ByteView Lend(const rocksdb::Slice& slice, Bytes* copy) {
    copy->assign(slice.data(), slice.size());
    return *copy;
  }
  ByteView Key() { return Lend(iterator->key(), &key_copy); }
  ByteView Value() { return Lend(iterator->value(), &value_copy); }
  Bytes key_copy;
  Bytes value_copy;
#else
  ByteView Key() const { return FromSlice(iterator->key()); }
  ByteView Value() const { return FromSlice(iterator->value()); }
#endif
  // RocksDB borrows the bounds for as long as the iterator lives.
  const Bytes prefix;
  const rocksdb::Slice prefix_slice;
  const Bytes above;  // the first key behind those that are walked; empty = there is none
  const rocksdb::Slice above_slice;
  rocksdb::ReadOptions read;
  std::unique_ptr<rocksdb::Iterator> iterator;
  bool backward = false;
};

Scan::Scan(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Scan::~Scan() = default;
Scan::Scan(Scan&&) noexcept = default;

bool Scan::Valid() const { return impl_->iterator->Valid() && key().starts_with(impl_->prefix); }
void Scan::Next() { impl_->backward ? impl_->iterator->Prev() : impl_->iterator->Next(); }
ByteView Scan::key() const { return impl_->Key(); }
ByteView Scan::value() const { return impl_->Value(); }
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
  auto scan = std::make_unique<Scan::Impl>(
      prefix, AbovePrefix(prefix), snapshot == nullptr ? nullptr : snapshot->snapshot_, fill_cache);
  scan->iterator.reset(impl_->db->get()->NewIterator(scan->read, impl_->db->column(column)));
  scan->iterator->Seek(ToSlice(std::max(prefix, from)));
  return Scan(std::move(scan));
}

Scan Storage::ScanPrefixBackward(uint8_t column, ByteView prefix, ByteView below,
                                 const Snapshot* snapshot, bool fill_cache) const {
  Bytes above = AbovePrefix(prefix);
  if (!below.empty() && (above.empty() || below < ByteView(above))) above = below;
  auto scan = std::make_unique<Scan::Impl>(
      prefix, std::move(above), snapshot == nullptr ? nullptr : snapshot->snapshot_, fill_cache);
  scan->backward = true;
  scan->read.iterate_lower_bound = &scan->prefix_slice;
  scan->iterator.reset(impl_->db->get()->NewIterator(scan->read, impl_->db->column(column)));
  scan->iterator->SeekToLast();  // below the upper bound
  return Scan(std::move(scan));
}

Result<Bytes> Storage::LastKey(uint8_t column, ByteView prefix) const {
  const Scan scan = ScanPrefixBackward(column, prefix);
  LATCHKEY_TRY(scan.status());
  if (!scan.Valid()) return Status::Error(Code::kNotFound, "no key with this prefix");
  return Bytes(scan.key());
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
  const LogHold hold(&impl_->log_gate);  // until a failure is noted
  if (status.ok()) {
    rocksdb::WriteOptions write;
    write.sync = true;
    status = impl_->db->get()->Write(write, &writes);
  }
  if (status.ok()) return Status::Ok();
  impl_->first_error->Note(status);  // RocksDB may have noted it already, in its own words
  return FromRocks(impl_->first_error->get());
}

bool Storage::has_failed() const { return !impl_->first_error->get().ok(); }

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
