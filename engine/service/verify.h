// Judging what is presented: secrets, batches, leak reports, sessions.
#pragma once

#include <span>

#include "crypto/digest.h"
#include "crypto/jwt.h"
#include "service/credentials.h"

namespace latchkey {

// The numbers cross the C ABI: append only. The first that applies.
enum class Reason : uint32_t {
  kAllowed = 0,
  kMalformed = 1,
  kUnknown = 2,
  kRevoked = 3,
  kExpired = 4,
  kNotYet = 5,
  kLocked = 6,
  kDeleted = 7,
  kScope = 8,
};

struct JwtKey {
  std::span<const uint8_t> secret;
  ByteView issuer;
};

struct VerifyQuery {
  uint64_t required_scopes = 0;
  int64_t at_s = 0;                   // 0 = now, by the guarded clock
  const JwtKey* untracked = nullptr;  // accept user tokens that the store does not hold
};

struct Verdict {
  Reason reason = Reason::kUnknown;
  uint16_t kind = 0;
  Uuid uuid;
  Uuid owner;
  uint64_t scopes = 0;
  int64_t expires_s = 0;
  bool jwt_signed = false;  // a JWT whose signature and claims were judged, and held
  // Not kOk: the credential is not in memory and the store could not be asked (BUSY, IO,
  // CORRUPTION). Then the reason is kUnknown and says nothing.
  Code failure = Code::kOk;
};

// No lock, no allocation, no device, unless an untracked token is to be judged, or the verify table
// is not complete and does not hold the credential: then the store is read.
Verdict Verify(const Engine& engine, ByteView secret, const VerifyQuery& query);

// As Verify() for each of up to kVerifyGroupMax secrets, at one time: all are hashed before the
// first is looked up, so that the lines of the table are there when they are asked for. As many
// verdicts as secrets.
// Measured for batches of 256 at a million keys: groups of 8, 16, 32, 64 take 348, 338, 326, 322 ns
// a key; beyond 32 the gain is less than the spread, and the stack that it takes doubles.
inline constexpr size_t kVerifyGroupMax = 32;
void VerifyGroup(const Engine& engine, std::span<const ByteView> secrets, const VerifyQuery& query,
                 std::span<Verdict> verdicts);

// Whose credential is it? For every state.
Result<CredentialView> IdentifySecret(const Engine& engine, ByteView secret);
Result<CredentialView> IdentifyDigest(const Engine& engine, const InnerDigest& digest);

// A client JWT: signature, issuer, audience, expiry, and a live user.
Verdict CheckSession(const Engine& engine, ByteView jwt, const JwtKey& key, int64_t at_s);
// Signs one. `now_s` and `ttl_s` as latchkey_session_issue().
Status IssueSession(ByteView subject, int64_t now_s, int64_t ttl_s, const JwtKey& key,
                    JwtBuffer* out, int64_t* expires_s);
Status CheckJwtKey(const JwtKey& key);

}  // namespace latchkey
