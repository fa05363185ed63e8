// One run: everything that happens is drawn from its seed. The driver of tests/model asks and
// changes, and knows what each answer should be; here it is given threads, time, faults and ends.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/driver.h"
#include "world.h"

namespace latchkey_test {

// One change, asked for while anything may happen to it.
struct Wish {
  enum class Kind : uint8_t { kCreate, kRename, kRevoke, kLock, kUnlock, kRevokeAll };
  Kind kind{};
  std::string key{};    // its UUID, as text
  std::string owner{};  // of a new key, or whom it is about
  std::string name{};
  latchkey_code code = LATCHKEY_INTERNAL;
  std::string secret{};
  std::string slug{};
};

// Of many runs.
struct Tally {
  uint64_t faults = 0;  // calls that failed, cuts, kills
  uint64_t steps = 0;
  uint64_t opened = 0;
  uint64_t unknown = 0;  // changes of unknown outcome
  uint64_t groups = 0;   // of changes that were committed together
  uint64_t backups = 0;
  uint64_t restores = 0;
  int64_t days = 0;
};

constexpr size_t kKeysMax = 250;  // of a run: the model's lists are loops
// What a change may answer while calls fail.
inline const std::set<latchkey_code> kOfAFault = {LATCHKEY_OUTCOME_UNKNOWN, LATCHKEY_BUSY,
                                                  LATCHKEY_IO};

class Simulation : private World, public latchkey_model::Driver {
 public:
  explicit Simulation(uint64_t seed, Tally* tally);

  // Ends early where something is wrong.
  void Run(size_t ends, size_t steps_between);
  // What happened, as a number: each step, each answer that went into the model, the secrets.
  uint64_t trace() const { return trace_; }
  const std::vector<std::string>& steps() const { return steps_; }

 private:
  enum class End : uint8_t { kClosed, kKilled, kCut };

  void OneStep();
  void Happens(std::string what);

  // ---- Time.
  void StepClock() override;
  int64_t now_s() const override { return guard().time_s(); }
  int64_t latest_s() const override { return World::latest_s(); }
  void Tick();

  // ---- Changes (wishes.cc).
  std::optional<Wish> DrawWish(bool may_create);
  void Make(Wish* wish);  // on any thread
  void MakeOn(size_t who, Wish* wish);
  // What its answer makes true. `refusal`: what it may be refused with; OK = nothing.
  void Settle(const Wish& wish, std::set<latchkey_code> refusals = {});
  void Do(const Wish& wish);
  void Doubt(const Wish& wish);
  latchkey_code Due(const Wish& wish) const;
  void JudgeAll();
  // Looks what became of what is in doubt. `died`: the process that was to see to it is gone.
  void Resolve(bool died);

  // ---- Trouble (trouble.cc).
  void Group(bool fails);
  void Storm();
  void EndStorm();
  void FillDisk();
  void AskAmidFaults();
  void GetAmidFaults(const latchkey_model::Key& key);
  void VerifyAmidFaults(const latchkey_model::Key& key);
  bool TryToHeal();
  void EndIn(End end);
  void CutAmidACall();
  void Restart(End end, Unsynced unsynced, const std::vector<Operation>& operations, size_t count);
  void TakeDown(End end, Unsynced unsynced, const std::vector<Operation>& operations, size_t count);
  void StartUp(const std::string& after);

  // ---- Imports (imports.cc).
  std::vector<latchkey_model::Key> DrawImported(const std::string& user);
  void ImportSome(bool fails);

  // ---- Backups (backups.cc).
  struct Kept {  // what a backup holds
    latchkey_model::Model model;
    int64_t durable_s = 0;
  };
  void BackUp();
  void BackUpAmidFaults();
  void CutAmidABackup();
  // The store's place is taken by what a backup holds of it.
  void Restore();
  std::vector<uint32_t> WholeBackups();
  latchkey_code TryToBackUp(uint32_t keep, latchkey_backup* made);
  void ExpectKept(const std::vector<uint32_t>& whole);
  latchkey_restore_report TakeOut(uint32_t number, Damage damage);
  void CarryOver(const latchkey_model::Model& given_up, Damage damage);
  void CompareKept(const latchkey_model::Model& backup, const latchkey_model::Model& given_up,
                   bool is_swept);

  // What may have become of a key or an owner.
  struct KeyDoubt {
    std::optional<latchkey_model::Key> made;  // or it is not there
    std::set<std::string> names;
    bool must_be_there = false;  // made, and acknowledged
    bool may_be_live = false;
    bool may_be_swept = false;  // made, and then revoked with all others
  };
  struct OwnerDoubt {
    bool locks = false;
    bool unlocks = false;
    bool sweeps = false;  // submitted again when the store has healed, also over what is made late
  };

  const uint64_t seed_;
  Tally& tally_;
  std::map<std::string, KeyDoubt> key_doubts_;
  std::map<std::string, OwnerDoubt> owner_doubts_;
  bool unhealed_ = false;  // a write has failed, and the store was not opened anew since
  uint64_t cuts_ = 0;
  std::map<uint32_t, Kept> backups_;  // by their numbers; of the history that the store has
  std::set<std::string> histories_;   // all ids there ever were
  std::vector<std::string> steps_;
  uint64_t trace_ = 14695981039346656037u;
};

}  // namespace latchkey_test
