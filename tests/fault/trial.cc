// A host that goes on while its disk fails.
#include "trial.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

namespace latchkey_test {
namespace {

constexpr int kWaitMax = 3000;  // times 10 ms, for what happens about once a second
constexpr auto kWaitStep = std::chrono::milliseconds(10);
constexpr int64_t kTimeAhead = 4'000'000'000;

}  // namespace

Base MakeBase(const std::function<void(Workload*)>& fill) {
  const TempFolder folder;
  Disk disk(folder.path());
  Workload workload(&disk, folder.path(), TestSeed());
  workload.Open(LATCHKEY_OPEN_CREATE);
  for (int i = 0; i < 3; ++i) workload.CreateOwner(LATCHKEY_OWNER_USER);
  fill(&workload);
  workload.Close();
  return {ReadImage(folder.path()), workload.facts()};
}

const Base& TheBase() {
  static const Base base = MakeBase([](Workload* workload) {
    workload->ImportKeys(0, 30);
    for (size_t owner = 0; owner < 3; ++owner) workload->CreateKey(owner);
    workload->ImportKeys(2, 40);
  });
  return base;
}

void Print(const std::string& suite, const Counts& counts) {
  std::printf("%s: faults %zu, wrong %zu", suite.c_str(), counts.faults, counts.wrong);
  for (const auto& [what, count] : counts.codes) std::printf(", %s %zu", what.c_str(), count);
  std::printf("\n");
}

Trial::Trial(const Fault& fault, Counts* counts)
    : fault_(fault),
      counts_(*counts),
      disk_(folder_.path()),
      before_(TheBase().facts),
      after_(before_) {
  WriteImage(TheBase().image, folder_.path());
}

Trial::~Trial() {
  if (store_ != nullptr) static_cast<void>(latchkey_store_close(store_));
}

std::string Trial::Run(bool* hit) {
  if (!fault_.before_open) Open("before the fault");
  fault_.begin(&disk_);
  if (store_ != nullptr || OpenOrRefuse()) {
    Change();
    if (fault_.lasting) std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    JudgeAll("while it fails");
  }
  *hit = disk_.failed() > 0;
  disk_.Mend();
  if (store_ == nullptr) Open("after the fault");
  if (store_ != nullptr) Heal();
  if (wrong_.empty()) Compare();
  for (const std::string& path : disk_.synced_again()) {
    // Each of its two sectors is whole by its own CRC, and the next commit writes one anew. What is
    // left of a backup that failed is emptied, and written anew.
    if (path == "store/ack" || path.starts_with("backups/")) continue;
    Wrong("synced again after a sync had failed: " + path);
  }
  return wrong_;
}

void Trial::Open(const char* when) {
  const std::string refused = OpenWhole(folder_.path(), LATCHKEY_OPEN_EXISTING, &store_);
  if (!refused.empty()) Wrong(std::string("refused ") + when + ": " + refused);
}

bool Trial::OpenOrRefuse() {
  const std::string refused = OpenWhole(folder_.path(), LATCHKEY_OPEN_EXISTING, &store_);
  if (refused.empty()) return true;
  Count("open: " + refused.substr(0, refused.find(':')));
  if (!refused.starts_with(CodeName(fault_.code) + ": ") &&
      !refused.starts_with("WRONG_PEPPER: the pepper file cannot be ")) {
    Wrong("refused as " + refused);
  }
  return false;
}

void Trial::Count(const std::string& what) {
  const std::lock_guard lock(counts_.mutex);
  ++counts_.codes[what];
}

// Whether the change was made; `unknown` when nobody knows.
bool Trial::Happened(const char* change, latchkey_code code, bool* unknown) {
  *unknown = code == LATCHKEY_OUTCOME_UNKNOWN;
  if (code != LATCHKEY_OK) Count(std::string(change) + ": " + CodeName(code));
  if (code != LATCHKEY_OK && code != LATCHKEY_OUTCOME_UNKNOWN && code != LATCHKEY_BUSY &&
      code != fault_.code) {
    Wrong(std::string(change) + ": " + CodeName(code) + ": " + latchkey_error_text());
  }
  return code == LATCHKEY_OK;
}

void Trial::Create(size_t owner) {
  const std::string name = "made while it fails";
  auto options = Sized<latchkey_credential_create_options>();
  options.uuid.bytes[0] = static_cast<uint8_t>(after_.keys.size());
  options.uuid.bytes[1] = 1;
  options.owner = after_.owners[owner].uuid;
  options.kind = LATCHKEY_KIND_USER_KEY;
  options.name = name.data();
  options.name_size = name.size();
  char secret[LATCHKEY_NEW_SECRET_BYTES_MAX] = {1};
  const latchkey_code code =
      latchkey_credential_create(store_, &options, secret, sizeof secret, nullptr, nullptr);
  bool unknown = false;
  Facts::Key key{options.uuid, owner, options.kind, name, "", false, false};
  if (Happened("create", code, &unknown)) {
    key.secret = secret;
  } else if (std::any_of(secret, secret + sizeof secret, [](char c) { return c != 0; })) {
    Wrong("a create that failed gave a secret");
  }
  key.absent = code != LATCHKEY_OK;
  before_.keys.push_back(key);
  key.absent = code != LATCHKEY_OK && !unknown;
  after_.keys.push_back(key);
}

void Trial::Revoke(size_t key) {
  const latchkey_code code =
      latchkey_credential_revoke(store_, &after_.keys[key].uuid, nullptr, nullptr, 0, nullptr);
  bool unknown = false;
  if (Happened("revoke", code, &unknown) || unknown) {
    before_.keys[key].revoked = after_.keys[key].revoked = true;
  }
}

void Trial::Rename(size_t key) {
  const std::string name = "another name";
  const latchkey_code code = latchkey_credential_rename(store_, &after_.keys[key].uuid, name.data(),
                                                        name.size(), nullptr, nullptr);
  bool unknown = false;
  if (Happened("rename", code, &unknown)) before_.keys[key].name = name;
  if (code == LATCHKEY_OK || unknown) after_.keys[key].name = name;
}

void Trial::Lock(size_t owner) {
  auto options = Sized<latchkey_owner_update_options>();
  options.uuid = after_.owners[owner].uuid;
  options.set = LATCHKEY_OWNER_SET_LOCKED;
  options.locked = 1;
  bool unknown = false;
  if (Happened("lock", latchkey_owner_update(store_, &options, nullptr), &unknown) || unknown) {
    before_.owners[owner].locked = after_.owners[owner].locked = true;
  }
}

void Trial::RevokeAll(size_t owner) {
  auto options = Sized<latchkey_sweep_options>();
  options.owner = after_.owners[owner].uuid;
  options.issued_before_s = kTimeAhead;  // which the table cannot tell by itself
  bool unknown = false;
  if (!Happened("revoke all", latchkey_revoke_all(store_, &options, nullptr), &unknown) &&
      !unknown) {
    return;
  }
  may_be_doubted_ = unknown;
  for (Facts* facts : {&before_, &after_}) {
    for (Facts::Key& key : facts->keys) key.revoked = key.revoked || key.owner == owner;
  }
}

void Trial::BackUp() {
  bool unknown = false;
  uint32_t number = 0;
  const latchkey_code code = latchkey_test::BackUp(store_, folder_.path(), 0, &number);
  if (Happened("backup", code, &unknown)) backup_ = number;
  if (unknown) Wrong("a backup of which nobody knows whether it was made");
}

size_t Trial::NextAllowed(size_t from) const {
  while (DueVerdict(after_, after_.keys[from]) != "allowed") ++from;
  return from;
}

void Trial::Change() {
  Create(0);
  JudgeAll("after a create");
  Revoke(NextAllowed(0));
  JudgeAll("after a revocation");
  Rename(NextAllowed(10));
  Lock(1);
  JudgeAll("after a lock");
  Create(0);
  RevokeAll(0);
  JudgeAll("after a mass revocation");
  Revoke(NextAllowed(0));
  Create(1);
  JudgeAll("after all");
  BackUp();
}

// Everything is in memory, so no verdict depends on the disk: but where the store could not be
// asked whom a mass revocation covers, of whom memory would allow nobody is.
void Trial::JudgeAll(const char* when) {
  for (size_t i = 0; i < after_.keys.size(); ++i) {
    const Facts::Key& key = after_.keys[i];
    if (key.secret.empty()) continue;
    const std::string verdict = Judge(store_, key.secret);
    if (verdict == DueVerdict(after_, key)) continue;
    const bool is_judged = verdict != CodeName(LATCHKEY_BUSY) && verdict != CodeName(fault_.code);
    if (may_be_doubted_ && !is_judged) continue;
    Wrong(std::string("key ") + std::to_string(i) + " is judged " + verdict + ", not " +
          DueVerdict(after_, key) + ", " + when);
    return;
  }
}

void Trial::Heal() {
  const size_t key = NextAllowed(20);
  const std::string name = "healed";
  latchkey_code code = LATCHKEY_BUSY;
  for (int i = 0; i < kWaitMax && code != LATCHKEY_OK; ++i) {
    code = latchkey_credential_rename(store_, &after_.keys[key].uuid, name.data(), name.size(),
                                      nullptr, nullptr);
    if (code != LATCHKEY_OK) std::this_thread::sleep_for(kWaitStep);
  }
  if (code != LATCHKEY_OK) {
    return Wrong("it does not heal: " + CodeName(code) + ": " + latchkey_error_text());
  }
  before_.keys[key].name = after_.keys[key].name = name;
}

// Whole or none, and what is left of one that failed is in nobody's way.
void Trial::JudgeBackups() {
  const std::vector<uint32_t> listed = WholeBackups(folder_.path(), &wrong_);
  if (backup_ != 0 && listed != std::vector<uint32_t>{backup_}) Wrong("the backup is lost");
  uint32_t number = 0;
  if (latchkey_test::BackUp(store_, folder_.path(), 0, &number) != LATCHKEY_OK) {
    return Wrong(std::string("no backup after the fault: ") + latchkey_error_text());
  }
  if (WholeBackups(folder_.path(), &wrong_).size() != listed.size() + 1) {
    Wrong("the backup after the fault is not there");
  }
}

// As it stands, and opened anew.
void Trial::Compare() {
  // What was revoked in memory alone is submitted again just after the store has healed.
  std::string differences = "none was looked for";
  for (int i = 0; i < 300 && !differences.empty(); ++i) {
    differences = Differences(store_, before_, after_, true);
    if (!differences.empty()) std::this_thread::sleep_for(kWaitStep);
  }
  if (!differences.empty()) Wrong("healed: " + differences);
  JudgeBackups();
  if (latchkey_store_close(store_) != LATCHKEY_OK) Wrong("no close");
  store_ = nullptr;
  Open("in the end");
  if (store_ == nullptr) return;
  differences = Differences(store_, before_, after_, true);
  if (!differences.empty()) Wrong("opened anew: " + differences);
}

}  // namespace latchkey_test
