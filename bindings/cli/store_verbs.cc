// latchkey init: make a store. latchkey stats: what is in it.

#include "arguments.h"
#include "commands.h"
#include "store.h"

namespace latchkey::cli {
namespace {

int Init(const Globals& globals) {
  RequireStore(globals, "init");
  const Store store(globals, LATCHKEY_OPEN_CREATE);
  const std::string pepper_path = globals.EffectivePepperPath();
  if (globals.json()) {
    Json json;
    json["store"] = globals.store_path;
    json["pepper"] = pepper_path;
    json["store_id"] = wire::FormatUuid(store.Stats().store_id);
    PrintJson(json);
    return kDone;
  }
  PrintFields({{"store", globals.store_path}, {"pepper", pepper_path}});
  PrintText(
      "Backups and copies of the store do not hold the pepper, and without it no key can be "
      "verified:\nkeep a copy of it, in another place than they.\n");
  return kDone;
}

int ShowStats(const Globals& globals) {
  const Json json = OpenBackend(globals)->Stats();
  if (globals.json()) {
    PrintJson(json);
    return kDone;
  }
  std::vector<Field> fields;
  for (const auto& [name, value] : json.items()) {
    fields.push_back(
        {EscapeForTerminal(name), value.is_string() ? value.get<std::string>() : value.dump()});
  }
  PrintFields(fields);
  return kDone;
}

}  // namespace

void AddStoreVerbs(CLI::App* parent, Globals* globals) {
  CLI::App* init = AddVerb(parent, "init", "", "Make a store, and the pepper beside it",
                           "latchkey --store ./latchkey-data init");
  OnRun(init, globals, [=] { return Init(*globals); });
  CLI::App* stats =
      AddVerb(parent, "stats", "", "Counts and sizes of the store", "latchkey stats --output json");
  OnRun(stats, globals, [=] { return ShowStats(*globals); });
}

}  // namespace latchkey::cli
