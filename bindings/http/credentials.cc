// Legacy tokens, user keys and project keys: list, create, view, update, revoke. One set of
// operations; a Noun says what differs. The order of checks is part of the interface: the form of
// the header, the path, the query, the body; then who asks; then what he may; then what is there.
#include <wire/wire.h>

#include "caller.h"
#include "json_body.h"
#include "listing.h"
#include "operations.h"
#include "refusal.h"

namespace latchkey::http {
namespace {

struct Noun {
  uint32_t kind;
  uint32_t owner_sort;
  const char* title;  // in a 404
  const char* words;  // in a 409
};

constexpr Noun kToken = {LATCHKEY_KIND_USER_TOKEN, LATCHKEY_OWNER_USER, "Token", "Token"};
constexpr Noun kUserKey = {LATCHKEY_KIND_USER_KEY, LATCHKEY_OWNER_USER, "User Key", "User key"};
constexpr Noun kProjectKey = {LATCHKEY_KIND_PROJECT_KEY, LATCHKEY_OWNER_PROJECT, "Project Key",
                              "Project key"};

// Each path has the owner first and the credential second.
constexpr size_t kOwnerParameter = 0;
constexpr size_t kCredentialParameter = 1;

[[noreturn]] void RefuseMissing(const Noun& noun) {
  const std::string title = noun.title;
  std::string text = title + " not found.\n" + title +
                     " may be private and require authentication or it may not exist.";
  if (noun.owner_sort == LATCHKEY_OWNER_PROJECT) text.append("\n").append(kBearerHint);
  throw Refusal(404, text);
}

Owner RequireOwner(Host* host, const Noun& noun, const Caller& caller, const std::string& id) {
  return noun.owner_sort == LATCHKEY_OWNER_USER ? RequireSameUser(host, caller, id)
                                                : RequireManage(host, caller, id);
}

Credential FindCredential(Host* host, const Noun& noun, const Owner& owner, const Uuid& uuid) {
  auto credential = sized<Credential>();
  const latchkey_code code = latchkey_credential_get(host->store().handle(), &uuid, &credential);
  if (code != LATCHKEY_OK && code != LATCHKEY_NOT_FOUND) throw RefusalOf(Error(code));
  if (code == LATCHKEY_NOT_FOUND || credential.owner != owner.uuid ||
      credential.kind != noun.kind) {
    RefuseMissing(noun);
  }
  return credential;
}

// Among user keys, a user key has to do with itself alone: who steals one shall not be able to make
// others, change them, or see what there is.
void RequireItself(const Noun& noun, const Caller& caller, const Uuid& uuid, const char* verb) {
  if (noun.kind != LATCHKEY_KIND_USER_KEY || !caller.is_user_key() || caller.credential == uuid) {
    return;
  }
  throw Refusal(403, std::string("A user API key can only ") + verb +
                         " itself. Authenticate with a JWT (user session token) to " + verb +
                         " other keys.");
}

nlohmann::ordered_json RowJson(Host* host, const Credential& row) {
  return wire::CredentialJson(row, row.kind == LATCHKEY_KIND_USER_TOKEN
                                       ? host->store().redacted_token(row.uuid)
                                       : std::string());
}

Reply ListRows(Host* host, const Noun& noun, const Caller& caller, const std::string& owner_id,
               Listing* listing) {
  RequireUnscoped(caller);
  const Owner owner = RequireOwner(host, noun, caller, owner_id);
  ListQuery* query = listing->query();
  query->owner = owner.uuid;
  query->kind = noun.kind;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  bool nothing = false;
  if (noun.kind == LATCHKEY_KIND_USER_KEY && caller.is_user_key()) {
    const Credential itself = host->store().get_credential(caller.credential);
    nothing = itself.owner != owner.uuid || !listing->NarrowToSlug(itself.slug);
  }
  if (nothing) return ListReply(json, 0, listing->Link(0));
  const Page<Credential> page = host->store().list_credentials(*query);
  for (const Credential& row : page.rows) json.push_back(RowJson(host, row));
  return ListReply(json, page.total, listing->Link(page.total));
}

Reply List(Host* host, Request* request, const Noun& noun) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string owner_id = ReadOwnerId(*request, kOwnerParameter);
  Listing listing(*request, "revoked");
  return ListRows(host, noun, Authenticate(host, request, bearer), owner_id, &listing);
}

struct Wish {
  std::string_view name;
  std::optional<int64_t> ttl_s;
  std::optional<uint64_t> scopes;
};

// Borrows from `body`.
Wish ReadWish(const JsonBody& body) {
  Wish wish;
  const std::optional<std::string_view> name = body.Text("name");
  if (!name) JsonBody::Refuse("name", "it is missing");
  CheckName(*name);
  wish.name = *name;
  wish.ttl_s = body.Whole("ttl", 0, LATCHKEY_TTL_MAX_S);
  wish.scopes = body.Scopes("scopes");
  return wish;
}

// The reply with the secret in it, which goes into one buffer of the right size and nowhere else.
Reply CreatedReply(const Issued& issued) {
  Reply reply = JsonReply(201, wire::CreatedJson(issued.credential, ""));
  const std::string_view secret = issued.secret.reveal();
  constexpr std::string_view kEmptyKey = "\"key\":\"";
  // The name stands before it, but no name can hold an unescaped quote.
  const size_t place = reply.body.find(kEmptyKey) + kEmptyKey.size();
  std::string body;
  body.reserve(reply.body.size() + secret.size());
  body.append(reply.body, 0, place).append(secret).append(reply.body, place);
  reply.body = std::move(body);
  return reply;
}

Reply Create(Host* host, Request* request, const Noun& noun) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string owner_id = ReadOwnerId(*request, kOwnerParameter);
  RequireJson(*request);
  const JsonBody body(request->body);
  const Wish wish = ReadWish(body);
  const Caller caller = Authenticate(host, request, bearer);
  RequireUnscoped(caller);
  if (noun.kind == LATCHKEY_KIND_USER_KEY && caller.is_user_key()) {
    throw Refusal(403,
                  "A user API key cannot be used to create another user API key. Authenticate with "
                  "a JWT (user session token) instead.");
  }
  const Owner owner = RequireOwner(host, noun, caller, owner_id);
  if (wish.scopes && !caller.admin) {
    throw Refusal(403, "Only an administrator can set scopes");
  }
  if (wish.ttl_s == 0) throw Refusal(400, "TTL must be greater than zero");
  NewCredential wanted;
  wanted.owner = owner.uuid;
  wanted.kind = noun.kind;
  wanted.name = wish.name;
  wanted.ttl_s = wish.ttl_s;
  wanted.scopes = wish.scopes.value_or(0);
  wanted.creator = caller.user;
  wanted.minted_by = caller.credential;
  try {
    return CreatedReply(host->store().create_credential(wanted));
  } catch (const Error& error) {
    // Revoked since it was looked up: then nothing comes of what it asked for.
    if (error.code() != LATCHKEY_FORBIDDEN) throw;
    throw Refusal(401, caller.is_user_key()
                           ? "Invalid user key"
                           : "This API token has been revoked and is no longer valid");
  }
}

