// latchkey backup, restore, epoch: what is kept outside the store, and the way back.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "arguments.h"
#include "commands.h"
#include "store.h"
#include "terminal.h"

namespace latchkey::cli {
namespace {

constexpr const char* kPepperNote =
    "The backup does not hold the pepper, and without it nothing can be restored: keep a copy of "
    "it, in another place.\n";

struct BackupFlags {
  std::string folder;
  TextFlag keep;
  TextFlag number;
  bool list = false;
  bool verify = false;
};

struct RestoreFlags {
  std::string folder;
  TextFlag to;
  TextFlag damaged;
  TextFlag revocations;
  TextFlag number;
};

Remedies BackupRemedies() {
  return {.not_found = "Name a folder of backups; latchkey backup --list shows what is in it.",
          .conflict = "Name another folder: each store has one of its own.",
          .invalid = "Name a folder that is empty or not there yet, or one of backups.",
          .busy = "Wait until the other backup or restore is done, and try again."};
}

Json BackupJson(const latchkey_backup& backup) {
  Json json;
  json["number"] = backup.number;
  json["time"] = wire::FormatTime(backup.time_s);
  json["bytes"] = backup.bytes;
  json["files"] = backup.files;
  json["store_id"] = wire::FormatUuid(backup.store_id);
  auto epoch = Sized<latchkey_epoch>();
  epoch.history_id = backup.history_id;
  epoch.event_number = backup.event_number;
  std::memcpy(epoch.event_id, backup.event_id, sizeof epoch.event_id);
  char text[LATCHKEY_EPOCH_TEXT_SIZE];
  latchkey_epoch_format(&epoch, text);
  json["epoch"] = text;
  return json;
}

int ShowProgress(void*, uint64_t bytes) {
  if (!IsErrorTerminal()) return 0;
  std::fprintf(stderr, "\r\033[K%llu MB", static_cast<unsigned long long>(bytes / 1'000'000));
  std::fflush(stderr);
  return 0;
}

int List(const Globals& globals, const BackupFlags& flags) {
  std::vector<latchkey_backup> rows;
  size_t count = 0;
  do {  // again if one was made in between
    rows.assign(count, Sized<latchkey_backup>());
    Require(latchkey_backup_list(flags.folder.c_str(), rows.empty() ? nullptr : rows.data(),
                                 rows.size(), &count),
            "backups " + Quoted(flags.folder), BackupRemedies());
  } while (count > rows.size());
  rows.resize(count);
  if (globals.json()) {
    Json json = Json::array();
    for (const latchkey_backup& row : rows) json.push_back(BackupJson(row));
    PrintJson(json);
    return kDone;
  }
  Table table({"NUMBER", "TIME", "BYTES", "EVENT", "STORE"});
  for (const latchkey_backup& row : rows) {
    table.AddRow({std::to_string(row.number), wire::FormatTime(row.time_s),
                  std::to_string(row.bytes), std::to_string(row.event_number),
                  wire::FormatUuid(row.store_id)});
  }
  table.Print();
  return kDone;
}

uint32_t ReadNumber(const TextFlag& flag, const char* name) {
  if (!flag.given()) return 0;
  return static_cast<uint32_t>(ReadWhole(name, flag.value, 1, UINT32_MAX));
}

int Verify(const Globals& globals, const BackupFlags& flags) {
  const uint32_t number = ReadNumber(flags.number, "--number");
  Require(latchkey_backup_verify(flags.folder.c_str(), number), "backups " + Quoted(flags.folder),
          BackupRemedies());
  if (globals.json()) {
    PrintJson(Json{{"whole", true}});
  } else {
    PrintText("whole\n");
  }
  return kDone;
}

int Backup(const Globals& globals, const BackupFlags& flags) {
  if (flags.list) return List(globals, flags);
  if (flags.verify) return Verify(globals, flags);
  if (flags.number.given()) {
    RefuseUsage("--number", "it says which backup to verify", "Give it with --verify.");
  }
  RequireStore(globals, "backup");
  auto options = Sized<latchkey_backup_options>();
  options.path = flags.folder.c_str();
  options.keep = ReadNumber(flags.keep, "--keep");
  options.progress = ShowProgress;
  const Store store(globals);
  auto made = Sized<latchkey_backup>();
  const latchkey_code code = latchkey_store_backup(store.get(), &options, &made);
  if (IsErrorTerminal()) std::fprintf(stderr, "\r\033[K");
  Require(code, "backup to " + Quoted(flags.folder), BackupRemedies());
  const Json json = BackupJson(made);
  if (globals.json()) {
    PrintJson(json);
    return kDone;
  }
  PrintFields({{"number", std::to_string(made.number)},
               {"bytes", std::to_string(made.bytes)},
               {"epoch", json["epoch"].get<std::string>()}});
  PrintText(kPepperNote);
  return kDone;
}

// A UUID a line, and perhaps a Unix time behind it.
std::vector<latchkey_revocation> ReadRevocations(const TextFlag& flag) {
  std::vector<latchkey_revocation> list;
  if (!flag.given()) return list;
  std::ifstream in(flag.value);
  if (!in) {
    throw Refusal(kFailure, "file " + Quoted(flag.value), strerror(errno),
                  "Name a file with one UUID a line.");
  }
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    const std::string where =
        "--revocations " + Quoted(flag.value) + ", line " + std::to_string(number);
    const size_t space = line.find_first_of(" \t");
    latchkey_revocation one{};
    if (latchkey_uuid_parse(line.data(), std::min(space, line.size()), &one.uuid) != LATCHKEY_OK) {
      RefuseUsage(where, "a line is a UUID, and perhaps a Unix time behind it",
                  "Mend the file; nothing has been restored.");
    }
    if (space != std::string::npos) {
      const std::string time = line.substr(line.find_first_not_of(" \t", space));
      one.revoked_s = static_cast<int64_t>(ReadWhole(where, time, 1, INT64_MAX));
    }
    list.push_back(one);
  }
  if (in.bad()) throw Refusal(kFailure, "file " + Quoted(flag.value), "it could not be read");
  return list;
}

Json ReportJson(const latchkey_restore_report& report) {
  Json json;
  json["number"] = report.number;
  json["store_id"] = wire::FormatUuid(report.store_id);
  json["history_id"] = wire::FormatUuid(report.history_id);
  json["shared_number"] = report.shared_number;
  json["event_number"] = report.event_number;
  json["active"] = report.active;
  json["revoked"] = report.revoked;
  json["carried_revocations"] = report.carried_revocations;
  json["carried_mass_revocations"] = report.carried_mass_revocations;
  json["carried_owners"] = report.carried_owners;
  json["kept_unknown"] = report.kept_unknown;
  json["dropped_unknown"] = report.dropped_unknown;
  json["listed"] = report.listed;
  json["listed_unknown"] = report.listed_unknown;
  json["damaged_store_files"] = report.damaged_store_files;
  json["unreadable_files"] = report.unreadable_files;
  json["unreadable_records"] = report.unreadable_records;
  json["missing_revocations"] = report.missing_revocations;
  return json;
}

int Restore(const Globals& globals, const RestoreFlags& flags) {
  RequireStore(globals, "restore");
  const std::vector<latchkey_revocation> revocations = ReadRevocations(flags.revocations);
  auto options = Sized<latchkey_restore_options>();
  options.backup_path = flags.folder.c_str();
  options.path = flags.to.value.c_str();
  options.pepper_path = globals.pepper_path.empty() ? nullptr : globals.pepper_path.c_str();
  options.damaged_path = flags.damaged.given() ? flags.damaged.value.c_str() : nullptr;
  options.revocations = revocations.empty() ? nullptr : revocations.data();
  options.revocations_count = revocations.size();
  options.number = ReadNumber(flags.number, "--backup");
  auto report = Sized<latchkey_restore_report>();
  Require(
      latchkey_restore(&options, &report), "restore of " + Quoted(flags.folder),
      {.not_found = "Name a folder of backups, a backup that latchkey backup --list shows, and a "
                    "damaged store that is there.",
       .conflict = "Restore to a place where nothing is.",
       .invalid = "Name a folder of backups, and the damaged store that they are of.",
       .busy = "Stop what uses the damaged store or the backups, and try again."});
  const Json json = ReportJson(report);
  if (globals.json()) {
    PrintJson(json);
  } else {
    std::vector<Field> fields;
    for (const auto& [name, value] : json.items()) {
      fields.push_back({name, value.is_string() ? value.get<std::string>() : value.dump()});
    }
    PrintFields(fields);
  }
  if (report.unreadable_files + report.unreadable_records + report.missing_revocations != 0) {
    Complain(
        "a part of the damaged store could not be read: revocations since the backup may be "
        "missing. Hold the list of keys against what you know, or restore anew with "
        "--revocations.");
  }
  return kDone;
}

int ShowEpoch(const Globals& globals, const TextFlag& holds) {
  RequireStore(globals, "epoch");
  auto demanded = Sized<latchkey_epoch>();
  if (holds.given() &&
      latchkey_epoch_parse(holds.value.data(), holds.value.size(), &demanded) != LATCHKEY_OK) {
    RefuseUsage("--holds", latchkey_error_text(), "Give the line that latchkey epoch printed.");
  }
  const Store store(globals, LATCHKEY_OPEN_EXISTING, LATCHKEY_LOAD_BEHIND,
                    holds.given() ? &demanded : nullptr);
  auto epoch = Sized<latchkey_epoch>();
  Require(latchkey_store_epoch(store.get(), &epoch), "epoch");
  char text[LATCHKEY_EPOCH_TEXT_SIZE];
  latchkey_epoch_format(&epoch, text);
  if (globals.json()) {
    PrintJson(Json{{"epoch", text}});
  } else {
    PrintText(std::string(text) + "\n");
  }
  return kDone;
}

void AddBackup(CLI::App* parent, Globals* globals) {
  auto flags = std::make_shared<BackupFlags>();
  CLI::App* verb =
      AddVerb(parent, "backup", "", "Copy the store into a folder of backups, but never its pepper",
              "latchkey backup /var/backups/latchkey --keep 7");
  AddPositional(verb, "DIR", &flags->folder, "The folder of this store's backups");
  AddText(verb, "--keep", &flags->keep, "N", "Drop the oldest afterwards until N are left");
  AddFlag(verb, "--list", &flags->list, "Show the backups in the folder instead");
  AddFlag(verb, "--verify", &flags->verify, "Compare a backup with its checksums instead");
  AddText(verb, "--number", &flags->number, "N", "Which one to verify; the newest unless given");
  OnRun(verb, globals, [=] { return Backup(*globals, *flags); });
}

void AddRestore(CLI::App* parent, Globals* globals) {
  auto flags = std::make_shared<RestoreFlags>();
  CLI::App* verb = AddVerb(parent, "restore", "",
                           "Make a store from a backup; what was revoked since does not come back",
                           "latchkey restore /var/backups/latchkey --to ./new --damaged ./old "
                           "--pepper-file ./old.pepper");
  AddPositional(verb, "DIR", &flags->folder, "The folder of backups");
  AddRequiredText(verb, "--to", &flags->to, "DIR", "The new store; nothing may be there");
  AddText(verb, "--damaged", &flags->damaged, "DIR",
          "The store that is given up: its revocations are carried over as far as it can be read");
  AddText(verb, "--revocations", &flags->revocations, "FILE",
          "Also to be revoked: a UUID a line, and perhaps a Unix time behind it");
  AddText(verb, "--backup", &flags->number, "N", "Which backup; the newest unless given");
  OnRun(verb, globals, [=] { return Restore(*globals, *flags); });
}

}  // namespace

void AddBackupVerbs(CLI::App* parent, Globals* globals) {
  AddBackup(parent, globals);
  AddRestore(parent, globals);
  auto holds = std::make_shared<TextFlag>();
  CLI::App* epoch =
      AddVerb(parent, "epoch", "", "Name the latest change, in one line to be kept elsewhere",
              "latchkey epoch >/safe/place/epoch");
  AddText(epoch, "--holds", holds.get(), "EPOCH",
          "Refuse unless the store holds the change that this epoch names");
  OnRun(epoch, globals, [=] { return ShowEpoch(*globals, *holds); });
}

}  // namespace latchkey::cli
