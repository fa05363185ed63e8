#include "rows.h"

#include <cstring>

namespace latchkey::cli {
namespace {

constexpr uint64_t kScopeVerify = 1;

Json TimeOrNull(int64_t unix_s) { return unix_s == 0 ? Json(nullptr) : Json(FormatTime(unix_s)); }

std::string TimeOrEmpty(int64_t unix_s) { return unix_s == 0 ? "" : FormatTime(unix_s); }

const Noun* NounOf(uint32_t kind) {
  for (const Noun* noun : {&kUserToken, &kUserKey, &kProjectKey}) {
    if (noun->kind == kind) return noun;
  }
  return nullptr;
}

Json ScopesJson(uint64_t scopes) {
  Json names = Json::array();
  if ((scopes & kScopeVerify) != 0) names.push_back("verify");
  for (unsigned bit = 1; bit < 64; ++bit) {
    if ((scopes >> bit & 1) != 0) names.push_back(bit);
  }
  return names;
}

std::string ScopesText(uint64_t scopes) {
  std::string text;
  for (const Json& scope : ScopesJson(scopes)) {
    text += text.empty() ? "" : ", ";
    text += scope.is_string() ? scope.get<std::string>() : scope.dump();
  }
  return text;
}

std::string RedactedToken(const Store& store, const latchkey_credential& credential) {
  std::string text(LATCHKEY_JWT_BYTES_MAX, '\0');
  size_t size = 0;
  Require(latchkey_credential_redacted_token(store.get(), &credential.uuid, text.data(),
                                             text.size(), &size),
          "user API token " + FormatUuid(credential.uuid));
  text.resize(size);
  return text;
}

const char* StateOf(const latchkey_credential& credential, int64_t now_s) {
  if (credential.revoked_s != 0) return "revoked";
  // A JWT lives through its last second; a key is dead when it comes.
  const bool jwt = credential.kind == LATCHKEY_KIND_USER_TOKEN;
  const bool expired = jwt ? now_s > credential.expires_s : now_s >= credential.expires_s;
  return expired ? "expired" : "active";
}

void AddTail(const latchkey_credential& credential, Json* json) {
  (*json)["slug"] = credential.slug;
  if (credential.scopes != 0) (*json)["scopes"] = ScopesJson(credential.scopes);
}

}  // namespace

std::string NameOf(const latchkey_owner& owner) { return {owner.name, owner.name_size}; }

std::string NameOf(const latchkey_credential& credential) {
  return {credential.name, credential.name_size};
}

Json OwnerJson(const latchkey_owner& owner) {
  Json json;
  json["uuid"] = FormatUuid(owner.uuid);
  json["name"] = NameOf(owner);
  json["slug"] = owner.slug;
  if (owner.sort == LATCHKEY_OWNER_USER) {
    json["email"] = owner.email[0] == '\0' ? Json(nullptr) : Json(owner.email);
    json["admin"] = owner.admin != 0;
    json["locked"] = owner.locked != 0;
    json["created"] = FormatTime(owner.creation_s);
    if (owner.deleted_s != 0) json["deleted"] = FormatTime(owner.deleted_s);
  } else {
    json["visibility"] = owner.visibility == LATCHKEY_VISIBILITY_PRIVATE ? "private" : "public";
    json["created"] = FormatTime(owner.creation_s);
    json["deleted"] = TimeOrNull(owner.deleted_s);
  }
  return json;
}

std::vector<std::string> OwnerHeadings(uint32_t sort) {
  if (sort == LATCHKEY_OWNER_USER) {
    return {"UUID", "SLUG", "STATE", "ADMIN", "CREATED", "EMAIL", "NAME"};
  }
  return {"UUID", "SLUG", "STATE", "VISIBILITY", "CREATED", "NAME"};
}

std::vector<std::string> OwnerRow(const latchkey_owner& owner) {
  const char* state = owner.deleted_s != 0 ? "deleted" : owner.locked != 0 ? "locked" : "active";
  if (owner.sort == LATCHKEY_OWNER_USER) {
    return {
        FormatUuid(owner.uuid),       owner.slug,  state,        owner.admin != 0 ? "yes" : "no",
        FormatTime(owner.creation_s), owner.email, NameOf(owner)};
  }
  return {FormatUuid(owner.uuid),
          owner.slug,
          state,
          owner.visibility == LATCHKEY_VISIBILITY_PRIVATE ? "private" : "public",
          FormatTime(owner.creation_s),
          NameOf(owner)};
}

std::vector<Field> OwnerFields(const latchkey_owner& owner) {
  std::vector<Field> fields = {
      {"uuid", FormatUuid(owner.uuid)}, {"name", NameOf(owner)}, {"slug", owner.slug}};
  if (owner.sort == LATCHKEY_OWNER_USER) {
    fields.insert(fields.end(), {{"email", owner.email},
                                 {"admin", owner.admin != 0 ? "yes" : "no"},
                                 {"locked", owner.locked != 0 ? "yes" : "no"}});
  } else {
    fields.push_back(
        {"visibility", owner.visibility == LATCHKEY_VISIBILITY_PRIVATE ? "private" : "public"});
  }
  fields.push_back({"created", FormatTime(owner.creation_s)});
  fields.push_back({"deleted", TimeOrEmpty(owner.deleted_s)});
  return fields;
}

const char* RoleWord(uint32_t role) {
  switch (role) {
    case LATCHKEY_ROLE_VIEWER:
      return "viewer";
    case LATCHKEY_ROLE_DEVELOPER:
      return "developer";
    case LATCHKEY_ROLE_MAINTAINER:
      return "maintainer";
    default:
      return "none";
  }
}

Json GrantJson(const latchkey_grant& grant) {
  Json json;
  json["project"] = FormatUuid(grant.project);
  json["user"] = FormatUuid(grant.user);
  json["role"] = RoleWord(grant.role);
  return json;
}

std::string KindWord(const Store& store, uint32_t kind) {
  switch (kind) {
    case LATCHKEY_KIND_USER_TOKEN:
      return "user_token";
    case LATCHKEY_KIND_USER_KEY:
      return "user_key";
    case LATCHKEY_KIND_PROJECT_KEY:
      return "project_key";
    default:
      break;
  }
  auto registered = Sized<latchkey_kind>();
  Require(latchkey_kind_get(store.get(), kind, &registered), "kind " + std::to_string(kind));
  return registered.name;
}

Json CredentialJson(const Store& store, const latchkey_credential& credential) {
  const Noun* noun = NounOf(credential.kind);
  Json json;
  json["uuid"] = FormatUuid(credential.uuid);
  json[noun == nullptr ? "owner" : noun->owner_word] = FormatUuid(credential.owner);
  if (credential.kind == LATCHKEY_KIND_PROJECT_KEY)
    json["creator"] = UuidOrNull(credential.creator);
  json["name"] = NameOf(credential);
  if (credential.kind == LATCHKEY_KIND_USER_TOKEN) json["token"] = RedactedToken(store, credential);
  json["creation"] = FormatTime(credential.creation_s);
  json["expiration"] = FormatTime(credential.expires_s);
  if (credential.revoked_s != 0) json["revoked"] = FormatTime(credential.revoked_s);
  AddTail(credential, &json);
  return json;
}

Json CreatedJson(const Noun& noun, const latchkey_credential& credential, const char* secret) {
  Json json;
  json["uuid"] = FormatUuid(credential.uuid);
  json[noun.owner_word] = FormatUuid(credential.owner);
  json["name"] = NameOf(credential);
  json["key"] = secret;
  json["creation"] = FormatTime(credential.creation_s);
  json["expiration"] = FormatTime(credential.expires_s);
  AddTail(credential, &json);
  return json;
}

std::vector<std::string> CredentialHeadings() {
  return {"UUID", "SLUG", "STATE", "CREATION", "EXPIRATION", "NAME"};
}

std::vector<std::string> CredentialRow(const latchkey_credential& credential, int64_t now_s) {
  return {FormatUuid(credential.uuid),      credential.slug,
          StateOf(credential, now_s),       FormatTime(credential.creation_s),
          FormatTime(credential.expires_s), NameOf(credential)};
}

std::vector<Field> CredentialFields(const Store& store, const latchkey_credential& credential) {
  const Noun* noun = NounOf(credential.kind);
  std::vector<Field> fields = {
      {"uuid", FormatUuid(credential.uuid)},
      {"kind", KindWord(store, credential.kind)},
      {noun == nullptr ? "owner" : noun->owner_word, FormatUuid(credential.owner)},
      {"name", NameOf(credential)},
      {"slug", credential.slug},
      {"state", StateOf(credential, store.Stats().time_s)},
      {"creation", FormatTime(credential.creation_s)},
      {"not before", TimeOrEmpty(credential.not_before_s)},
      {"expiration", FormatTime(credential.expires_s)},
      {"revoked", TimeOrEmpty(credential.revoked_s)},
      {"last used", TimeOrEmpty(credential.last_used_s)},
      {"creator", IsNil(credential.creator) ? "" : FormatUuid(credential.creator)},
      {"scopes", ScopesText(credential.scopes)}};
  if (credential.kind == LATCHKEY_KIND_USER_TOKEN) {
    fields.push_back({"token", RedactedToken(store, credential)});
  }
  return fields;
}

}  // namespace latchkey::cli
