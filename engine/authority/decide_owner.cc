// Decisions about owners, grants and kinds.
#include "authority/decide.h"
#include "crypto/key_format.h"

namespace latchkey {
namespace {

// Is what is here just what was asked for? The slug counts only where one was given.
bool SameOwner(const OwnerRecord& here, const CreateOwner& wish) {
  const OwnerRecord& asked = wish.owner;
  return here.sort == asked.sort && here.name == asked.name && here.email == asked.email &&
         here.admin == asked.admin && here.is_private == asked.is_private &&
         here.deleted_s == asked.deleted_s &&
         (wish.slug.given.empty() || here.slug == wish.slug.given) &&
         (!wish.imported || (here.locked == asked.locked && here.creation_s == asked.creation_s));
}

Status CheckEmailIsFree(const Bytes& email, const Uuid& uuid, const Reader& reader) {
  if (email.empty()) return Status::Ok();
  const Result<Uuid> holder = reader.OwnerByEmail(email);
  LATCHKEY_TRY_ASSIGN(const bool taken, Exists(holder));
  if (taken && *holder != uuid) {
    return Status::Error(Code::kConflict, "the e-mail address belongs to another user");
  }
  return Status::Ok();
}

Result<bool> SlugIsTaken(OwnerSort sort, ByteView slug, const Uuid& uuid, const Reader& reader) {
  const Result<Uuid> holder = reader.OwnerBySlug(sort, slug);
  LATCHKEY_TRY_ASSIGN(const bool taken, Exists(holder));
  return taken && *holder != uuid;
}

Literal SlugTaken(OwnerSort sort) {
  return sort == OwnerSort::kUser ? Literal("the slug belongs to another user")
                                  : Literal("the slug belongs to another project");
}

// A user's legacy tokens name him by e-mail: when that changes they must not come to mean whoever
// takes the address next.
void RevokeTokensOf(OwnerRecord* user, const Command& command, uint64_t active_tokens,
                    std::vector<EventBody>* events) {
  user->tokens_not_before_s = command.time_s;
  if (active_tokens == 0) return;
  SweepRecord sweep;
  sweep.owner = user->uuid;
  sweep.kind = kind::kUserToken;
  sweep.revoked_s = command.time_s;
  sweep.revoked_by = command.actor;
  sweep.reason = "the e-mail address of the user was changed";
  events->push_back(SweepStarted{std::move(sweep)});
}

}  // namespace

Decision DecideCreateOwner(const Command&, const CreateOwner& wish, const OpenGroup& group) {
  const Reader& reader = group.reader();
  OwnerRecord owner = wish.owner;
  const Result<OwnerRecord> here = reader.Owner(owner.uuid);
  const Result<bool> exists = Exists(here);
  if (!exists.ok()) return Refused(exists.status());
  if (*exists) {
    if (SameOwner(*here, wish)) return {};
    LATCHKEY_REFUSE(Code::kConflict, "the UUID belongs to an owner that differs from this one");
  }
  if (owner.deleted_s != 0) {
    owner.slug = wish.slug.given;  // not indexed: a deleted owner's slug is free
  } else {
    Result<Bytes> slug = ChooseSlug(wish.slug, SlugTaken(owner.sort), [&](ByteView candidate) {
      return SlugIsTaken(owner.sort, candidate, owner.uuid, reader);
    });
    if (!slug.ok()) return Refused(slug.status());
    owner.slug = std::move(*slug);
    if (Status status = CheckEmailIsFree(owner.email, owner.uuid, reader); !status.ok()) {
      return Refused(status);
    }
  }
  return Decision{Status::Ok(), {OwnerPut{std::move(owner), {}}}};
}

Decision DecideUpdateOwner(const Command& command, const UpdateOwner& wish,
                           const OpenGroup& group) {
  const Reader& reader = group.reader();
  Result<OwnerRecord> here = reader.Owner(wish.uuid);
  if (!here.ok()) return Refused(here.status());
  if (here->deleted_s != 0) LATCHKEY_REFUSE(Code::kNotFound, "the owner has been deleted");

  OwnerRecord owner = *here;
  const bool is_user = owner.sort == OwnerSort::kUser;
  if (is_user ? wish.is_private.has_value() : (wish.email || wish.admin || wish.locked)) {
    LATCHKEY_REFUSE(Code::kInvalidArgument,
                    "only a user has an e-mail address, admin and locked; only a project has a "
                    "visibility");
  }
  owner.name = wish.name.value_or(owner.name);
  owner.slug = wish.slug.value_or(owner.slug);
  owner.email = wish.email.value_or(owner.email);
  owner.admin = wish.admin.value_or(owner.admin);
  owner.locked = wish.locked.value_or(owner.locked);
  owner.is_private = wish.is_private.value_or(owner.is_private);
  if (owner.Encode() == here->Encode()) return {};

  const Result<bool> taken = SlugIsTaken(owner.sort, owner.slug, owner.uuid, reader);
  if (!taken.ok()) return Refused(taken.status());
  if (*taken) return Refused(Status::Error(Code::kConflict, SlugTaken(owner.sort)));
  if (Status status = CheckEmailIsFree(owner.email, owner.uuid, reader); !status.ok()) {
    return Refused(status);
  }
  Decision decision;
  if (FoldAscii(owner.email) != FoldAscii(here->email)) {
    const Result<CountRecord> tokens = group.Count(owner.uuid, kind::kUserToken);
    if (!tokens.ok()) return Refused(tokens.status());
    RevokeTokensOf(&owner, command, tokens->active, &decision.events);
  }
  decision.events.push_back(OwnerPut{std::move(owner), {}});
  return decision;
}

Decision DecideDeleteOwner(const Command& command, const DeleteOwner& wish,
                           const OpenGroup& group) {
  Result<OwnerRecord> owner = group.reader().Owner(wish.uuid);
  if (!owner.ok()) return Refused(owner.status());
  if (owner->deleted_s != 0) LATCHKEY_REFUSE(Code::kConflict, "the owner is deleted already");
  const Bytes uuid_text = FormatUuid(owner->uuid);
  owner->name = "Deleted " + uuid_text;
  owner->slug = "deleted-" + uuid_text;
  owner->email.clear();
  // 0 means "not deleted", so a clock before 1970 must not make a deletion undone.
  owner->deleted_s = std::max<int64_t>(command.time_s, 1);
  owner->tokens_not_before_s = command.time_s;
  return Decision{Status::Ok(), {OwnerPut{std::move(*owner), {}}}};
}

Decision DecideSetGrant(const SetGrant& wish, const OpenGroup& group) {
  const Reader& reader = group.reader();
  for (const auto& [uuid, sort] :
       {std::pair(wish.project, OwnerSort::kProject), std::pair(wish.user, OwnerSort::kUser)}) {
    if (wish.imported) {
      const Result<OwnerRecord> owner = reader.Owner(uuid);
      if (!owner.ok() && owner.code() != Code::kNotFound) return Refused(owner.status());
      if (owner.ok() && owner->sort == sort) continue;
    }
    const Result<OwnerRecord> owner = reader.LiveOwner(uuid, sort);
    if (!owner.ok()) return Refused(owner.status());
  }
  const Result<GrantRecord> here = reader.Grant(wish.project, wish.user);
  const Result<bool> exists = Exists(here);
  if (!exists.ok()) return Refused(exists.status());
  if (*exists && here->role == wish.role) return {};
  if (*exists && wish.imported) {
    LATCHKEY_REFUSE(Code::kConflict, "the user has another role on the project");
  }
  return Decision{Status::Ok(), {GrantPut{wish.project, wish.user, wish.role}}};
}

Decision DecideRemoveGrant(const RemoveGrant& wish, const OpenGroup& group) {
  const Result<GrantRecord> here = group.reader().Grant(wish.project, wish.user);
  if (!here.ok()) return Refused(here.status());
  return Decision{Status::Ok(), {GrantRemoved{wish.project, wish.user}}};
}

Decision DecideRegisterKind(const RegisterKind& wish, const OpenGroup& group) {
  const KindRecord& asked = wish.kind;
  std::vector<uint16_t> numbers = {kind::kUserToken, kind::kUserKey, kind::kProjectKey};
  for (const KindRecord& host : group.state().host_kinds) numbers.push_back(host.kind);
  for (const uint16_t number : numbers) {
    const KindRecord& here = *group.FindKind(number);
    if (here.kind == asked.kind) {
      if (here.name == asked.name && here.prefix == asked.prefix && here.format == asked.format &&
          here.owner_sort == asked.owner_sort) {
        return {};
      }
      LATCHKEY_REFUSE(Code::kConflict, "the number belongs to a kind that differs from this one");
    }
    if (here.name == asked.name) {
      LATCHKEY_REFUSE(Code::kConflict, "the name belongs to another kind");
    }
    // One beginning with the other would leave the kind of a presented key to chance.
    if (!here.prefix.empty() &&
        (here.prefix.starts_with(asked.prefix) || asked.prefix.starts_with(here.prefix))) {
      LATCHKEY_REFUSE(Code::kConflict, "the prefix begins like that of another kind");
    }
  }
  return Decision{Status::Ok(), {KindPut{asked}}};
}

}  // namespace latchkey
