// Whatever the bytes: a JWT that is taken for one has no other spelling, its claims read the same
// when they are signed again, and a signature holds only if libsodium's HMAC says so. In an input
// $SIG stands for the signature, under the key of this file, over what stands before its dot.
#include <sodium.h>

#include <algorithm>
#include <vector>

#include "crypto/base64url.h"
#include "crypto/jwt.h"
#include "fuzz/target.h"

namespace latchkey::fuzz {
namespace {

constexpr std::string_view kKey = "only these inputs are signed with it";
const std::span<const uint8_t> kKeyBytes(reinterpret_cast<const uint8_t*>(kKey.data()),
                                         kKey.size());

Bytes Encoded(std::span<const uint8_t> bytes) {
  Bytes text(Base64UrlSize(bytes.size()), '\0');
  EncodeBase64Url(bytes, text.data());
  return text;
}

Bytes SignatureOf(ByteView text) {
  std::array<uint8_t, crypto_auth_hmacsha256_BYTES> mac;
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, kKeyBytes.data(), kKeyBytes.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const uint8_t*>(text.data()), text.size());
  crypto_auth_hmacsha256_final(&state, mac.data());
  return Encoded(mac);
}

Bytes Respelled(ByteView part) {
  std::vector<uint8_t> bytes(Base64UrlDecodedSize(part.size()));
  DecodeBase64Url(part, bytes.data());
  return Encoded(bytes);
}

void ExpectCanonical(ByteView jwt) {
  Bytes respelled;
  for (size_t at = 0; at <= jwt.size();) {
    const size_t end = std::min(jwt.find('.', at), jwt.size());
    if (at != 0) respelled.push_back('.');
    respelled += Respelled(jwt.substr(at, end - at));
    at = end + 1;
  }
  // As if a letter at the end were not looked at.
  Expect(respelled == jwt && !Canary(jwt.ends_with('8')), "a JWT with two spellings", jwt);
}

void ExpectSameWhenSigned(const JwtClaims& claims) {
  JwtBuffer again;
  if (!SignJwt(claims, kKeyBytes, &again).ok()) return;  // too long when it is spelled out
  Expect(HasValidSignature(again.Expose(), kKeyBytes), "what was signed is not valid");
  const Result<JwtClaims> read = ReadClaims(again.Expose());
  Expect(read.ok() && read->audience == claims.audience && read->issuer == claims.issuer &&
             read->subject == claims.subject && read->issued_s == claims.issued_s &&
             read->expires_s == claims.expires_s,
         "what was signed has other claims");
}

void Read(std::string jwt) {
  if (const size_t at = jwt.find("$SIG"); at != std::string::npos && at > 0) {
    Replace(&jwt, "$SIG", SignatureOf(ByteView(jwt).substr(0, at - 1)));
  }
  const bool is_valid = HasValidSignature(jwt, kKeyBytes);
  const Result<JwtClaims> claims = ReadClaims(jwt);
  if (!IsWellFormedJwt(jwt)) {
    Expect(!is_valid && !claims.ok() && !ClaimsJson(jwt).ok(), "read, and yet no JWT", jwt);
    return;
  }
  ExpectCanonical(jwt);
  const size_t dot = jwt.rfind('.');
  Expect(is_valid == (SignatureOf(ByteView(jwt).substr(0, dot)) == jwt.substr(dot + 1)),
         "another judgement of a signature", jwt);
  if (claims.ok()) ExpectSameWhenSigned(*claims);
}

}  // namespace
}  // namespace latchkey::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool started = latchkey::InitCrypto().ok();
  latchkey::fuzz::Expect(started, "libsodium could not start");
  latchkey::fuzz::Read(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
