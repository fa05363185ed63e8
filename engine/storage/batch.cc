// A batch: what it changes is kept apart from the store until the whole is committed.
#include "storage/batch.h"

#include <algorithm>
#include <array>
#include <functional>

#include "storage/batch_impl.h"
#include "storage/rocks_status.h"
#include "storage/storage_impl.h"

namespace latchkey {
namespace {

constexpr size_t kFirstSlots = 32;
// Of one write in the log beside its key and value: type, column, two sizes.
constexpr size_t kEntryOverheadBytes = 5;

uint64_t HashOf(uint8_t column, ByteView key) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;  // so that columns with the same keys part
  const uint64_t hash = (std::hash<ByteView>()(key) ^ column) * kOdd;
  return hash ^ hash >> 32;
}

Status ForeignValue() {
  return Status::Error(Code::kCorruption, "a stored number does not read as one");
}

}  // namespace

// ---- Arena

char* Arena::Allocate(size_t size) {
  if (size > left_) {
    const size_t block_bytes = std::max(size, next_block_bytes_);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_bytes));
    free_ = blocks_.back().get();
    left_ = block_bytes;
    next_block_bytes_ = std::min(2 * next_block_bytes_, kBlockBytesMax);
  }
  char* bytes = free_;
  free_ += size;
  left_ -= size;
  return bytes;
}

// ---- Batch::Impl

size_t Batch::Impl::SlotOf(uint64_t hash, uint8_t column, ByteView key) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const Entry& entry = entries[slots_[slot] - 1];
    if (entry.hash == hash && entry.column == column && entry.key_view() == key) break;
  }
  return slot;
}

const Batch::Impl::Entry* Batch::Impl::Find(uint64_t hash, uint8_t column, ByteView key) const {
  if (entries.empty()) return nullptr;
  const size_t slot = SlotOf(hash, column, key);
  return slots_[slot] == 0 ? nullptr : &entries[slots_[slot] - 1];
}

Batch::Impl::Entry* Batch::Impl::FindOrAdd(uint8_t column, ByteView key) {
  if (2 * (entries.size() + 1) > slots_.size()) Grow();
  const uint64_t hash = HashOf(column, key);
  const size_t slot = SlotOf(hash, column, key);
  if (slots_[slot] != 0) return &entries[slots_[slot] - 1];
  char* copy = arena_.Allocate(key.size());
  key.copy(copy, key.size());
  entries.push_back(Entry{.key = copy,
                          .value = nullptr,
                          .hash = hash,
                          .key_size = static_cast<uint32_t>(key.size()),
                          .value_size = 0,
                          .column = column,
                          .change = Change::kNone});
  slots_[slot] = static_cast<uint32_t>(entries.size());
  bytes += key.size() + kEntryOverheadBytes;
  return &entries.back();
}

void Batch::Impl::Grow() {
  slots_.assign(std::max(2 * slots_.size(), kFirstSlots), 0);
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < entries.size(); ++i) {
    size_t slot = entries[i].hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<uint32_t>(i + 1);
  }
}

void Batch::Impl::Set(Entry* entry, Change change, ByteView value) {
  bytes += value.size();
  bytes -= entry->value_size;
  entry->change = change;
  if (value.size() > entry->value_size) {
    entry->value = nullptr;  // should there be no memory, nothing points past its end
    entry->value_size = 0;
    entry->value = arena_.Allocate(value.size());
  }
  if (!value.empty()) value.copy(entry->value, value.size());
  entry->value_size = static_cast<uint32_t>(value.size());
}

std::vector<const Batch::Impl::Entry*> Batch::Impl::Sorted() const {
  std::vector<const Entry*> sorted;
  sorted.reserve(entries.size());
  for (const Entry& entry : entries) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) {
    if (a->column != b->column) return a->column < b->column;
    return a->key_view() < b->key_view();
  });
  return sorted;
}

void Batch::Impl::TellFilter() const {
  if (filter == nullptr) return;
  for (const Entry& entry : entries) {
    if (filter->Covers(entry.column)) filter->Add(entry.column, entry.hash);
  }
}

// ---- Batch

Batch::Batch(const Storage& storage, KeyFilter* filter)
    : impl_(std::make_unique<Impl>(storage.impl_->db.get(), filter)) {}
Batch::~Batch() = default;
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;

void Batch::Put(uint8_t column, ByteView key, ByteView value) {
  impl_->Set(impl_->FindOrAdd(column, key), Impl::Change::kPut, value);
}

void Batch::Delete(uint8_t column, ByteView key) {
  impl_->Set(impl_->FindOrAdd(column, key), Impl::Change::kDelete, {});
}

void Batch::MergeMax64(uint8_t column, ByteView key, uint64_t value) {
  Impl::Entry* entry = impl_->FindOrAdd(column, key);
  auto change = Impl::Change::kMax64;
  if (entry->change == Impl::Change::kDelete) {
    change = Impl::Change::kPut;
  } else if (entry->change != Impl::Change::kNone) {
    change = entry->change;
    if (entry->value_size != sizeof value) {
      impl_->merged_onto_foreign = true;
      return;
    }
    value = std::max(value, LoadLe64(entry->value));
  }
  std::array<char, sizeof value> bytes;
  StoreLe64(bytes.data(), value);
  impl_->Set(entry, change, {bytes.data(), bytes.size()});
}

Result<Bytes> Batch::Get(uint8_t column, ByteView key) const {
  const uint64_t hash = HashOf(column, key);
  const Impl::Entry* entry = impl_->Find(hash, column, key);
  const KeyFilter* filter = impl_->filter;
  if (entry == nullptr
          ? filter != nullptr && filter->Covers(column) && !filter->MayHold(column, hash)
          : entry->change == Impl::Change::kDelete) {
    return Status::Error(Code::kNotFound, "there is no such key");
  }
  if (entry != nullptr && entry->change == Impl::Change::kPut) return Bytes(entry->value_view());

  const CountersOff counters_off;
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = impl_->db->get()->Get(
      rocksdb::ReadOptions(), impl_->db->column(column), ToSlice(key), &value);
  if (entry == nullptr) {
    if (!status.ok()) return FromRocks(status);
    return Bytes(value.data(), value.size());
  }
  if (status.IsNotFound()) return Bytes(entry->value_view());
  if (!status.ok()) return FromRocks(status);
  if (value.size() != sizeof(uint64_t)) return ForeignValue();
  const bool stored_is_greater = LoadLe64(value.data()) > LoadLe64(entry->value);
  return stored_is_greater ? Bytes(value.data(), value.size()) : Bytes(entry->value_view());
}

Result<bool> Batch::Has(uint8_t column, ByteView key) const {
  const KeyFilter* filter = impl_->filter;
  if (filter != nullptr && filter->Knows(column)) {
    const uint64_t hash = HashOf(column, key);
    return impl_->Find(hash, column, key) != nullptr || filter->MayHold(column, hash);
  }
  const Result<Bytes> value = Get(column, key);
  if (!value.ok() && value.code() != Code::kNotFound) return value.status();
  return value.ok();
}

size_t Batch::size_bytes() const { return impl_->bytes; }

bool Batch::empty() const { return impl_->entries.empty(); }

void Batch::Clear() { *impl_ = Impl(impl_->db, impl_->filter); }

}  // namespace latchkey
