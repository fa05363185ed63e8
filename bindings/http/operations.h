// The operations of the host, one function each, and the table that says where each is found.
#pragma once

#include <nlohmann/json.hpp>

#include <vector>

#include "host.h"
#include "request.h"

namespace latchkey::http {

// Answers a request or throws: a Refusal, or what the store threw.
using Operation = Reply (*)(Host* host, Request* request);

struct Route {
  const char* method;
  const char* path;  // segments in braces are parameters
  Operation operation;
  // Whether it may wait for the device, or work for long: then it runs on a thread of its own, and
  // holds up nobody else.
  bool may_wait;
  // Whether it needs the store: then it is refused while that is opening or about to be closed.
  bool uses_store = true;
};

const std::vector<Route>& Routes();

// Legacy tokens, user keys and project keys (credentials.cc).
Reply ListTokens(Host* host, Request* request);
Reply CreateToken(Host* host, Request* request);
Reply ViewToken(Host* host, Request* request);
Reply UpdateToken(Host* host, Request* request);
Reply RevokeToken(Host* host, Request* request);
Reply ListUserKeys(Host* host, Request* request);
Reply CreateUserKey(Host* host, Request* request);
Reply ViewUserKey(Host* host, Request* request);
Reply UpdateUserKey(Host* host, Request* request);
Reply RevokeUserKey(Host* host, Request* request);
Reply ListProjectKeys(Host* host, Request* request);
Reply CreateProjectKey(Host* host, Request* request);
Reply ViewProjectKey(Host* host, Request* request);
Reply UpdateProjectKey(Host* host, Request* request);
Reply RevokeProjectKey(Host* host, Request* request);

// Users and projects (owners.cc).
Reply ListUsers(Host* host, Request* request);
Reply CreateUser(Host* host, Request* request);
Reply ViewUser(Host* host, Request* request);
Reply UpdateUser(Host* host, Request* request);
Reply DeleteUser(Host* host, Request* request);
Reply ListProjects(Host* host, Request* request);
Reply CreateProject(Host* host, Request* request);
Reply ViewProject(Host* host, Request* request);
Reply UpdateProject(Host* host, Request* request);
Reply DeleteProject(Host* host, Request* request);

// Roles (grants.cc).
Reply ListGrants(Host* host, Request* request);
Reply ViewGrant(Host* host, Request* request);
Reply SetGrant(Host* host, Request* request);
Reply RemoveGrant(Host* host, Request* request);

// Judging what was presented to somebody else (verify.cc).
Reply VerifySecrets(Host* host, Request* request);
Reply IdentifyDigests(Host* host, Request* request);

// The host itself (server_info.cc).
Reply ShowVersion(Host* host, Request* request);
Reply ShowStats(Host* host, Request* request);
Reply ShowHealth(Host* host, Request* request);
Reply ShowReadiness(Host* host, Request* request);
Reply ShowOpenApi(Host* host, Request* request);

// What operations share (replies.cc).

// One value, compact; X-Total-Count is 1.
Reply JsonReply(unsigned status, const nlohmann::ordered_json& json);
// A page of a list of `total` rows. `link` may be empty.
Reply ListReply(const nlohmann::ordered_json& rows, uint64_t total, const std::string& link);
// 204; X-Total-Count is 0.
Reply EmptyReply();
// The body of a POST, PATCH or PUT is JSON. Throws a Refusal (400).
void RequireJson(const Request& request);
// Throws a Refusal (400) as JsonBody does.
void CheckName(std::string_view name);

}  // namespace latchkey::http
