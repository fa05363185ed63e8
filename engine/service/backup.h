// Backups of a store that is in use, and epochs.
#pragma once

#include <string>
#include <vector>

#include "service/engine.h"
#include "storage/backup.h"

namespace latchkey {

struct Backup {
  StoredBackup stored;
  BackupRecord record;
};

struct BackupWish {
  std::string path;
  uint32_t keep = 0;  // 0 = all
  BackupProgress progress;
};

// Waits until the store is loaded: one that does not add up must not push sound backups out. BUSY
// also when a write has failed meanwhile, for then the store must be reopened.
Result<Backup> BackUp(const Engine& engine, const BackupWish& wish);
// Oldest first; nothing is checked.
Result<std::vector<Backup>> ListBackups(const std::string& path);
Status VerifyBackup(const std::string& path, uint32_t number);

// The latest committed event.
Epoch EpochOf(const Engine& engine);

}  // namespace latchkey
