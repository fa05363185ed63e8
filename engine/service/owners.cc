// Owners, grants and kinds.
#include "service/owners.h"

#include "base/limits.h"
#include "base/text.h"
#include "crypto/key_format.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

// The record as the events of a command left it; from the store when nothing had to change.
Result<OwnerRecord> OwnerAfter(const Engine& engine, const std::vector<Event>& events,
                               const Uuid& uuid) {
  for (const Event& event : events) {
    if (const auto* put = std::get_if<OwnerPut>(&event.body)) return put->owner;
  }
  LATCHKEY_TRY_ASSIGN(const auto view, engine.authority().Look());
  return view->reader().Owner(uuid);
}

Status CheckGivenSlug(ByteView slug) {
  LATCHKEY_TRY(CheckSlug(slug));
  if (ParseUuid(slug).ok()) {
    return Status::Error(Code::kInvalidArgument,
                         "a slug that reads as a UUID could never be found by it");
  }
  return Status::Ok();
}

Status NoSuchOwner(OwnerSort sort) {
  return Status::Error(Code::kNotFound, sort == OwnerSort::kUser
                                            ? Literal("there is no such user")
                                            : Literal("there is no such project"));
}

Result<OwnerCache::Owner> FindByAnyName(const OwnerCache& cache, OwnerSort sort, ByteView id) {
  if (const Result<Uuid> uuid = ParseUuid(id); uuid.ok()) return cache.Find(*uuid);
  if (CheckSlug(id).ok()) return cache.FindBySlug(sort, id);
  if (sort == OwnerSort::kUser) {
    if (CheckEmail(id).ok()) return cache.FindByEmail(id);
    return Status::Error(Code::kInvalidArgument,
                         "a user is named by a UUID, a slug (lower-case letters, digits and single "
                         "hyphens) or an e-mail address");
  }
  return Status::Error(Code::kInvalidArgument,
                       "a project is named by a UUID or a slug (lower-case letters, digits and "
                       "single hyphens)");
}

Result<OwnerCache::Owner> LiveOwner(const OwnerCache& cache, const Uuid& uuid, OwnerSort sort) {
  Result<OwnerCache::Owner> owner = cache.Find(uuid);
  if (owner.code() == Code::kNotFound || (owner.ok() && (*owner)->sort != sort)) {
    return NoSuchOwner(sort);
  }
  if (owner.ok() && (*owner)->deleted_s != 0) {
    return Status::Error(Code::kNotFound, sort == OwnerSort::kUser
                                              ? Literal("the user has been deleted")
                                              : Literal("the project has been deleted"));
  }
  return owner;
}

}  // namespace

Result<OwnerRecord> CreateOwnerNow(Engine& engine, const Uuid& actor, const NewOwner& wish) {
  LATCHKEY_TRY(CheckName(wish.name));
  CreateOwner command;
  OwnerRecord& owner = command.owner;
  owner.sort = wish.sort;
  owner.uuid = wish.uuid;
  if (owner.uuid.is_nil()) {
    LATCHKEY_TRY_ASSIGN(owner.uuid, engine.NewUuid());
  }
  owner.name = wish.name;
  owner.email = wish.email;
  owner.admin = wish.admin;
  owner.is_private = wish.is_private;
  owner.creation_s = engine.clock().NowS();
  if (!owner.email.empty()) LATCHKEY_TRY(CheckEmail(owner.email));
  const bool is_user = owner.sort == OwnerSort::kUser;
  if (is_user ? owner.is_private : (owner.admin || !owner.email.empty())) {
    return Status::Error(Code::kInvalidArgument,
                         "only a user has an e-mail address and admin; only a project has a "
                         "visibility");
  }
  if (wish.slug.has_value()) {
    LATCHKEY_TRY(CheckGivenSlug(*wish.slug));
    command.slug.given = *wish.slug;
  }
  command.slug.base = Slugify(wish.name);
  LATCHKEY_TRY_ASSIGN(command.slug.suffix, engine.NewSlugSuffix());
  const Uuid uuid = owner.uuid;
  LATCHKEY_TRY_ASSIGN(const std::vector<Event> events, engine.Run(actor, std::move(command)));
  return OwnerAfter(engine, events, uuid);
}

Result<std::shared_ptr<const OwnerRecord>> FindOwner(const Engine& engine, OwnerSort sort,
                                                     ByteView id) {
  Result<OwnerCache::Owner> owner = FindByAnyName(engine.memory().owner_cache(), sort, id);
  if (owner.code() == Code::kNotFound || (owner.ok() && (*owner)->sort != sort)) {
    return NoSuchOwner(sort);
  }
  return owner;
}

