// Use cases of credentials: issue, get, rename, revoke, revoke all, list.
#pragma once

#include <optional>
#include <vector>

#include "crypto/key_format.h"
#include "index/directory.h"
#include "service/engine.h"

namespace latchkey {

// A credential as it is shown.
struct CredentialView {
  CredentialRecord record;
  Revocation revocation;
  size_t metadata_size = 0;
  uint32_t last_used_s = 0;
};

struct NewCredential {
  Uuid uuid;  // nil = one is made
  Uuid owner;
  Uuid creator;
  Uuid minted_by;
  uint16_t kind = 0;
  int64_t ttl_s = 0;
  int64_t not_before_s = 0;
  uint64_t scopes = 0;
  ByteView name;
  ByteView metadata;
};
// On OK *secret holds the plaintext, for the only time; otherwise it is empty.
Result<CredentialView> Issue(Engine& engine, const NewCredential& wish, GeneratedSecret* secret);

// Fills in what stands for the secret in a record (tag, seal, pepper version), from its inner
// digest. The record's UUID and kind must be set.
Status Protect(Engine& engine, const InnerDigest& digest, CredentialRecord* record);
// Does the seal of a record hold the digest that its tag was made from?
bool SealHolds(const LocalAuthority& authority, const CredentialRecord& record);

Result<CredentialView> GetCredential(const Engine& engine, const Uuid& uuid);
// By the text of its UUID, else by its slug, among those of one owner and kind.
Result<CredentialView> FindCredential(const Engine& engine, const Uuid& owner, uint16_t kind,
                                      ByteView id);
// UNSUPPORTED for what is not a user_token.
Result<Bytes> RedactedToken(const Engine& engine, const Uuid& uuid);

Result<CredentialView> Rename(Engine& engine, const Uuid& actor, const Uuid& uuid, ByteView name);
Result<CredentialView> Revoke(Engine& engine, const Uuid& actor, const Uuid& uuid, ByteView reason);
// How many active credentials it revoked. `everything` says that an empty sweep is meant.
Result<uint64_t> RevokeAll(Engine& engine, const Uuid& actor, SweepRecord sweep, bool everything);

struct ListQuery {
  Uuid owner;         // credentials
  uint16_t kind = 0;  // credentials
  DirectoryFilter filter;
};
// A credential as a list shows it: owner and kind are those of the query.
struct ListedCredential {
  DirectoryRowView row;
  ListRowView shown;
  uint32_t last_used_s = 0;
};
struct CredentialPage {
  // One of the two holds what the rows borrow.
  DirectoryLook look;
  std::vector<DirectoryRow> read;
  std::vector<ListedCredential> rows;
  uint64_t total = 0;
};
Result<CredentialPage> ListCredentials(Engine& engine, const ListQuery& query, uint64_t offset,
                                       size_t limit);
Result<CredentialPage> ListCredentialsAfter(Engine& engine, const ListQuery& query,
                                            const std::optional<RowPosition>& after, size_t limit);

struct OwnerPage {
  std::vector<OwnerRecord> rows;
  uint64_t total = 0;
};
Result<OwnerPage> ListOwners(Engine& engine, OwnerSort sort, const DirectoryFilter& filter,
                             uint64_t offset, size_t limit);

}  // namespace latchkey
