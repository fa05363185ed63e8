// Users and projects, for administrators; a user may view himself.
#include <wire/wire.h>

#include "caller.h"
#include "json_body.h"
#include "listing.h"
#include "operations.h"
#include "refusal.h"

namespace latchkey::http {
namespace {

constexpr size_t kOwnerParameter = 0;

// Whether there is such a user, and he is not ruled out by the other filters.
bool NarrowToEmail(Host* host, const std::string& email, Listing* listing) {
  if (email.find('@') == std::string::npos) return false;
  auto user = sized<Owner>();
  const latchkey_code code = latchkey_owner_get(host->store().handle(), LATCHKEY_OWNER_USER,
                                                email.data(), email.size(), &user);
  if (code == LATCHKEY_NOT_FOUND || code == LATCHKEY_INVALID_ARGUMENT) return false;
  if (code != LATCHKEY_OK) throw RefusalOf(Error(code));
  return listing->NarrowToSlug(user.slug);
}

Reply List(Host* host, Request* request, uint32_t sort) {
  const Bearer bearer = ReadUserBearer(*request);
  Listing listing(*request, "deleted");
  RequireAdmin(Authenticate(host, request, bearer));
  listing.query()->kind = sort;
  const std::string* email = sort == LATCHKEY_OWNER_USER ? listing.Find("email") : nullptr;
  if (email != nullptr && !NarrowToEmail(host, *email, &listing)) {
    return ListReply(nlohmann::ordered_json::array(), 0, listing.Link(0));
  }
  const Page<Owner> page = host->store().list_owners(*listing.query());
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Owner& row : page.rows) json.push_back(wire::OwnerJson(row));
  return ListReply(json, page.total, listing.Link(page.total));
}

// Throws a Refusal (400) unless the text follows the rule of slugs.
void CheckSlug(std::string_view slug) {
  if (latchkey_slug_check(slug.data(), slug.size()) != LATCHKEY_OK) {
    JsonBody::Refuse("slug", latchkey_error_text());
  }
}

std::optional<uint32_t> ReadVisibility(const JsonBody& body) {
  const std::optional<std::string_view> word = body.Text("visibility");
  if (!word) return std::nullopt;
  if (*word == "public") return LATCHKEY_VISIBILITY_PUBLIC;
  if (*word == "private") return LATCHKEY_VISIBILITY_PRIVATE;
  JsonBody::Refuse("visibility", "it is public or private");
}

// What the store finds wrong with a wish is something in the body that no rule above covers: an
// e-mail address, or a slug that reads as a UUID.
template <typename Change>
auto TellOfBody(Change change) {
  try {
    return change();
  } catch (const Error& error) {
    if (error.code() != LATCHKEY_INVALID_ARGUMENT) throw;
    throw Refusal(400, std::string("unable to parse JSON body: ") + error.what());
  }
}

Reply Create(Host* host, Request* request, uint32_t sort) {
  const Bearer bearer = ReadUserBearer(*request);
  RequireJson(*request);
  const JsonBody body(request->body);
  NewOwner wanted;
  wanted.sort = sort;
  const std::optional<std::string_view> name = body.Text("name");
  if (!name) JsonBody::Refuse("name", "it is missing");
  CheckName(*name);
  wanted.name = *name;
  wanted.slug = body.Text("slug");
  if (wanted.slug) CheckSlug(*wanted.slug);
  if (sort == LATCHKEY_OWNER_USER) {
    wanted.email = body.Text("email");
    wanted.admin = body.Truth("admin").value_or(false);
  } else {
    wanted.visibility = ReadVisibility(body).value_or(LATCHKEY_VISIBILITY_PUBLIC);
  }
  if (const std::optional<std::string_view> uuid = body.Text("uuid"); uuid) {
    if (latchkey_uuid_parse(uuid->data(), uuid->size(), &wanted.uuid) != LATCHKEY_OK ||
        is_nil(wanted.uuid)) {
      JsonBody::Refuse("uuid", "it is not a UUID");
    }
  }
  const Caller caller = Authenticate(host, request, bearer);
  RequireAdmin(caller);
  wanted.actor = caller.user;
  const Owner created = TellOfBody([&] { return host->store().create_owner(wanted); });
  return JsonReply(201, wire::OwnerJson(created));
}

Reply Update(Host* host, Request* request, uint32_t sort) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string id = ReadOwnerId(*request, kOwnerParameter);
  RequireJson(*request);
  const JsonBody body(request->body);
  OwnerChange change;
  change.name = body.Text("name");
  if (change.name) CheckName(*change.name);
  change.slug = body.Text("slug");
  if (change.slug) CheckSlug(*change.slug);
  if (sort == LATCHKEY_OWNER_USER) {
    change.email = body.Text("email");
    change.remove_email = body.HasNull("email");
    change.admin = body.Truth("admin");
    change.locked = body.Truth("locked");
  } else {
    change.visibility = ReadVisibility(body);
  }
  const Caller caller = Authenticate(host, request, bearer);
  RequireAdmin(caller);
  const Owner owner = FindOwner(host, sort, id);
  if (owner.deleted_s != 0) RefuseMissingOwner(sort);
  const bool changes = change.name || change.slug || change.email || change.remove_email ||
                       change.admin || change.locked || change.visibility;
  if (!changes) throw Refusal(409, "There are no changes to save");
  change.actor = caller.user;
  const Owner changed = TellOfBody([&] { return host->store().update_owner(owner.uuid, change); });
  return JsonReply(200, wire::OwnerJson(changed));
}

