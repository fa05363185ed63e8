// Backups and epochs: what the engine adds to what storage does.
#include "service/backup.h"

#include "authority/backup_note.h"
#include "storage/store_marker.h"

namespace latchkey {

Epoch EpochOf(const Engine& engine) {
  const auto state = engine.authority().Now();
  return {engine.authority().store().history_id, state->head.event_number, state->head.event_id};
}

Result<Backup> BackUp(const Engine& engine, const BackupWish& wish) {
  LATCHKEY_TRY(engine.loader().Wait());
  const LocalAuthority& authority = engine.authority();
  LATCHKEY_TRY_ASSIGN(const auto dir,
                      BackupDir::OpenOrCreate(wish.path, authority.store().store_id));
  LATCHKEY_TRY_ASSIGN(const auto view, authority.Look());
  // Read before the backup begins, so that it holds this event whatever is committed meanwhile.
  const Epoch epoch = EpochOf(engine);
  BackupRecord record;
  record.store_id = authority.store().store_id;
  record.history_id = epoch.history_id;
  record.event_number = epoch.event_number;
  record.event_id = epoch.event_id;
  record.marker = FormatMarker(authority.marker());
  // The view keeps the store open, and healing waits for that.
  const auto progress = [&](uint64_t bytes) {
    return !authority.healing() && (!wish.progress || wish.progress(bytes));
  };
  LATCHKEY_TRY_ASSIGN(StoredBackup made,
                      dir->Create(view->storage(), CloseNote(authority.mac(), record), progress));
  if (wish.keep != 0) LATCHKEY_TRY(dir->DropAllBut(wish.keep));
  return Backup{std::move(made), std::move(record)};
}

Result<std::vector<Backup>> ListBackups(const std::string& path) {
  LATCHKEY_TRY_ASSIGN(const auto dir, BackupDir::Open(path));
  LATCHKEY_TRY_ASSIGN(std::vector<StoredBackup> stored, dir->List());
  std::vector<Backup> backups;
  for (StoredBackup& one : stored) {
    LATCHKEY_TRY_ASSIGN(BackupRecord record, ReadNote(one.note));
    backups.push_back({std::move(one), std::move(record)});
  }
  return backups;
}

Status VerifyBackup(const std::string& path, uint32_t number) {
  LATCHKEY_TRY_ASSIGN(const auto dir, BackupDir::Open(path));
  return dir->Verify(number);
}

}  // namespace latchkey
