// The changes of a workload, and what each makes true.
#include "workload.h"

#include <chrono>
#include <stdexcept>
#include <thread>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace latchkey_test {
namespace {

constexpr size_t kUsers = 3;
constexpr size_t kProject = kUsers;
constexpr size_t kSecretCharacters = 30;

}  // namespace

Workload::~Workload() {
  if (store_ != nullptr) static_cast<void>(latchkey_store_close(store_));
}

void Workload::Do(const std::string& change, const std::function<latchkey_code()>& call,
                  const std::function<void(Facts*)>& then, bool one_by_one) {
  Moment moment{change, disk_.count(), 0, {}, one_by_one};
  if (const latchkey_code code = call(); code != LATCHKEY_OK) {
    throw std::runtime_error(change + ": " + CodeName(code) + ": " + latchkey_error_text());
  }
  moment.done = disk_.count();
  then(&facts_);
  moment.after = facts_;
  moments_.push_back(std::move(moment));
}

latchkey_uuid Workload::NewUuid() {
  latchkey_uuid uuid;
  for (uint8_t& byte : uuid.bytes) byte = static_cast<uint8_t>(random_());
  return uuid;
}

void Workload::Open(uint32_t mode) {
  const auto call = [&] {
    const std::string refused = OpenWhole(folder_, mode, &store_);
    return refused.empty() ? LATCHKEY_OK : LATCHKEY_INTERNAL;
  };
  Do("open", call, [](Facts* facts) { facts->store = true; });
}

void Workload::Close() {
  Do(
      "close", [&] { return latchkey_store_close(store_); }, [&](Facts*) { store_ = nullptr; });
}

void Workload::CreateOwner(uint32_t sort) {
  const std::string name = "Owner " + std::to_string(facts_.owners.size());
  auto options = Sized<latchkey_owner_create_options>();
  options.uuid = NewUuid();
  options.sort = sort;
  options.name = name.data();
  options.name_size = name.size();
  Do(
      "create an owner", [&] { return latchkey_owner_create(store_, &options, nullptr); },
      [&](Facts* facts) { facts->owners.push_back({.uuid = options.uuid, .sort = sort}); });
}

void Workload::CreateKey(size_t owner) {
  const bool is_user = facts_.owners[owner].sort == LATCHKEY_OWNER_USER;
  const std::string name = "key " + std::to_string(facts_.keys.size());
  const std::string metadata(random_() % 1000, 'm');
  auto options = Sized<latchkey_credential_create_options>();
  options.uuid = NewUuid();
  options.owner = facts_.owners[owner].uuid;
  options.kind = is_user ? LATCHKEY_KIND_USER_KEY : LATCHKEY_KIND_PROJECT_KEY;
  options.name = name.data();
  options.name_size = name.size();
  options.metadata = metadata.data();
  options.metadata_size = metadata.size();
  char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
  Do(
      "create",
      [&] {
        return latchkey_credential_create(store_, &options, secret, sizeof secret, nullptr,
                                          nullptr);
      },
      [&](Facts* facts) {
        facts->keys.push_back({options.uuid, owner, options.kind, name, secret, false});
      });
}

void Workload::Rename(size_t key) {
  const std::string name = "renamed " + std::to_string(random_() % 1000);
  Do(
      "rename",
      [&] {
        return latchkey_credential_rename(store_, &facts_.keys[key].uuid, name.data(), name.size(),
                                          nullptr, nullptr);
      },
      [&](Facts* facts) { facts->keys[key].name = name; });
}

void Workload::Revoke(size_t key) {
  Do(
      "revoke",
      [&] {
        return latchkey_credential_revoke(store_, &facts_.keys[key].uuid, nullptr, "leaked", 6,
                                          nullptr);
      },
      [&](Facts* facts) { facts->keys[key].revoked = true; });
}

void Workload::RevokeAll(size_t owner) {
  auto options = Sized<latchkey_sweep_options>();
  options.owner = facts_.owners[owner].uuid;
  Do(
      "revoke all", [&] { return latchkey_revoke_all(store_, &options, nullptr); },
      [&](Facts* facts) {
        for (Facts::Key& key : facts->keys) key.revoked = key.revoked || key.owner == owner;
      });
}

