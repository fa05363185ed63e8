// What a command comes to, given the store as the open group leaves it: events, or a refusal, or
// both (an import line that is refused may still have to revoke). Reads only; nothing is written
// here.
#pragma once

#include <vector>

#include "authority/open_group.h"
#include "base/text.h"
#include "schema/commands.h"

namespace latchkey {

struct Decision {
  Status status = Status::Ok();
  std::vector<EventBody> events;  // none and OK: it was so already
};

// A refusal, and nothing to write.
inline Decision Refused(Status status) { return Decision{status, {}}; }

Decision Decide(const Command& command, const OpenGroup& group);

// The parts, one for each command.
Decision DecideCreateOwner(const Command& command, const CreateOwner& wish, const OpenGroup& group);
Decision DecideUpdateOwner(const Command& command, const UpdateOwner& wish, const OpenGroup& group);
Decision DecideDeleteOwner(const Command& command, const DeleteOwner& wish, const OpenGroup& group);
Decision DecideSetGrant(const SetGrant& wish, const OpenGroup& group);
Decision DecideRemoveGrant(const RemoveGrant& wish, const OpenGroup& group);
Decision DecideRegisterKind(const RegisterKind& wish, const OpenGroup& group);
Decision DecideCreateCredential(const Command& command, const CreateCredential& wish,
                                const OpenGroup& group);
Decision DecideRenameCredential(const RenameCredential& wish, const OpenGroup& group);
Decision DecideRevokeCredential(const Command& command, const RevokeCredential& wish,
                                const OpenGroup& group);
Decision DecideStartSweep(const Command& command, const StartSweep& wish, const OpenGroup& group);
Decision DecideStepSweep(const StepSweep& wish, const OpenGroup& group);

// What an event says of a credential that is refused from then on.
Revoked RevokedOf(const CredentialRecord& credential);

// The slug to give: the one asked for if it is free (else CONFLICT with the text `taken`), or one
// made from the name. `is_taken(slug)` answers Result<bool>.
template <typename IsTaken>
Result<Bytes> ChooseSlug(const SlugWish& wish, Literal taken, IsTaken&& is_taken) {
  if (!wish.given.empty()) {
    LATCHKEY_TRY_ASSIGN(const bool is, is_taken(wish.given));
    if (is) return Status::Error(Code::kConflict, taken);
    return wish.given;
  }
  // A slug that reads as a UUID could never be found by it.
  if (!wish.base.empty() && !ParseUuid(wish.base).ok()) {
    LATCHKEY_TRY_ASSIGN(const bool is, is_taken(wish.base));
    if (!is) return wish.base;
  }
  const Bytes slug = wish.base.empty() ? wish.suffix : SlugWithSuffix(wish.base, wish.suffix);
  LATCHKEY_TRY_ASSIGN(const bool is, is_taken(slug));
  if (is) return Status::Error(Code::kConflict, "no free slug was found for the name: try again");
  return slug;
}

}  // namespace latchkey

// Ends a decision with a refusal.
#define LATCHKEY_REFUSE(code, text) \
  return Decision {                 \
    Status::Error(code, text), {}   \
  }
