// Verification, leak reports and sessions.
#include "service/verify.h"

#include <array>

#include "capi/handles.h"
#include "capi/translate.h"

namespace latchkey {
namespace {

// The options of a verification, with what they point to, for the length of the call.
struct VerifyArguments {
  latchkey_jwt_key jwt_key;  // written before it is read: zeroing it would cost every call
  JwtKey untracked;
  VerifyQuery query;

  Status Take(const latchkey_verify_options* options) {
    if (options == nullptr) return Status::Ok();
    latchkey_verify_options taken;
    LATCHKEY_TRY(TakeOptions(options, &taken));
    if (taken.at_s < 0) {
      return Status::Error(Code::kInvalidArgument, "`at_s` is before 1970");
    }
    query.required_scopes = taken.required_scopes;
    query.at_s = taken.at_s;
    if (taken.untracked_tokens != nullptr) {
      LATCHKEY_TRY(TakeJwtKey(taken.untracked_tokens, &jwt_key, &untracked));
      query.untracked = &untracked;
    }
    return Status::Ok();
  }
};

Status ToStatus(const Verdict& verdict) {
  if (verdict.reason == Reason::kAllowed) return Status::Ok();
  if (verdict.failure != Code::kOk) {
    return Status::Error(verdict.failure,
                         "the credential is not in memory, and the store could not be asked");
  }
  return Status::Error(Code::kDenied, "the credential is denied; the verdict says why");
}

}  // namespace

extern "C" {

LATCHKEY_API latchkey_code latchkey_verify(latchkey_store* store, const void* secret,
                                           size_t secret_size,
                                           const latchkey_verify_options* options,
                                           latchkey_verdict* out) {
  Out<latchkey_verdict> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.status());
    VerifyArguments arguments;
    LATCHKEY_TRY(arguments.Take(options));
    ByteView bytes;
    LATCHKEY_TRY(TakeText(secret, secret_size, &bytes));
    const Verdict verdict = Verify(engine, bytes, arguments.query);
    result.GiveInPlace([&](latchkey_verdict* place) { GiveVerdict(verdict, place); });
    return ToStatus(verdict);
  });
}

LATCHKEY_API latchkey_code latchkey_verify_batch(latchkey_store* store,
                                                 const latchkey_bytes* secrets, size_t count,
                                                 const latchkey_verify_options* options,
                                                 latchkey_code* codes, latchkey_verdict* verdicts) {
  return Call(store, [&](Engine& engine) -> Status {
    if (count == 0) return Status::Ok();
    if (secrets == nullptr || codes == nullptr || count > LATCHKEY_VERIFY_BATCH_MAX) {
      return Status::Error(Code::kInvalidArgument,
                           "secrets or codes are NULL, or there are more than 65536");
    }
    // Until judged, denied.
    std::fill(codes, codes + count, LATCHKEY_DENIED);
    OutArray<latchkey_verdict> out(verdicts, verdicts == nullptr ? 0 : count);
    LATCHKEY_TRY(out.status());
    VerifyArguments arguments;
    LATCHKEY_TRY(arguments.Take(options));
    std::array<ByteView, kVerifyGroupMax> group;
    std::array<Verdict, kVerifyGroupMax> judged;
    for (size_t first = 0; first < count; first += kVerifyGroupMax) {
      const size_t size = std::min(kVerifyGroupMax, count - first);
      for (size_t i = 0; i < size; ++i) {
        const latchkey_bytes& secret = secrets[first + i];
        LATCHKEY_TRY(TakeText(secret.data, secret.size, &group[i]));
      }
      VerifyGroup(engine, std::span(group).first(size), arguments.query,
                  std::span(judged).first(size));
      for (size_t i = 0; i < size; ++i) {
        codes[first + i] = static_cast<latchkey_code>(ToStatus(judged[i]).code());
        if (verdicts == nullptr) continue;
        latchkey_verdict one;
        GiveVerdict(judged[i], &one);
        out.Give(first + i, one);
      }
    }
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_identify_secret(latchkey_store* store, const void* secret,
                                                    size_t secret_size, latchkey_credential* out) {
  Out<latchkey_credential> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.Required());
    ByteView bytes;
    LATCHKEY_TRY(TakeRequiredText(secret, secret_size, &bytes));
    LATCHKEY_TRY_ASSIGN(const CredentialView view, IdentifySecret(engine, bytes));
    result.Give(GiveCredential(view));
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_identify_sha256(latchkey_store* store, const uint8_t digest[32],
                                                    latchkey_credential* out) {
  Out<latchkey_credential> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.Required());
    if (digest == nullptr) return Status::Error(Code::kInvalidArgument, "the digest is NULL");
    InnerDigest inner;
    std::memcpy(inner.bytes.data(), digest, inner.bytes.size());
    LATCHKEY_TRY_ASSIGN(const CredentialView view, IdentifyDigest(engine, inner));
    result.Give(GiveCredential(view));
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_session_issue(const latchkey_session_options* options,
                                                  const latchkey_jwt_key* key, char* text,
                                                  size_t capacity, size_t* size,
                                                  int64_t* expires_s) {
  return Guard([&]() -> Status {
    if (size != nullptr) *size = 0;
    if (expires_s != nullptr) *expires_s = 0;
    if (text == nullptr || capacity < LATCHKEY_JWT_BYTES_MAX) {
      return Status::Error(Code::kInvalidArgument,
                           "the buffer for the JWT is NULL or has less than 8192 bytes");
    }
    text[0] = '\0';
    latchkey_session_options taken;
    LATCHKEY_TRY(TakeOptions(options, &taken));
    latchkey_jwt_key copy;
    JwtKey jwt_key;
    LATCHKEY_TRY(TakeJwtKey(key, &copy, &jwt_key));
    ByteView subject;
    LATCHKEY_TRY(TakeRequiredText(taken.subject, taken.subject_size, &subject));
    JwtBuffer jwt;
    int64_t expiration_s = 0;
    LATCHKEY_TRY(IssueSession(subject, taken.now_s, taken.ttl_s, jwt_key, &jwt, &expiration_s));
    if (jwt.size() >= capacity) {
      return Status::Error(Code::kInvalidArgument, "the JWT is larger than the buffer");
    }
    std::memcpy(text, jwt.Expose().data(), jwt.size());
    text[jwt.size()] = '\0';
    if (size != nullptr) *size = jwt.size();
    if (expires_s != nullptr) *expires_s = expiration_s;
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_session_check(latchkey_store* store, const char* jwt,
                                                  size_t jwt_size, const latchkey_jwt_key* key,
                                                  int64_t at_s, latchkey_verdict* out) {
  Out<latchkey_verdict> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.status());
    latchkey_jwt_key copy;
    JwtKey jwt_key;
    LATCHKEY_TRY(TakeJwtKey(key, &copy, &jwt_key));
    ByteView text;
    LATCHKEY_TRY(TakeRequiredText(jwt, jwt_size, &text));
    if (at_s < 0) return Status::Error(Code::kInvalidArgument, "`at_s` is before 1970");
    const Verdict verdict = CheckSession(engine, text, jwt_key, at_s);
    result.GiveInPlace([&](latchkey_verdict* place) { GiveVerdict(verdict, place); });
    return ToStatus(verdict);
  });
}

}  // extern "C"

}  // namespace latchkey
