// All that a run touches: a disk, a store on it that can be taken down in every way, clocks, and
// the threads that make the calls.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "crew.h"
#include "fault/disk.h"
#include "fault/power_cut.h"
#include "guard_model.h"
#include "support/fixture.h"

namespace latchkey_test {

// What is left of a store that is given up.
enum class Damage : uint8_t {
  kNone,
  kOfTheFolder,  // its marker and `ack` are gone
  kOfTheList,    // RocksDB no longer knows which files it has
  kLost,         // nothing is there
};

class World {
 public:
  // With a new store, open.
  World(uint64_t seed, uint64_t directory_budget_bytes);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  TestStore& store() { return store_; }
  Disk& disk() { return *disk_; }
  Crew& crew() { return crew_; }
  const GuardModel& guard() const { return guard_; }
  int64_t latest_s() const { return latest_s_; }

  // The background of the store looks around once: it heals, sweeps, syncs what it has put off.
  void RunBackground();

  // So much time passes, and the wall clock is set so much ahead of that. Compares what the store
  // takes for the time with the model of it.
  void PassTime(int64_t passed_s, int64_t set_s);
  void SetClockRight() { PassTime(0, true_s_ - store_.clock().now_s()); }

  // Taken down; the time the store will remember is `durable_s` at least.
  void Close();
  // What the disk holds after the first so many operations of it takes the disk's place; closed.
  void Cut(const std::vector<Operation>& operations, size_t count, Unsynced unsynced,
           uint64_t seed);
  // The store is moved from its place to given_up_path(), or what is left of it; closed.
  void GiveUpStore(Damage damage);
  std::string given_up_path() const { return (store_.folder() / "given-up").string(); }
  std::string backups_path() const { return (store_.folder() / "backups").string(); }
  // While nothing runs: so much time passes, and the clock is set so much ahead of that.
  void PassTimeClosed(int64_t passed_s, int64_t set_s);
  // The machine was started anew: its monotonic clock begins again.
  void Reboot();
  // Opens what there is. On a refusal the store stays closed.
  latchkey_code TryOpen();
  void SetDurable(int64_t time_s) { durable_s_ = time_s; }
  int64_t durable_s() const { return durable_s_; }

  int64_t passed_s() const { return true_s_ - kNowS; }

 private:
  void NewDisk();
  int64_t boot_s() const;

  const TempFolder folder_;
  size_t disks_ = 0;
  std::unique_ptr<Disk> disk_;
  Crew crew_;
  TestStore store_;
  GuardModel guard_;
  int64_t true_s_ = kNowS;
  int64_t durable_s_ = 0;  // of what the store remembers, so much is on the disk
  int64_t latest_s_ = kNowS;
};

}  // namespace latchkey_test
