// base64url without padding (RFC 4648 section 5), in its one canonical spelling: the bits that the
// last character has to spare are zero, so that no two texts decode to the same bytes.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace latchkey {

constexpr size_t Base64UrlSize(size_t bytes) { return (bytes * 4 + 2) / 3; }
constexpr size_t Base64UrlDecodedSize(size_t text_size) { return text_size * 3 / 4; }

// Empty text is canonical.
bool IsCanonicalBase64Url(ByteView text);

// `out` must hold Base64UrlSize(bytes.size()) characters.
void EncodeBase64Url(std::span<const uint8_t> bytes, char* out);
// `text` must be canonical, `out` of Base64UrlDecodedSize(text.size()) bytes.
void DecodeBase64Url(ByteView text, uint8_t* out);

}  // namespace latchkey
