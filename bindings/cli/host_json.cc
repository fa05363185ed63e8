#include "host_json.h"

#include <cstdio>
#include <cstring>
#include <ctime>
#include <stdexcept>

namespace latchkey::cli {
namespace {

// The kinds of a host's own have names that only its store knows; one of their numbers stands for
// them all here.
constexpr Noun kHostKind = {LATCHKEY_KIND_HOST_MIN, 0, "key", "", "owner", ""};

const std::string& Text(const Json& json, const char* member) {
  return json.at(member).get_ref<const std::string&>();
}

bool IsThere(const Json& json, const char* member) {
  const auto found = json.find(member);
  return found != json.end() && !found->is_null();
}

template <size_t kSize>
size_t Copy(const std::string& text, char (&out)[kSize]) {
  if (text.size() >= kSize) throw std::invalid_argument("a text is too long");
  std::memcpy(out, text.data(), text.size());
  out[text.size()] = '\0';
  return text.size();
}

latchkey_uuid Uuid(const Json& json, const char* member) {
  const std::string& text = Text(json, member);
  latchkey_uuid uuid = {};
  if (latchkey_uuid_parse(text.data(), text.size(), &uuid) != LATCHKEY_OK) {
    throw std::invalid_argument("a UUID is not one");
  }
  return uuid;
}

latchkey_uuid UuidOrNil(const Json& json, const char* member) {
  return IsThere(json, member) ? Uuid(json, member) : latchkey_uuid{};
}

// "2026-11-21T21:39:47Z"
int64_t Time(const Json& json, const char* member) {
  const std::string& text = Text(json, member);
  std::tm utc = {};
  int size = 0;
  const int fields =
      std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &utc.tm_year, &utc.tm_mon,
                  &utc.tm_mday, &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &size);
  if (fields != 6 || size != 20 || text.size() != 20) {
    throw std::invalid_argument("a time is not one");
  }
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  return timegm(&utc);
}

int64_t TimeOrZero(const Json& json, const char* member) {
  return IsThere(json, member) ? Time(json, member) : 0;
}

uint32_t Truth(const Json& json, const char* member) {
  return json.at(member).get_ref<const bool&>() ? 1 : 0;
}

uint64_t Scopes(const Json& json) {
  uint64_t bits = 0;
  if (!IsThere(json, "scopes")) return bits;
  for (const Json& scope : json.at("scopes")) {
    const bool verify = scope.is_string() && scope.get_ref<const std::string&>() == "verify";
    if (!verify && !(scope.is_number_unsigned() && scope.get<uint64_t>() < 64)) {
      throw std::invalid_argument("a scope is not one");
    }
    bits |= uint64_t{1} << (verify ? 0 : scope.get<uint64_t>());
  }
  return bits;
}

}  // namespace

latchkey_owner ReadOwner(const Json& json, uint32_t sort) {
  auto owner = Sized<latchkey_owner>();
  owner.uuid = Uuid(json, "uuid");
  owner.sort = sort;
  owner.name_size = Copy(Text(json, "name"), owner.name);
  Copy(Text(json, "slug"), owner.slug);
  if (sort == LATCHKEY_OWNER_USER) {
    if (IsThere(json, "email")) Copy(Text(json, "email"), owner.email);
    owner.admin = Truth(json, "admin");
    owner.locked = Truth(json, "locked");
  } else {
    owner.visibility = Text(json, "visibility") == "private" ? LATCHKEY_VISIBILITY_PRIVATE
                                                             : LATCHKEY_VISIBILITY_PUBLIC;
  }
  owner.creation_s = Time(json, "created");
  owner.deleted_s = TimeOrZero(json, "deleted");
  return owner;
}

latchkey_grant ReadGrant(const Json& json) {
  auto grant = Sized<latchkey_grant>();
  grant.project = Uuid(json, "project");
  grant.user = Uuid(json, "user");
  grant.role = wire::ParseRole(Text(json, "role"));
  return grant;
}

Credential ReadCredential(const Json& json, const Noun& noun) {
  Credential credential;
  latchkey_credential& row = credential.row;
  row.uuid = Uuid(json, "uuid");
  row.owner = Uuid(json, noun.owner_word);
  row.creator = UuidOrNil(json, "creator");
  row.kind = noun.kind;
  row.creation_s = Time(json, "creation");
  row.not_before_s = TimeOrZero(json, "not_before");
  row.expires_s = Time(json, "expiration");
  row.revoked_s = TimeOrZero(json, "revoked");
  row.last_used_s = TimeOrZero(json, "last_used");
  row.scopes = Scopes(json);
  row.name_size = Copy(Text(json, "name"), row.name);
  Copy(Text(json, "slug"), row.slug);
  const char* built_in = wire::BuiltInKindWord(noun.kind);
  credential.kind = built_in == nullptr ? "" : built_in;
  if (noun.kind == LATCHKEY_KIND_USER_TOKEN) credential.token = Text(json, "token");
  return credential;
}

Credential ReadIdentified(const Json& json) {
  const std::string& kind = Text(json, "kind");
  const Noun* noun = &kHostKind;
  for (const Noun* candidate : {&kUserToken, &kUserKey, &kProjectKey}) {
    if (kind == wire::BuiltInKindWord(candidate->kind)) noun = candidate;
  }
  Credential credential = ReadCredential(json, *noun);
  credential.kind = kind;
  return credential;
}

Verdict ReadVerdict(const Json& json) {
  Verdict verdict;
  verdict.allowed = Truth(json, "active") != 0;
  if (IsThere(json, "reason")) {
    verdict.reason = Text(json, "reason");
  } else if (verdict.allowed) {
    verdict.reason = latchkey_reason_text(LATCHKEY_REASON_ALLOWED);
  }
  if (IsThere(json, "kind")) verdict.kind = Text(json, "kind");
  verdict.uuid = UuidOrNil(json, "uuid");
  verdict.owner = UuidOrNil(json, "owner");
  return verdict;
}

}  // namespace latchkey::cli
