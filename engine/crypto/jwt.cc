// Parsing, checking and signing of the one sort of JWT that there is.
#include "crypto/jwt.h"

#include <sodium.h>

#include <cstring>

#include "base/limits.h"
#include "base/text.h"
#include "codec/json.h"
#include "crypto/base64url.h"

namespace latchkey {
namespace {

// {"typ":"JWT","alg":"HS256"}, as the reference system writes it, and the other way round.
constexpr ByteView kHeader = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";
constexpr ByteView kHeaderAlgorithmFirst = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
constexpr ByteView kRedacted = "REDACTED";

constexpr size_t kSignatureSize = crypto_auth_hmacsha256_BYTES;
constexpr size_t kSignatureTextSize = Base64UrlSize(kSignatureSize);
using Signature = SecretBuffer<kSignatureSize>;

static_assert(JwtBuffer::capacity() == limits::kSecretBytesMax);

struct Parts {
  ByteView header;
  ByteView payload;
  ByteView signature;
  ByteView signed_text;  // header.payload
};

// Splits at the first two dots, without looking at what is between them. A third one is left to the
// signature, which may not hold it.
bool Split(ByteView jwt, Parts* parts) {
  const size_t first = jwt.find('.');
  if (first == ByteView::npos) return false;
  const size_t second = jwt.find('.', first + 1);
  if (second == ByteView::npos) return false;
  parts->header = jwt.substr(0, first);
  parts->payload = jwt.substr(first + 1, second - first - 1);
  parts->signature = jwt.substr(second + 1);
  parts->signed_text = jwt.substr(0, second);
  return true;
}

bool SplitWellFormed(ByteView jwt, Parts* parts) {
  if (jwt.size() > limits::kSecretBytesMax || !Split(jwt, parts)) return false;
  if (parts->header != kHeader && parts->header != kHeaderAlgorithmFirst) return false;
  if (parts->payload.empty() || parts->signature.size() != kSignatureTextSize) return false;
  // Both are looked at in full, whichever is wrong.
  return IsCanonicalBase64Url(parts->payload) & IsCanonicalBase64Url(parts->signature);
}

bool IsSecretSize(std::span<const uint8_t> secret) {
  return !secret.empty() && secret.size() <= limits::kJwtSecretBytesMax;
}

void Sign(ByteView text, std::span<const uint8_t> secret, Signature* out) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, secret.data(), secret.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()),
                                text.size());
  crypto_auth_hmacsha256_final(&state, out->ExposeForWriting().data());
  Wipe(&state, sizeof state);
  out->set_size(kSignatureSize);
}

std::span<const uint8_t> Octets(ByteView text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Status NotWellFormed() {
  return Status::Error(Code::kInvalidArgument, "not a JWT of the one form that is accepted");
}

Status ReadString(JsonObjectReader& reader, ByteView name, Bytes* out) {
  LATCHKEY_TRY_ASSIGN(const std::optional<ByteView> text, reader.String(name));
  if (text.has_value()) out->assign(*text);
  return Status::Ok();
}

bool IsTime(int64_t seconds) { return seconds >= 0 && seconds <= limits::kTimeMaxS; }

Status TimeOutOfBounds() {
  return Status::Error(Code::kInvalidArgument, "a JWT's time is before 1970 or after 9999");
}

Status ReadTime(JsonObjectReader& reader, ByteView name, std::optional<int64_t>* out) {
  LATCHKEY_TRY_ASSIGN(*out, reader.Whole(name));
  if (out->has_value() && !IsTime(**out)) return TimeOutOfBounds();
  return Status::Ok();
}

void AppendName(ByteView name, Bytes* out) {
  if (out->size() > 1) out->push_back(',');
  AppendJsonString(name, out);
  out->push_back(':');
}

Status AppendString(ByteView name, ByteView text, Bytes* out) {
  if (text.empty()) return Status::Ok();
  if (CountCodePoints(text) < 0) {
    return Status::Error(Code::kInvalidArgument, "a JWT's claim is not valid UTF-8");
  }
  AppendName(name, out);
  AppendJsonString(text, out);
  return Status::Ok();
}

Status AppendTime(ByteView name, std::optional<int64_t> seconds, Bytes* out) {
  if (!seconds.has_value()) return Status::Ok();
  if (!IsTime(*seconds)) return TimeOutOfBounds();
  AppendName(name, out);
  out->append(std::to_string(*seconds));
  return Status::Ok();
}

Result<Bytes> WriteClaims(const JwtClaims& claims) {
  // Before escaping, so that nothing beyond a small multiple of the limit is ever built.
  if (claims.audience.size() + claims.issuer.size() + claims.subject.size() >
      limits::kJwtClaimsBytesMax) {
    return Status::Error(Code::kInvalidArgument, "the claims of a JWT are too long");
  }
  Bytes json = "{";
  LATCHKEY_TRY(AppendString("aud", claims.audience, &json));
  LATCHKEY_TRY(AppendTime("exp", claims.expires_s, &json));
  LATCHKEY_TRY(AppendTime("iat", claims.issued_s, &json));
  LATCHKEY_TRY(AppendString("iss", claims.issuer, &json));
  LATCHKEY_TRY(AppendString("sub", claims.subject, &json));
  json.push_back('}');
  if (json.size() > limits::kJwtClaimsBytesMax) {
    return Status::Error(Code::kInvalidArgument, "the claims of a JWT are too long");
  }
  return json;
}

}  // namespace

