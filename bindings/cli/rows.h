// How each thing in a store looks: as JSON for programs, in the shape of the REST replies, and as
// rows and fields for people.
#pragma once

#include <latchkey/latchkey.h>

#include <string>
#include <vector>

#include "output.h"
#include "store.h"

namespace latchkey::cli {

// The kinds that have verbs of their own.
struct Noun {
  uint32_t kind;
  uint32_t owner_sort;
  const char* words;       // "user key"
  const char* command;     // "user key", "token"
  const char* owner_word;  // "user": also the JSON member that holds the owner
  const char* owner_name;  // "USER": the positional
};
inline constexpr Noun kUserToken = {
    LATCHKEY_KIND_USER_TOKEN, LATCHKEY_OWNER_USER, "user API token", "token", "user", "USER"};
inline constexpr Noun kUserKey = {
    LATCHKEY_KIND_USER_KEY, LATCHKEY_OWNER_USER, "user key", "user key", "user", "USER"};
inline constexpr Noun kProjectKey = {LATCHKEY_KIND_PROJECT_KEY,
                                     LATCHKEY_OWNER_PROJECT,
                                     "project key",
                                     "project key",
                                     "project",
                                     "PROJECT"};

std::string NameOf(const latchkey_owner& owner);
std::string NameOf(const latchkey_credential& credential);

Json OwnerJson(const latchkey_owner& owner);
std::vector<std::string> OwnerHeadings(uint32_t sort);
std::vector<std::string> OwnerRow(const latchkey_owner& owner);
std::vector<Field> OwnerFields(const latchkey_owner& owner);

const char* RoleWord(uint32_t role);
Json GrantJson(const latchkey_grant& grant);

// The name of a kind: "user_key", or what a host called its own.
std::string KindWord(const Store& store, uint32_t kind);

// A credential without its secret; of a token what may be shown of it.
Json CredentialJson(const Store& store, const latchkey_credential& credential);
// A credential that has just been made, with its secret.
Json CreatedJson(const Noun& noun, const latchkey_credential& credential, const char* secret);
std::vector<std::string> CredentialHeadings();
// `now_s` is the time that verdicts use.
std::vector<std::string> CredentialRow(const latchkey_credential& credential, int64_t now_s);
std::vector<Field> CredentialFields(const Store& store, const latchkey_credential& credential);

}  // namespace latchkey::cli
