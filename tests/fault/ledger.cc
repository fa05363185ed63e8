// A store compared with what it has acknowledged.
#include "ledger.h"

#include <chrono>
#include <thread>

namespace latchkey_test {
namespace {

const std::string kAbsent = "absent";

std::string Flag(bool is_set, const char* word) {
  return is_set ? std::string(" ") + word : std::string();
}

std::string Describe(const Facts& facts, size_t owner) {
  if (owner >= facts.owners.size()) return kAbsent;
  return "there" + Flag(facts.owners[owner].locked, "locked") +
         Flag(facts.owners[owner].deleted, "deleted");
}

std::string Describe(latchkey_store* store, const Facts::Owner& due) {
  auto owner = Sized<latchkey_owner>();
  const std::string id = Text(due.uuid);
  const latchkey_code code = latchkey_owner_get(store, due.sort, id.data(), id.size(), &owner);
  if (code == LATCHKEY_NOT_FOUND) return kAbsent;
  if (code != LATCHKEY_OK) return CodeName(code);
  return "there" + Flag(owner.locked != 0, "locked") + Flag(owner.deleted_s != 0, "deleted");
}

std::string DescribeKey(const Facts& facts, size_t key, bool with_verdict) {
  if (key >= facts.keys.size() || facts.keys[key].absent) {
    return with_verdict ? kAbsent + " unknown" : kAbsent;
  }
  const Facts::Key& due = facts.keys[key];
  return due.name + Flag(due.revoked, "revoked") +
         Flag(with_verdict, DueVerdict(facts, due).c_str());
}

std::string DescribeKey(latchkey_store* store, const Facts::Key& due) {
  auto key = Sized<latchkey_credential>();
  const latchkey_code code = latchkey_credential_get(store, &due.uuid, &key);
  std::string text = code == LATCHKEY_OK
                         ? std::string(NameOf(key)) + Flag(key.revoked_s != 0, "revoked")
                     : code == LATCHKEY_NOT_FOUND ? kAbsent
                                                  : CodeName(code);
  if (!due.secret.empty()) text += " " + Judge(store, due.secret);
  return text;
}

// Which of the two moments the store is at, as far as this thing tells.
class Sides {
 public:
  Sides(bool one_by_one, std::string* wrong) : one_by_one_(one_by_one), wrong_(*wrong) {}

  void See(const std::string& what, const std::string& actual, const std::string& before,
           const std::string& after) {
    if (actual != before && actual != after) {
      wrong_ +=
          what + ": " + actual + ", not " + before + (before == after ? "" : " or " + after) + "\n";
    }
    if (one_by_one_ || before == after) return;
    std::string& side = actual == before ? before_ : after_;
    if (side.empty()) side = what;
    if (!before_.empty() && !after_.empty()) {
      wrong_ += "half of a change: " + before_ + " and " + after_ + "\n";
    }
  }

