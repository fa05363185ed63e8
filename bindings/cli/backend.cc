#include "backend.h"

#include "host.h"
#include "store.h"

namespace latchkey::cli {

std::unique_ptr<Backend> OpenBackend(const Globals& globals, uint32_t load) {
  if (!globals.host.empty()) return std::make_unique<HostBackend>(globals);
  return std::make_unique<LocalBackend>(globals, load);
}

const char* OwnerWord(uint32_t sort) { return sort == LATCHKEY_OWNER_USER ? "user" : "project"; }

Context OwnerContext(uint32_t sort, const std::string& id) {
  const std::string word = OwnerWord(sort);
  return {word + " " + Quoted(id),
          {.not_found = "To see who is there: latchkey " + word + " list",
           .invalid = "Give a slug or a UUID; latchkey " + word + " list shows them."}};
}

}  // namespace latchkey::cli
