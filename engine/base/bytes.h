// Bytes as the engine passes them around. Text that has no meaning here: nothing below knows of
// encodings, and nothing that holds a secret uses these types (crypto/secret.h does).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace latchkey {

using Bytes = std::string;          // owned
using ByteView = std::string_view;  // borrowed

template <size_t N>
ByteView View(const std::array<uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

// Copies exactly N bytes; the caller has checked the size.
template <size_t N>
std::array<uint8_t, N> ToArray(ByteView bytes) {
  std::array<uint8_t, N> out;
  std::memcpy(out.data(), bytes.data(), N);
  return out;
}

// Lower-case hexadecimal.
Bytes HexEncode(ByteView bytes);
// Accepts either case; false if the size is not 2 * size or a digit is foreign. Not constant time.
bool HexDecode(ByteView hex, uint8_t* out, size_t size);

inline uint64_t LoadLe64(const void* p) {
  uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void StoreLe64(void* p, uint64_t v) { std::memcpy(p, &v, sizeof v); }
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are little-endian");

// CRC-32 (IEEE 802.3, reflected 0xEDB88320, as zlib and gzip compute it): finds typing mistakes and
// torn writes. Never a security check.
uint32_t Crc32(ByteView bytes);

}  // namespace latchkey
