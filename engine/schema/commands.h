// Wishes to change, as plain data: what a caller asked for, checked for form but not yet decided.
// No command holds a secret: a new credential comes with its tag and seal already made.
#pragma once

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "schema/records.h"

namespace latchkey {

// A slug to be made when none is given: from the name, with the suffix if that is taken.
struct SlugWish {
  Bytes given;   // not empty: this and no other
  Bytes base;    // Slugify(name); may be empty
  Bytes suffix;  // 8 random base36 characters
};

struct CreateOwner {
  OwnerRecord owner;  // slug is empty here, see `slug`
  SlugWish slug;
  bool imported = false;  // as it was elsewhere: any difference from what is here is a conflict
};

struct UpdateOwner {
  Uuid uuid;
  std::optional<Bytes> name;
  std::optional<Bytes> slug;
  std::optional<Bytes> email;
  std::optional<bool> admin;
  std::optional<bool> locked;
  std::optional<bool> is_private;
};

struct DeleteOwner {
  Uuid uuid;
};

struct SetGrant {
  Uuid project;
  Uuid user;
  Role role = Role::kNone;
  bool imported = false;  // deleted owners are fine, another role is a conflict
};

struct RemoveGrant {
  Uuid project;
  Uuid user;
};

struct RegisterKind {
  KindRecord kind;
};

struct CreateCredential {
  CredentialRecord credential;  // slug is empty here
  SlugWish slug;
  bool imported = false;  // deleted owners are fine; what is here already is compared
  int64_t revoked_s = 0;  // imported as revoked
};

struct RenameCredential {
  Uuid uuid;
  Bytes name;
};

struct RevokeCredential {
  Uuid uuid;
  Bytes reason;
};

struct StartSweep {
  SweepRecord sweep;  // its number is given when it is committed
};

// Writes tombstones for some credentials that a sweep covers; those that have one already, or are
// not covered, are passed over.
struct StepSweep {
  uint64_t sweep = 0;
  std::vector<Uuid> credentials;
  bool done = false;  // there are no more
};

// Commits the latest time even when nothing else changes.
struct PersistClock {
  bool accept_jump = false;
};

// Writes down when credentials were last used; no event, for it is no change.
struct FlushUsage {
  std::vector<std::pair<Uuid, uint32_t>> last_used;  // Unix seconds
};

struct Command {
  int64_t time_s = 0;
  Uuid actor;
  std::variant<CreateOwner, UpdateOwner, DeleteOwner, SetGrant, RemoveGrant, RegisterKind,
               CreateCredential, RenameCredential, RevokeCredential, StartSweep, StepSweep,
               PersistClock, FlushUsage>
      body;
};

// Does it only take away? Such a command is in force as soon as its write has failed midway, is
// tried again when the store has healed, and is let through when the device is nearly full.
bool IsRestrictive(const Command& command);

}  // namespace latchkey
