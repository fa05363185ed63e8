// Unpadded base64url (RFC 4648 section 5), canonical forms only.
#include "crypto/base64url.h"

namespace latchkey {
namespace {

// All ones where `value` is at least `limit`, else zero; both below 2^31. Signatures and the
// session tokens they end pass through here, so neither a branch nor a table may depend on a
// character.
constexpr uint32_t AtLeast(uint32_t value, uint32_t limit) { return ((value - limit) >> 31) - 1; }

constexpr uint32_t InRange(uint32_t c, uint32_t first, uint32_t last) {
  return AtLeast(c, first) & ~AtLeast(c, last + 1);
}

constexpr char CharacterOf(uint32_t sextet) {
  const uint32_t upper = ~AtLeast(sextet, 26);
  const uint32_t lower = AtLeast(sextet, 26) & ~AtLeast(sextet, 52);
  const uint32_t digit = AtLeast(sextet, 52) & ~AtLeast(sextet, 62);
  const uint32_t hyphen = AtLeast(sextet, 62) & ~AtLeast(sextet, 63);
  const uint32_t underscore = AtLeast(sextet, 63);
  return static_cast<char>((upper & ('A' + sextet)) | (lower & ('a' + sextet - 26)) |
                           (digit & ('0' + sextet - 52)) | (hyphen & '-') | (underscore & '_'));
}

struct Sextet {
  uint32_t value;
  uint32_t valid;  // all ones or zero
};

constexpr Sextet SextetOf(char character) {
  const uint32_t c = static_cast<unsigned char>(character);
  const uint32_t upper = InRange(c, 'A', 'Z');
  const uint32_t lower = InRange(c, 'a', 'z');
  const uint32_t digit = InRange(c, '0', '9');
  const uint32_t hyphen = InRange(c, '-', '-');
  const uint32_t underscore = InRange(c, '_', '_');
  return {(upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (digit & (c - '0' + 52)) |
              (hyphen & 62) | (underscore & 63),
          upper | lower | digit | hyphen | underscore};
}

// Bits of the last character that belong to no byte, by what is left over of groups of four.
constexpr uint32_t SpareBits(size_t text_size) {
  switch (text_size % 4) {
    case 2:
      return 0x0F;
    case 3:
      return 0x03;
    default:
      return 0;
  }
}

}  // namespace

bool IsCanonicalBase64Url(ByteView text) {
  if (text.size() % 4 == 1) return false;
  if (text.empty()) return true;
  uint32_t valid = ~uint32_t{0};
  for (char character : text) valid &= SextetOf(character).valid;
  return valid != 0 && (SextetOf(text.back()).value & SpareBits(text.size())) == 0;
}

void EncodeBase64Url(std::span<const uint8_t> bytes, char* out) {
  uint32_t pending = 0;
  int pending_bits = 0;
  for (uint8_t byte : bytes) {
    pending = (pending << 8) | byte;
    pending_bits += 8;
    while (pending_bits >= 6) {
      pending_bits -= 6;
      *out++ = CharacterOf((pending >> pending_bits) & 0x3F);
    }
  }
  if (pending_bits > 0) *out = CharacterOf((pending << (6 - pending_bits)) & 0x3F);
}

void DecodeBase64Url(ByteView text, uint8_t* out) {
  uint32_t pending = 0;
  int pending_bits = 0;
  for (char character : text) {
    pending = (pending << 6) | SextetOf(character).value;
    pending_bits += 6;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      *out++ = static_cast<uint8_t>(pending >> pending_bits);
    }
  }
}

}  // namespace latchkey
