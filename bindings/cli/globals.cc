#include "globals.h"

#include <cstdlib>

namespace latchkey::cli {
namespace {

// The flag, else the variable, else `otherwise`.
std::string FlagOr(const TextFlag& flag, const char* variable, const std::string& otherwise) {
  if (flag.given()) return flag.value;
  const std::string value = Environment(variable);
  return value.empty() ? otherwise : value;
}

void RequireFor(const TextFlag& flag, const char* name, const char* due, const std::string& why) {
  if (!flag.given()) return;
  RefuseUsage(name, why, std::string("Leave it out, or name ") + due + ".");
}

void FinishHost(Globals* globals) {
  const PlaceFlags& flags = globals->flags;
  if (flags.host.given() && flags.host.value.empty()) {
    RefuseUsage("--host", "a host has an address", "Such as: --host http://127.0.0.1:61016");
  }
  globals->host = flags.host.given() ? flags.host.value : Environment("LATCHKEY_HOST");
  globals->host_source = flags.host.given() ? "--host" : "LATCHKEY_HOST";
}

void FinishStore(Globals* globals) {
  const PlaceFlags& flags = globals->flags;
  globals->store_path = FlagOr(flags.store, "LATCHKEY_STORE", globals->store_path);
  globals->pepper_path = FlagOr(flags.pepper_file, "LATCHKEY_PEPPER_FILE", "");
  // "data/" and "data" are one folder, and have one pepper beside it.
  while (globals->store_path.size() > 1 && globals->store_path.back() == '/') {
    globals->store_path.pop_back();
  }
  if (globals->store_path.empty()) {
    RefuseUsage("--store", "a folder has a name", "Name the store's folder.");
  }
}

}  // namespace

std::string Globals::EffectivePepperPath() const {
  return pepper_path.empty() ? store_path + ".pepper" : pepper_path;
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void FinishGlobals(Globals* globals) {
  if (globals->output != "table" && globals->output != "json") {
    RefuseUsage("--output " + Quoted(globals->output), "it is table or json",
                "Give one of the two.");
  }
  const PlaceFlags& flags = globals->flags;
  if (flags.host.given() && flags.store.given()) {
    RefuseUsage("--host and --store", "a verb works through a host or on a store, not on both",
                "Give one of the two.");
  }
  if (!flags.store.given()) FinishHost(globals);
  if (globals->host.empty()) {
    const char* why = "it is what a host is asked with, and none is named";
    RequireFor(flags.key_file, "--key-file", "the host with --host", why);
    RequireFor(flags.key, "--key", "the host with --host", why);
    RequireFor(flags.ca_file, "--ca-file", "the host with --host", why);
    FinishStore(globals);
    return;
  }
  RequireFor(flags.pepper_file, "--pepper-file", "the store with --store",
             std::string("a host has its store's pepper itself, and ") + globals->host_source +
                 " names one");
  if (flags.key_file.given() && flags.key.given()) {
    RefuseUsage("--key and --key-file", "a host is asked with one key", "Give --key-file alone.");
  }
}

void RequireStore(const Globals& globals, const std::string& what) {
  if (globals.host.empty()) return;
  RefuseUsage(
      what, std::string("it needs the store itself, and ") + globals.host_source + " names a host",
      "Stop the host, or copy its store, and name the folder with --store.");
}

}  // namespace latchkey::cli
