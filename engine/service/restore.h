// Restoring a backup, so that nothing that was revoked comes back.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "base/uuid.h"

namespace rocksdb {
class Env;
}

namespace latchkey {

struct ListedRevocation {
  Uuid uuid;
  int64_t revoked_s = 0;  // 0 = now
};

struct RestoreWish {
  std::string backups;
  uint32_t number = 0;  // 0 = the newest
  std::string path;     // nothing is there, or an empty folder
  std::string pepper_path;
  std::string damaged_path;  // empty = there is none
  std::span<const ListedRevocation> revocations;
};

struct RestoreReport {
  uint32_t number = 0;
  Uuid store_id;
  Uuid history_id;
  uint64_t shared_number = 0;  // up to which the history is that of the backup
  uint64_t event_number = 0;   // with what was carried over
  uint64_t active = 0;
  uint64_t revoked = 0;
  uint64_t carried_tombstones = 0;
  uint64_t carried_sweeps = 0;
  uint64_t carried_owners = 0;   // locked, deleted, or their older tokens refused
  uint64_t kept_unknown = 0;     // revoked ones that the backup did not have: kept, revoked
  uint64_t dropped_unknown = 0;  // the same, that could not be kept: they are unknown, so denied
  uint64_t listed = 0;           // revoked because the list says so
  uint64_t listed_unknown = 0;   // on the list, and not in the backup
  uint64_t damaged_store_files = 0;
  uint64_t unreadable_files = 0;
  uint64_t unreadable_records = 0;
  uint64_t missing_tombstones = 0;  // that the damaged store counted, and could not be read
};

// Makes a store of its own history from a backup, and carries over every revocation that can be
// read in the damaged store and every one of the list. What cannot be read is counted and stops
// nothing. Until all is done there is no store at `path`; what fails leaves an empty folder.
// The codes are those of latchkey_restore().
Result<RestoreReport> Restore(const RestoreWish& wish);

}  // namespace latchkey
