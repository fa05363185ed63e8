#include "caller.h"

#include <algorithm>

#include "refusal.h"

namespace latchkey::http {

const char kBearerHint[] =
    "Expected format is `Authorization: Bearer <bencher.api.token>`. Where `<bencher.api.token>` "
    "is your Bencher API token (JWT) or user API key (`bencher_user_...`).";

namespace {

constexpr std::string_view kUserKeyPrefix = "bencher_user_";
constexpr std::string_view kProjectKeyPrefix = "bencher_run_";
constexpr size_t kKeyBodySize = 30;

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool HasKeyShape(std::string_view secret, std::string_view prefix) {
  return secret.size() == prefix.size() + kKeyBodySize && secret.starts_with(prefix) &&
         std::all_of(secret.begin() + static_cast<ptrdiff_t>(prefix.size()), secret.end(),
                     IsAlphanumeric);
}

// Three parts of unpadded base64url. The engine is stricter; this much is told apart before the
// path is looked at.
bool HasJwtShape(std::string_view secret) {
  for (int part = 0; part < 3; ++part) {
    const size_t size = std::min(secret.find('.'), secret.size());
    if (size == 0 || size % 4 == 1) return false;
    for (const char c : secret.substr(0, size)) {
      if (!IsAlphanumeric(c) && c != '-' && c != '_') return false;
    }
    if ((part < 2) != (size < secret.size())) return false;
    secret.remove_prefix(std::min(size + 1, secret.size()));
  }
  return true;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// What is behind "Bearer ".
std::string_view ReadHeader(const Request& request) {
  if (!request.has_authorization) {
    throw Refusal(400, std::string("Request is missing \"Authorization\" header. ") + kBearerHint);
  }
  const std::string_view header = request.authorization;
  if (!std::all_of(header.begin(), header.end(),
                   [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; })) {
    throw Refusal(400,
                  std::string("Request has an invalid \"Authorization\" header. ") + kBearerHint);
  }
  const size_t space = std::min(header.find(' '), header.size());
  const std::string_view secret = Trimmed(header.substr(space));
  if (!EqualsIgnoringCase(header.substr(0, space), "Bearer") || secret.empty()) {
    throw Refusal(400, std::string("Request is missing \"Authorization\" Bearer. ") + kBearerHint);
  }
  return secret;
}

[[noreturn]] void RefuseUserKey() { throw Refusal(401, "Invalid user key"); }

// Why a JWT that belongs to a user, or claims to, is refused.
[[noreturn]] void RefuseJwt(Host* host, const Request& request, const latchkey_verdict& verdict) {
  switch (verdict.reason) {
    case LATCHKEY_REASON_MALFORMED:
      throw Refusal(400, "Malformed JSON Web Token");
    case LATCHKEY_REASON_REVOKED:
      throw Refusal(401, "This API token has been revoked and is no longer valid");
    case LATCHKEY_REASON_EXPIRED:
      throw Refusal(400, "Failed to validate JSON Web Token: Expired JSON Web Token");
    case LATCHKEY_REASON_LOCKED:
      throw Refusal(403, "Your account has been locked. Please contact support.");
    case LATCHKEY_REASON_DELETED:
      RefuseMissingOwner(LATCHKEY_OWNER_USER);
    case LATCHKEY_REASON_UNKNOWN:
      if (verdict.jwt_signed != 0) RefuseMissingOwner(LATCHKEY_OWNER_USER);
      host->SpendGuess(request.client);
      [[fallthrough]];
    default:
      throw Refusal(400, "Failed to validate JSON Web Token");
  }
}

[[noreturn]] void RefuseKey(Host* host, const Request& request, std::string_view secret,
                            const latchkey_verdict& verdict) {
  if (verdict.reason == LATCHKEY_REASON_UNKNOWN) host->SpendGuess(request.client);
  if (secret.starts_with(kUserKeyPrefix)) RefuseUserKey();
  if (secret.starts_with(kProjectKeyPrefix)) throw Refusal(401, "Invalid project key");
  throw Refusal(401, "Invalid authorization token");
}

// OK and DENIED are answers; anything else is a store that cannot judge.
void RequireJudged(latchkey_code code) {
  if (code != LATCHKEY_OK && code != LATCHKEY_DENIED) throw RefusalOf(Error(code));
}

// Judges what is presented: as a credential, and as a session if it is no credential of ours.
latchkey_verdict Judge(Host* host, const Bearer& bearer) {
  Store& store = host->store();
  const std::shared_ptr<const JwtSecret> jwt_secret = bearer.is_jwt ? host->jwt_secret() : nullptr;
  auto options = sized<latchkey_verify_options>();
  latchkey_jwt_key jwt_key = {};
  if (jwt_secret != nullptr) {
    jwt_key = jwt_secret->key();
    if (host->options().accept_untracked_tokens) options.untracked_tokens = &jwt_key;
  }
  const Verdict verdict = store.verify(bearer.secret, options);
  RequireJudged(verdict.code);
  if (jwt_secret == nullptr || verdict.detail.reason != LATCHKEY_REASON_UNKNOWN ||
      verdict.detail.jwt_signed != 0) {
    return verdict.detail;
  }
  const Verdict session = store.check_session(bearer.secret, jwt_key);
  RequireJudged(session.code);
  return session.detail;
}

std::string ParameterText(const Request& request, size_t parameter) {
  std::optional<std::string> text = DecodeSegment(request.parameters.at(parameter));
  if (!text) {
    throw Refusal(
        400, "bad parameter in URL path: a percent escape is broken, or the text is not UTF-8");
  }
  return std::move(*text);
}

}  // namespace

Bearer ReadUserBearer(const Request& request) {
  const std::string_view secret = ReadHeader(request);
  if (secret.starts_with(kUserKeyPrefix)) {
    if (!HasKeyShape(secret, kUserKeyPrefix)) throw Refusal(400, "Malformed user API key");
    return {secret, false};
  }
  if (!HasJwtShape(secret)) throw Refusal(400, "Malformed JSON Web Token");
  return {secret, true};
}

Bearer ReadAnyBearer(const Request& request) {
  const std::string_view secret = ReadHeader(request);
  return {secret, HasJwtShape(secret)};
}

Caller Authenticate(Host* host, Request* request, const Bearer& bearer) {
  const latchkey_verdict verdict = Judge(host, bearer);
  host->metrics().CountVerdict(verdict.kind, verdict.reason);
  request->caller = is_nil(verdict.uuid) ? verdict.owner : verdict.uuid;
  if (verdict.reason != LATCHKEY_REASON_ALLOWED) {
    request->refused_because = ReasonWord(verdict.reason);
    if (bearer.is_jwt) RefuseJwt(host, *request, verdict);
    RefuseKey(host, *request, bearer.secret, verdict);
  }
  Caller caller;
  caller.user = verdict.owner;
  caller.credential = verdict.uuid;
  caller.kind = verdict.kind;
  caller.scopes = verdict.scopes;
  const bool acts_as_user = caller.kind == 0 || caller.kind == LATCHKEY_KIND_USER_TOKEN ||
                            caller.kind == LATCHKEY_KIND_USER_KEY;
  if (acts_as_user && caller.scopes == 0) {
    const Owner owner = host->store().get_owner(LATCHKEY_OWNER_USER, to_string(caller.user));
    caller.admin = owner.admin != 0 && owner.locked == 0 && owner.deleted_s == 0;
  }
  return caller;
}

void RequireUnscoped(const Caller& caller) {
  if (caller.scopes == 0) return;
  throw Refusal(403, "This credential is limited to its scopes, and they do not allow this");
}

void RequireAdmin(const Caller& caller) {
  RequireUnscoped(caller);
  if (!caller.admin) throw Refusal(403, "Only an administrator can do this");
}

std::string ReadOwnerId(const Request& request, size_t parameter) {
  std::string text = ParameterText(request, parameter);
  latchkey_uuid uuid;
  if (latchkey_uuid_parse(text.data(), text.size(), &uuid) != LATCHKEY_OK &&
      latchkey_slug_check(text.data(), text.size()) != LATCHKEY_OK) {
    throw Refusal(400, "bad parameter in URL path: expected a valid UUID or slug.");
  }
  return text;
}

Uuid ReadUuid(const Request& request, size_t parameter) {
  const std::string text = ParameterText(request, parameter);
  Uuid uuid = {};
  if (latchkey_uuid_parse(text.data(), text.size(), &uuid) != LATCHKEY_OK) {
    throw Refusal(400, "bad parameter in URL path: UUID parsing failed");
  }
  return uuid;
}

Owner FindOwner(Host* host, uint32_t sort, const std::string& id) {
  auto owner = sized<Owner>();
  const latchkey_code code =
      latchkey_owner_get(host->store().handle(), sort, id.data(), id.size(), &owner);
  if (code == LATCHKEY_NOT_FOUND) RefuseMissingOwner(sort);
  if (code != LATCHKEY_OK) throw RefusalOf(Error(code));
  return owner;
}

Owner RequireSameUser(Host* host, const Caller& caller, const std::string& user_id) {
  const Owner user = FindOwner(host, LATCHKEY_OWNER_USER, user_id);
  if (user.deleted_s != 0) RefuseMissingOwner(LATCHKEY_OWNER_USER);
  if (caller.user != user.uuid && !caller.admin) {
    throw Refusal(403,
                  "User is not admin and the authenticated user does not match the requested user");
  }
  return user;
}

Owner RequireManage(Host* host, const Caller& caller, const std::string& project_id) {
  const Owner project = FindOwner(host, LATCHKEY_OWNER_PROJECT, project_id);
  if (project.deleted_s != 0) RefuseMissingOwner(LATCHKEY_OWNER_PROJECT);
  if (host->store().authorize(caller.user, project.uuid, LATCHKEY_ROLE_MAINTAINER)) return project;
  if (project.visibility != LATCHKEY_VISIBILITY_PUBLIC) RefuseMissingOwner(LATCHKEY_OWNER_PROJECT);
  throw Refusal(403,
                "Project access denied: manage. This Project is public but you do not have the "
                "required permission.");
}

void RefuseMissingOwner(uint32_t sort) {
  if (sort == LATCHKEY_OWNER_USER) {
    throw Refusal(404,
                  "User not found.\nUser may be private and require authentication or it may not "
                  "exist.");
  }
  throw Refusal(404, std::string("Project not found.\nProject may be private and require "
                                 "authentication or it may not exist.\n") +
                         kBearerHint);
}

}  // namespace latchkey::http
