// Decisions about credentials and sweeps.
#include "authority/decide.h"
#include "crypto/key_format.h"

namespace latchkey {
namespace {

// 0 means "active", so a time before 1970 must not leave a revocation undone.
int64_t RevocationTime(int64_t time_s) { return std::max<int64_t>(time_s, 1); }

// Everything that an import line says, apart from being revoked.
bool SameCredential(const CredentialRecord& here, const CredentialRecord& asked) {
  return here.owner == asked.owner && here.creator == asked.creator && here.kind == asked.kind &&
         here.name == asked.name && here.creation_s == asked.creation_s &&
         here.expires_s == asked.expires_s && here.tag == asked.tag && here.claims == asked.claims;
}

Result<Decision> CompareImported(const CreateCredential& wish, const CredentialRecord& here,
                                 const OpenGroup& group) {
  LATCHKEY_TRY_ASSIGN(const Revocation revocation,
                      RevocationOf(group.reader(), here, group.state().pending_sweeps));
  const bool same = SameCredential(here, wish.credential);
  if (!same) {
    return Status::Error(Code::kConflict,
                         "the UUID belongs to a credential that differs from this one");
  }
  if (wish.revoked_s == 0 && revocation.revoked_s != 0) {
    return Status::Error(Code::kConflict,
                         "the credential is revoked here: a revocation is never taken back");
  }
  Decision decision;
  if (wish.revoked_s != 0 && revocation.revoked_s == 0) {
    decision.events.push_back(CredentialRevoked{RevokedOf(here), wish.revoked_s, "imported"});
  }
  return decision;
}

// The same secret under two UUIDs: the one that came first is kept. If either is revoked the secret
// has been given up, so the one kept must not go on working.
Result<Decision> RefuseSameDigest(const CreateCredential& wish, const Uuid& kept_uuid,
                                  const OpenGroup& group) {
  Decision decision;
  decision.status = Status::Error(
      Code::kConflict, "the same secret is already stored under another UUID; that one was kept");
  if (wish.revoked_s == 0) return decision;
  LATCHKEY_TRY_ASSIGN(const CredentialRecord kept, group.reader().Credential(kept_uuid));
  LATCHKEY_TRY_ASSIGN(const Revocation revocation,
                      RevocationOf(group.reader(), kept, group.state().pending_sweeps));
  if (revocation.revoked_s == 0) {
    decision.events.push_back(CredentialRevoked{RevokedOf(kept), wish.revoked_s, "imported"});
  }
  return decision;
}

// A credential that has been revoked makes nothing more, also when what it asked for was already on
// its way: a sweep over all that it has made then leaves nothing behind.
Status CheckMinter(const CreateCredential& wish, const OpenGroup& group) {
  if (wish.imported || wish.credential.minted_by.is_nil()) return Status::Ok();
  const Result<CredentialRecord> minter = group.reader().Credential(wish.credential.minted_by);
  if (minter.code() == Code::kNotFound) {
    return Status::Error(Code::kNotFound, "there is no such credential to have asked for this one");
  }
  if (!minter.ok()) return minter.status();
  LATCHKEY_TRY_ASSIGN(const Revocation revocation,
                      RevocationOf(group.reader(), *minter, group.state().pending_sweeps));
  if (revocation.revoked_s == 0) return Status::Ok();
  return Status::Error(Code::kForbidden, "the credential that asks for this one has been revoked");
}

Status CheckOwner(const CreateCredential& wish, const OpenGroup& group) {
  const CredentialRecord& asked = wish.credential;
  const KindRecord* kind = group.FindKind(asked.kind);
  if (kind == nullptr) {
    return Status::Error(Code::kUnsupported, "the kind of credential has not been registered");
  }
  LATCHKEY_TRY_ASSIGN(const auto owner, group.Owner(asked.owner));
  if (owner->sort != kind->owner_sort) {
    return Status::Error(Code::kUnsupported, "this kind of credential has another sort of owner");
  }
  if (!wish.imported && owner->deleted_s != 0) {
    return Status::Error(Code::kNotFound, "the owner has been deleted");
  }
  if (!asked.creator.is_nil()) {
    const auto creator = group.Owner(asked.creator);
    if (creator.code() == Code::kNotFound ||
        (creator.ok() && (*creator)->sort != OwnerSort::kUser)) {
      return Status::Error(Code::kNotFound, "there is no such user to have made the credential");
    }
    if (!creator.ok()) return creator.status();
  }
  if (owner->quota == 0 || wish.imported) return Status::Ok();
  LATCHKEY_TRY_ASSIGN(const CountRecord count, group.Count(asked.owner, asked.kind));
  if (count.active >= owner->quota) {
    return Status::Error(Code::kConflict, "the owner has as many credentials as its quota allows");
  }
  return Status::Ok();
}

Result<Decision> CreateCredentialOrError(const CreateCredential& wish, const OpenGroup& group) {
  const Reader& reader = group.reader();
  CredentialRecord credential = wish.credential;
  const Result<CredentialRecord> here = reader.Credential(credential.uuid);
  LATCHKEY_TRY_ASSIGN(const bool exists, Exists(here));
  if (exists && wish.imported) return CompareImported(wish, *here, group);
  if (exists) return Status::Error(Code::kConflict, "the UUID belongs to another credential");

  LATCHKEY_TRY(CheckOwner(wish, group));
  LATCHKEY_TRY(CheckMinter(wish, group));
  const Result<Uuid> same_tag = reader.CredentialByTag(credential.tag);
  LATCHKEY_TRY_ASSIGN(const bool tag_exists, Exists(same_tag));
  if (tag_exists) return RefuseSameDigest(wish, *same_tag, group);

  LATCHKEY_TRY_ASSIGN(credential.slug,
                      ChooseSlug(wish.slug, "the slug belongs to another credential of the owner",
                                 [&](ByteView candidate) {
                                   return reader.IsSlugTaken(credential.owner, credential.kind,
                                                             candidate);
                                 }));
  Decision decision;
  const Revoked revoked = RevokedOf(credential);
  decision.events.push_back(CredentialCreated{std::move(credential)});
  if (wish.revoked_s != 0) {
    decision.events.push_back(CredentialRevoked{revoked, wish.revoked_s, "imported"});
  }
  return decision;
}

Result<Decision> StepSweepOrError(const StepSweep& wish, const OpenGroup& group) {
  const Reader& reader = group.reader();
  LATCHKEY_TRY_ASSIGN(const SweepRecord sweep, reader.Sweep(wish.sweep));
  if (sweep.done) return Decision{};
  Swept swept;
  swept.sweep = wish.sweep;
  swept.done = wish.done;
  for (const Uuid& uuid : wish.credentials) {
    LATCHKEY_TRY_ASSIGN(const CredentialRecord credential, reader.Credential(uuid));
    LATCHKEY_TRY_ASSIGN(const bool has_tombstone, Exists(reader.Tombstone(uuid)));
    if (!has_tombstone && sweep.Covers(credential)) {
      swept.credentials.push_back(RevokedOf(credential));
    }
  }
  if (swept.credentials.empty() && !swept.done) return Decision{};
  return Decision{Status::Ok(), {std::move(swept)}};
}

Decision OrRefused(Result<Decision> decision) {
  return decision.ok() ? std::move(*decision) : Refused(decision.status());
}

}  // namespace

Revoked RevokedOf(const CredentialRecord& credential) {
  return Revoked{credential.uuid,       credential.owner, credential.kind,
                 credential.creation_s, credential.name,  credential.tag};
}

Decision DecideCreateCredential(const Command&, const CreateCredential& wish,
                                const OpenGroup& group) {
  return OrRefused(CreateCredentialOrError(wish, group));
}

Decision DecideRenameCredential(const RenameCredential& wish, const OpenGroup& group) {
  const Result<CredentialRecord> here = group.reader().Credential(wish.uuid);
  if (!here.ok()) return Refused(here.status());
  if (here->name == wish.name) return {};
  return Decision{Status::Ok(),
                  {CredentialRenamed{here->uuid, here->owner, here->kind, here->creation_s,
                                     here->name, wish.name}}};
}

Decision DecideRevokeCredential(const Command& command, const RevokeCredential& wish,
                                const OpenGroup& group) {
  const Result<CredentialRecord> here = group.reader().Credential(wish.uuid);
  if (!here.ok()) return Refused(here.status());
  const Result<Revocation> revocation =
      RevocationOf(group.reader(), *here, group.state().pending_sweeps);
  if (!revocation.ok()) return Refused(revocation.status());
  if (revocation->revoked_s != 0) {
    LATCHKEY_REFUSE(Code::kConflict, "the credential has been revoked already");
  }
  return Decision{
      Status::Ok(),
      {CredentialRevoked{RevokedOf(*here), RevocationTime(command.time_s), wish.reason}}};
}

Decision DecideStartSweep(const Command& command, const StartSweep& wish, const OpenGroup& group) {
  Decision decision;
  SweepRecord sweep = wish.sweep;
  sweep.revoked_s = RevocationTime(command.time_s);
  sweep.revoked_by = command.actor;
  if (!sweep.owner.is_nil()) {
    Result<OwnerRecord> owner = group.reader().Owner(sweep.owner);
    if (!owner.ok()) return Refused(owner.status());
    // Tokens that the store does not hold cannot be swept; from now on they are too old.
    const bool all_tokens = owner->sort == OwnerSort::kUser &&
                            (sweep.kind == 0 || sweep.kind == kind::kUserToken) &&
                            sweep.creator.is_nil() && sweep.minted_by.is_nil() &&
                            sweep.scopes == 0 && sweep.issued_before_s == 0;
    if (all_tokens && owner->deleted_s == 0) {
      owner->tokens_not_before_s = std::max(owner->tokens_not_before_s, command.time_s);
      decision.events.push_back(OwnerPut{std::move(*owner), {}});
    }
  }
  decision.events.push_back(SweepStarted{std::move(sweep)});
  return decision;
}

Decision DecideStepSweep(const StepSweep& wish, const OpenGroup& group) {
  return OrRefused(StepSweepOrError(wish, group));
}

}  // namespace latchkey
