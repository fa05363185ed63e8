// Which decision belongs to which command.
#include "authority/decide.h"

namespace latchkey {

Decision Decide(const Command& command, const OpenGroup& group) {
  struct Visitor {
    const Command& command;
    const OpenGroup& group;
    Decision operator()(const CreateOwner& wish) { return DecideCreateOwner(command, wish, group); }
    Decision operator()(const UpdateOwner& wish) { return DecideUpdateOwner(command, wish, group); }
    Decision operator()(const DeleteOwner& wish) { return DecideDeleteOwner(command, wish, group); }
    Decision operator()(const SetGrant& wish) { return DecideSetGrant(wish, group); }
    Decision operator()(const RemoveGrant& wish) { return DecideRemoveGrant(wish, group); }
    Decision operator()(const RegisterKind& wish) { return DecideRegisterKind(wish, group); }
    Decision operator()(const CreateCredential& wish) {
      return DecideCreateCredential(command, wish, group);
    }
    Decision operator()(const RenameCredential& wish) {
      return DecideRenameCredential(wish, group);
    }
    Decision operator()(const RevokeCredential& wish) {
      return DecideRevokeCredential(command, wish, group);
    }
    Decision operator()(const StartSweep& wish) { return DecideStartSweep(command, wish, group); }
    Decision operator()(const StepSweep& wish) { return DecideStepSweep(wish, group); }
    Decision operator()(const PersistClock& wish) {
      if (!wish.accept_jump) return {};
      return Decision{Status::Ok(), {ClockAccepted{}}};
    }
    Decision operator()(const FlushUsage&) { return {}; }
  };
  return std::visit(Visitor{command, group}, command.body);
}

}  // namespace latchkey