Reply Delete(Host* host, Request* request, uint32_t sort) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string id = ReadOwnerId(*request, kOwnerParameter);
  const Caller caller = Authenticate(host, request, bearer);
  RequireAdmin(caller);
  const Owner owner = FindOwner(host, sort, id);
  if (owner.deleted_s != 0) RefuseMissingOwner(sort);
  host->store().delete_owner(owner.uuid, caller.user);
  return EmptyReply();
}

}  // namespace

Reply ViewUser(Host* host, Request* request) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string id = ReadOwnerId(*request, kOwnerParameter);
  const Caller caller = Authenticate(host, request, bearer);
  RequireUnscoped(caller);
  const Owner user =
      caller.admin ? FindOwner(host, LATCHKEY_OWNER_USER, id) : RequireSameUser(host, caller, id);
  return JsonReply(200, wire::OwnerJson(user));
}

Reply ViewProject(Host* host, Request* request) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string id = ReadOwnerId(*request, kOwnerParameter);
  RequireAdmin(Authenticate(host, request, bearer));
  return JsonReply(200, wire::OwnerJson(FindOwner(host, LATCHKEY_OWNER_PROJECT, id)));
}

Reply ListUsers(Host* host, Request* request) { return List(host, request, LATCHKEY_OWNER_USER); }
Reply CreateUser(Host* host, Request* request) {
  return Create(host, request, LATCHKEY_OWNER_USER);
}
Reply UpdateUser(Host* host, Request* request) {
  return Update(host, request, LATCHKEY_OWNER_USER);
}
Reply DeleteUser(Host* host, Request* request) {
  return Delete(host, request, LATCHKEY_OWNER_USER);
}
Reply ListProjects(Host* host, Request* request) {
  return List(host, request, LATCHKEY_OWNER_PROJECT);
}
Reply CreateProject(Host* host, Request* request) {
  return Create(host, request, LATCHKEY_OWNER_PROJECT);
}
Reply UpdateProject(Host* host, Request* request) {
  return Update(host, request, LATCHKEY_OWNER_PROJECT);
}
Reply DeleteProject(Host* host, Request* request) {
  return Delete(host, request, LATCHKEY_OWNER_PROJECT);
}

}  // namespace latchkey::http
