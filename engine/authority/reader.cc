// Typed reading of records.
#include "authority/reader.h"

#include "base/text.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

constexpr Literal kNoCredential = "there is no such credential";
constexpr Literal kNoUser = "there is no such user";
constexpr Literal kNoProject = "there is no such project";
constexpr Literal kNoOwner = "there is no such owner";

}  // namespace

Result<Bytes> Reader::Fields(uint8_t column, ByteView key, Literal missing) const {
  Result<Bytes> value = source_.Get(column, key);
  if (value.code() == Code::kNotFound) return Status::Error(Code::kNotFound, missing);
  if (!value.ok()) return value.status();
  LATCHKEY_TRY_ASSIGN(const ByteView fields, mac_.Open(column, key, *value));
  value->resize(fields.size());
  return value;
}

Result<Uuid> Reader::Index(uint8_t column, ByteView key, Literal missing) const {
  Result<Bytes> value = source_.Get(column, key);
  if (value.code() == Code::kNotFound) return Status::Error(Code::kNotFound, missing);
  if (!value.ok()) return value.status();
  if (value->size() != Uuid::kSize) {
    return Status::Error(Code::kCorruption, "an index entry does not hold a UUID");
  }
  return Uuid::From(*value);
}

Result<StoreRecord> Reader::Store() const {
  LATCHKEY_TRY_ASSIGN(const Bytes fields,
                      Fields(column::kDefault, keys::kStore, "the store does not name itself"));
  return StoreRecord::Decode(fields);
}

Result<HeadRecord> Reader::Head() const {
  LATCHKEY_TRY_ASSIGN(const Bytes fields,
                      Fields(column::kDefault, keys::kHead, "the store has lost its head record"));
  return HeadRecord::Decode(fields);
}

Result<CountRecord> Reader::Count(const Uuid& owner, uint16_t kind) const {
  Result<Bytes> fields =
      Fields(column::kDefault, keys::Count(owner, kind).view(), "there is no such count");
  if (fields.code() == Code::kNotFound) return CountRecord{};
  if (!fields.ok()) return fields.status();
  return CountRecord::Decode(*fields);
}

Result<OwnerRecord> Reader::Owner(const Uuid& uuid) const {
  LATCHKEY_TRY_ASSIGN(const Bytes fields, Fields(column::kOwner, uuid.view(), kNoOwner));
  return OwnerRecord::Decode(uuid, fields);
}

Result<OwnerRecord> Reader::LiveOwner(const Uuid& uuid, OwnerSort sort) const {
  const Literal missing = sort == OwnerSort::kUser ? kNoUser : kNoProject;
  Result<OwnerRecord> owner = Owner(uuid);
  if (owner.code() == Code::kNotFound || (owner.ok() && owner->sort != sort)) {
    return Status::Error(Code::kNotFound, missing);
  }
  if (owner.ok() && owner->deleted_s != 0) {
    return Status::Error(Code::kNotFound, sort == OwnerSort::kUser
                                              ? Literal("the user has been deleted")
                                              : Literal("the project has been deleted"));
  }
  return owner;
}

Result<Uuid> Reader::OwnerBySlug(OwnerSort sort, ByteView slug) const {
  return Index(column::kOwnerSlug, keys::OwnerSlug(sort, slug).view(),
               sort == OwnerSort::kUser ? kNoUser : kNoProject);
}

Result<Uuid> Reader::OwnerByEmail(ByteView email) const {
  return Index(column::kOwnerEmail, FoldAscii(email), kNoUser);
}

Result<GrantRecord> Reader::Grant(const Uuid& project, const Uuid& user) const {
  LATCHKEY_TRY_ASSIGN(const Bytes fields, Fields(column::kGrant, keys::Grant(project, user).view(),
                                                 "the user has no role on the project"));
  return GrantRecord::Decode(fields);
}

Result<CredentialRecord> Reader::Credential(const Uuid& uuid) const {
  LATCHKEY_TRY_ASSIGN(const Bytes fields, Fields(column::kCredential, uuid.view(), kNoCredential));
  return CredentialRecord::Decode(uuid, fields);
}

Result<Uuid> Reader::CredentialByTag(const TagBytes& tag) const {
  return Index(column::kByTag, View(tag), kNoCredential);
}

Result<Uuid> Reader::CredentialBySlug(const Uuid& owner, uint16_t kind, ByteView slug) const {
  return Index(column::kBySlug, keys::BySlug(owner, kind, slug).view(), kNoCredential);
}

Result<bool> Reader::IsSlugTaken(const Uuid& owner, uint16_t kind, ByteView slug) const {
  return source_.Has(column::kBySlug, keys::BySlug(owner, kind, slug).view());
}

Result<TombstoneRecord> Reader::Tombstone(const Uuid& uuid) const {
  LATCHKEY_TRY_ASSIGN(const Bytes fields, Fields(column::kTombstone, uuid.view(),
                                                 "the credential has not been revoked"));
  return TombstoneRecord::Decode(uuid, fields);
}

Result<SweepRecord> Reader::Sweep(uint64_t number) const {
  LATCHKEY_TRY_ASSIGN(const Bytes fields,
                      Fields(column::kSweep, keys::Sweep(number).view(), "there is no such sweep"));
  return SweepRecord::Decode(number, fields);
}

Result<ListRow> Reader::RowAt(ByteView by_name_key) const {
  Result<Bytes> value = source_.Get(column::kByName, by_name_key);
  if (value.code() == Code::kNotFound) {
    return Status::Error(Code::kCorruption, "a credential is missing from the name index");
  }
  if (!value.ok()) return value.status();
  return ListRow::Decode(*value);
}

Result<Revocation> RevocationOf(const Reader& reader, const CredentialRecord& credential,
                                const std::vector<SweepRecord>& pending_sweeps) {
  Result<TombstoneRecord> tombstone = reader.Tombstone(credential.uuid);
  if (tombstone.ok()) return Revocation{tombstone->revoked_s, tombstone->revoked_by};
  if (tombstone.code() != Code::kNotFound) return tombstone.status();
  for (const SweepRecord& sweep : pending_sweeps) {
    if (sweep.Covers(credential)) return Revocation{sweep.revoked_s, sweep.revoked_by};
  }
  return Revocation{};
}

}  // namespace latchkey
