#include "rows.h"

namespace latchkey::cli {
namespace {

using wire::FormatTime;
using wire::FormatUuid;

std::string TimeOrEmpty(int64_t unix_s) { return unix_s == 0 ? "" : FormatTime(unix_s); }

const Noun* NounOf(uint32_t kind) {
  for (const Noun* noun : {&kUserToken, &kUserKey, &kProjectKey}) {
    if (noun->kind == kind) return noun;
  }
  return nullptr;
}

const char* StateOf(const latchkey_credential& credential, int64_t now_s) {
  if (credential.revoked_s != 0) return "revoked";
  // A JWT lives through its last second; a key is dead when it comes.
  const bool jwt = credential.kind == LATCHKEY_KIND_USER_TOKEN;
  const bool expired = jwt ? now_s > credential.expires_s : now_s >= credential.expires_s;
  return expired ? "expired" : "active";
}

}  // namespace

std::string NameOf(const latchkey_owner& owner) { return {owner.name, owner.name_size}; }

std::string NameOf(const latchkey_credential& credential) {
  return {credential.name, credential.name_size};
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

std::vector<std::string> CredentialHeadings() {
  return {"UUID", "SLUG", "STATE", "CREATION", "EXPIRATION", "NAME"};
}

std::vector<std::string> CredentialRow(const latchkey_credential& credential, int64_t now_s) {
  return {FormatUuid(credential.uuid),      credential.slug,
          StateOf(credential, now_s),       FormatTime(credential.creation_s),
          FormatTime(credential.expires_s), NameOf(credential)};
}

std::vector<Field> CredentialFields(const Credential& credential, int64_t now_s) {
  const latchkey_credential& row = credential.row;
  const Noun* noun = NounOf(row.kind);
  return {{"uuid", FormatUuid(row.uuid)},
          {"kind", credential.kind},
          {noun == nullptr ? "owner" : noun->owner_word, FormatUuid(row.owner)},
          {"name", NameOf(row)},
          {"slug", row.slug},
          {"state", StateOf(row, now_s)},
          {"creation", FormatTime(row.creation_s)},
          {"not before", TimeOrEmpty(row.not_before_s)},
          {"expiration", FormatTime(row.expires_s)},
          {"revoked", TimeOrEmpty(row.revoked_s)},
          {"last used", TimeOrEmpty(row.last_used_s)},
          {"creator", wire::IsNil(row.creator) ? "" : FormatUuid(row.creator)},
          {"scopes", wire::ScopesText(row.scopes, ", ")},
          {"token", credential.token}};
}

}  // namespace latchkey::cli
