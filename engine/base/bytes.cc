// Hexadecimal and CRC-32, by table; neither is for secrets (their time depends on the bytes).
#include "base/bytes.h"

namespace latchkey {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

// The value of a hexadecimal digit, or -1.
int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

consteval std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder & 1) != 0 ? (remainder >> 1) ^ 0xEDB88320u : remainder >> 1;
    }
    table[byte] = remainder;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kCrcTable = MakeCrcTable();

}  // namespace

Bytes HexEncode(ByteView bytes) {
  Bytes out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 0xF]);
  }
  return out;
}

bool HexDecode(ByteView hex, uint8_t* out, size_t size) {
  if (hex.size() % 2 != 0 || hex.size() / 2 != size) return false;
  for (size_t i = 0; i < size; ++i) {
    const int high = DigitValue(hex[2 * i]);
    const int low = DigitValue(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

uint32_t Crc32(ByteView bytes) {
  uint32_t remainder = 0xFFFFFFFFu;
  for (const char c : bytes) {
    remainder = kCrcTable[(remainder ^ static_cast<uint8_t>(c)) & 0xFF] ^ (remainder >> 8);
  }
  return ~remainder;
}

}  // namespace latchkey
