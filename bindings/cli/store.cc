#include "store.h"

#include "output.h"

namespace latchkey::cli {
namespace {

void PrintLog(void*, uint32_t level, const char* text) {
  if (level <= LATCHKEY_LOG_WARNING) Complain(EscapeForTerminal(text));
}

}  // namespace

std::string Globals::EffectivePepperPath() const {
  return pepper_path.empty() ? store_path + ".pepper" : pepper_path;
}

Store::Store(const Globals& globals, uint32_t mode) {
  const std::string pepper_path = globals.EffectivePepperPath();
  auto options = Sized<latchkey_open_options>();
  options.path = globals.store_path.c_str();
  options.pepper_path = pepper_path.c_str();
  options.mode = mode;
  options.log = PrintLog;
  const bool create = mode == LATCHKEY_OPEN_CREATE;
  Require(latchkey_store_open(&options, &handle_), "store " + Quoted(globals.store_path),
          {.not_found = create ? "Make that folder first, or name another place with --store."
                               : "Run latchkey init to make one, or name the right folder with "
                                 "--store or LATCHKEY_STORE.",
           .conflict = "If it is a store, use it as it is; or name another folder with --store.",
           .invalid = "Name the folder of a latchkey store with --store."});
}

Store::~Store() {
  // Every change was on the device before its call returned; what close could still fail at has
  // been told by the log function.
  latchkey_store_close(handle_);
}

latchkey_owner Store::FindOwner(uint32_t sort, const std::string& id) const {
  const std::string word = OwnerWord(sort);
  auto owner = Sized<latchkey_owner>();
  Require(latchkey_owner_get(handle_, sort, id.data(), id.size(), &owner), word + " " + Quoted(id),
          {.not_found = "To see who is there: latchkey " + word + " list",
           .invalid = "Give a slug or a UUID; latchkey " + word + " list shows them."});
  return owner;
}

latchkey_stats Store::Stats() const {
  auto stats = Sized<latchkey_stats>();
  Require(latchkey_store_stats(handle_, &stats), "stats");
  return stats;
}

const char* OwnerWord(uint32_t sort) { return sort == LATCHKEY_OWNER_USER ? "user" : "project"; }

}  // namespace latchkey::cli