bool IsWellFormedJwt(ByteView jwt) {
  Parts parts;
  return SplitWellFormed(jwt, &parts);
}

Result<Bytes> ClaimsJson(ByteView jwt) {
  Parts parts;
  if (!SplitWellFormed(jwt, &parts)) return NotWellFormed();
  Bytes json(Base64UrlDecodedSize(parts.payload.size()), '\0');
  if (json.size() > limits::kJwtClaimsBytesMax) {
    return Status::Error(Code::kInvalidArgument, "the claims of a JWT are too long");
  }
  DecodeBase64Url(parts.payload, reinterpret_cast<uint8_t*>(json.data()));
  return json;
}

Result<JwtClaims> ReadClaims(ByteView jwt) {
  LATCHKEY_TRY_ASSIGN(const Bytes json, ClaimsJson(jwt));
  JsonObjectReader reader;
  LATCHKEY_TRY(reader.Parse(json, limits::kJwtClaimsBytesMax));
  JwtClaims claims;
  LATCHKEY_TRY(ReadString(reader, "aud", &claims.audience));
  LATCHKEY_TRY(ReadString(reader, "iss", &claims.issuer));
  LATCHKEY_TRY(ReadString(reader, "sub", &claims.subject));
  LATCHKEY_TRY(ReadTime(reader, "iat", &claims.issued_s));
  LATCHKEY_TRY(ReadTime(reader, "exp", &claims.expires_s));
  return claims;
}

bool HasValidSignature(ByteView jwt, std::span<const uint8_t> secret) {
  Parts parts;
  if (!IsSecretSize(secret) || !SplitWellFormed(jwt, &parts)) return false;
  Signature presented;  // as good as the token to whoever has the rest of it
  DecodeBase64Url(parts.signature, presented.ExposeForWriting().data());
  Signature due;
  Sign(parts.signed_text, secret, &due);
  return crypto_verify_32(presented.ExposeForWriting().data(), due.ExposeForWriting().data()) == 0;
}

Status SignJwt(const JwtClaims& claims, std::span<const uint8_t> secret, JwtBuffer* out) {
  out->set_size(0);
  if (!IsSecretSize(secret)) {
    return Status::Error(Code::kInvalidArgument, "a JWT secret has 1 to 4096 bytes");
  }
  LATCHKEY_TRY_ASSIGN(const Bytes json, WriteClaims(claims));
  const size_t payload_size = Base64UrlSize(json.size());
  const size_t signed_size = kHeader.size() + 1 + payload_size;
  if (signed_size + 1 + kSignatureTextSize > limits::kSecretBytesMax) {
    return Status::Error(Code::kInvalidArgument, "the claims of a JWT are too long");
  }
  char* text = reinterpret_cast<char*>(out->ExposeForWriting().data());
  std::memcpy(text, kHeader.data(), kHeader.size());
  text[kHeader.size()] = '.';
  EncodeBase64Url(Octets(json), text + kHeader.size() + 1);
  Signature signature;
  Sign({text, signed_size}, secret, &signature);
  text[signed_size] = '.';
  EncodeBase64Url(Octets(signature.Expose()), text + signed_size + 1);
  out->set_size(signed_size + 1 + kSignatureTextSize);
  return Status::Ok();
}

Bytes RedactedJwt(ByteView claims_json) {
  Bytes out(kHeader);
  out.push_back('.');
  const size_t payload_at = out.size();
  out.resize(payload_at + Base64UrlSize(claims_json.size()));
  EncodeBase64Url(Octets(claims_json), out.data() + payload_at);
  out.push_back('.');
  return out.append(kRedacted);
}

}  // namespace latchkey