void Workload::SetLocked(size_t owner, bool locked) {
  auto options = Sized<latchkey_owner_update_options>();
  options.uuid = facts_.owners[owner].uuid;
  options.set = LATCHKEY_OWNER_SET_LOCKED;
  options.locked = locked ? 1 : 0;
  Do(
      locked ? "lock" : "unlock", [&] { return latchkey_owner_update(store_, &options, nullptr); },
      [&](Facts* facts) { facts->owners[owner].locked = locked; });
}

void Workload::DeleteOwner(size_t owner) {
  Do(
      "delete an owner",
      [&] { return latchkey_owner_delete(store_, &facts_.owners[owner].uuid, nullptr); },
      [&](Facts* facts) { facts->owners[owner].deleted = true; });
}

void Workload::ImportKeys(size_t owner, size_t count) {
  static constexpr std::string_view kCharacters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string lines;
  std::vector<Facts::Key> keys;
  for (size_t i = 0; i < count; ++i) {
    Facts::Key key{NewUuid(),
                   owner,
                   LATCHKEY_KIND_USER_KEY,
                   "imported " + std::to_string(facts_.keys.size() + i),
                   "bencher_user_",
                   i % 5 == 0};
    for (size_t c = 0; c < kSecretCharacters; ++c) key.secret += kCharacters[random_() % 62];
    lines += R"({"type":"user_key","uuid":")" + Text(key.uuid) + R"(","user":")" +
             Text(facts_.owners[owner].uuid) + R"(","name":")" + key.name + R"(","sha256":")" +
             latchkey::HexEncode(latchkey::View(latchkey::Sha256BySodium(key.secret).bytes)) +
             R"(","creation":1769070818,"expiration":1895000000,"revoked":)" +
             (key.revoked ? "1770000000" : "null") + "}\n";
    keys.push_back(std::move(key));
  }
  Do(
      "import",
      [&] {
        const Import import(store_, lines);
        return import.report.imported == count ? import.code : LATCHKEY_INTERNAL;
      },
      [&](Facts* facts) { facts->keys.insert(facts->keys.end(), keys.begin(), keys.end()); },
      /*one_by_one=*/true);
}

void Workload::BackUp(uint32_t keep) {
  uint32_t number = 0;
  Do(
      "backup", [&] { return latchkey_test::BackUp(store_, folder_, keep, &number); },
      [&](Facts* facts) {
        std::vector<uint32_t>& held = facts->backups;
        held.push_back(number);
        if (keep != 0 && held.size() > keep) held.erase(held.begin(), held.end() - keep);
      });
  moments_.back().backup = number;
}

size_t Workload::DrawActive() {
  for (size_t tries = 0; tries < 10000; ++tries) {
    const size_t key = random_() % facts_.keys.size();
    const Facts::Owner& owner = facts_.owners[facts_.keys[key].owner];
    if (!facts_.keys[key].revoked && !owner.deleted) return key;
  }
  throw std::runtime_error("every key is revoked");
}

std::vector<std::string> Workload::secrets() const {
  std::vector<std::string> secrets;
  for (const Facts::Key& key : facts_.keys) secrets.push_back(key.secret);
  return secrets;
}

void Workload::Run(size_t rounds) {
  Open(LATCHKEY_OPEN_CREATE);
  for (size_t i = 0; i < kUsers; ++i) CreateOwner(LATCHKEY_OWNER_USER);
  CreateOwner(LATCHKEY_OWNER_PROJECT);
  ImportKeys(0, 40);  // into a store without credentials: by files
  for (size_t i = 0; i < 6; ++i) CreateKey(i % (kUsers + 1));
  SetLocked(1, true);
  ImportKeys(2, 140);  // by the log, in two groups
  for (size_t round = 0; round < rounds; ++round) {
    Close();
    Open(LATCHKEY_OPEN_EXISTING);
    CreateKey(round % (kUsers + 1));
    CreateKey(kProject);
    Rename(DrawActive());
    Revoke(DrawActive());
    SetLocked(1, round % 2 == 1);
    if (round == 1) RevokeAll(0);
    if (round == 3 || round == 5) BackUp(0);
    if (round == 7) BackUp(1);
    if (round + 1 == rounds) DeleteOwner(2);
  }
  Close();
}

}  // namespace latchkey_test
