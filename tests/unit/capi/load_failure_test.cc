// A store that somebody wrote to, opened without waiting for the load: what was tampered with is
// never allowed once the load has ended, and from then on nothing is answered any more.
#include <gtest/gtest.h>

#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "latchkey/latchkey.h"
#include "support/edit_store.h"
#include "support/temp_dir.h"

namespace latchkey::test {
namespace {

template <typename T>
T Sized() {
  T out{};
  out.struct_size = sizeof(T);
  return out;
}

struct Key {
  latchkey_uuid uuid;
  std::string secret;
  ByteView id() const { return {reinterpret_cast<const char*>(uuid.bytes), 16}; }
};

class LoadFailure : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(Open(LATCHKEY_OPEN_CREATE, LATCHKEY_LOAD_FIRST), LATCHKEY_OK);
    auto wish = Sized<latchkey_owner_create_options>();
    wish.sort = LATCHKEY_OWNER_USER;
    wish.name = "muriel";
    wish.name_size = 6;
    auto owner = Sized<latchkey_owner>();
    ASSERT_EQ(latchkey_owner_create(store_, &wish, &owner), LATCHKEY_OK);
    for (Key* key : {&live_, &other_, &revoked_}) {
      auto options = Sized<latchkey_credential_create_options>();
      options.owner = owner.uuid;
      options.kind = LATCHKEY_KIND_USER_KEY;
      options.name = "k";
      options.name_size = 1;
      char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
      size_t size = 0;
      auto credential = Sized<latchkey_credential>();
      ASSERT_EQ(
          latchkey_credential_create(store_, &options, secret, sizeof secret, &size, &credential),
          LATCHKEY_OK);
      *key = {credential.uuid, std::string(secret, size)};
    }
    ASSERT_EQ(latchkey_credential_revoke(store_, &revoked_.uuid, nullptr, nullptr, 0, nullptr),
              LATCHKEY_OK);
    Close();
  }
  void TearDown() override { Close(); }

  latchkey_code Open(uint32_t mode, uint32_t load) {
    const std::string path = dir_ / "store";
    auto options = Sized<latchkey_open_options>();
    options.path = path.c_str();
    options.mode = mode;
    options.load = load;
    options.log = [](void* context, uint32_t level, const char* text) {
      auto* self = static_cast<LoadFailure*>(context);
      const std::lock_guard lock(self->mutex_);
      if (level == LATCHKEY_LOG_ERROR) self->errors_.push_back(text);
    };
    options.log_context = this;
    return latchkey_store_open(&options, &store_);
  }
  void Close() {
    EXPECT_EQ(latchkey_store_close(store_), LATCHKEY_OK);
    store_ = nullptr;
  }
  template <typename Edit>
  void EditStore(Edit&& edit) {
    EditStoreAt(dir_ / "store", std::forward<Edit>(edit));
  }
  latchkey_code Verify(const Key& key) {
    return latchkey_verify(store_, key.secret.data(), key.secret.size(), nullptr, nullptr);
  }
  latchkey_stats Stats() {
    auto stats = Sized<latchkey_stats>();
    EXPECT_EQ(latchkey_store_stats(store_, &stats), LATCHKEY_OK);
    return stats;
  }
  // Both ways of opening find it.
  void ExpectFound() {
    EXPECT_EQ(Open(LATCHKEY_OPEN_EXISTING, LATCHKEY_LOAD_FIRST), LATCHKEY_CORRUPTION);
    EXPECT_EQ(store_, nullptr);
    ASSERT_EQ(Open(LATCHKEY_OPEN_EXISTING, LATCHKEY_LOAD_BEHIND), LATCHKEY_OK);
    while (Stats().loading != 0) std::this_thread::yield();
    for (const Key& key : {live_, other_, revoked_}) EXPECT_EQ(Verify(key), LATCHKEY_CORRUPTION);
    EXPECT_EQ(latchkey_store_check(store_, nullptr, nullptr), LATCHKEY_CORRUPTION);
    EXPECT_EQ(latchkey_credential_revoke(store_, &live_.uuid, nullptr, nullptr, 0, nullptr),
              LATCHKEY_CORRUPTION);
    auto row = Sized<latchkey_credential>();
    EXPECT_EQ(latchkey_credential_get(store_, &live_.uuid, &row), LATCHKEY_CORRUPTION);
    EXPECT_EQ(Stats().loading, 0u);
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(errors_.size(), 2u);  // one for each open
  }

