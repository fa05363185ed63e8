// The self-check with a report, and the offline repair.
#include "service/repair.h"

#include "capi/handles.h"
#include "capi/translate.h"
#include "service/check.h"

namespace latchkey {
namespace {

static_assert(static_cast<uint32_t>(Proof::kSum) == LATCHKEY_PROOF_SUM);
static_assert(static_cast<uint32_t>(Proof::kEvents) == LATCHKEY_PROOF_EVENTS);
static_assert(static_cast<uint32_t>(Proof::kNothing) == LATCHKEY_PROOF_NOTHING);

CheckFound TellFound(latchkey_check_function found, void* context) {
  if (found == nullptr) return {};
  return [found, context](Literal what, const Uuid& uuid) {
    const latchkey_uuid key = GiveUuid(uuid);
    found(context, what.text, &key);
  };
}

Status TakeRepair(const latchkey_repair_options& taken, RepairOptions* options) {
  if (taken.path == nullptr || taken.path[0] == '\0') {
    return Status::Error(Code::kInvalidArgument, "the path of the store is missing");
  }
  if (taken.dry_run > 1 || taken.accept_broken_events > 1) {
    return Status::Error(Code::kInvalidArgument, "dry_run and accept_broken_events are 0 or 1");
  }
  options->path = taken.path;
  while (options->path.size() > 1 && options->path.back() == '/') options->path.pop_back();
  options->pepper_path =
      taken.pepper_path != nullptr ? taken.pepper_path : options->path + ".pepper";
  options->dry_run = taken.dry_run == 1;
  options->accept_broken_events = taken.accept_broken_events == 1;
  options->found = TellFound(taken.found, taken.context);
  if (taken.progress != nullptr) {
    options->progress = [progress = taken.progress, context = taken.context](uint64_t read) {
      return progress(context, read) == 0;
    };
  }
  return Status::Ok();
}

latchkey_repair_report GiveReport(const RepairReport& report) {
  latchkey_repair_report given{};
  given.proof = static_cast<uint32_t>(report.proof);
  given.needs_accept = report.needs_accept ? 1 : 0;
  given.findings = report.findings;
  given.indexes_mended = report.indexes_mended;
  given.records_written = report.records_written;
  given.tombstones_restored = report.tombstones_restored;
  given.records_set_aside = report.records_set_aside;
  given.credentials_withdrawn = report.credentials_withdrawn;
  given.owners_withdrawn = report.owners_withdrawn;
  given.grants_withdrawn = report.grants_withdrawn;
  given.events_lost = report.events_lost;
  given.history_begun = report.history_begun ? 1 : 0;
  given.history_id = GiveUuid(report.history_id);
  given.event_number = report.event_number;
  given.active = report.active;
  given.revoked = report.revoked;
  return given;
}

}  // namespace

extern "C" {

LATCHKEY_API latchkey_code latchkey_store_check_report(latchkey_store* store,
                                                       const latchkey_check_options* options,
                                                       latchkey_check_report* out) {
  Out<latchkey_check_report> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.status());
    latchkey_check_options taken;
    LATCHKEY_TRY(TakeOptions(options, &taken));
    CheckProgress progress;
    if (taken.progress != nullptr) {
      progress = [&taken](uint64_t done, uint64_t total) {
        return taken.progress(taken.context, done, total) == 0;
      };
    }
    CheckReport report;
    const Status status =
        CheckStore(engine, TellFound(taken.found, taken.context), progress, &report);
    latchkey_check_report given{};
    given.findings = report.findings;
    given.owners = report.owners;
    given.credentials = report.credentials;
    given.tombstones = report.tombstones;
    given.events = report.events;
    result.Give(given);
    return status;
  });
}

LATCHKEY_API latchkey_code latchkey_repair(const latchkey_repair_options* options,
                                           latchkey_repair_report* out) {
  Out<latchkey_repair_report> result(out);
  return Guard([&]() -> Status {
    LATCHKEY_TRY(result.status());
    latchkey_repair_options taken;
    LATCHKEY_TRY(TakeOptions(options, &taken));
    RepairOptions wish;
    LATCHKEY_TRY(TakeRepair(taken, &wish));
    RepairReport report;
    const Status status = RepairStore(wish, &report);
    result.Give(GiveReport(report));
    return status;
  });
}

}  // extern "C"

}  // namespace latchkey
