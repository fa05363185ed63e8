// What every verb is told: where its things are, in a store or behind a host, and how to answer.
#pragma once

#include <functional>
#include <string>

#include "arguments.h"
#include "output.h"
#include "refusal.h"

namespace latchkey::cli {

// The flags that say where. Read apart from their variables, since a flag beats the variables of
// the others, too.
struct PlaceFlags {
  TextFlag store;
  TextFlag pepper_file;
  TextFlag host;
  TextFlag key_file;
  TextFlag key;
  TextFlag ca_file;
};

struct Globals {
  std::string store_path = "./latchkey-data";
  std::string pepper_path;  // empty = beside the store
  std::string host;         // the address; empty = the store
  const char* host_source = "--host";
  PlaceFlags flags;
  std::string output = "table";
  bool yes = false;
  std::function<int()> run;  // the chosen verb, with its arguments; returns the exit code

  bool json() const { return output == "json"; }
  // store_path + ".pepper" unless another was given.
  std::string EffectivePepperPath() const;
};

// Settles what the flags and the variables say. Throws a usage Refusal where they contradict.
void FinishGlobals(Globals* globals);

// For what only a store can do: throws a usage Refusal if a host was named. `what` as "init".
void RequireStore(const Globals& globals, const std::string& what);

// The value of a variable; an empty one is not set.
std::string Environment(const char* name);

}  // namespace latchkey::cli
