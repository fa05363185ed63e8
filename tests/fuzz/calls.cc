// An input is a program: each pair of bytes a call of the C API and the key or user that it is
// about. A small map beside the store says what each call has to answer. Users and keys are new in
// every program, so that one does not build on another.
#include <array>
#include <memory>
#include <optional>

#include "fuzz/target.h"
#include "latchkey/latchkey.hpp"
#include "support/temp_dir.h"

namespace latchkey::fuzz {
namespace {

constexpr size_t kUsers = 2;
constexpr size_t kKeys = 4;     // for each user
constexpr size_t kCalls = 48;   // of a program that are run
constexpr size_t kOfOwner = 4;  // calls that are about a user

struct Key {
  Uuid uuid = {};
  std::string secret;
  std::string name;
  bool revoked = false;
};

struct User {
  Uuid uuid = {};
  bool locked = false;
  bool deleted = false;
  std::array<std::optional<Key>, kKeys> keys = {};
};

class Program {
 public:
  explicit Program(Store* store) : store_(*store), handle_(store->handle()) {
    for (User& user : users_) {
      user.uuid = store_.create_owner({LATCHKEY_OWNER_USER, "Muriel Bagge"}).uuid;
    }
  }
  ~Program() {
    for (const User& user : users_) {
      if (!user.deleted) store_.delete_owner(user.uuid);
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void Run(std::string_view code) {
    for (size_t at = 0; at + 1 < code.size() && at < 2 * kCalls; at += 2) {
      const auto call = static_cast<uint8_t>(code[at]);
      const auto about = static_cast<uint8_t>(code[at + 1]);
      User& user = users_[about % kUsers];
      std::optional<Key>& key = user.keys[about / kUsers % kKeys];
      if (call % 2 == 0) {
        CallUser(call / 2 % kOfOwner, &user);
      } else {
        CallKey(call / 2 % 5, &user, &key, static_cast<char>('a' + about % 26));
      }
      for (const User& one : users_) ExpectVerdicts(one);
    }
  }

 private:
  void CallUser(unsigned call, User* user) {
    if (call == 3) return CallDelete(user);
    auto options = sized<latchkey_owner_update_options>();
    options.uuid = user->uuid;
    options.set = LATCHKEY_OWNER_SET_LOCKED;
    options.locked = call % 2;
    const latchkey_code code = latchkey_owner_update(handle_, &options, nullptr);
    Expect(code == (user->deleted ? LATCHKEY_NOT_FOUND : LATCHKEY_OK), "lock");
    if (code == LATCHKEY_OK) user->locked = call % 2 != 0;
  }
  void CallDelete(User* user) {
    const latchkey_code code = latchkey_owner_delete(handle_, &user->uuid, nullptr);
    Expect(code == (user->deleted ? LATCHKEY_CONFLICT : LATCHKEY_OK), "delete");
    user->deleted = true;
  }

  void CallKey(unsigned call, User* user, std::optional<Key>* key, char letter) {
    const Uuid none = to_uuid("01897bd9-854b-744d-a7f2-370d9e261365");
    const Uuid& uuid = key->has_value() ? (*key)->uuid : none;
    switch (call) {
      case 0:
        return CallCreate(user, key, letter);
      case 1:
        return CallRevoke(uuid, key);
      case 2: {
        const char name[] = {letter, 'x'};
        const latchkey_code code =
            latchkey_credential_rename(handle_, &uuid, name, sizeof name, nullptr, nullptr);
        Expect(code == (key->has_value() ? LATCHKEY_OK : LATCHKEY_NOT_FOUND), "rename");
        if (code == LATCHKEY_OK) (*key)->name.assign(name, sizeof name);
        return;
      }
      case 3: {
        auto row = sized<latchkey_credential>();
        const latchkey_code code = latchkey_credential_get(handle_, &uuid, &row);
        Expect(code == (key->has_value() ? LATCHKEY_OK : LATCHKEY_NOT_FOUND), "get");
        if (code != LATCHKEY_OK) return;
        Expect(name_of(row) == (*key)->name && (row.revoked_s != 0) == (*key)->revoked, "a row");
        return;
      }
      default:
        return ExpectLists(*user);
    }
  }
  void CallCreate(User* user, std::optional<Key>* key, char letter) {
    if (key->has_value()) return;
    auto options = sized<latchkey_credential_create_options>();
    options.owner = user->uuid;
    options.kind = LATCHKEY_KIND_USER_KEY;
    options.name = &letter;
    options.name_size = 1;
    char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
    size_t size = 0;
    auto row = sized<latchkey_credential>();
    const latchkey_code code =
        latchkey_credential_create(handle_, &options, secret, sizeof secret, &size, &row);
    Expect(code == (user->deleted ? LATCHKEY_NOT_FOUND : LATCHKEY_OK), "create");
    if (code == LATCHKEY_OK) *key = Key{row.uuid, {secret, size}, {letter}, false};
  }
  void CallRevoke(const Uuid& uuid, std::optional<Key>* key) {
    const latchkey_code code =
        latchkey_credential_revoke(handle_, &uuid, nullptr, nullptr, 0, nullptr);
    const latchkey_code due = !key->has_value() ? LATCHKEY_NOT_FOUND
                              : (*key)->revoked ? LATCHKEY_CONFLICT
                                                : LATCHKEY_OK;
    Expect(code == due, "revoke");
    // As if a revocation had been forgotten, amid a lock and a deletion.
    const bool is_forgotten = Canary(users_[0].locked && users_[1].deleted);
    if (code == LATCHKEY_OK && !is_forgotten) (*key)->revoked = true;
  }

  void ExpectLists(const User& user) const {
    for (const bool revoked : {false, true}) {
      auto options = sized<latchkey_list_options>();
      options.owner = user.uuid;
      options.kind = LATCHKEY_KIND_USER_KEY;
      options.revoked = revoked ? 1 : 0;
      size_t count = 0;
      uint64_t total = 0;
      throw_if_failed(latchkey_credential_list(handle_, &options, nullptr, 0, &count, &total));
      uint64_t due = 0;
      for (const auto& key : user.keys) due += key.has_value() && key->revoked == revoked ? 1 : 0;
      Expect(total == due, "a list's total");
    }
  }
  void ExpectVerdicts(const User& user) const {
    for (const auto& key : user.keys) {
      if (!key.has_value()) continue;
      const uint32_t due = key->revoked   ? LATCHKEY_REASON_REVOKED
                           : user.locked  ? LATCHKEY_REASON_LOCKED
                           : user.deleted ? LATCHKEY_REASON_DELETED
                                          : LATCHKEY_REASON_ALLOWED;
      const Verdict verdict = store_.verify(key->secret);
      Expect(verdict.detail.reason == due, "verify", verdict.reason_text());
    }
  }

  Store& store_;
  latchkey_store* const handle_;
  std::array<User, kUsers> users_ = {};
};

}  // namespace
}  // namespace latchkey::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const latchkey::test::TempDir dir;
  static latchkey::Store store = latchkey::Store::create(dir / "store");
  latchkey::fuzz::Program(&store).Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
