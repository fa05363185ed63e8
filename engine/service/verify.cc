// Verification: shape, digest, tag, one probe, verdict.
#include "service/verify.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "base/declassify.h"
#include "base/limits.h"
#include "base/text.h"
#include "service/owners.h"
#include "service/verify_stored.h"

namespace latchkey {
namespace {

// A secret without a kind of ours, or of the wrong shape, is malformed.
bool HasAnyShape(const KindSet& kinds, ByteView secret) {
  for (const KindSet::Shape& shape : kinds.shapes) {
    // By their sizes nearly all kinds are told apart, and no JWT begins as a key does.
    if (secret.size() == shape.secret_size && secret.starts_with(shape.prefix)) {
      return Declassify(
          HasBody(static_cast<SecretFormat>(shape.format), shape.prefix.size(), secret));
    }
  }
  return IsWellFormedJwt(secret);
}

LookupTag TagOf(const Engine& engine, const InnerDigest& digest) {
  const PepperRing& ring = engine.authority().ring();
  return MakeLookupTag(ring.tag_key(ring.newest_version()), digest);
}

// A JWT lives through its `exp` second; a key is dead at it.
bool IsExpired(const SlotWords& entry, int64_t now_s) {
  return entry.kind() == kind::kUserToken ? entry.expires_s() < now_s : entry.expires_s() <= now_s;
}

Reason Judge(const SlotWords& entry, OwnerTable::Word owner, uint64_t required_scopes,
             int64_t now_s) {
  if (entry.revoked()) return Reason::kRevoked;
  if (IsExpired(entry, now_s)) return Reason::kExpired;
  if (entry.not_before_s() > now_s) return Reason::kNotYet;
  if (owner.locked) return Reason::kLocked;
  if (owner.deleted) return Reason::kDeleted;
  if ((entry.scopes & required_scopes) != required_scopes) return Reason::kScope;
  return Reason::kAllowed;
}

// The user that a JWT names, live or not; nullopt when there is none. A locked user is found by his
// e-mail, a deleted one no longer.
std::optional<OwnerRecord> UserOf(const Engine& engine, ByteView subject) {
  const auto user = FindOwner(engine, OwnerSort::kUser, subject);
  if (!user.ok()) return std::nullopt;
  return **user;
}

// Whether a JWT that names its user by an e-mail address is young enough to mean the user who has
// that address now. Without `iat` there is no way to tell.
bool IsYoungEnough(const JwtClaims& claims, const OwnerRecord& user, bool session) {
  const int64_t issued_s = claims.issued_s.value_or(0);
  if (!session) return issued_s > user.tokens_not_before_s;
  // A session may begin in the very second in which its user was made, or changed his address.
  return issued_s >= std::max(user.creation_s, user.tokens_not_before_s);
}

// Judges a JWT that the store does not hold, by its signature and claims.
Verdict JudgeClaims(const Engine& engine, ByteView jwt, const JwtKey& key, bool session,
                    int64_t now_s) {
  Verdict verdict;
  if (!HasValidSignature(jwt, key.secret)) return verdict;
  const Result<JwtClaims> claims = ReadClaims(jwt);
  if (!claims.ok() || claims->issuer != key.issuer ||
      claims->audience != ByteView(session ? "client" : "api_key") ||
      !claims->expires_s.has_value() || claims->subject.empty()) {
    return verdict;
  }
  verdict.jwt_signed = true;
  const std::optional<OwnerRecord> user = UserOf(engine, claims->subject);
  if (!user.has_value() || !IsYoungEnough(*claims, *user, session)) return verdict;
  verdict.owner = user->uuid;
  verdict.expires_s = *claims->expires_s;
  verdict.kind = kind::kUserToken;
  if (*claims->expires_s < now_s) {
    verdict.reason = Reason::kExpired;
  } else if (user->locked) {
    verdict.reason = Reason::kLocked;
  } else if (user->deleted_s != 0) {
    verdict.reason = Reason::kDeleted;
  } else {
    verdict.reason = Reason::kAllowed;
  }
  return verdict;
}

}  // namespace

namespace {

// On a secret whose tag is not in the store.
Verdict AnswerAbsent(const Engine& engine, ByteView secret, const VerifyQuery& query,
                     int64_t now_s) {
  if (query.untracked == nullptr || !IsWellFormedJwt(secret)) return Verdict();
  Verdict verdict = JudgeClaims(engine, secret, *query.untracked, /*session=*/false, now_s);
  if (verdict.reason == Reason::kAllowed && query.required_scopes != 0) {
    verdict.reason = Reason::kScope;
  }
  return verdict;
}

// On a secret whose tag is not in the table, while that does not hold every credential; or that
// the table allows, while it is doubted.
void AnswerFromStore(const Engine& engine, ByteView secret, TagWords tag, const VerifyQuery& query,
                     int64_t now_s, Verdict* verdict) {
  const Memory& memory = engine.memory();
  const auto sight = LookInStore(engine.authority(), memory, tag);
  if (sight.ok() && !sight->has_value()) {
    *verdict = AnswerAbsent(engine, secret, query, now_s);
    return;
  }
  *verdict = Verdict();
  if (!sight.ok()) {
    verdict->failure = sight.code();
    return;
  }
  const SlotWords& entry = (*sight)->words;
  verdict->reason = Judge(entry, (*sight)->owner, query.required_scopes, now_s);
  verdict->kind = entry.kind();
  verdict->uuid = entry.uuid();
  verdict->owner = memory.owners().uuid(entry.owner_index);
  verdict->scopes = entry.scopes;
  verdict->expires_s = entry.expires_s();
  if (verdict->reason == Reason::kAllowed && query.at_s == 0) {
    memory.stored_uses().Note(tag, verdict->uuid, UseSecond(now_s));
  }
}

// On a secret that has this tag. Unknown, revoked, expired, locked and right do the same work: they
// load the same, and part at the end. The verdict is written where it is wanted: a copy of what was
// stored a moment ago by other words takes as long as the rest of this function.
void Answer(const Engine& engine, ByteView secret, TagWords tag, const VerifyQuery& query,
            int64_t now_s, Verdict* verdict) {
  const VerifyTable& table = engine.memory().table();
  const OwnerTable& owners = engine.memory().owners();
  const bool is_complete = engine.memory().complete();  // both before the look
  const bool is_doubted = engine.memory().is_doubted();
  for (;;) {
    // The state, the owner's word, the state again: when that has not changed, both were so when
    // the word was read, and the verdict is that of this moment. (Revoked while its owner was
    // locked, and he unlocked after that: neither half by itself would deny.)
    const VerifyTable::Sight sight = table.Look(tag);
    const SlotWords& entry = sight.words;
    const uint32_t owner_index =
        entry.owner_index < owners.size() ? entry.owner_index : OwnerTable::kNone;
    const OwnerTable::Word owner = owners.word(owner_index);
    if (!table.StillHolds(tag, sight)) continue;
    const Reason reason = Judge(entry, owner, query.required_scopes, now_s);
    if (!sight.is_found) {
      if (!is_complete) return AnswerFromStore(engine, secret, tag, query, now_s, verdict);
      *verdict = AnswerAbsent(engine, secret, query, now_s);
      return;
    }
    if (is_doubted && reason == Reason::kAllowed) {
      return AnswerFromStore(engine, secret, tag, query, now_s, verdict);
    }
    verdict->reason = reason;
    verdict->kind = entry.kind();
    verdict->uuid = entry.uuid();
    verdict->owner = owner_index != OwnerTable::kNone ? owners.uuid(owner_index) : Uuid();
    verdict->scopes = entry.scopes;
    verdict->expires_s = entry.expires_s();
    verdict->jwt_signed = false;
    verdict->failure = Code::kOk;
    if (reason == Reason::kAllowed && query.at_s == 0) {
      VerifyTable::Touch(sight, UseSecond(now_s));
    }
    return;
  }
}

TagWords TagOfSecret(const Engine& engine, ByteView secret) {
  return TagOf(engine, Sha256(secret)).bytes;
}

int64_t TimeOf(const Engine& engine, const VerifyQuery& query) {
  return query.at_s != 0 ? query.at_s : engine.clock().NowS();
}

}  // namespace

Verdict Verify(const Engine& engine, ByteView secret, const VerifyQuery& query) {
  Verdict verdict;
  verdict.reason = Reason::kMalformed;
  if (secret.size() > limits::kSecretBytesMax) return verdict;  // too long to be hashed at all
  const Memory& memory = engine.memory();
  // What comes before the hash delays all that follows; what comes after it is done while the line
  // is on its way from memory. So the shape is looked at last.
  const TagWords tag = TagOfSecret(engine, secret);
  memory.table().Prefetch(tag, VerifyTable::kLinesOfOne);
  const bool has_shape = HasAnyShape(memory.kinds(), secret);
  const int64_t now_s = TimeOf(engine, query);
  if (has_shape) Answer(engine, secret, tag, query, now_s, &verdict);
  return verdict;
}

void VerifyGroup(const Engine& engine, std::span<const ByteView> secrets, const VerifyQuery& query,
                 std::span<Verdict> verdicts) {
  assert(secrets.size() <= kVerifyGroupMax && verdicts.size() == secrets.size());
  const Memory& memory = engine.memory();
  const KindSet& kinds = memory.kinds();
  std::array<TagWords, kVerifyGroupMax> tags;
  std::array<bool, kVerifyGroupMax> has_shape;
  for (size_t i = 0; i < secrets.size(); ++i) {
    has_shape[i] = secrets[i].size() <= limits::kSecretBytesMax && HasAnyShape(kinds, secrets[i]);
    if (!has_shape[i]) continue;
    tags[i] = TagOfSecret(engine, secrets[i]);
    memory.table().Prefetch(tags[i], VerifyTable::kLinesOfMany);
  }
  const int64_t now_s = TimeOf(engine, query);
  for (size_t i = 0; i < secrets.size(); ++i) {
    if (has_shape[i]) {
      Answer(engine, secrets[i], tags[i], query, now_s, &verdicts[i]);
    } else {
      verdicts[i] = Verdict();
      verdicts[i].reason = Reason::kMalformed;
    }
  }
}

Result<CredentialView> IdentifyDigest(const Engine& engine, const InnerDigest& digest) {
  LATCHKEY_TRY_ASSIGN(const auto view, engine.authority().Look());
  LATCHKEY_TRY_ASSIGN(const Uuid uuid, view->reader().CredentialByTag(TagOf(engine, digest).bytes));
  return GetCredential(engine, uuid);
}

Result<CredentialView> IdentifySecret(const Engine& engine, ByteView secret) {
  if (secret.size() > limits::kSecretBytesMax) {
    return Status::Error(Code::kInvalidArgument, "a secret has at most 8192 bytes");
  }
  return IdentifyDigest(engine, Sha256(secret));
}

Verdict CheckSession(const Engine& engine, ByteView jwt, const JwtKey& key, int64_t at_s) {
  if (jwt.size() > limits::kSecretBytesMax || !IsWellFormedJwt(jwt)) {
    Verdict verdict;
    verdict.reason = Reason::kMalformed;
    return verdict;
  }
  const int64_t now_s = at_s != 0 ? at_s : engine.clock().NowS();
  Verdict verdict = JudgeClaims(engine, jwt, key, /*session=*/true, now_s);
  verdict.kind = 0;  // a session is no credential
  return verdict;
}

Status CheckJwtKey(const JwtKey& key) {
  if (key.secret.empty() || key.secret.size() > limits::kJwtSecretBytesMax) {
    return Status::Error(Code::kInvalidArgument, "a JWT secret has 1 to 4096 bytes");
  }
  if (key.issuer.empty() || key.issuer.size() > 256 || CountCodePoints(key.issuer) < 0) {
    return Status::Error(Code::kInvalidArgument, "an issuer has 1 to 256 bytes and is valid UTF-8");
  }
  return Status::Ok();
}

Status IssueSession(ByteView subject, int64_t now_s, int64_t ttl_s, const JwtKey& key,
                    JwtBuffer* out, int64_t* expires_s) {
  LATCHKEY_TRY(InitCrypto());
  LATCHKEY_TRY(CheckJwtKey(key));
  if (!CheckEmail(subject).ok() && !ParseUuid(subject).ok()) {
    return Status::Error(Code::kInvalidArgument,
                         "the subject of a session is an e-mail address or a UUID");
  }
  if (ttl_s < 1 || ttl_s > limits::kSessionTtlMaxS) {
    return Status::Error(Code::kInvalidArgument, "a session lives 1 to 2592000 whole seconds");
  }
  if (now_s == 0) now_s = SystemClock().NowUnixMs() / 1000;
  if (now_s < 0 || now_s > limits::kTimeMaxS - ttl_s) {
    return Status::Error(Code::kInvalidArgument, "the time is not one from 1970 to 9999");
  }
  *expires_s = now_s + ttl_s;
  JwtClaims claims;
  claims.audience = "client";
  claims.issuer = key.issuer;
  claims.subject = subject;
  claims.issued_s = now_s;
  claims.expires_s = *expires_s;
  return SignJwt(claims, key.secret, out);
}

}  // namespace latchkey