Reply View(Host* host, Request* request, const Noun& noun) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string owner_id = ReadOwnerId(*request, kOwnerParameter);
  const Uuid uuid = ReadUuid(*request, kCredentialParameter);
  const Caller caller = Authenticate(host, request, bearer);
  RequireUnscoped(caller);
  const Owner owner = RequireOwner(host, noun, caller, owner_id);
  const Credential row = FindCredential(host, noun, owner, uuid);
  RequireItself(noun, caller, uuid, "view");
  return JsonReply(200, RowJson(host, row));
}

Reply Update(Host* host, Request* request, const Noun& noun) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string owner_id = ReadOwnerId(*request, kOwnerParameter);
  const Uuid uuid = ReadUuid(*request, kCredentialParameter);
  RequireJson(*request);
  const JsonBody body(request->body);
  const std::optional<std::string_view> name = body.Text("name");
  if (name) CheckName(*name);
  const Caller caller = Authenticate(host, request, bearer);
  RequireUnscoped(caller);
  const Owner owner = RequireOwner(host, noun, caller, owner_id);
  FindCredential(host, noun, owner, uuid);
  RequireItself(noun, caller, uuid, "update");
  if (!name) throw Refusal(409, "There are no changes to save");
  return JsonReply(200, RowJson(host, host->store().rename_credential(uuid, *name, caller.user)));
}

