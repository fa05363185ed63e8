// What a secret of each kind looks like, how one is made, and the check of its shape.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/random.h"
#include "crypto/secret.h"

namespace latchkey {

// Stored in kind records: append only.
enum class SecretFormat : uint8_t {
  kJwt = 1,           // three parts of base64url, HS256 (crypto/jwt.h); never generated
  kBase62x30 = 2,     // prefix + 30 of [0-9A-Za-z]: 178 bits, the reference system's keys
  kBase62x43Crc = 3,  // prefix + 43 of [0-9A-Za-z] (256 bits) + 6 of CRC-32 over prefix and body
};

// Longest generated secret: prefix + 43 + 6.
inline constexpr size_t kGeneratedSecretBytesMax = 96;
using GeneratedSecret = SecretBuffer<kGeneratedSecretBytesMax>;

// prefix: 2..32 of [0-9a-z_], ending in '_', beginning with a letter. INVALID_ARGUMENT otherwise.
Status CheckKeyPrefix(ByteView prefix);

// INTERNAL when the random source fails: no key is better than a weak one. UNSUPPORTED for kJwt.
Status GenerateSecret(SecretFormat format, ByteView prefix, Random& random, GeneratedSecret* out);

// Exact size, exact prefix, every body byte of the alphabet, checksum where the format has one.
// Whether the body is right takes the same time wherever it is wrong. kJwt: false (crypto/jwt.h).
bool HasShape(SecretFormat format, ByteView prefix, ByteView secret);
// Its two parts, for whoever knows the size beforehand. 0: not a format that is generated.
size_t SecretSize(SecretFormat format, ByteView prefix);
// Of a secret that has that size and begins with that prefix.
bool HasBody(SecretFormat format, size_t prefix_size, ByteView secret);

// Six base62 digits (0-9A-Za-z, most significant first, zero padded) of CRC-32 over `text`, which
// has at most kGeneratedSecretBytesMax bytes. No branch and no address depends on them.
void ChecksumBase62(ByteView text, char* out6);

}  // namespace latchkey
