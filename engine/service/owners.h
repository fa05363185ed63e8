// Use cases of owners, grants and kinds.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "service/engine.h"

namespace latchkey {

struct NewOwner {
  OwnerSort sort = OwnerSort::kUser;
  Uuid uuid;  // nil = one is made
  ByteView name;
  std::optional<ByteView> slug;  // none = made from the name
  ByteView email;                // empty = none
  bool admin = false;
  bool is_private = false;
};
Result<OwnerRecord> CreateOwnerNow(Engine& engine, const Uuid& actor, const NewOwner& wish);

// By the text of a UUID (deleted ones too), else by slug, else, for users, by e-mail. From memory
// if he was asked for lately.
Result<std::shared_ptr<const OwnerRecord>> FindOwner(const Engine& engine, OwnerSort sort,
                                                     ByteView id);

// Checks the form of what is set, and decides the rest in the queue.
Result<OwnerRecord> UpdateOwnerNow(Engine& engine, const Uuid& actor, UpdateOwner wish);
Status DeleteOwnerNow(Engine& engine, const Uuid& actor, const Uuid& uuid);

Status SetGrantNow(Engine& engine, const Uuid& actor, const SetGrant& wish);
Status RemoveGrantNow(Engine& engine, const Uuid& actor, const RemoveGrant& wish);

struct GrantRow {
  Uuid user;
  Role role = Role::kNone;
};
struct GrantPage {
  std::vector<GrantRow> rows;
  uint64_t total = 0;
};
// In order of the users' UUIDs, after `after`.
Result<GrantPage> ListGrants(const Engine& engine, const Uuid& project,
                             const std::optional<Uuid>& after, size_t limit);
// OK, FORBIDDEN or NOT_FOUND.
Status Authorize(const Engine& engine, const Uuid& user, const Uuid& project, Role role);

Status RegisterKindNow(Engine& engine, KindRecord kind);
Result<KindRecord> GetKind(const Engine& engine, uint16_t kind);

}  // namespace latchkey
