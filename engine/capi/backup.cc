// Backups and restoring them.
#include "service/backup.h"

#include "capi/handles.h"
#include "capi/translate.h"
#include "service/restore.h"

namespace latchkey {
namespace {

latchkey_backup GiveBackup(const Backup& backup) {
  latchkey_backup given{};
  given.number = backup.stored.number;
  given.time_s = backup.stored.time_s;
  given.bytes = backup.stored.bytes;
  given.files = backup.stored.files;
  given.store_id = GiveUuid(backup.record.store_id);
  given.history_id = GiveUuid(backup.record.history_id);
  given.event_number = backup.record.event_number;
  std::memcpy(given.event_id, backup.record.event_id.data(), sizeof given.event_id);
  return given;
}

// "DIR/" is DIR.
Status TakePath(const char* path, std::string* taken) {
  if (path == nullptr || path[0] == '\0') {
    return Status::Error(Code::kInvalidArgument, "a path is missing");
  }
  *taken = path;
  while (taken->size() > 1 && taken->back() == '/') taken->pop_back();
  return Status::Ok();
}

latchkey_restore_report GiveReport(const RestoreReport& report) {
  latchkey_restore_report given{};
  given.number = report.number;
  given.store_id = GiveUuid(report.store_id);
  given.history_id = GiveUuid(report.history_id);
  given.shared_number = report.shared_number;
  given.event_number = report.event_number;
  given.active = report.active;
  given.revoked = report.revoked;
  given.carried_revocations = report.carried_tombstones;
  given.carried_mass_revocations = report.carried_sweeps;
  given.carried_owners = report.carried_owners;
  given.kept_unknown = report.kept_unknown;
  given.dropped_unknown = report.dropped_unknown;
  given.listed = report.listed;
  given.listed_unknown = report.listed_unknown;
  given.damaged_store_files = report.damaged_store_files;
  given.unreadable_files = report.unreadable_files;
  given.unreadable_records = report.unreadable_records;
  given.missing_revocations = report.missing_tombstones;
  return given;
}

Status TakeRestore(const latchkey_restore_options& options, RestoreWish* wish,
                   std::vector<ListedRevocation>* revocations) {
  LATCHKEY_TRY(TakePath(options.backup_path, &wish->backups));
  LATCHKEY_TRY(TakePath(options.path, &wish->path));
  if (options.damaged_path != nullptr) {
    LATCHKEY_TRY(TakePath(options.damaged_path, &wish->damaged_path));
  }
  wish->pepper_path = options.pepper_path != nullptr ? options.pepper_path : wish->path + ".pepper";
  wish->number = options.number;
  if (options.reserved != 0 || (options.revocations == nullptr && options.revocations_count != 0)) {
    return Status::Error(Code::kInvalidArgument, "the list of revocations is NULL");
  }
  revocations->reserve(options.revocations_count);
  for (size_t i = 0; i < options.revocations_count; ++i) {
    const latchkey_revocation& listed = options.revocations[i];
    revocations->push_back({TakeUuid(listed.uuid), listed.revoked_s});
  }
  wish->revocations = *revocations;
  return Status::Ok();
}

}  // namespace

extern "C" {

LATCHKEY_API latchkey_code latchkey_store_backup(latchkey_store* store,
                                                 const latchkey_backup_options* options,
                                                 latchkey_backup* out) {
  Out<latchkey_backup> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.status());
    latchkey_backup_options taken;
    LATCHKEY_TRY(TakeOptions(options, &taken));
    if (taken.reserved != 0) {
      return Status::Error(Code::kInvalidArgument, "there is no such way to make a backup");
    }
    BackupWish wish;
    LATCHKEY_TRY(TakePath(taken.path, &wish.path));
    wish.keep = taken.keep;
    if (taken.progress != nullptr) {
      wish.progress = [&taken](uint64_t bytes) {
        return taken.progress(taken.context, bytes) == 0;
      };
    }
    LATCHKEY_TRY_ASSIGN(const Backup made, BackUp(engine, wish));
    result.Give(GiveBackup(made));
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_backup_list(const char* path, latchkey_backup* rows,
                                                size_t capacity, size_t* count) {
  return Guard([&]() -> Status {
    if (count == nullptr) return Status::Error(Code::kInvalidArgument, "the count is NULL");
    *count = 0;
    OutArray<latchkey_backup> array(rows, capacity);
    LATCHKEY_TRY(array.status());
    std::string folder;
    LATCHKEY_TRY(TakePath(path, &folder));
    LATCHKEY_TRY_ASSIGN(const std::vector<Backup> backups, ListBackups(folder));
    for (size_t i = 0; i < std::min(backups.size(), capacity); ++i) {
      array.Give(i, GiveBackup(backups[i]));
    }
    *count = backups.size();
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_backup_verify(const char* path, uint32_t number) {
  return Guard([&]() -> Status {
    std::string folder;
    LATCHKEY_TRY(TakePath(path, &folder));
    return VerifyBackup(folder, number);
  });
}

LATCHKEY_API latchkey_code latchkey_restore(const latchkey_restore_options* options,
                                            latchkey_restore_report* out) {
  Out<latchkey_restore_report> result(out);
  return Guard([&]() -> Status {
    LATCHKEY_TRY(result.status());
    latchkey_restore_options taken;
    LATCHKEY_TRY(TakeOptions(options, &taken));
    RestoreWish wish;
    std::vector<ListedRevocation> revocations;
    LATCHKEY_TRY(TakeRestore(taken, &wish, &revocations));
    LATCHKEY_TRY_ASSIGN(const RestoreReport report, Restore(wish));
    result.Give(GiveReport(report));
    return Status::Ok();
  });
}

}  // extern "C"

}  // namespace latchkey
