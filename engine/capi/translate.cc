// The translations, and the proof that the numbers of the header are those of the engine.
#include "capi/translate.h"

#include "base/limits.h"

namespace latchkey {

static_assert(LATCHKEY_OK == static_cast<uint32_t>(Code::kOk));
static_assert(LATCHKEY_INVALID_ARGUMENT == static_cast<uint32_t>(Code::kInvalidArgument));
static_assert(LATCHKEY_NOT_FOUND == static_cast<uint32_t>(Code::kNotFound));
static_assert(LATCHKEY_CONFLICT == static_cast<uint32_t>(Code::kConflict));
static_assert(LATCHKEY_DENIED == static_cast<uint32_t>(Code::kDenied));
static_assert(LATCHKEY_FORBIDDEN == static_cast<uint32_t>(Code::kForbidden));
static_assert(LATCHKEY_BUSY == static_cast<uint32_t>(Code::kBusy));
static_assert(LATCHKEY_OUTCOME_UNKNOWN == static_cast<uint32_t>(Code::kOutcomeUnknown));
static_assert(LATCHKEY_IO == static_cast<uint32_t>(Code::kIo));
static_assert(LATCHKEY_NO_SPACE == static_cast<uint32_t>(Code::kNoSpace));
static_assert(LATCHKEY_CORRUPTION == static_cast<uint32_t>(Code::kCorruption));
static_assert(LATCHKEY_WRONG_PEPPER == static_cast<uint32_t>(Code::kWrongPepper));
static_assert(LATCHKEY_ROLLED_BACK == static_cast<uint32_t>(Code::kRolledBack));
static_assert(LATCHKEY_GONE == static_cast<uint32_t>(Code::kGone));
static_assert(LATCHKEY_UNSUPPORTED == static_cast<uint32_t>(Code::kUnsupported));
static_assert(LATCHKEY_INTERNAL == static_cast<uint32_t>(Code::kInternal));

static_assert(LATCHKEY_REASON_ALLOWED == static_cast<uint32_t>(Reason::kAllowed));
static_assert(LATCHKEY_REASON_MALFORMED == static_cast<uint32_t>(Reason::kMalformed));
static_assert(LATCHKEY_REASON_UNKNOWN == static_cast<uint32_t>(Reason::kUnknown));
static_assert(LATCHKEY_REASON_REVOKED == static_cast<uint32_t>(Reason::kRevoked));
static_assert(LATCHKEY_REASON_EXPIRED == static_cast<uint32_t>(Reason::kExpired));
static_assert(LATCHKEY_REASON_NOT_YET == static_cast<uint32_t>(Reason::kNotYet));
static_assert(LATCHKEY_REASON_LOCKED == static_cast<uint32_t>(Reason::kLocked));
static_assert(LATCHKEY_REASON_DELETED == static_cast<uint32_t>(Reason::kDeleted));
static_assert(LATCHKEY_REASON_SCOPE == static_cast<uint32_t>(Reason::kScope));

static_assert(LATCHKEY_KIND_USER_TOKEN == kind::kUserToken);
static_assert(LATCHKEY_KIND_USER_KEY == kind::kUserKey);
static_assert(LATCHKEY_KIND_PROJECT_KEY == kind::kProjectKey);
static_assert(LATCHKEY_KIND_HOST_MIN == limits::kHostKindMin);
static_assert(LATCHKEY_KIND_HOST_MAX == limits::kHostKindMax);
static_assert(LATCHKEY_FORMAT_JWT == static_cast<uint32_t>(SecretFormat::kJwt));
static_assert(LATCHKEY_FORMAT_BASE62_30 == static_cast<uint32_t>(SecretFormat::kBase62x30));
static_assert(LATCHKEY_FORMAT_BASE62_43_CRC == static_cast<uint32_t>(SecretFormat::kBase62x43Crc));
static_assert(LATCHKEY_OWNER_USER == static_cast<uint32_t>(OwnerSort::kUser));
static_assert(LATCHKEY_OWNER_PROJECT == static_cast<uint32_t>(OwnerSort::kProject));
static_assert(LATCHKEY_ROLE_VIEWER == static_cast<uint32_t>(Role::kViewer));
static_assert(LATCHKEY_ROLE_MAINTAINER == static_cast<uint32_t>(Role::kMaintainer));

static_assert(LATCHKEY_NAME_CHARACTERS_MAX == limits::kNameCodePointsMax);
static_assert(LATCHKEY_NAME_BYTES_MAX == limits::kNameBytesMax);
static_assert(LATCHKEY_SLUG_BYTES_MAX == limits::kSlugBytesMax);
static_assert(LATCHKEY_EMAIL_BYTES_MAX == limits::kEmailBytesMax);
static_assert(LATCHKEY_SECRET_BYTES_MAX == limits::kSecretBytesMax);
static_assert(LATCHKEY_NEW_SECRET_BYTES_MAX == kGeneratedSecretBytesMax);
static_assert(LATCHKEY_JWT_BYTES_MAX == JwtBuffer::capacity());
static_assert(LATCHKEY_METADATA_BYTES_MAX == limits::kMetadataBytesMax);
static_assert(LATCHKEY_REASON_BYTES_MAX == limits::kReasonBytesMax);
static_assert(LATCHKEY_SEARCH_BYTES_MAX == limits::kSearchBytesMax);
static_assert(LATCHKEY_KEY_PREFIX_BYTES_MAX == limits::kKindPrefixBytesMax);
static_assert(LATCHKEY_TTL_MAX_S == limits::kTtlMaxS);
static_assert(LATCHKEY_SESSION_TTL_MAX_S == limits::kSessionTtlMaxS);
static_assert(LATCHKEY_PAGE_SIZE_DEFAULT == limits::kPageSizeDefault);
static_assert(LATCHKEY_VERIFY_BATCH_MAX == limits::kVerifyBatchMax);

Status TakeText(const void* data, size_t size, ByteView* text) {
  if (data == nullptr && size != 0) {
    return Status::Error(Code::kInvalidArgument, "a text is NULL but has a size");
  }
  *text = data == nullptr ? ByteView() : ByteView(static_cast<const char*>(data), size);
  return Status::Ok();
}

Status TakeOptionalText(const char* data, size_t size, std::optional<ByteView>* text) {
  ByteView view;
  LATCHKEY_TRY(TakeText(data, size, &view));
  if (data != nullptr) *text = view;
  return Status::Ok();
}

Status TakeRequiredText(const void* data, size_t size, ByteView* text) {
  if (data == nullptr) return Status::Error(Code::kInvalidArgument, "a text is NULL");
  return TakeText(data, size, text);
}

Status TakeSort(uint32_t sort, OwnerSort* out) {
  if (sort != LATCHKEY_OWNER_USER && sort != LATCHKEY_OWNER_PROJECT) {
    return Status::Error(Code::kInvalidArgument, "an owner is a user or a project");
  }
  *out = static_cast<OwnerSort>(sort);
  return Status::Ok();
}

Status TakeKind(uint32_t kind, uint16_t* out) {
  if (kind == 0 || kind > LATCHKEY_KIND_HOST_MAX) {
    return Status::Error(Code::kInvalidArgument, "there is no kind of that number");
  }
  *out = static_cast<uint16_t>(kind);
  return Status::Ok();
}

Status TakeJwtKey(const latchkey_jwt_key* in, latchkey_jwt_key* copy, JwtKey* out) {
  LATCHKEY_TRY(TakeOptions(in, copy));
  ByteView secret;
  LATCHKEY_TRY(TakeRequiredText(copy->secret, copy->secret_size, &secret));
  LATCHKEY_TRY(TakeRequiredText(copy->issuer, copy->issuer_size, &out->issuer));
  out->secret = {static_cast<const uint8_t*>(copy->secret), copy->secret_size};
  return CheckJwtKey(*out);
}

Uuid TakeUuid(const latchkey_uuid* uuid) {
  Uuid out;
  if (uuid != nullptr) std::memcpy(out.bytes.data(), uuid->bytes, Uuid::kSize);
  return out;
}

latchkey_owner GiveOwner(const OwnerRecord& owner) {
  latchkey_owner out{};
  out.uuid = GiveUuid(owner.uuid);
  out.sort = static_cast<uint32_t>(owner.sort);
  out.admin = owner.admin;
  out.locked = owner.locked;
  out.visibility = owner.is_private ? LATCHKEY_VISIBILITY_PRIVATE : LATCHKEY_VISIBILITY_PUBLIC;
  out.creation_s = owner.creation_s;
  out.deleted_s = owner.deleted_s;
  out.tokens_not_before_s = owner.tokens_not_before_s;
  out.name_size = owner.name.size();
  GiveText(owner.name, out.name);
  GiveText(owner.slug, out.slug);
  GiveText(owner.email, out.email);
  return out;
}

latchkey_credential GiveCredential(const CredentialView& view) {
  const CredentialRecord& record = view.record;
  latchkey_credential out{};
  out.uuid = GiveUuid(record.uuid);
  out.owner = GiveUuid(record.owner);
  out.creator = GiveUuid(record.creator);
  out.minted_by = GiveUuid(record.minted_by);
  out.revoked_by = GiveUuid(view.revocation.revoked_by);
  out.kind = record.kind;
  out.creation_s = record.creation_s;
  out.not_before_s = record.not_before_s;
  out.expires_s = record.expires_s;
  out.revoked_s = view.revocation.revoked_s;
  out.last_used_s = view.last_used_s;
  out.scopes = record.scopes;
  out.metadata_size = view.metadata_size;
  out.name_size = record.name.size();
  GiveText(record.name, out.name);
  GiveText(record.slug, out.slug);
  return out;
}

void GiveVerdict(const Verdict& verdict, latchkey_verdict* out) {
  out->reason = static_cast<uint32_t>(verdict.reason);
  out->kind = verdict.kind;
  out->uuid = GiveUuid(verdict.uuid);
  out->owner = GiveUuid(verdict.owner);
  out->scopes = verdict.scopes;
  out->expires_s = verdict.expires_s;
  out->jwt_signed = verdict.jwt_signed ? 1 : 0;
  out->reserved = 0;
}

}  // namespace latchkey
