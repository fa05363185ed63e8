// What every verb is told, and the store that it works on.
#pragma once

#include <latchkey/latchkey.h>

#include <functional>
#include <string>

#include "refusal.h"

namespace latchkey::cli {

struct Globals {
  std::string store_path = "./latchkey-data";
  std::string pepper_path;  // empty = beside the store
  std::string output = "table";
  bool yes = false;
  std::function<int()> run;  // the chosen verb, with its arguments; returns the exit code

  bool json() const { return output == "json"; }
  // store_path + ".pepper" unless another was given.
  std::string EffectivePepperPath() const;
};

// A struct of the C API, zeroed and with its size set.
template <typename Struct>
Struct Sized() {
  Struct value = {};
  value.struct_size = sizeof value;
  return value;
}

// An open store, closed at the end. Single-threaded.
class Store {
 public:
  // Opens the store that is there, or throws a Refusal that says how to make one.
  explicit Store(const Globals& globals) : Store(globals, LATCHKEY_OPEN_EXISTING) {}
  // `mode` is one of LATCHKEY_OPEN_*.
  Store(const Globals& globals, uint32_t mode);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  latchkey_store* get() const { return handle_; }

  // The user or project that `id` (slug, UUID, or a user's e-mail) names, deleted ones by UUID
  // only.
  latchkey_owner FindOwner(uint32_t sort, const std::string& id) const;

  latchkey_stats Stats() const;

 private:
  latchkey_store* handle_ = nullptr;
};

// "user" or "project".
const char* OwnerWord(uint32_t sort);

}  // namespace latchkey::cli
