// Backups of the store in use, and stores that are given up for one of them.
#include <algorithm>
#include <array>
#include <cerrno>

#include "simulation.h"

namespace latchkey_test {

using latchkey_model::Model;
using latchkey_model::Owner;
using latchkey_model::ToUuid;

namespace {

constexpr int kTriesToHeal = 4;
constexpr int64_t kMinuteS = 60;
constexpr size_t kListedMax = 64;

}  // namespace

// ---- Making one ---------------------------------------------------------------------------------

latchkey_code Simulation::TryToBackUp(uint32_t keep, latchkey_backup* made) {
  const std::string path = backups_path();
  auto options = Sized<latchkey_backup_options>();
  options.path = path.c_str();
  options.keep = keep;
  latchkey_code code = LATCHKEY_INTERNAL;
  crew().Run(Draw(Crew::kSize), [&] { code = latchkey_store_backup(store(), &options, made); });
  return code;
}

// Each that is listed is whole.
std::vector<uint32_t> Simulation::WholeBackups() {
  const std::string path = backups_path();
  std::vector<latchkey_backup> rows(kListedMax, Sized<latchkey_backup>());
  size_t count = 0;
  const latchkey_code code = latchkey_backup_list(path.c_str(), rows.data(), rows.size(), &count);
  std::vector<uint32_t> numbers;
  // The folder itself may not have been made.
  const bool is_none = code == LATCHKEY_NOT_FOUND || code == LATCHKEY_INVALID_ARGUMENT;
  if (is_none && backups_.empty()) return numbers;
  EXPECT_CODE(LATCHKEY_OK, code);
  if (code != LATCHKEY_OK) return numbers;
  for (size_t i = 0; i < std::min(count, rows.size()); ++i) {
    numbers.push_back(rows[i].number);
    EXPECT_CODE(LATCHKEY_OK, latchkey_backup_verify(path.c_str(), rows[i].number));
  }
  return numbers;
}

void Simulation::ExpectKept(const std::vector<uint32_t>& whole) {
  for (const auto& [number, kept] : backups_) {
    EXPECT_NE(whole.end(), std::find(whole.begin(), whole.end(), number))
        << "backup " << number << " is lost";
  }
}

void Simulation::BackUp() {
  if (Chance(3)) return BackUpAmidFaults();
  const uint32_t keep = Chance(2) ? 2 : 0;
  auto made = Sized<latchkey_backup>();
  EXPECT_CODE(LATCHKEY_OK, TryToBackUp(keep, &made));
  const std::vector<uint32_t> whole = WholeBackups();
  if (keep != 0) {
    EXPECT_LE(whole.size(), keep);
    // The oldest were dropped; some of them may be of a history that was given up.
    while (!backups_.empty() && !whole.empty() && backups_.begin()->first < whole.front()) {
      backups_.erase(backups_.begin());
    }
  }
  backups_[made.number] = {model_, durable_s()};
  ExpectKept(whole);
  const latchkey_stats stats = store().Stats();
  EXPECT_EQ(stats.event_number, made.event_number);
  histories_.insert(Text(made.history_id));
  ++tally_.backups;
  Happens("backup, keep " + std::to_string(keep));
}

// A fault while it is made: it is whole, or there is none, and the store goes on. It is made again,
// so that what comes later does not depend on which of the two it was.
void Simulation::BackUpAmidFaults() {
  const Call call =
      std::array{Call::kWrite, Call::kSync, Call::kRename, Call::kOpen, Call::kRead}[Draw(5)];
  const uint64_t failed_before = disk().failed();
  disk().Fail(call, 1 + Draw(12), EIO, Chance(3));
  auto made = Sized<latchkey_backup>();
  const latchkey_code code = TryToBackUp(0, &made);
  disk().Mend();
  tally_.faults += disk().failed() - failed_before;
  EXPECT_TRUE(code == LATCHKEY_OK || code == LATCHKEY_IO || code == LATCHKEY_BUSY)
      << CodeName(code) << ": " << latchkey_error_text();
  if (code == LATCHKEY_OK) backups_[made.number] = {model_, durable_s()};
  ExpectKept(WholeBackups());
  backups_.erase(made.number);
  JudgeAll();
  latchkey_code again = LATCHKEY_BUSY;
  for (int i = 0; i < kTriesToHeal && again == LATCHKEY_BUSY; ++i) {
    PassTime(kMinuteS, 0);
    if (TryToHeal()) again = TryToBackUp(0, &made);
  }
  EXPECT_CODE(LATCHKEY_OK, again);
  backups_[made.number] = {model_, durable_s()};
  ExpectKept(WholeBackups());
  ++tally_.backups;
  Happens(std::string("a backup while a call may fail: ") + NameOf(call));
}

// Between two of its operations. What was there is whole, what was made is whole or not there.
void Simulation::CutAmidABackup() {
  const size_t begun = disk().count();
  auto made = Sized<latchkey_backup>();
  EXPECT_CODE(LATCHKEY_OK, TryToBackUp(0, &made));
  const std::vector<Operation> operations = disk().operations();
  const auto all = static_cast<double>(operations.size() - begun);
  const size_t place = begun + static_cast<size_t>(all * static_cast<double>(Draw(1000)) / 1000);
  Restart(End::kCut, Chance(2) ? Unsynced::kLost : Unsynced::kKept, operations, place);
  ExpectKept(WholeBackups());
}

// ---- Going back to one --------------------------------------------------------------------------

void Simulation::Restore() {
  const auto chosen =
      std::next(backups_.begin(), static_cast<std::ptrdiff_t>(Draw(backups_.size())));
  const uint32_t number = chosen->first;
  const auto damage = static_cast<Damage>(Draw(4));
  const bool is_swept = store().Stats().sweeps_pending != 0;
  const latchkey_uuid store_id = store().Stats().store_id;
  const auto end = static_cast<End>(Draw(3));
  const std::vector<Operation> operations =
      end == End::kClosed ? std::vector<Operation>() : disk().operations();
  TakeDown(end, end == End::kCut ? Unsynced::kTorn : Unsynced::kKept, operations,
           operations.size());
  ExpectKept(WholeBackups());
  GiveUpStore(damage);
  if (Chance(3)) {
    const Call call =
        std::array{Call::kWrite, Call::kSync, Call::kRename, Call::kOpen, Call::kRead}[Draw(5)];
    disk().Fail(call, 1 + Draw(20), EIO, /*lasting=*/false);
  }
  const Model given_up = model_;
  const latchkey_restore_report report = TakeOut(number, damage);
  EXPECT_EQ(number, report.number);
  EXPECT_EQ(Text(store_id), Text(report.store_id));
  EXPECT_TRUE(histories_.insert(Text(report.history_id)).second) << "the history has its old id";
  EXPECT_EQ(0u, report.missing_revocations);
  EXPECT_EQ(0u, report.unreadable_records);

  model_ = chosen->second.model;
  if (damage == Damage::kLost) SetDurable(chosen->second.durable_s);
  CarryOver(given_up, damage);
  // What was made later is of a history that the store no longer has.
  backups_.erase(std::next(chosen), backups_.end());
  if (TryOpen() != LATCHKEY_OK) {
    throw std::runtime_error(std::string("refused after a restore: ") + latchkey_error_text());
  }
  CompareKept(chosen->second.model, given_up, is_swept);
  auto epoch = Sized<latchkey_epoch>();
  EXPECT_CODE(LATCHKEY_OK, latchkey_store_epoch(store(), &epoch));
  EXPECT_EQ(Text(report.history_id), Text(epoch.history_id));
  Close();
  std::filesystem::remove_all(given_up_path());
  ++tally_.restores;
  StartUp("a restore, damage " + std::to_string(static_cast<int>(damage)));
  CompareCounts();
}

// With a list of what was revoked, as the host knows it, where nothing is left of the store. What
// fails is done again.
latchkey_restore_report Simulation::TakeOut(uint32_t number, Damage damage) {
  const std::string backups = backups_path();
  const std::string path = store().path();
  const std::string damaged = given_up_path();
  std::vector<latchkey_revocation> list;
  for (const auto& [uuid, key] : model_.keys) {
    if (key.revoked_s != 0) list.push_back({ToUuid(uuid), key.revoked_s});
  }
  auto options = Sized<latchkey_restore_options>();
  options.backup_path = backups.c_str();
  options.path = path.c_str();
  options.number = number;
  if (damage == Damage::kLost) {
    options.revocations = list.data();
    options.revocations_count = list.size();
  } else {
    options.damaged_path = damaged.c_str();
  }
  const uint64_t failed_before = disk().failed();
  auto report = Sized<latchkey_restore_report>();
  const auto restore = [&] {
    latchkey_code code = LATCHKEY_INTERNAL;
    crew().Run(Draw(Crew::kSize), [&] { code = latchkey_restore(&options, &report); });
    return code;
  };
  latchkey_code code = restore();
  const bool failed = disk().failed() != failed_before;
  tally_.faults += disk().failed() - failed_before;
  disk().Mend();
  if (code == LATCHKEY_OK && failed && report.unreadable_files + report.unreadable_records != 0) {
    // What could not be read is counted, and the host does not take it.
    std::filesystem::remove_all(path);
    code = LATCHKEY_IO;
  }
  if (code != LATCHKEY_OK) {
    EXPECT_TRUE(failed) << CodeName(code) << ": " << latchkey_error_text();
    std::error_code none;
    EXPECT_TRUE(!std::filesystem::exists(path) || std::filesystem::is_empty(path, none))
        << "a restore that failed leaves something: " << latchkey_error_text();
    code = restore();
  }
  if (code != LATCHKEY_OK) {
    throw std::runtime_error("no restore: " + CodeName(code) + ": " + latchkey_error_text());
  }
  return report;
}

// The model holds what the backup held: what was taken away since then is taken away from it.
void Simulation::CarryOver(const Model& given_up, Damage damage) {
  for (const auto& [uuid, later] : given_up.keys) {
    const auto here = model_.keys.find(uuid);
    if (here != model_.keys.end()) {
      if (here->second.revoked_s != 0 || later.revoked_s == 0) continue;
      here->second.revoked_s = later.revoked_s;
      here->second.revoked_by = damage == Damage::kLost ? latchkey_model::Id() : later.revoked_by;
    } else if (damage != Damage::kLost && later.revoked_s != 0 &&
               model_.owners.contains(later.owner)) {
      model_.keys[uuid] = later;
    }
  }
  if (damage == Damage::kLost) return;
  for (auto& [uuid, owner] : model_.owners) {
    const Owner& later = given_up.owners.at(uuid);
    if (owner.deleted_s != 0) continue;
    const Owner here = owner;
    if (later.deleted_s != 0) owner = later;
    owner.locked = here.locked || later.locked;
    owner.admin = here.admin && later.admin;
  }
}

// Of what the backup did not have, that alone is there which was revoked; and it is unknown whether
// a mass revocation had got to it.
void Simulation::CompareKept(const Model& backup, const Model& given_up, bool is_swept) {
  for (const auto& [uuid, key] : given_up.keys) {
    const latchkey_uuid id = ToUuid(uuid);
    auto row = Sized<latchkey_credential>();
    const latchkey_code code = latchkey_credential_get(store(), &id, &row);
    if (is_swept && code == LATCHKEY_NOT_FOUND && !backup.keys.contains(uuid)) {
      model_.keys.erase(uuid);
    }
    EXPECT_EQ(model_.keys.contains(uuid), code == LATCHKEY_OK) << uuid << " " << CodeName(code);
    if (model_.keys.contains(uuid) || key.secret.empty()) continue;
    EXPECT_EQ("unknown", store().Verify(key.secret)) << uuid;
  }
}

}  // namespace latchkey_test
