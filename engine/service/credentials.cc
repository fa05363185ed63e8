// Issuing, showing and changing credentials.
#include "service/credentials.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "crypto/jwt.h"
#include "crypto/seal.h"

namespace latchkey {
namespace {

// The record, and what has become of it, are of one moment: of a rename and the revocation after it
// nobody sees the second without the first.
Result<CredentialView> Show(const Engine& engine, const LocalAuthority::View& look,
                            const Uuid& uuid) {
  const LocalAuthority& authority = engine.authority();
  for (;;) {
    const auto state = authority.Now();
    const Snapshot moment(look.storage());
    const auto after = authority.Now();
    // Of a sweep that began or ended meanwhile the moment may hold the tombstones, or not.
    if (!std::ranges::equal(state->pending_sweeps, after->pending_sweeps, {}, &SweepRecord::number,
                            &SweepRecord::number)) {
      continue;
    }
    const StorageSource source(look.storage(), &moment);
    const Reader reader(source, authority.mac());
    CredentialView view;
    LATCHKEY_TRY_ASSIGN(view.record, reader.Credential(uuid));
    LATCHKEY_TRY_ASSIGN(view.revocation, RevocationOf(reader, view.record, state->pending_sweeps));
    view.last_used_s = engine.memory().LastUsed(view.record.tag, uuid, look.storage());
    view.metadata_size = view.record.metadata.size();
    return view;
  }
}

SealContext SealContextOf(const LocalAuthority& authority, const CredentialRecord& record) {
  return {authority.store().store_id, record.uuid, record.kind, record.pepper_version};
}

Status CheckWish(const NewCredential& wish) {
  LATCHKEY_TRY(CheckName(wish.name));
  if (wish.ttl_s < 1 || wish.ttl_s > limits::kTtlMaxS) {
    return Status::Error(Code::kInvalidArgument, "a time to live is 1 to 4294967295 whole seconds");
  }
  if (wish.not_before_s < 0 || wish.not_before_s > limits::kTimeMaxS) {
    return Status::Error(Code::kInvalidArgument, "not-before is not a time between 1970 and 9999");
  }
  if (wish.metadata.size() > limits::kMetadataBytesMax) {
    return Status::Error(Code::kInvalidArgument, "metadata has at most 4096 bytes");
  }
  if (wish.kind == kind::kUserToken) {
    return Status::Error(Code::kUnsupported,
                         "user tokens are deprecated and can no longer be created: create a user "
                         "key instead");
  }
  return Status::Ok();
}

}  // namespace

Result<CredentialView> Issue(Engine& engine, const NewCredential& wish, GeneratedSecret* secret) {
  LATCHKEY_TRY(CheckWish(wish));
  const auto state = engine.authority().Now();
  const KindRecord* kind = FindKindIn(state->host_kinds, wish.kind);
  if (kind == nullptr) {
    return Status::Error(Code::kUnsupported, "the kind of credential has not been registered");
  }
  CreateCredential command;
  CredentialRecord& record = command.credential;
  record.uuid = wish.uuid;
  if (record.uuid.is_nil()) {
    LATCHKEY_TRY_ASSIGN(record.uuid, engine.NewUuid());
  }
  record.owner = wish.owner;
  record.creator = wish.creator;
  record.minted_by = wish.minted_by;
  record.kind = wish.kind;
  record.name = wish.name;
  record.creation_s = engine.clock().NowS();
  record.not_before_s = wish.not_before_s;
  record.expires_s = record.creation_s + wish.ttl_s;
  record.scopes = wish.scopes;
  record.metadata = wish.metadata;
  command.slug.base = Slugify(wish.name);
  LATCHKEY_TRY_ASSIGN(command.slug.suffix, engine.NewSlugSuffix());

  GeneratedSecret plaintext;
  LATCHKEY_TRY(GenerateSecret(static_cast<SecretFormat>(kind->format), kind->prefix,
                              engine.random(), &plaintext));
  LATCHKEY_TRY(Protect(engine, Sha256(plaintext.Expose()), &record));

  LATCHKEY_TRY_ASSIGN(const std::vector<Event> events,
                      engine.Run(wish.creator, std::move(command)));
  const ByteView bytes = plaintext.Expose();
  std::memcpy(secret->ExposeForWriting().data(), bytes.data(), bytes.size());
  secret->set_size(bytes.size());
  CredentialView view;
  view.record = std::get<CredentialCreated>(events.front().body).credential;
  view.metadata_size = view.record.metadata.size();
  return view;
}

Status Protect(Engine& engine, const InnerDigest& digest, CredentialRecord* record) {
  const PepperRing& ring = engine.authority().ring();
  record->digest_algorithm = DigestAlgorithm::kSha256;
  record->pepper_version = ring.newest_version();
  record->tag = MakeLookupTag(ring.tag_key(record->pepper_version), digest).bytes;
  const SealContext context = SealContextOf(engine.authority(), *record);
  LATCHKEY_TRY_ASSIGN(const SealedDigest sealed,
                      SealDigest(ring, context, digest, engine.random()));
  record->nonce = sealed.nonce;
  record->seal = sealed.sealed;
  return Status::Ok();
}

bool SealHolds(const LocalAuthority& authority, const CredentialRecord& record) {
  const PepperRing& ring = authority.ring();
  const Result<InnerDigest> digest =
      OpenSeal(ring, SealContextOf(authority, record), SealedDigest{record.nonce, record.seal});
  return digest.ok() &&
         MakeLookupTag(ring.tag_key(record.pepper_version), *digest).bytes == record.tag;
}

Result<CredentialView> GetCredential(const Engine& engine, const Uuid& uuid) {
  LATCHKEY_TRY_ASSIGN(const auto view, engine.authority().Look());
  return Show(engine, *view, uuid);
}

Result<CredentialView> FindCredential(const Engine& engine, const Uuid& owner, uint16_t kind,
                                      ByteView id) {
  LATCHKEY_TRY_ASSIGN(const auto view, engine.authority().Look());
  Result<Uuid> uuid = ParseUuid(id);
  if (!uuid.ok()) {
    if (!CheckSlug(id).ok()) {
      return Status::Error(Code::kInvalidArgument,
                           "a credential is named by a UUID or a slug (lower-case letters, digits "
                           "and single hyphens)");
    }
    uuid = view->reader().CredentialBySlug(owner, kind, id);
    if (!uuid.ok()) return uuid.status();
  }
  LATCHKEY_TRY_ASSIGN(CredentialView found, Show(engine, *view, *uuid));
  if (found.record.owner != owner || found.record.kind != kind) {
    return Status::Error(Code::kNotFound, "there is no such credential");
  }
  return found;
}

Result<Bytes> RedactedToken(const Engine& engine, const Uuid& uuid) {
  LATCHKEY_TRY_ASSIGN(const auto view, engine.authority().Look());
  LATCHKEY_TRY_ASSIGN(const CredentialRecord record, view->reader().Credential(uuid));
  if (record.kind != kind::kUserToken) {
    return Status::Error(Code::kUnsupported, "the credential is not a user token");
  }
  return RedactedJwt(record.claims);
}

namespace {

// The change is made. That it cannot be read back, because the device fails or the store is
// reopening itself after somebody else's write, must not look like a refusal.
Result<CredentialView> ReadBack(const Engine& engine, const Uuid& uuid) {
  Result<CredentialView> view = GetCredential(engine, uuid);
  if (!view.ok()) return MadeButUnread();
  return view;
}

}  // namespace

Result<CredentialView> Rename(Engine& engine, const Uuid& actor, const Uuid& uuid, ByteView name) {
  LATCHKEY_TRY(CheckName(name));
  LATCHKEY_TRY(engine.Run(actor, RenameCredential{uuid, Bytes(name)}).status());
  return ReadBack(engine, uuid);
}

namespace {

Status CheckReason(ByteView reason) {
  if (reason.size() > limits::kReasonBytesMax) {
    return Status::Error(Code::kInvalidArgument, "a reason has at most 256 bytes");
  }
  if (CountCodePoints(reason) < 0) {
    return Status::Error(Code::kInvalidArgument, "a reason must be valid UTF-8");
  }
  return Status::Ok();
}

}  // namespace

Result<CredentialView> Revoke(Engine& engine, const Uuid& actor, const Uuid& uuid,
                              ByteView reason) {
  LATCHKEY_TRY(CheckReason(reason));
  LATCHKEY_TRY(engine.Run(actor, RevokeCredential{uuid, Bytes(reason)}).status());
  return ReadBack(engine, uuid);
}

Result<uint64_t> RevokeAll(Engine& engine, const Uuid& actor, SweepRecord sweep, bool everything) {
  LATCHKEY_TRY(CheckReason(sweep.reason));
  const bool is_empty = sweep.owner.is_nil() && sweep.creator.is_nil() &&
                        sweep.minted_by.is_nil() && sweep.kind == 0 && sweep.scopes == 0 &&
                        sweep.issued_before_s == 0;
  if (is_empty != everything) {
    return Status::Error(Code::kInvalidArgument,
                         "`everything` must be 1 when nothing narrows the revocation, else 0");
  }
  if (sweep.issued_before_s < 0 || sweep.issued_before_s > limits::kTimeMaxS) {
    return Status::Error(Code::kInvalidArgument, "issued-before is not a time from 1970 to 9999");
  }
  uint64_t denied = 0;
  LATCHKEY_TRY(engine.RunAndDeny(actor, StartSweep{std::move(sweep)}, &denied).status());
  return denied;
}

}  // namespace latchkey
