// JSON Web Tokens, as narrow as the product needs them (RFC 7519, RFC 8725): HS256, one header, no
// choice. Nothing here trusts a claim before its signature has been checked, except ReadClaims(),
// which says so.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace latchkey {

// Three non-empty parts, each canonical unpadded base64url (no spare bits set); a header that is
// exactly {"typ":"JWT","alg":"HS256"} in either order of its members; a signature of 32 bytes; at
// most limits::kSecretBytesMax. Looks at nothing else. No allocation: the header's two accepted
// encodings are compared as text.
bool IsWellFormedJwt(ByteView jwt);

// Decoded strings are bounded copies; a claim that is absent is empty or nullopt. "aud" must be one
// string. Numbers must be whole seconds, 0..limits::kTimeMaxS.
struct JwtClaims {
  Bytes audience{};
  Bytes issuer{};
  Bytes subject{};
  std::optional<int64_t> issued_s{};
  std::optional<int64_t> expires_s{};
};

// Reads the claims of a well-formed JWT without checking its signature: for import, where the
// digest is what counts. INVALID_ARGUMENT for a JWT that is not well-formed, a payload that is not
// a JSON object of at most limits::kJwtClaimsBytesMax bytes, or one with a claim of the wrong type
// or named twice.
Result<JwtClaims> ReadClaims(ByteView jwt);

// Constant-time check of the signature. False for a JWT that is not well-formed, and for a `secret`
// that is not 1..limits::kJwtSecretBytesMax bytes.
bool HasValidSignature(ByteView jwt, std::span<const uint8_t> secret);

// A JWT with the claims aud, exp, iat, iss, sub, in this order and without those that are absent,
// signed HS256. INVALID_ARGUMENT for a string that is not valid UTF-8, a time out of bounds, a
// secret of the wrong size, claims longer than limits::kJwtClaimsBytesMax or a JWT longer than
// limits::kSecretBytesMax; `out` is then empty.
using JwtBuffer = SecretBuffer<8192>;
Status SignJwt(const JwtClaims& claims, std::span<const uint8_t> secret, JwtBuffer* out);

// header.payload.REDACTED of a claims JSON text (as stored), for replies that must carry a `token`.
Bytes RedactedJwt(ByteView claims_json);
// The payload's text of a well-formed JWT, to be stored in place of the token itself, once
// ReadClaims() has found it to be JSON.
Result<Bytes> ClaimsJson(ByteView jwt);

}  // namespace latchkey
