// Roles of users on projects, for administrators.
#include <wire/wire.h>

#include "caller.h"
#include "json_body.h"
#include "limits.h"
#include "listing.h"
#include "operations.h"
#include "refusal.h"

namespace latchkey::http {
namespace {

constexpr size_t kProjectParameter = 0;
constexpr size_t kUserParameter = 1;

// Both live: what is deleted has no roles to be changed.
Owner FindLive(Host* host, uint32_t sort, const std::string& id) {
  const Owner owner = FindOwner(host, sort, id);
  if (owner.deleted_s != 0) RefuseMissingOwner(sort);
  return owner;
}

[[noreturn]] void RefuseMissingGrant() {
  throw Refusal(404, "Grant not found.\nThe user has no role on this project.");
}

// The grants are in the order of their users, so the one of a user is the first that comes after
// the number before his.
Uuid Before(Uuid uuid) {
  for (size_t i = sizeof uuid.bytes; i-- > 0;) {
    if (uuid.bytes[i]-- != 0) break;
  }
  return uuid;
}

}  // namespace

Reply ListGrants(Host* host, Request* request) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string project_id = ReadOwnerId(*request, kProjectParameter);
  const Form form(request->target.query, kBadQuery);
  constexpr auto kPerPageMax = static_cast<uint32_t>(limits::kPerPageMax);
  const uint32_t per_page = form.Whole("per_page", kPerPageMax, kPerPageMax);
  Uuid after = {};
  if (const std::string* text = form.Find("after"); text != nullptr) {
    if (latchkey_uuid_parse(text->data(), text->size(), &after) != LATCHKEY_OK) {
      form.Refuse("after", "it is not a UUID");
    }
  }
  RequireAdmin(Authenticate(host, request, bearer));
  const Owner project = FindLive(host, LATCHKEY_OWNER_PROJECT, project_id);
  // One more than is asked for tells whether there is a next page.
  Page<Grant> page = host->store().list_grants(project.uuid, per_page + 1, after);
  std::string link;
  if (page.rows.size() > per_page) {
    page.rows.pop_back();
    if (per_page > 0) {
      link = "<?after=" + to_string(page.rows.back().user) +
             "&per_page=" + std::to_string(per_page) + ">; rel=\"next\"";
    }
  }
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Grant& grant : page.rows) json.push_back(wire::GrantJson(grant));
  return ListReply(json, page.total, link);
}

Reply ViewGrant(Host* host, Request* request) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string project_id = ReadOwnerId(*request, kProjectParameter);
  const std::string user_id = ReadOwnerId(*request, kUserParameter);
  RequireAdmin(Authenticate(host, request, bearer));
  const Owner project = FindLive(host, LATCHKEY_OWNER_PROJECT, project_id);
  const Owner user = FindLive(host, LATCHKEY_OWNER_USER, user_id);
  const Page<Grant> page = host->store().list_grants(project.uuid, 1, Before(user.uuid));
  if (page.rows.empty() || page.rows[0].user != user.uuid) RefuseMissingGrant();
  return JsonReply(200, wire::GrantJson(page.rows[0]));
}

Reply SetGrant(Host* host, Request* request) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string project_id = ReadOwnerId(*request, kProjectParameter);
  const std::string user_id = ReadOwnerId(*request, kUserParameter);
  RequireJson(*request);
  const JsonBody body(request->body);
  const uint32_t role = wire::ParseRole(body.Text("role").value_or(""));
  if (role == LATCHKEY_ROLE_NONE) {
    JsonBody::Refuse("role", "it is viewer, developer or maintainer");
  }
  const Caller caller = Authenticate(host, request, bearer);
  RequireAdmin(caller);
  auto grant = sized<Grant>();
  grant.project = FindLive(host, LATCHKEY_OWNER_PROJECT, project_id).uuid;
  grant.user = FindLive(host, LATCHKEY_OWNER_USER, user_id).uuid;
  grant.role = role;
  host->store().set_grant(grant.project, grant.user, role, caller.user);
  return JsonReply(200, wire::GrantJson(grant));
}

Reply RemoveGrant(Host* host, Request* request) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string project_id = ReadOwnerId(*request, kProjectParameter);
  const std::string user_id = ReadOwnerId(*request, kUserParameter);
  const Caller caller = Authenticate(host, request, bearer);
  RequireAdmin(caller);
  const Owner project = FindLive(host, LATCHKEY_OWNER_PROJECT, project_id);
  const Owner user = FindLive(host, LATCHKEY_OWNER_USER, user_id);
  try {
    host->store().remove_grant(project.uuid, user.uuid, caller.user);
  } catch (const Error& error) {
    if (error.code() != LATCHKEY_NOT_FOUND) throw;
    RefuseMissingGrant();
  }
  return EmptyReply();
}

}  // namespace latchkey::http
