// UUIDs made, read and written. Nothing here is secret, so nothing runs in constant time.
#include "base/uuid.h"

#include <algorithm>

namespace latchkey {
namespace {

constexpr size_t kPlainSize = 32;  // digits only
constexpr ByteView kUrnPrefix = "urn:uuid:";

constexpr bool IsHyphenPlace(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

Uuid MakeUuidV7(int64_t unix_ms, const std::array<uint8_t, 10>& random) {
  constexpr int64_t kLargest = (int64_t{1} << 48) - 1;  // the field has 48 bits
  const auto time = static_cast<uint64_t>(std::clamp<int64_t>(unix_ms, 0, kLargest));
  Uuid uuid;
  for (size_t i = 0; i < 6; ++i) uuid.bytes[i] = static_cast<uint8_t>(time >> (40 - 8 * i));
  std::copy(random.begin(), random.end(), uuid.bytes.begin() + 6);
  uuid.bytes[6] = static_cast<uint8_t>((uuid.bytes[6] & 0x0F) | 0x70);  // version 7
  uuid.bytes[8] = static_cast<uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);  // RFC 9562 variant
  return uuid;
}

Result<Uuid> ParseUuid(ByteView text) {
  const Status error = Status::Error(Code::kInvalidArgument, "not a UUID");
  if (text.size() == Uuid::kTextSize + 2) {
    if (text.front() != '{' || text.back() != '}') return error;
    text = text.substr(1, Uuid::kTextSize);
  } else if (text.size() == kUrnPrefix.size() + Uuid::kTextSize) {
    for (size_t i = 0; i < kUrnPrefix.size(); ++i) {
      const char c = text[i];
      const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      if (lower != kUrnPrefix[i]) return error;
    }
    text.remove_prefix(kUrnPrefix.size());
  }

  char digits[kPlainSize];
  if (text.size() == kPlainSize) {
    std::copy(text.begin(), text.end(), digits);
  } else if (text.size() == Uuid::kTextSize) {
    size_t size = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (IsHyphenPlace(i) ? text[i] != '-' : text[i] == '-') return error;
      if (!IsHyphenPlace(i)) digits[size++] = text[i];
    }
  } else {
    return error;
  }
  Uuid uuid;
  if (!HexDecode({digits, kPlainSize}, uuid.bytes.data(), Uuid::kSize)) return error;
  return uuid;
}

void FormatUuid(const Uuid& uuid, char* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  size_t place = 0;
  for (const uint8_t byte : uuid.bytes) {
    if (IsHyphenPlace(place)) out[place++] = '-';
    out[place++] = kDigits[byte >> 4];
    out[place++] = kDigits[byte & 0xF];
  }
}

Bytes FormatUuid(const Uuid& uuid) {
  Bytes out(Uuid::kTextSize, '\0');
  FormatUuid(uuid, out.data());
  return out;
}

}  // namespace latchkey
