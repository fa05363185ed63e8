#include "wire.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace latchkey::wire {
namespace {

// The last second that RFC 3339 can write.
constexpr int64_t kTimeMaxS = 253402300799;
constexpr uint64_t kScopeVerify = 1;

// The member that holds whose a credential is.
const char* OwnerMember(uint32_t kind) {
  switch (kind) {
    case LATCHKEY_KIND_USER_TOKEN:
    case LATCHKEY_KIND_USER_KEY:
      return "user";
    case LATCHKEY_KIND_PROJECT_KEY:
      return "project";
    default:
      return "owner";
  }
}

std::string NameOf(const latchkey_owner& owner) { return {owner.name, owner.name_size}; }

std::string NameOf(const latchkey_credential& credential) {
  return {credential.name, credential.name_size};
}

// What stands behind the members of the reference system's replies.
void AddTail(const latchkey_credential& credential, Json* json) {
  (*json)["slug"] = credential.slug;
  if (credential.scopes != 0) (*json)["scopes"] = ScopesJson(credential.scopes);
}

}  // namespace

std::string FormatTime(int64_t unix_s) {
  const time_t time = static_cast<time_t>(std::clamp<int64_t>(unix_s, 0, kTimeMaxS));
  std::tm utc = {};
  char text[64] = "";
  if (gmtime_r(&time, &utc) != nullptr) {
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900,
                  utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  }
  return text;
}

std::string FormatUuid(const latchkey_uuid& uuid) {
  char text[LATCHKEY_UUID_TEXT_SIZE];
  latchkey_uuid_format(&uuid, text);
  return text;
}

Json UuidOrNull(const latchkey_uuid& uuid) {
  return IsNil(uuid) ? Json(nullptr) : Json(FormatUuid(uuid));
}

bool IsNil(const latchkey_uuid& uuid) {
  return std::all_of(std::begin(uuid.bytes), std::end(uuid.bytes),
                     [](uint8_t byte) { return byte == 0; });
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

uint32_t ParseRole(std::string_view word) {
  for (uint32_t role : {LATCHKEY_ROLE_VIEWER, LATCHKEY_ROLE_DEVELOPER, LATCHKEY_ROLE_MAINTAINER}) {
    if (word == RoleWord(role)) return role;
  }
  return LATCHKEY_ROLE_NONE;
}

Json ScopesJson(uint64_t scopes) {
  Json names = Json::array();
  if ((scopes & kScopeVerify) != 0) names.push_back("verify");
  for (unsigned bit = 1; bit < 64; ++bit) {
    if ((scopes >> bit & 1) != 0) names.push_back(bit);
  }
  return names;
}

std::string ScopesText(uint64_t scopes, std::string_view separator) {
  std::string text;
  for (const Json& scope : ScopesJson(scopes)) {
    if (!text.empty()) text += separator;
    text += scope.is_string() ? scope.get<std::string>() : scope.dump();
  }
  return text;
}

const char* BuiltInKindWord(uint32_t kind) {
  switch (kind) {
    case LATCHKEY_KIND_USER_TOKEN:
      return "user_token";
    case LATCHKEY_KIND_USER_KEY:
      return "user_key";
    case LATCHKEY_KIND_PROJECT_KEY:
      return "project_key";
    default:
      return nullptr;
  }
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
    json["deleted"] = owner.deleted_s == 0 ? Json(nullptr) : Json(FormatTime(owner.deleted_s));
  }
  return json;
}

Json GrantJson(const latchkey_grant& grant) {
  Json json;
  json["project"] = FormatUuid(grant.project);
  json["user"] = FormatUuid(grant.user);
  json["role"] = RoleWord(grant.role);
  return json;
}

Json CredentialJson(const latchkey_credential& credential, std::string_view redacted_token) {
  const bool project_key = credential.kind == LATCHKEY_KIND_PROJECT_KEY;
  Json json;
  json["uuid"] = FormatUuid(credential.uuid);
  json[OwnerMember(credential.kind)] = FormatUuid(credential.owner);
  if (project_key) json["creator"] = UuidOrNull(credential.creator);
  json["name"] = NameOf(credential);
  if (credential.kind == LATCHKEY_KIND_USER_TOKEN) json["token"] = redacted_token;
  json["creation"] = FormatTime(credential.creation_s);
  json["expiration"] = FormatTime(credential.expires_s);
  if (credential.revoked_s != 0) json["revoked"] = FormatTime(credential.revoked_s);
  AddTail(credential, &json);
  if (credential.not_before_s != 0) json["not_before"] = FormatTime(credential.not_before_s);
  if (credential.last_used_s != 0) json["last_used"] = FormatTime(credential.last_used_s);
  if (!project_key && !IsNil(credential.creator)) json["creator"] = FormatUuid(credential.creator);
  return json;
}

Json CreatedJson(const latchkey_credential& credential, std::string_view secret) {
  Json json;
  json["uuid"] = FormatUuid(credential.uuid);
  json[OwnerMember(credential.kind)] = FormatUuid(credential.owner);
  json["name"] = NameOf(credential);
  json["key"] = secret;
  json["creation"] = FormatTime(credential.creation_s);
  json["expiration"] = FormatTime(credential.expires_s);
  AddTail(credential, &json);
  return json;
}

Json StatsJson(const latchkey_stats& stats) {
  Json json;
  json["store_id"] = FormatUuid(stats.store_id);
  json["history_id"] = FormatUuid(stats.history_id);
  json["event_number"] = stats.event_number;
  json["users"] = stats.users;
  json["projects"] = stats.projects;
  json["active"] = stats.active;
  json["revoked"] = stats.revoked;
  json["sweeps_pending"] = stats.sweeps_pending;
  json["commits"] = stats.commits;
  json["commands"] = stats.commands;
  json["verify_table_bytes"] = stats.verify_table_bytes;
  json["directory_bytes"] = stats.directory_bytes;
  json["disk_bytes"] = stats.disk_bytes;
  json["log_bytes"] = stats.log_bytes;
  json["time_s"] = stats.time_s;
  json["clock_jump_pending"] = stats.clock_jump_pending != 0;
  json["format"] = stats.format;
  json["verify_table_entries"] = stats.verify_table_entries;
  json["verify_table_missing"] = stats.verify_table_missing;
  json["loading"] = stats.loading != 0;
  json["load_done"] = stats.load_done;
  json["load_total"] = stats.load_total;
  return json;
}

}  // namespace latchkey::wire