 private:
  const bool one_by_one_;
  std::string& wrong_;
  std::string before_;
  std::string after_;
};

// At once, also while the tombstones of a mass revocation are still to be written.
std::string AllowedThoughRevoked(latchkey_store* store, const Facts& facts) {
  std::string wrong;
  for (size_t i = 0; i < facts.keys.size(); ++i) {
    const Facts::Key& key = facts.keys[i];
    if (!key.revoked || key.secret.empty()) continue;
    const std::string verdict = Judge(store, key.secret);
    if (verdict != "revoked") {
      wrong += "key " + std::to_string(i) + " is revoked, and judged " + verdict + "\n";
    }
  }
  return wrong;
}

// The records of a mass revocation follow its return. Bounded: what is missing then is a
// difference.
void WaitForTombstones(latchkey_store* store, const std::atomic<size_t>* complaints) {
  auto stats = Sized<latchkey_stats>();
  for (int i = 0; i < 10000; ++i) {
    if (complaints != nullptr && *complaints > 0) return;
    if (latchkey_store_stats(store, &stats) != LATCHKEY_OK || stats.sweeps_pending == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

std::string DueVerdict(const Facts& facts, const Facts::Key& key) {
  if (key.revoked) return "revoked";
  const Facts::Owner& owner = facts.owners[key.owner];
  return owner.locked ? "locked" : owner.deleted ? "deleted" : "allowed";
}

std::string Judge(latchkey_store* store, const std::string& secret) {
  auto verdict = Sized<latchkey_verdict>();
  const latchkey_code code =
      latchkey_verify(store, secret.data(), secret.size(), nullptr, &verdict);
  const bool allowed = verdict.reason == LATCHKEY_REASON_ALLOWED;
  if (code != (allowed ? LATCHKEY_OK : LATCHKEY_DENIED)) return CodeName(code);
  return latchkey_reason_text(verdict.reason);
}

std::string Differences(latchkey_store* store, const Facts& before, const Facts& after,
                        bool one_by_one, const std::atomic<size_t>* complaints) {
  std::string wrong = AllowedThoughRevoked(store, before);
  WaitForTombstones(store, complaints);
  Sides sides(one_by_one, &wrong);
  for (size_t i = 0; i < after.owners.size(); ++i) {
    sides.See("owner " + std::to_string(i), Describe(store, after.owners[i]), Describe(before, i),
              Describe(after, i));
  }
  size_t present = 0;
  for (size_t i = 0; i < after.keys.size(); ++i) {
    const bool with_verdict = !after.keys[i].secret.empty();
    const std::string actual = DescribeKey(store, after.keys[i]);
    present += actual.starts_with(kAbsent) ? 0 : 1;
    sides.See("key " + std::to_string(i), actual, DescribeKey(before, i, with_verdict),
              DescribeKey(after, i, with_verdict));
  }
  auto stats = Sized<latchkey_stats>();
  if (latchkey_store_stats(store, &stats) != LATCHKEY_OK ||
      stats.active + stats.revoked != present) {
    wrong += "there are " + std::to_string(stats.active + stats.revoked) + " keys, not " +
             std::to_string(present) + "\n";
  }
  const auto found = [](void* context, const char* what, const latchkey_uuid* key) {
    *static_cast<std::string*>(context) += std::string("check: ") + what + " " + Text(*key) + "\n";
  };
  const latchkey_code code = latchkey_store_check(store, found, &wrong);
  if (code != LATCHKEY_OK) wrong += "check: " + CodeName(code) + "\n";
  return wrong;
}

latchkey_code BackUp(latchkey_store* store, const std::filesystem::path& folder, uint32_t keep,
                     uint32_t* number) {
  const std::string path = (folder / "backups").string();
  auto options = Sized<latchkey_backup_options>();
  options.path = path.c_str();
  options.keep = keep;
  auto made = Sized<latchkey_backup>();
  const latchkey_code code = latchkey_store_backup(store, &options, &made);
  *number = made.number;
  return code;
}

std::vector<uint32_t> WholeBackups(const std::filesystem::path& folder, std::string* wrong) {
  const std::string path = (folder / "backups").string();
  std::vector<latchkey_backup> rows(16, Sized<latchkey_backup>());
  size_t count = 0;
  const latchkey_code code = latchkey_backup_list(path.c_str(), rows.data(), rows.size(), &count);
  // Without a marker it is not a folder of backups yet.
  if (code == LATCHKEY_NOT_FOUND || code == LATCHKEY_INVALID_ARGUMENT) return {};
  if (code != LATCHKEY_OK) *wrong += "backups: " + CodeName(code) + "\n";
  std::vector<uint32_t> numbers;
  for (size_t i = 0; i < count; ++i) {
    numbers.push_back(rows[i].number);
    const latchkey_code verified = latchkey_backup_verify(path.c_str(), rows[i].number);
    if (verified == LATCHKEY_OK) continue;
    *wrong += "backup " + std::to_string(rows[i].number) + ": " + CodeName(verified) + ": " +
              latchkey_error_text() + "\n";
  }
  return numbers;
}

std::string RestoredDifferences(const std::filesystem::path& folder, uint32_t number,
                                const Facts& facts) {
  const TempFolder place;
  const std::string backups = (folder / "backups").string();
  const std::string path = (place.path() / "store").string();
  std::filesystem::copy_file(folder / "store.pepper", place.path() / "store.pepper");
  auto options = Sized<latchkey_restore_options>();
  options.backup_path = backups.c_str();
  options.path = path.c_str();
  options.number = number;
  const latchkey_code code = latchkey_restore(&options, nullptr);
  if (code != LATCHKEY_OK) return CodeName(code) + ": " + latchkey_error_text() + "\n";
  latchkey_store* store = nullptr;
  const std::string refused = OpenWhole(place.path(), LATCHKEY_OPEN_EXISTING, &store);
  if (!refused.empty()) return refused + "\n";
  const std::string wrong = Differences(store, facts, facts, false);
  static_cast<void>(latchkey_store_close(store));
  return wrong;
}

std::string OpenWhole(const std::filesystem::path& folder, uint32_t mode, latchkey_store** store,
                      std::atomic<size_t>* complaints) {
  static TestClock clock;
  const std::string path = (folder / "store").string();
  auto options = Sized<latchkey_open_options>();
  options.path = path.c_str();
  options.mode = mode;
  options.load = LATCHKEY_LOAD_FIRST;
  options.clock = TestClock::Read;
  options.clock_context = &clock;
  if (complaints != nullptr) {
    options.log = [](void* context, uint32_t, const char*) {
      ++*static_cast<std::atomic<size_t>*>(context);
    };
    options.log_context = complaints;
  }
  const latchkey_code code = latchkey_store_open(&options, store);
  if (code == LATCHKEY_OK) return {};
  return CodeName(code) + ": " + latchkey_error_text();
}

}  // namespace latchkey_test
