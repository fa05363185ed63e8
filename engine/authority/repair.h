// Putting a damaged store right, while nobody has it open (README.md, "Repair").
#pragma once

#include <functional>
#include <string>

#include "authority/truth.h"
#include "crypto/random.h"

namespace latchkey {

struct RepairOptions {
  std::string path;
  std::string pepper_path;
  bool dry_run = false;               // says what is wrong and what would be done; writes nothing
  bool accept_broken_events = false;  // goes on where the history is lost
  // For each finding a fixed text, which says also what is done about it, and the UUID it is about
  // (nil = none).
  std::function<void(Literal, const Uuid&)> found;
  // Records and events read so far, of all passes; about every thousand. False stops (BUSY).
  std::function<bool(uint64_t)> progress;
  size_t batch_bytes = 4 << 20;  // what is committed at once
  // For tests: after each commit, with their number.
  std::function<void(uint64_t)> committed;
  rocksdb::Env* env = nullptr;  // for fault tests
};

struct RepairReport {
  Proof proof = Proof::kUnknown;  // what shows which records are right
  uint64_t findings = 0;
  uint64_t indexes_mended = 0;         // entries put right, put back or taken out; counts too
  uint64_t records_written = 0;        // as they should be, and were not
  uint64_t tombstones_restored = 0;    // of these, revocations that had been taken away
  uint64_t records_set_aside = 0;      // not believed: kept where nothing reads them
  uint64_t credentials_withdrawn = 0;  // revoked, as nothing shows that they were not
  uint64_t owners_withdrawn = 0;       // users locked and no admins any more, for the same reason
  uint64_t grants_withdrawn = 0;
  uint64_t events_lost = 0;    // dropped with the history that was lost
  bool needs_accept = false;   // the history is lost: nothing is done without accept_broken_events
  bool history_begun = false;  // a new one, which has nothing in common with the one before
  Uuid history_id;
  uint64_t event_number = 0;
  uint64_t active = 0;
  uint64_t revoked = 0;
};

// Fills *report whatever it returns. OK: the store was sound, or is now; with dry_run also when it
// could be. The codes are those of latchkey_repair().
Status Repair(const RepairOptions& options, Random& random, RepairReport* report);

}  // namespace latchkey
