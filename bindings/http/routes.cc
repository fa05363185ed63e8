#include "operations.h"

namespace latchkey::http {

const std::vector<Route>& Routes() {
  static const std::vector<Route> routes = {
      {"GET", "/v0/users/{user}/tokens", ListTokens, true},
      {"POST", "/v0/users/{user}/tokens", CreateToken, true},
      {"GET", "/v0/users/{user}/tokens/{token}", ViewToken, true},
      {"PATCH", "/v0/users/{user}/tokens/{token}", UpdateToken, true},
      {"DELETE", "/v0/users/{user}/tokens/{token}", RevokeToken, true},
      {"GET", "/v0/users/{user}/keys", ListUserKeys, true},
      {"POST", "/v0/users/{user}/keys", CreateUserKey, true},
      {"GET", "/v0/users/{user}/keys/{key}", ViewUserKey, true},
      {"PATCH", "/v0/users/{user}/keys/{key}", UpdateUserKey, true},
      {"DELETE", "/v0/users/{user}/keys/{key}", RevokeUserKey, true},
      {"GET", "/v0/projects/{project}/keys", ListProjectKeys, true},
      {"POST", "/v0/projects/{project}/keys", CreateProjectKey, true},
      {"GET", "/v0/projects/{project}/keys/{key}", ViewProjectKey, true},
      {"PATCH", "/v0/projects/{project}/keys/{key}", UpdateProjectKey, true},
      {"DELETE", "/v0/projects/{project}/keys/{key}", RevokeProjectKey, true},

      {"GET", "/v0/users", ListUsers, true},
      {"POST", "/v0/users", CreateUser, true},
      {"GET", "/v0/users/{user}", ViewUser, true},
      {"PATCH", "/v0/users/{user}", UpdateUser, true},
      {"DELETE", "/v0/users/{user}", DeleteUser, true},
      {"GET", "/v0/projects", ListProjects, true},
      {"POST", "/v0/projects", CreateProject, true},
      {"GET", "/v0/projects/{project}", ViewProject, true},
      {"PATCH", "/v0/projects/{project}", UpdateProject, true},
      {"DELETE", "/v0/projects/{project}", DeleteProject, true},
      {"GET", "/v0/projects/{project}/grants", ListGrants, true},
      {"GET", "/v0/projects/{project}/grants/{user}", ViewGrant, true},
      {"PUT", "/v0/projects/{project}/grants/{user}", SetGrant, true},
      {"DELETE", "/v0/projects/{project}/grants/{user}", RemoveGrant, true},

      {"POST", "/v0/verify", VerifySecrets, false},
      {"POST", "/v0/identify", IdentifyDigests, true},

      {"GET", "/v0/server/version", ShowVersion, false, false},
      {"GET", "/v0/stats", ShowStats, true},
      {"GET", "/v0/openapi.json", ShowOpenApi, false, false},
      {"GET", "/healthz", ShowHealth, false, false},
      {"GET", "/readyz", ShowReadiness, false, false},
  };
  return routes;
}

}  // namespace latchkey::http
