// What the store should hold and answer, as maps and loops over them: slow, and easy to believe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "latchkey/latchkey.h"

namespace latchkey_model {

using Id = std::string;  // a UUID as text, so that it prints

struct Owner {
  Id uuid;
  uint32_t sort = LATCHKEY_OWNER_USER;
  std::string name;
  std::string slug;
  std::string email;
  bool admin = false;
  bool locked = false;
  uint32_t visibility = LATCHKEY_VISIBILITY_PUBLIC;
  int64_t creation_s = 0;
  int64_t deleted_s = 0;
};

struct Key {
  Id uuid;
  Id owner;
  Id creator;  // empty = none; so for those below
  Id minted_by;
  Id revoked_by;
  uint32_t kind = 0;
  std::string name;
  std::string slug;
  std::string secret;  // empty = nobody was told it
  std::string metadata;
  int64_t creation_s = 0;
  int64_t not_before_s = 0;
  int64_t expires_s = 0;
  int64_t revoked_s = 0;
  uint64_t scopes = 0;
};

// A list as a caller asks for it; of owners when `owner` is empty, and `kind` is then their sort.
struct Query {
  Id owner;
  uint32_t kind = 0;
  bool revoked = false;
  bool descending = false;
  std::optional<std::string> name;
  std::optional<std::string> slug;
  std::string search;
};

struct Sweep {
  Id owner;
  Id creator;
  Id minted_by;
  uint32_t kind = 0;
  uint64_t scopes = 0;
  int64_t issued_before_s = 0;
  Id actor;
};

class Model {
 public:
  std::map<Id, Owner> owners;
  std::map<Id, Key> keys;
  std::map<std::pair<Id, Id>, uint32_t> grants;  // (project, user) -> role

  // The UUIDs of all that fit, in order.
  std::vector<Id> List(const Query& query) const;
  uint32_t Judge(const Key& key, uint64_t required_scopes, int64_t now_s) const;
  bool Authorized(const Id& user, const Id& project, uint32_t role) const;
  // Revokes what it covers and says how many.
  uint64_t Apply(const Sweep& sweep, int64_t now_s);

  bool SlugTaken(uint32_t sort, std::string_view slug, const Id& except) const;
  bool EmailTaken(std::string_view email, const Id& except) const;
  bool KeySlugTaken(const Id& owner, uint32_t kind, std::string_view slug) const;
  uint64_t CountOwners(uint32_t sort) const;
  uint64_t CountKeys(bool revoked) const;
};

std::string FoldAscii(std::string_view text);

// The slug that a name should get, or nullopt when it holds what this model cannot transliterate.
std::optional<std::string> SlugOf(std::string_view name);

// Is it that slug, or, where that was taken or empty, that slug with a suffix?
bool IsSlugOf(std::string_view slug, std::string_view name, bool was_taken);

}  // namespace latchkey_model
