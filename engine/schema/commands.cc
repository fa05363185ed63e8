// Which commands only take away.
#include "schema/commands.h"

namespace latchkey {

bool IsRestrictive(const Command& command) {
  if (const auto* update = std::get_if<UpdateOwner>(&command.body)) {
    return update->locked == true && !update->name && !update->slug && !update->email &&
           !update->admin && !update->is_private;
  }
  return std::holds_alternative<RevokeCredential>(command.body) ||
         std::holds_alternative<StartSweep>(command.body) ||
         std::holds_alternative<DeleteOwner>(command.body) ||
         std::holds_alternative<RemoveGrant>(command.body);
}

}  // namespace latchkey
