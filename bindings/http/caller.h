// Who asks, and what he may do.
#pragma once

#include <latchkey/latchkey.hpp>

#include <string>
#include <string_view>

#include "host.h"
#include "request.h"

namespace latchkey::http {

// A credential as the Authorization header presents it.
struct Bearer {
  std::string_view secret;
  bool is_jwt = false;
};

// The form of the header and of the credential in it, before anything is looked up. Throws a
// Refusal (400). Project keys and the kinds of other hosts are malformed where a user must act.
Bearer ReadUserBearer(const Request& request);
// The same where a credential of any kind may ask.
Bearer ReadAnyBearer(const Request& request);

struct Caller {
  Uuid user = {};        // whose credential it is: a project's, for a project key
  Uuid credential = {};  // all zero = a session, or a token that the store does not hold
  uint32_t kind = 0;     // 0 = a session
  uint64_t scopes = 0;
  bool admin = false;  // a live administrator, with a credential that no scope limits

  bool is_user_key() const { return kind == LATCHKEY_KIND_USER_KEY; }
};

// Looks the credential up. Throws a Refusal (400, 401, 403, 404, 429), and says in the request, for
// the log, who asked and what was wrong.
Caller Authenticate(Host* host, Request* request, const Bearer& bearer);

// What a credential with scopes may not do: anything that they do not name. Throws a Refusal (403).
void RequireUnscoped(const Caller& caller);
// Throws a Refusal (403).
void RequireAdmin(const Caller& caller);

// The user or project in the path: a UUID in any spelling, or a slug. Throws a Refusal (400).
std::string ReadOwnerId(const Request& request, size_t parameter);
// The UUID in the path. Throws a Refusal (400).
Uuid ReadUuid(const Request& request, size_t parameter);

// The user, if the caller is he or an administrator. Throws a Refusal (404, then 403).
Owner RequireSameUser(Host* host, const Caller& caller, const std::string& user_id);
// The project, if the caller may manage it. Throws a Refusal (404 when it is missing or private,
// 403 when it is public).
Owner RequireManage(Host* host, const Caller& caller, const std::string& project_id);

// For administrators: the owner, deleted or not. Throws a Refusal (404).
Owner FindOwner(Host* host, uint32_t sort, const std::string& id);
// The 404 of a user or project. A missing project and a private one give the same.
[[noreturn]] void RefuseMissingOwner(uint32_t sort);

// What a 404 under a project and a 400 of the header end with.
extern const char kBearerHint[];

}  // namespace latchkey::http