  TempDir dir_;
  latchkey_store* store_ = nullptr;
  std::mutex mutex_;
  std::vector<std::string> errors_;
  Key live_;
  Key other_;
  Key revoked_;
};

TEST_F(LoadFailure, AnUntouchedStoreHasNone) {
  EditStore([](const Storage&, Batch*) {});
  ASSERT_EQ(Open(LATCHKEY_OPEN_EXISTING, LATCHKEY_LOAD_BEHIND), LATCHKEY_OK);
  EXPECT_EQ(Verify(live_), LATCHKEY_OK);
  EXPECT_EQ(Verify(revoked_), LATCHKEY_DENIED);
  EXPECT_EQ(latchkey_store_check(store_, nullptr, nullptr), LATCHKEY_OK);
  const latchkey_stats stats = Stats();
  EXPECT_EQ(stats.loading, 0u);
  EXPECT_EQ(stats.load_done, 3u);
  EXPECT_EQ(stats.load_total, 3u);
  EXPECT_EQ(stats.verify_table_entries, 3u);
  EXPECT_EQ(stats.verify_table_missing, 0u);
}

TEST_F(LoadFailure, ATombstoneTakenAwayIsFound) {
  EditStore(
      [&](const Storage&, Batch* batch) { batch->Delete(column::kTombstone, revoked_.id()); });
  ExpectFound();
}

TEST_F(LoadFailure, AnAlteredRecordIsFound) {
  EditStore([&](const Storage& storage, Batch* batch) {
    Bytes value = *storage.Get(column::kCredential, live_.id());
    value[0] = static_cast<char>(value[0] ^ 1);
    batch->Put(column::kCredential, live_.id(), value);
  });
  ExpectFound();
}

TEST_F(LoadFailure, TwoRecordsSwappedAreFound) {
  EditStore([&](const Storage& storage, Batch* batch) {
    const Bytes a = *storage.Get(column::kCredential, live_.id());
    const Bytes b = *storage.Get(column::kCredential, other_.id());
    batch->Put(column::kCredential, live_.id(), b);
    batch->Put(column::kCredential, other_.id(), a);
  });
  ExpectFound();
}

TEST_F(LoadFailure, ARecordTakenAwayIsFound) {
  EditStore([&](const Storage&, Batch* batch) { batch->Delete(column::kCredential, live_.id()); });
  ExpectFound();
}

// Nothing is written any more, so the store is left as it was found.
TEST_F(LoadFailure, ClosingChangesNoRecord) {
  Bytes head;
  EditStore([&](const Storage& storage, Batch* batch) {
    batch->Delete(column::kTombstone, revoked_.id());
    head = *storage.Get(column::kDefault, "head");
  });
  ASSERT_EQ(Open(LATCHKEY_OPEN_EXISTING, LATCHKEY_LOAD_BEHIND), LATCHKEY_OK);
  while (Stats().loading != 0) std::this_thread::yield();
  Close();
  EditStore([&](const Storage& storage, Batch*) {
    EXPECT_EQ(*storage.Get(column::kDefault, "head"), head);
  });
}

TEST_F(LoadFailure, OptionsAreChecked) {
  const std::string path = dir_ / "store";
  auto options = Sized<latchkey_open_options>();
  options.path = path.c_str();
  options.memory_budget_bytes = (1 << 20) - 1;
  EXPECT_EQ(latchkey_store_open(&options, &store_), LATCHKEY_INVALID_ARGUMENT);
  options.memory_budget_bytes = 1 << 20;
  options.load = 2;
  EXPECT_EQ(latchkey_store_open(&options, &store_), LATCHKEY_INVALID_ARGUMENT);
  options.load = LATCHKEY_LOAD_FIRST;
  options.load_reserved = 1;
  EXPECT_EQ(latchkey_store_open(&options, &store_), LATCHKEY_INVALID_ARGUMENT);
  options.load_reserved = 0;
  EXPECT_EQ(latchkey_store_open(&options, &store_), LATCHKEY_OK);
}

}  // namespace
}  // namespace latchkey::test
