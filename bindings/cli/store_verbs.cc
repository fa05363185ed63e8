// latchkey init: make a store. latchkey stats: what is in it.

#include "arguments.h"
#include "commands.h"

namespace latchkey::cli {
namespace {

int Init(const Globals& globals) {
  const Store store(globals, LATCHKEY_OPEN_CREATE);
  const std::string pepper_path = globals.EffectivePepperPath();
  if (globals.json()) {
    Json json;
    json["store"] = globals.store_path;
    json["pepper"] = pepper_path;
    json["store_id"] = FormatUuid(store.Stats().store_id);
    PrintJson(json);
    return kDone;
  }
  PrintFields({{"store", globals.store_path}, {"pepper", pepper_path}});
  PrintText(
      "Backups and copies of the store do not hold the pepper, and without it no key can be "
      "verified:\nkeep a copy of it, in another place than they.\n");
  return kDone;
}

Json StatsJson(const latchkey_stats& stats) {
  Json json;
  json["store_id"] = FormatUuid(stats.store_id);
  json["history_id"] = FormatUuid(stats.history_id);
  json["event_number"] = stats.event_number;
  json["users"] = stats.users;
  json["projects"] = stats.projects;
  json["active"] = stats.active;
  json["revoked"] = stats.revoked;
  json["sweeps_pending"] = stats.sweeps_pending;
  json["commits"] = stats.commits;
  json["commands"] = stats.commands;
  json["verify_table_bytes"] = stats.verify_table_bytes;
  json["directory_bytes"] = stats.directory_bytes;
  json["disk_bytes"] = stats.disk_bytes;
  json["log_bytes"] = stats.log_bytes;
  json["time_s"] = stats.time_s;
  json["clock_jump_pending"] = stats.clock_jump_pending != 0;
  json["format"] = stats.format;
  return json;
}

int ShowStats(const Globals& globals) {
  const Store store(globals);
  const Json json = StatsJson(store.Stats());
  if (globals.json()) {
    PrintJson(json);
    return kDone;
  }
  std::vector<Field> fields;
  for (const auto& [name, value] : json.items()) {
    fields.push_back({name, value.is_string() ? value.get<std::string>() : value.dump()});
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
