#include "refusal.h"

namespace latchkey::http {

Refusal RefusalOf(const Error& error) {
  switch (error.code()) {
    case LATCHKEY_INVALID_ARGUMENT:
      return {400, error.what()};  // a rule, in fixed words
    case LATCHKEY_NOT_FOUND:
      return {404, "Not found: it may have been taken away meanwhile."};
    case LATCHKEY_CONFLICT:
      return {409, error.what()};
    case LATCHKEY_FORBIDDEN:
      return {403, error.what()};
    case LATCHKEY_BUSY:
      return {503, "Service temporarily unavailable, please retry.", 1};
    case LATCHKEY_OUTCOME_UNKNOWN:
      return {500,
              "The change may or may not have happened: look, then try again. A revocation is in "
              "force."};
    case LATCHKEY_NO_SPACE:
      return {507, "There is no room left on the device of the store; nothing was changed."};
    default:
      return {500, "Internal server error"};
  }
}

}  // namespace latchkey::http
