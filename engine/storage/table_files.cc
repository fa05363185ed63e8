// Finding the properties block of a table.
#include "storage/table_files_impl.h"

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "storage/storage_impl.h"

namespace latchkey {
namespace {

using rocksdb::IOStatus;

constexpr size_t kFooterSize = 53;
constexpr size_t kChecksumTypeSize = 1;
constexpr ByteView kMagic("\xf7\xcf\xf4\x85\xb7\x41\xe2\x88", 8);
constexpr ByteView kPropertiesName = "rocksdb.properties";
constexpr size_t kNamesSizeMax = 64 * 1024;  // of the block that names the others: some 100 bytes
constexpr uint8_t kHasHashIndex = 0x80;      // in the last byte of a block

struct BlockPlace {
  uint64_t offset = 0;
  uint64_t size = 0;
};

std::optional<uint64_t> TakeVarint(ByteView* bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes->size() && i < 10; ++i) {
    const auto byte = static_cast<uint8_t>((*bytes)[i]);
    value |= uint64_t{byte & 0x7fu} << (7 * i);
    if (byte < 0x80) {
      bytes->remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

std::optional<BlockPlace> TakePlace(ByteView bytes) {
  const std::optional<uint64_t> offset = TakeVarint(&bytes);
  const std::optional<uint64_t> size = TakeVarint(&bytes);
  if (!offset || !size) return std::nullopt;
  return BlockPlace{*offset, *size};
}

class Table {
 public:
  Table(const rocksdb::FSRandomAccessFile& file, uint64_t size) : file_(file), size_(size) {}

  // OK also where RocksDB will find by itself that it is no table, or a damaged one.
  IOStatus Check() const {
    if (size_ < kFooterSize) return IOStatus::OK();
    Bytes footer;
    IOStatus status = Read({size_ - kFooterSize, kFooterSize}, &footer);
    if (!status.ok() || !ByteView(footer).ends_with(kMagic)) return status;
    const auto names_place = TakePlace(ByteView(footer).substr(kChecksumTypeSize));
    if (!names_place || !Holds(*names_place) || names_place->size > kNamesSizeMax) return status;
    Bytes names;
    status = Read(*names_place, &names);
    const size_t at = names.find(kPropertiesName);
    if (!status.ok() || at == Bytes::npos) return status;
    const auto place = TakePlace(ByteView(names).substr(at + kPropertiesName.size()));
    if (!place || !Holds(*place) || place->size == 0) return status;
    Bytes last;
    status = Read({place->offset + place->size - 1, 1}, &last);
    if (!status.ok() || (static_cast<uint8_t>(last[0]) & kHasHashIndex) == 0) return status;
    return IOStatus::Corruption("a table's properties");
  }

 private:
  bool Holds(const BlockPlace& place) const {
    return place.offset <= size_ && place.size <= size_ - place.offset;
  }
  IOStatus Read(const BlockPlace& place, Bytes* out) const {
    out->resize(place.size);
    rocksdb::Slice read;
    const IOStatus status =
        file_.Read(place.offset, place.size, rocksdb::IOOptions(), &read, out->data(), nullptr);
    if (!status.ok()) return status;
    if (read.size() != place.size) return IOStatus::Corruption("a table that has become shorter");
    if (read.data() != out->data()) *out = Bytes(FromSlice(read));
    return status;
  }

  const rocksdb::FSRandomAccessFile& file_;
  const uint64_t size_;
};

}  // namespace

IOStatus TableFiles::NewRandomAccessFile(const std::string& name,
                                         const rocksdb::FileOptions& options,
                                         std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                         rocksdb::IODebugContext* debug) {
  IOStatus status = FileSystemWrapper::NewRandomAccessFile(name, options, file, debug);
  if (!status.ok() || !name.ends_with(".sst")) return status;
  uint64_t size = 0;
  status = GetFileSize(name, rocksdb::IOOptions(), &size, debug);
  if (status.ok()) status = Table(**file, size).Check();
  if (!status.ok()) file->reset();
  return status;
}

std::unique_ptr<rocksdb::Env> WithTableFiles(const rocksdb::Env& env) {
  return rocksdb::NewCompositeEnv(std::make_shared<TableFiles>(env.GetFileSystem()));
}

}  // namespace latchkey
