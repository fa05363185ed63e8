// Reading tables and logs one by one.
#include "storage/salvage.h"

#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table_properties.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "storage/log_frames.h"
#include "storage/rocks_options.h"
#include "storage/rocks_status.h"
#include "storage/storage_impl.h"
#include "storage/table_files_impl.h"

namespace latchkey {
namespace {

using Take = std::function<void(uint8_t column, ByteView key, ByteView value)>;

// The puts of a batch as the log has it. Columns were made in the order of the catalogue, so that
// RocksDB's numbers are ours; if they were not, no MAC would hold.
class Puts : public rocksdb::WriteBatch::Handler {
 public:
  Puts(std::span<const ColumnSpec> columns, const Take& take) : columns_(columns), take_(take) {}
  rocksdb::Status PutCF(uint32_t column, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    if (column < columns_.size()) {
      take_(static_cast<uint8_t>(column), FromSlice(key), FromSlice(value));
    }
    return {};
  }
  rocksdb::Status DeleteCF(uint32_t, const rocksdb::Slice&) override { return {}; }
  rocksdb::Status MergeCF(uint32_t, const rocksdb::Slice&, const rocksdb::Slice&) override {
    return {};
  }

 private:
  const std::span<const ColumnSpec> columns_;
  const Take& take_;
};

bool ReadLog(const std::string& path, std::span<const ColumnSpec> columns, const Take& take) {
  Bytes log;
  if (!rocksdb::ReadFileToString(rocksdb::Env::Default(), path, &log).ok()) return false;
  Puts puts(columns, take);
  bool whole = true;
  const uint64_t damaged = ReadLogFrames(log, [&](ByteView record) {
    const rocksdb::WriteBatch batch{Bytes(record)};
    whole = batch.Iterate(&puts).ok() && whole;
  });
  return whole && damaged == 0;
}

const ColumnSpec* ColumnOf(const rocksdb::SstFileReader& table,
                           std::span<const ColumnSpec> columns) {
  const auto properties = table.GetTableProperties();
  if (properties == nullptr) return nullptr;
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const ColumnSpec& column) {
    return properties->column_family_name == column.name;
  });
  return found == columns.end() ? nullptr : &*found;
}

// From the front as far as it goes, and if that is not all, from the back: of a table with one
// damaged block only that block is lost.
bool ReadTable(const std::string& path, std::span<const ColumnSpec> columns, const Take& take) {
  const std::unique_ptr<rocksdb::Env> env = WithTableFiles(*rocksdb::Env::Default());
  rocksdb::Options options;
  options.env = env.get();
  options.info_log = SilentLogger();
  rocksdb::SstFileReader table(options);
  if (!table.Open(path).ok()) return false;
  const ColumnSpec* column = ColumnOf(table, columns);
  if (column == nullptr) return false;
  if (column->access == Access::kMax64) return true;
  rocksdb::ReadOptions read;
  read.verify_checksums = true;
  read.fill_cache = false;
  std::optional<Bytes> last;
  const std::unique_ptr<rocksdb::Iterator> forward(table.NewIterator(read));
  for (forward->SeekToFirst(); forward->Valid(); forward->Next()) {
    take(column->id, FromSlice(forward->key()), FromSlice(forward->value()));
    last = Bytes(FromSlice(forward->key()));
  }
  if (forward->status().ok()) return true;
  const std::unique_ptr<rocksdb::Iterator> backward(table.NewIterator(read));
  for (backward->SeekToLast(); backward->Valid(); backward->Prev()) {
    const ByteView key = FromSlice(backward->key());
    if (last && key <= ByteView(*last)) break;
    take(column->id, key, FromSlice(backward->value()));
  }
  backward->status().PermitUncheckedError();
  return false;
}

// Files under a number; what a group that was never committed has left has another name.
bool HasNumberAnd(ByteView suffix, ByteView name) {
  if (!name.ends_with(suffix) || name.size() == suffix.size()) return false;
  const ByteView digits = name.substr(0, name.size() - suffix.size());
  return std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Status Salvage(const std::string& rocks_path, std::span<const ColumnSpec> columns, const Take& take,
               SalvageCount* count) {
  std::vector<std::string> names;
  const rocksdb::Status listed = rocksdb::Env::Default()->GetChildren(rocks_path, &names);
  if (listed.IsNotFound() || listed.subcode() == rocksdb::Status::kPathNotFound) {
    return Status::Error(Code::kNotFound, "there is no damaged store");
  }
  if (!listed.ok()) return FromRocks(listed);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const std::string path = rocks_path + "/" + name;
    const bool is_log = HasNumberAnd(".log", name);
    if (!is_log && !HasNumberAnd(".sst", name)) continue;
    ++count->files;
    const bool whole = is_log ? ReadLog(path, columns, take) : ReadTable(path, columns, take);
    if (!whole) ++count->damaged;
  }
  return Status::Ok();
}

}  // namespace latchkey
