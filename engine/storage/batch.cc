// A batch over an indexed write batch of RocksDB.
#include "storage/batch.h"

#include <array>
#include <cassert>

#include "storage/batch_impl.h"
#include "storage/rocks_status.h"
#include "storage/storage_impl.h"

namespace latchkey {

Batch::Batch(const Storage& storage) : impl_(std::make_unique<Impl>(storage.impl_->db.get())) {}
Batch::~Batch() = default;
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;

void Batch::Put(uint8_t column, ByteView key, ByteView value) {
  impl_->Note(impl_->writes.Put(impl_->db->column(column), ToSlice(key), ToSlice(value)));
}

void Batch::Delete(uint8_t column, ByteView key) {
  impl_->Note(impl_->writes.Delete(impl_->db->column(column), ToSlice(key)));
}

void Batch::MergeMax64(uint8_t column, ByteView key, uint64_t value) {
  std::array<char, sizeof value> operand;
  StoreLe64(operand.data(), value);
  impl_->Note(impl_->writes.Merge(impl_->db->column(column), ToSlice(key),
                                  rocksdb::Slice(operand.data(), operand.size())));
}

Result<Bytes> Batch::Get(uint8_t column, ByteView key) const {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = impl_->writes.GetFromBatchAndDB(
      impl_->db->get(), rocksdb::ReadOptions(), impl_->db->column(column), ToSlice(key), &value);
  if (!status.ok()) return FromRocks(status);
  return Bytes(value.data(), value.size());
}

size_t Batch::size_bytes() const { return impl_->writes.GetDataSize(); }

bool Batch::empty() const { return impl_->writes.GetWriteBatch()->Count() == 0; }

void Batch::Clear() {
  impl_->writes.Clear();
  impl_->failed = rocksdb::Status::OK();
}

}  // namespace latchkey
