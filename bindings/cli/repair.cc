// latchkey check: is all as it should be? latchkey repair: put right what is not.
#include <cstdio>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "arguments.h"
#include "commands.h"
#include "store.h"
#include "terminal.h"

namespace latchkey::cli {
namespace {

constexpr uint64_t kRowsOfOneSort = 20;

// What the callbacks of one run share.
struct Findings {
  struct Finding {
    const char* what;  // in static memory
    latchkey_uuid key;
  };
  std::vector<Finding> all;
  bool progress_shown = false;
};

void Note(void* context, const char* what, const latchkey_uuid* key) {
  static_cast<Findings*>(context)->all.push_back({what, *key});
}

void ShowProgress(Findings* findings, uint64_t done, uint64_t total) {
  if (!IsErrorTerminal()) return;
  std::fprintf(stderr, "\r\033[K%llu", static_cast<unsigned long long>(done));
  if (total != 0) std::fprintf(stderr, " of %llu", static_cast<unsigned long long>(total));
  std::fflush(stderr);
  findings->progress_shown = true;
}

int ShowCheck(void* context, uint64_t done, uint64_t total) {
  ShowProgress(static_cast<Findings*>(context), done, total);
  return 0;
}

int ShowRepair(void* context, uint64_t read) {
  ShowProgress(static_cast<Findings*>(context), read, 0);
  return 0;
}

void ClearProgress(Findings* findings) {
  if (findings->progress_shown) std::fputs("\r\033[K", stderr);
  findings->progress_shown = false;
}

std::string UuidOrNothing(const latchkey_uuid& uuid) {
  for (const uint8_t byte : uuid.bytes) {
    if (byte != 0) return wire::FormatUuid(uuid);
  }
  return "";
}

Json FindingsJson(const Findings& findings) {
  Json list = Json::array();
  for (const Findings::Finding& finding : findings.all) {
    Json one;
    one["what"] = finding.what;
    const std::string uuid = UuidOrNothing(finding.key);
    one["uuid"] = uuid.empty() ? Json() : Json(uuid);
    list.push_back(std::move(one));
  }
  return list;
}

// Some of each sort; JSON has them all.
void PrintFindings(const Findings& findings) {
  if (findings.all.empty()) return;
  Table table({"FOUND", "UUID"});
  std::map<std::string_view, uint64_t> counts;
  for (const Findings::Finding& finding : findings.all) {
    if (++counts[finding.what] > kRowsOfOneSort) continue;
    table.AddRow({finding.what, UuidOrNothing(finding.key)});
  }
  for (const auto& [what, count] : counts) {
    if (count <= kRowsOfOneSort) continue;
    table.AddRow({std::string(what), std::to_string(count - kRowsOfOneSort) + " more"});
  }
  table.Print();
}

int Check(const Globals& globals) {
  RequireStore(globals, "check");
  const Store store(globals);
  Findings findings;
  auto options = Sized<latchkey_check_options>();
  options.found = Note;
  options.progress = ShowCheck;
  options.context = &findings;
  auto report = Sized<latchkey_check_report>();
  const latchkey_code code = latchkey_store_check_report(store.get(), &options, &report);
  ClearProgress(&findings);
  if (code != LATCHKEY_CORRUPTION || findings.all.empty()) {
    Require(code, "store " + Quoted(globals.store_path));
  }
  if (globals.json()) {
    Json json;
    json["sound"] = code == LATCHKEY_OK;
    json["owners"] = report.owners;
    json["credentials"] = report.credentials;
    json["tombstones"] = report.tombstones;
    json["events"] = report.events;
    json["findings"] = FindingsJson(findings);
    PrintJson(json);
  } else {
    PrintFindings(findings);
    PrintText((code == LATCHKEY_OK ? "sound: " : "damaged: ") + std::to_string(report.findings) +
              " findings in " + std::to_string(report.credentials) + " credentials, " +
              std::to_string(report.owners) + " owners, " + std::to_string(report.events) +
              " events\n");
  }
  if (code == LATCHKEY_OK) return kDone;
  Complain("Stop whoever uses the store, keep a copy of it, and run latchkey repair --dry-run.");
  return kRefused;
}

const char* ProofWord(uint32_t proof) {
  switch (proof) {
    case LATCHKEY_PROOF_SUM:
      return "sum";
    case LATCHKEY_PROOF_EVENTS:
      return "events";
    case LATCHKEY_PROOF_NOTHING:
      return "nothing";
    default:
      return "unknown";
  }
}

struct RepairFlags {
  bool dry_run = false;
  bool accept_broken_events = false;
};

latchkey_code RunRepair(const Globals& globals, const RepairFlags& flags, Findings* findings,
                        latchkey_repair_report* report) {
  const std::string pepper_path = globals.EffectivePepperPath();
  auto options = Sized<latchkey_repair_options>();
  options.path = globals.store_path.c_str();
  options.pepper_path = pepper_path.c_str();
  options.dry_run = flags.dry_run ? 1 : 0;
  options.accept_broken_events = flags.accept_broken_events ? 1 : 0;
  options.found = Note;
  options.progress = ShowRepair;
  options.context = findings;
  *report = Sized<latchkey_repair_report>();
  const latchkey_code code = latchkey_repair(&options, report);
  ClearProgress(findings);
  if (code != LATCHKEY_CORRUPTION || report->needs_accept == 0) {
    Require(code, "store " + Quoted(globals.store_path),
            {.not_found = "Name the right folder with --store or LATCHKEY_STORE.",
             .invalid = "Name the folder of a latchkey store with --store.",
             .busy = "Stop whoever has the store open, and run it again."});
  }
  return code;
}

void PrintRepair(const Globals& globals, const RepairFlags& flags, const Findings& findings,
                 const latchkey_repair_report& report, bool written) {
  const std::vector<std::pair<const char*, uint64_t>> numbers = {
      {"indexes_mended", report.indexes_mended},
      {"records_written", report.records_written},
      {"tombstones_restored", report.tombstones_restored},
      {"records_set_aside", report.records_set_aside},
      {"credentials_withdrawn", report.credentials_withdrawn},
      {"owners_withdrawn", report.owners_withdrawn},
      {"grants_withdrawn", report.grants_withdrawn},
      {"events_lost", report.events_lost},
      {"active", report.active},
      {"revoked", report.revoked}};
  if (globals.json()) {
    Json json;
    json["dry_run"] = flags.dry_run;
    json["written"] = written;
    json["proof"] = ProofWord(report.proof);
    json["needs_accept"] = report.needs_accept == 1;
    json["history_id"] =
        report.history_begun == 1 ? Json(wire::FormatUuid(report.history_id)) : Json();
    for (const auto& [name, number] : numbers) json[name] = number;
    json["findings"] = FindingsJson(findings);
    PrintJson(json);
    return;
  }
  PrintFindings(findings);
  if (report.findings == 0) {
    PrintText("sound: nothing was written\n");
    return;
  }
  std::vector<Field> fields = {{"proof", ProofWord(report.proof)},
                               {"findings", std::to_string(report.findings)}};
  for (const auto& [name, number] : numbers) {
    if (number != 0) fields.push_back({name, std::to_string(number)});
  }
  if (report.history_begun == 1 && written) {
    fields.push_back({"new history", wire::FormatUuid(report.history_id)});
  }
  fields.push_back({"written", written ? "yes" : "no"});
  PrintFields(fields);
}

int Repair(const Globals& globals, const RepairFlags& flags) {
  RequireStore(globals, "repair");
  latchkey_repair_report report;
  if (flags.accept_broken_events && !flags.dry_run) {
    // What is given up is said before it is asked.
    RequireTerminalOrYes(globals);
    RepairFlags dry = flags;
    dry.dry_run = true;
    Findings findings;
    RunRepair(globals, dry, &findings, &report);
    if (report.needs_accept == 1) {
      Confirm(globals, "Give up the history of the store (" + std::to_string(report.events_lost) +
                           " events), revoke " + std::to_string(report.credentials_withdrawn) +
                           " credentials and lock " + std::to_string(report.owners_withdrawn) +
                           " users, for good?");
    }
  }
  Findings findings;
  const latchkey_code code = RunRepair(globals, flags, &findings, &report);
  const bool written = code == LATCHKEY_OK && !flags.dry_run && report.findings != 0;
  PrintRepair(globals, flags, findings, report, written);
  if (code != LATCHKEY_OK) {
    Complain(
        "The history of the store is lost, and nothing was written. Restore a backup; or see by\n"
        "latchkey repair --dry-run --accept-broken-events what would be given up.");
    return kRefused;
  }
  return flags.dry_run && report.findings != 0 ? kRefused : kDone;
}

}  // namespace

void AddRepairVerbs(CLI::App* parent, Globals* globals) {
  CLI::App* check = AddVerb(parent, "check", "",
                            "Compare every record with every index, count, MAC and event; exit 1 "
                            "when something is wrong",
                            "latchkey check");
  OnRun(check, globals, [=] { return Check(*globals); });
  auto flags = std::make_shared<RepairFlags>();
  CLI::App* repair = AddVerb(parent, "repair", "",
                             "Put a damaged store right, while nobody has it open; a sound one is "
                             "left as it is",
                             "latchkey repair --dry-run");
  AddFlag(repair, "--dry-run", &flags->dry_run, "Say what is wrong, change nothing");
  AddFlag(repair, "--accept-broken-events", &flags->accept_broken_events,
          "Go on where the history is lost: what cannot be shown to be good is revoked");
  OnRun(repair, globals, [=] { return Repair(*globals, *flags); });
}

}  // namespace latchkey::cli
