// How each thing looks in JSON: the shapes of the REST replies, which the command line prints as
// well. The host and the command line both write through here, so that they cannot drift apart.
#pragma once

#include <latchkey/latchkey.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace latchkey::wire {

// Keeps its members in the order in which they were added.
using Json = nlohmann::ordered_json;

// RFC 3339, UTC, whole seconds; what is outside of the years 1970 to 9999 is the nearest of them.
std::string FormatTime(int64_t unix_s);
std::string FormatUuid(const latchkey_uuid& uuid);
// All zero = null.
Json UuidOrNull(const latchkey_uuid& uuid);
bool IsNil(const latchkey_uuid& uuid);

// "viewer", "developer", "maintainer", "none".
const char* RoleWord(uint32_t role);
// LATCHKEY_ROLE_NONE when it is none of the three.
uint32_t ParseRole(std::string_view word);

// ["verify", 9]: bit 0 by its name, the others by their numbers.
Json ScopesJson(uint64_t scopes);
// The same as one text, with `separator` between.
std::string ScopesText(uint64_t scopes, std::string_view separator);

// "user_token", "user_key", "project_key"; nullptr for a kind of a host's own, whose name is in the
// store.
const char* BuiltInKindWord(uint32_t kind);

// A user: uuid, name, slug, email, admin, locked, created, and deleted when he is. A project: uuid,
// name, slug, visibility, created, deleted.
Json OwnerJson(const latchkey_owner& owner);
// project, user, role.
Json GrantJson(const latchkey_grant& grant);

// A credential without its secret. `redacted_token` is what may be shown of a user_token, ignored
// for other kinds.
Json CredentialJson(const latchkey_credential& credential, std::string_view redacted_token);
// A credential that has just been made, with its secret.
Json CreatedJson(const latchkey_credential& credential, std::string_view secret);

Json StatsJson(const latchkey_stats& stats);

}  // namespace latchkey::wire