Result<OwnerRecord> UpdateOwnerNow(Engine& engine, const Uuid& actor, UpdateOwner wish) {
  if (!wish.name && !wish.slug && !wish.email && !wish.admin && !wish.locked && !wish.is_private) {
    return Status::Error(Code::kInvalidArgument, "nothing was given to change");
  }
  if (wish.name) LATCHKEY_TRY(CheckName(*wish.name));
  if (wish.slug) LATCHKEY_TRY(CheckGivenSlug(*wish.slug));
  if (wish.email && !wish.email->empty()) LATCHKEY_TRY(CheckEmail(*wish.email));
  const Uuid uuid = wish.uuid;
  LATCHKEY_TRY_ASSIGN(const std::vector<Event> events,
                      engine.RunAndDeny(actor, std::move(wish), nullptr));
  return OwnerAfter(engine, events, uuid);
}

Status DeleteOwnerNow(Engine& engine, const Uuid& actor, const Uuid& uuid) {
  return engine.Run(actor, DeleteOwner{uuid}).status();
}

Status SetGrantNow(Engine& engine, const Uuid& actor, const SetGrant& wish) {
  return engine.Run(actor, wish).status();
}

Status RemoveGrantNow(Engine& engine, const Uuid& actor, const RemoveGrant& wish) {
  return engine.Run(actor, wish).status();
}

Result<GrantPage> ListGrants(const Engine& engine, const Uuid& project,
                             const std::optional<Uuid>& after, size_t limit) {
  LATCHKEY_TRY_ASSIGN(const auto view, engine.authority().Look());
  LATCHKEY_TRY_ASSIGN(const OwnerRecord owner, view->reader().Owner(project));
  if (owner.sort != OwnerSort::kProject) {
    return Status::Error(Code::kNotFound, "there is no such project");
  }
  GrantPage page;
  const Snapshot snapshot(view->storage());
  Scan scan = view->storage().ScanPrefix(column::kGrant, project.view(), {}, &snapshot);
  for (; scan.Valid(); scan.Next()) {
    LATCHKEY_TRY_ASSIGN(const ByteView fields,
                        engine.authority().mac().Open(column::kGrant, scan.key(), scan.value()));
    LATCHKEY_TRY_ASSIGN(const GrantRecord grant, GrantRecord::Decode(fields));
    ++page.total;
    const Uuid user = Uuid::From(scan.key().substr(Uuid::kSize));
    if (page.rows.size() < limit && (!after.has_value() || *after < user)) {
      page.rows.push_back(GrantRow{user, grant.role});
    }
  }
  LATCHKEY_TRY(scan.status());
  return page;
}

Status Authorize(const Engine& engine, const Uuid& user, const Uuid& project, Role role) {
  const OwnerCache& cache = engine.memory().owner_cache();
  LATCHKEY_TRY_ASSIGN(const auto who, LiveOwner(cache, user, OwnerSort::kUser));
  LATCHKEY_TRY_ASSIGN(const auto what, LiveOwner(cache, project, OwnerSort::kProject));
  if (who->locked) return Status::Error(Code::kForbidden, "the user is locked");
  if (who->admin) return Status::Ok();
  LATCHKEY_TRY_ASSIGN(const Role granted, cache.RoleOn(what->uuid, who->uuid));
  if (granted >= role && granted != Role::kNone) return Status::Ok();
  return Status::Error(Code::kForbidden, "the user's role on the project does not allow it");
}

Status RegisterKindNow(Engine& engine, KindRecord kind) {
  if (kind.kind < limits::kHostKindMin || kind.kind > limits::kHostKindMax) {
    return Status::Error(Code::kInvalidArgument, "a host's own kinds have the numbers 256 to 511");
  }
  if (kind.format == 0) kind.format = static_cast<uint8_t>(SecretFormat::kBase62x43Crc);
  if (kind.format != static_cast<uint8_t>(SecretFormat::kBase62x30) &&
      kind.format != static_cast<uint8_t>(SecretFormat::kBase62x43Crc)) {
    return Status::Error(Code::kInvalidArgument, "the format is not one that keys can be made in");
  }
  LATCHKEY_TRY(CheckSlug(kind.name));
  LATCHKEY_TRY(CheckKeyPrefix(kind.prefix));
  return engine.Run(Uuid{}, RegisterKind{std::move(kind)}).status();
}

Result<KindRecord> GetKind(const Engine& engine, uint16_t kind) {
  const auto state = engine.authority().Now();
  const KindRecord* found = FindKindIn(state->host_kinds, kind);
  if (found == nullptr) return Status::Error(Code::kNotFound, "there is no such kind");
  return *found;
}

}  // namespace latchkey