// How many active credentials were made by this one, all of which are revoked now.
uint64_t RevokeCreatedBy(Host* host, const Uuid& uuid, const Caller& caller) {
  constexpr std::string_view kReason = "revoked with the credential that made it";
  auto sweep = sized<latchkey_sweep_options>();
  sweep.minted_by = uuid;
  sweep.actor = caller.user;
  sweep.reason = kReason.data();
  sweep.reason_size = kReason.size();
  return host->store().revoke_all(sweep);
}

Reply Revoke(Host* host, Request* request, const Noun& noun) {
  const Bearer bearer = ReadUserBearer(*request);
  const std::string owner_id = ReadOwnerId(*request, kOwnerParameter);
  const Uuid uuid = ReadUuid(*request, kCredentialParameter);
  const bool created = Form(request->target.query, kBadQuery).Truth("created");
  const Caller caller = Authenticate(host, request, bearer);
  RequireUnscoped(caller);
  const Owner owner = RequireOwner(host, noun, caller, owner_id);
  FindCredential(host, noun, owner, uuid);
  RequireItself(noun, caller, uuid, "revoke");
  auto revoked = sized<Credential>();
  const latchkey_code code =
      latchkey_credential_revoke(host->store().handle(), &uuid, &caller.user, nullptr, 0, &revoked);
  if (code != LATCHKEY_OK && code != LATCHKEY_CONFLICT) throw RefusalOf(Error(code));
  // First the one that makes, which makes nothing from then on; then what it has made. Asked again
  // after the second half has failed, it is the second half that is left to do.
  const uint64_t covered = created ? RevokeCreatedBy(host, uuid, caller) : 0;
  if (code == LATCHKEY_CONFLICT && covered == 0) {
    throw Refusal(409, std::string(noun.words) + " has already been revoked");
  }
  return EmptyReply();
}

}  // namespace

// The reference system reads the path and the query of this one before the header.
Reply ListTokens(Host* host, Request* request) {
  const std::string owner_id = ReadOwnerId(*request, kOwnerParameter);
  Listing listing(*request, "revoked");
  const Bearer bearer = ReadUserBearer(*request);
  return ListRows(host, kToken, Authenticate(host, request, bearer), owner_id, &listing);
}

Reply CreateToken(Host* host, Request* request) {
  const Bearer bearer = ReadUserBearer(*request);
  ReadOwnerId(*request, kOwnerParameter);
  RequireJson(*request);
  ReadWish(JsonBody(request->body));
  RequireUnscoped(Authenticate(host, request, bearer));
  throw Refusal(403,
                "User API tokens are deprecated and can no longer be created. Create a user API "
                "key instead: POST /v0/users/{user}/keys");
}

Reply ViewToken(Host* host, Request* request) { return View(host, request, kToken); }
Reply UpdateToken(Host* host, Request* request) { return Update(host, request, kToken); }
Reply RevokeToken(Host* host, Request* request) { return Revoke(host, request, kToken); }

Reply ListUserKeys(Host* host, Request* request) { return List(host, request, kUserKey); }
Reply CreateUserKey(Host* host, Request* request) { return Create(host, request, kUserKey); }
Reply ViewUserKey(Host* host, Request* request) { return View(host, request, kUserKey); }
Reply UpdateUserKey(Host* host, Request* request) { return Update(host, request, kUserKey); }
Reply RevokeUserKey(Host* host, Request* request) { return Revoke(host, request, kUserKey); }

Reply ListProjectKeys(Host* host, Request* request) { return List(host, request, kProjectKey); }
Reply CreateProjectKey(Host* host, Request* request) { return Create(host, request, kProjectKey); }
Reply ViewProjectKey(Host* host, Request* request) { return View(host, request, kProjectKey); }
Reply UpdateProjectKey(Host* host, Request* request) { return Update(host, request, kProjectKey); }
Reply RevokeProjectKey(Host* host, Request* request) { return Revoke(host, request, kProjectKey); }

}  // namespace latchkey::http
