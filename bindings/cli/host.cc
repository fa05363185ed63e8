#include "host.h"

#include <strings.h>

#include <ctime>

#include "host_json.h"
#include "host_text.h"

namespace latchkey::cli {
namespace {

constexpr size_t kKeyBytesMax = LATCHKEY_SECRET_BYTES_MAX;
constexpr uint32_t kPageSizeMax = 255;

// What the host is asked with: a flag, else the first variable that is set.
SecretText ReadKey(const Globals& globals) {
  const PlaceFlags& flags = globals.flags;
  if (flags.key.given()) {
    Complain(
        "a key in an argument can be seen by everybody on this machine, and stays in the shell's "
        "history. Name a file with --key-file instead.");
    return SecretText(flags.key.value);
  }
  const std::string file =
      flags.key_file.given() ? flags.key_file.value : Environment("LATCHKEY_KEY_FILE");
  if (flags.key_file.given() || !file.empty()) {
    return ReadSecretFile(file, "--key-file", "a key", kKeyBytesMax, true);
  }
  SecretText key(Environment("LATCHKEY_API_KEY"));
  if (key.empty()) key = Environment("LATCHKEY_API_TOKEN");
  if (key.empty()) {
    RefuseUsage("the key for the host", "a host answers only to those whom it knows",
                "Name a file that holds a key or a session with --key-file, or set "
                "LATCHKEY_KEY_FILE, LATCHKEY_API_KEY or LATCHKEY_API_TOKEN.");
  }
  return key;
}

std::string CaFile(const Globals& globals) {
  const TextFlag& flag = globals.flags.ca_file;
  return flag.given() ? flag.value : Environment("LATCHKEY_CA_FILE");
}

// Of the paths of a project and of a user.
std::string GrantPath(const std::string& project, const std::string& user) {
  return project + "/grants" + user.substr(user.rfind('/'));
}

std::string CredentialPath(const Noun& noun, const Credential& credential) {
  return OwnersPath(noun.owner_sort) + "/" + wire::FormatUuid(credential.row.owner) +
         KeysSegment(noun) + "/" + wire::FormatUuid(credential.row.uuid);
}

}  // namespace

HostBackend::HostBackend(const Globals& globals)
    : client_(globals.host, CaFile(globals), ReadKey(globals)) {}

HttpReply HostBackend::Send(const char* method, const std::string& path, const Json& body,
                            const Context& context) {
  const std::string text = body.is_null() ? "" : JsonText(body, context.thing);
  HttpReply reply = client_.Send(method, path, text, context.thing);
  if (reply.status < 200 || reply.status > 299)
    RefuseStatus(reply, client_.shown_address(), context);
  return reply;
}

template <typename Read>
auto HostBackend::Ask(const char* method, const std::string& path, const Json& body,
                      const Context& context, Read read) {
  HttpReply reply = Send(method, path, body, context);
  return Understand(reply, client_.shown_address(), context, read);
}

void HostBackend::Tell(const char* method, const std::string& path, const Context& context) {
  Send(method, path, nullptr, context);
}

template <typename Row>
Page<Row> HostBackend::AskPage(const std::string& path, const Context& context,
                               const std::function<Row(const Json&)>& read) {
  const HttpReply reply = Send("GET", path, nullptr, context);
  return Understand(reply, client_.shown_address(), context, [&](Json& json) {
    Page<Row> page;
    page.total = ReadTotal(reply.total);
    for (const Json& row : json.get_ref<const Json::array_t&>()) page.rows.push_back(read(row));
    return page;
  });
}

Json HostBackend::Stats() {
  return Ask("GET", "/v0/stats", nullptr, {"stats"}, [](Json& json) {
    json.get_ref<const Json::object_t&>();
    return json;
  });
}

int64_t HostBackend::TimeS() {
  try {
    return Stats().at("time_s").get<int64_t>();
  } catch (const std::exception&) {
    return std::time(nullptr);  // only an administrator may ask
  }
}

latchkey_owner HostBackend::FindByEmail(const std::string& email) {
  const Context context = OwnerContext(LATCHKEY_OWNER_USER, email);
  // A host that does not know the filter sends all users, so the rows are compared here as well.
  const std::string path = "/v0/users?email=" + PercentEncoded(email) +
                           "&per_page=" + std::to_string(kPageSizeMax) + "&page=";
  for (uint32_t number = 1;; ++number) {
    const auto page = AskPage<latchkey_owner>(
        path + std::to_string(number), context,
        [](const Json& json) { return ReadOwner(json, LATCHKEY_OWNER_USER); });
    for (const latchkey_owner& user : page.rows) {
      if (strcasecmp(user.email, email.c_str()) == 0) return user;
    }
    if (page.rows.size() < kPageSizeMax) {
      Refuse(LATCHKEY_NOT_FOUND, context.thing, "there is no user with this e-mail",
             context.remedies);
    }
  }
}

std::string HostBackend::OwnerPath(uint32_t sort, const std::string& id) {
  const std::string folder = OwnersPath(sort) + "/";
  if (sort == LATCHKEY_OWNER_USER && id.find('@') != std::string::npos) {
    return folder + wire::FormatUuid(FindByEmail(id).uuid);
  }
  // These are no segments: a path would lead to something else than one owner.
  if (id.empty() || id == "." || id == "..") {
    const Context context = OwnerContext(sort, id);
    Refuse(LATCHKEY_INVALID_ARGUMENT, context.thing, "this is no slug and no UUID",
           context.remedies);
  }
  return folder + PercentEncoded(id);
}

latchkey_owner HostBackend::FindOwner(uint32_t sort, const std::string& id) {
  return Ask("GET", OwnerPath(sort, id), nullptr, OwnerContext(sort, id),
             [sort](Json& json) { return ReadOwner(json, sort); });
}

Page<latchkey_owner> HostBackend::ListOwners(const latchkey_list_options& options,
                                             const Context& context) {
  const uint32_t sort = options.kind;
  return AskPage<latchkey_owner>(OwnersPath(sort) + ListQuery(options, "deleted"), context,
                                 [sort](const Json& json) { return ReadOwner(json, sort); });
}

latchkey_owner HostBackend::CreateOwner(const latchkey_owner_create_options& options,
                                        const Context& context) {
  return Ask("POST", OwnersPath(options.sort), OwnerBody(options), context,
             [&](Json& json) { return ReadOwner(json, options.sort); });
}

latchkey_owner HostBackend::UpdateOwner(uint32_t sort, const std::string& id,
                                        latchkey_owner_update_options options,
                                        const Context& context) {
  return Ask("PATCH", OwnerPath(sort, id), OwnerBody(options), context,
             [sort](Json& json) { return ReadOwner(json, sort); });
}

void HostBackend::DeleteOwner(const latchkey_owner& owner, const Context& context) {
  // To a host it would be one that is not there.
  if (owner.deleted_s != 0) {
    Refuse(LATCHKEY_CONFLICT, context.thing, "it is deleted already", context.remedies);
  }
  Tell("DELETE", OwnersPath(owner.sort) + "/" + wire::FormatUuid(owner.uuid), context);
}

latchkey_grant HostBackend::SetGrant(const std::string& project, const std::string& user,
                                     uint32_t role, const Context& context) {
  Json body;
  body["role"] = wire::RoleWord(role);
  return Ask(
      "PUT",
      GrantPath(OwnerPath(LATCHKEY_OWNER_PROJECT, project), OwnerPath(LATCHKEY_OWNER_USER, user)),
      body, context, [](Json& json) { return ReadGrant(json); });
}

void HostBackend::RemoveGrant(const std::string& project, const std::string& user,
                              const Context& context) {
  Tell("DELETE",
       GrantPath(OwnerPath(LATCHKEY_OWNER_PROJECT, project), OwnerPath(LATCHKEY_OWNER_USER, user)),
       context);
}

std::vector<latchkey_grant> HostBackend::ListGrants(const std::string& project,
                                                    const Context& context) {
  const std::string path = OwnerPath(LATCHKEY_OWNER_PROJECT, project) +
                           "/grants?per_page=" + std::to_string(kPageSizeMax);
  std::vector<latchkey_grant> grants;
  for (size_t count = kPageSizeMax; count == kPageSizeMax;) {
    const std::string after =
        grants.empty() ? "" : "&after=" + wire::FormatUuid(grants.back().user);
    const auto page = AskPage<latchkey_grant>(path + after, context, ReadGrant);
    count = page.rows.size();
    grants.insert(grants.end(), page.rows.begin(), page.rows.end());
  }
  return grants;
}

Page<Credential> HostBackend::ListCredentials(const Noun& noun, const std::string& owner,
                                              latchkey_list_options options,
                                              const Context& context) {
  return AskPage<Credential>(
      OwnerPath(noun.owner_sort, owner) + KeysSegment(noun) + ListQuery(options, "revoked"),
      context, [&noun](const Json& json) { return ReadCredential(json, noun); });
}

Credential HostBackend::FindCredential(const Noun& noun, const std::string& owner,
                                       const std::string& id, const Context& context) {
  latchkey_uuid uuid = {};
  if (latchkey_uuid_parse(id.data(), id.size(), &uuid) == LATCHKEY_OK) {
    return Ask("GET",
               OwnerPath(noun.owner_sort, owner) + KeysSegment(noun) + "/" + wire::FormatUuid(uuid),
               nullptr, context, [&noun](Json& json) { return ReadCredential(json, noun); });
  }
  // A path takes UUIDs only; a list finds a slug, which is unique among active and revoked ones.
  auto options = Sized<latchkey_list_options>();
  options.page = 1;
  options.page_size = 1;
  options.slug = id.data();
  options.slug_size = id.size();
  for (const uint32_t revoked : {0u, 1u}) {
    options.revoked = revoked;
    const Page<Credential> page = ListCredentials(noun, owner, options, context);
    if (!page.rows.empty() && id == page.rows[0].row.slug) return page.rows[0];
  }
  Refuse(LATCHKEY_NOT_FOUND, context.thing, latchkey_code_text(LATCHKEY_NOT_FOUND),
         context.remedies);
}

Credential HostBackend::CreateCredential(const Noun& noun, const std::string& owner,
                                         latchkey_credential_create_options options,
                                         SecretText* secret, const Context& context) {
  Json body;
  body["name"] = std::string(options.name, options.name_size);
  if (options.has_ttl != 0) body["ttl"] = options.ttl_s;
  if (options.scopes != 0) body["scopes"] = wire::ScopesJson(options.scopes);
  return Ask("POST", OwnerPath(noun.owner_sort, owner) + KeysSegment(noun), body, context,
             [&](Json& json) {
               auto& key = json.at("key").get_ref<std::string&>();
               secret->assign(key);
               explicit_bzero(key.data(), key.size());
               return ReadCredential(json, noun);
             });
}

Credential HostBackend::RenameCredential(const Noun& noun, const Credential& credential,
                                         std::string_view name, const Context& context) {
  Json body;
  body["name"] = name;
  return Ask("PATCH", CredentialPath(noun, credential), body, context,
             [&noun](Json& json) { return ReadCredential(json, noun); });
}

void HostBackend::RevokeCredential(const Noun& noun, const Credential& credential,
                                   const Context& context) {
  Tell("DELETE", CredentialPath(noun, credential), context);
}

HttpReply HostBackend::SendVerify(std::string_view body) {
  constexpr long kForbidden = 403;
  if (!reasons_refused_) {
    HttpReply reply = client_.Send("POST", "/v0/verify?reason=true", body, "the secret");
    reasons_refused_ = reply.status == kForbidden;
    if (!reasons_refused_) return reply;
  }
  return client_.Send("POST", "/v0/verify", body, "the secret");
}

Verdict HostBackend::Verify(const latchkey_bytes& secret, const latchkey_verify_options& options) {
  const Context context = {"the secret"};
  const HttpReply reply = SendVerify(VerifyBody(secret, options.required_scopes));
  if (reply.status != 200) RefuseStatus(reply, client_.shown_address(), context);
  return Understand(reply, client_.shown_address(), context,
                    [](Json& json) { return ReadVerdict(json); });
}

Credential HostBackend::Identify(const uint8_t digest[32], const Context& context) {
  Json body;
  body["sha256"] = {Hex(digest)};
  return Ask("POST", "/v0/identify", body, context, [&](Json& json) {
    const Json& found = json.at("results").at(0);
    if (found.is_null()) {
      Refuse(LATCHKEY_NOT_FOUND, context.thing, latchkey_code_text(LATCHKEY_NOT_FOUND),
             context.remedies);
    }
    return ReadIdentified(found);
  });
}

}  // namespace latchkey::cli
