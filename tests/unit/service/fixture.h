// What the service tests share: an engine in a temporary folder, with a clock and a file system
// that a test controls, and shorthand for the use cases.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "service/check.h"
#include "service/credentials.h"
#include "service/owners.h"
#include "service/verify.h"
#include "support/faulty_env.h"
#include "support/manual_clock.h"
#include "support/temp_dir.h"

namespace latchkey::test {

class EngineTest : public testing::Test {
 public:
  struct Key {
    Uuid uuid;
    Bytes secret;  // a test may keep it; the library does not
  };

 protected:
  void SetUp() override { Open(OpenMode::kCreate); }

  EngineOptions Options(OpenMode mode) {
    EngineOptions options;
    options.store.path = dir_ / "store";
    options.store.pepper_path = dir_ / "store.pepper";
    options.store.mode = mode;
    options.store.env = env_.env.get();
    options.clock = &clock_;
    options.budgets.directories_bytes = directory_budget_bytes_;
    return options;
  }
  // Opens with these options; the load goes on.
  void OpenWith(EngineOptions options) {
    Result<std::unique_ptr<Engine>> opened = Engine::Open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.status().why();
    engine_ = std::move(*opened);
  }
  // Opens, and waits until everything is loaded.
  void Open(OpenMode mode) {
    OpenWith(Options(mode));
    if (engine_ == nullptr) return;
    const Status loaded = engine_->loader().Wait();
    ASSERT_TRUE(loaded.ok()) << loaded.why();
  }
  void Close() { engine_.reset(); }
  void Reopen() {
    Close();
    Open(OpenMode::kExisting);
  }

  OwnerRecord MakeUser(ByteView name) {
    NewOwner wish;
    wish.name = name;
    Result<OwnerRecord> user = CreateOwnerNow(*engine_, Uuid{}, wish);
    EXPECT_TRUE(user.ok()) << user.status().why();
    return user.ok() ? *user : OwnerRecord{};
  }

  Result<Key> TryMakeKey(const Uuid& user, ByteView name) {
    NewCredential wish;
    wish.owner = user;
    wish.kind = kind::kUserKey;
    wish.ttl_s = 1000;
    wish.name = name;
    GeneratedSecret secret;
    LATCHKEY_TRY_ASSIGN(const CredentialView view, Issue(*engine_, wish, &secret));
    return Key{view.record.uuid, Bytes(secret.Expose())};
  }
  Key MakeKey(const Uuid& user, ByteView name) {
    Result<Key> key = TryMakeKey(user, name);
    EXPECT_TRUE(key.ok()) << key.status().why();
    return key.ok() ? *key : Key{};
  }
  Reason Judge(const Key& key) { return Verify(*engine_, key.secret, {}).reason; }
  uint64_t CountKeys(const Uuid& user, bool revoked) {
    ListQuery query;
    query.owner = user;
    query.kind = kind::kUserKey;
    query.filter.revoked = revoked;
    Result<CredentialPage> page = ListCredentials(*engine_, query, 0, 1);
    EXPECT_TRUE(page.ok()) << page.status().why();
    return page.ok() ? page->total : 0;
  }
  void ExpectSound() {
    const Status status = CheckStore(*engine_, [](Literal what, const Uuid& uuid) {
      ADD_FAILURE() << what.text << " " << FormatUuid(uuid);
    });
    EXPECT_TRUE(status.ok()) << status.why();
  }

  size_t directory_budget_bytes_ = Directories::kBudgetBytesDefault;
  TempDir dir_;
  FaultyEnv env_;
  ManualClock clock_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace latchkey::test
