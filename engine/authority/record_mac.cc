// Closing and opening of record values, and the sum over them.
#include "authority/record_mac.h"

namespace latchkey {
namespace {

constexpr size_t kMacSize = 16;

__extension__ typedef unsigned __int128 Uint128;

Uint128 LoadSum(const void* p) {
  Uint128 v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

}  // namespace

std::array<uint8_t, 16> RecordMac::Compute(uint32_t version, uint8_t column, ByteView key,
                                           ByteView fields) const {
  // Every part before the fields has a fixed size or its size before it, so no two inputs are
  // alike.
  const auto key_size = static_cast<uint16_t>(key.size());
  std::array<uint8_t, 7> head{column};
  std::memcpy(head.data() + 1, &version, sizeof version);
  std::memcpy(head.data() + 5, &key_size, sizeof key_size);
  return Blake2b128(ring_.mac_key(version), View(head), key, fields);
}

Bytes RecordMac::Close(uint8_t column, ByteView key, const Bytes& fields) const {
  const uint32_t version = ring_.newest_version();
  Bytes value = fields;
  value.append(reinterpret_cast<const char*>(&version), sizeof version);
  value += View(Compute(version, column, key, fields));
  return value;
}

Result<ByteView> RecordMac::Open(uint8_t column, ByteView key, ByteView value) const {
  if (value.size() < kTrailerSize) {
    return Status::Error(Code::kCorruption, "a record is too short to carry its MAC");
  }
  const ByteView fields = value.substr(0, value.size() - kTrailerSize);
  uint32_t version = 0;
  std::memcpy(&version, value.data() + fields.size(), sizeof version);
  if (!ring_.has(version)) {
    return Status::Error(Code::kCorruption, "a record names a pepper version that there is not");
  }
  const auto expected = Compute(version, column, key, fields);
  if (value.substr(value.size() - kMacSize) != View(expected)) {
    return Status::Error(Code::kCorruption,
                         "a record was altered: its MAC does not hold for its key and content; "
                         "latchkey repair --dry-run says which");
  }
  return fields;
}

void RecordMac::Add(MacSum* sum, ByteView value) {
  const Uint128 v = LoadSum(sum->data()) + LoadSum(value.data() + value.size() - kMacSize);
  std::memcpy(sum->data(), &v, sizeof v);
}

void RecordMac::Subtract(MacSum* sum, ByteView value) {
  const Uint128 v = LoadSum(sum->data()) - LoadSum(value.data() + value.size() - kMacSize);
  std::memcpy(sum->data(), &v, sizeof v);
}

}  // namespace latchkey
