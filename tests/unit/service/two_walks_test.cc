// A store that is large enough to be loaded by two threads: what one of them misses is missed.
#include <thread>

#include "support/edit_store.h"
#include "support/seed.h"
#include "unit/service/credential_commands.h"
#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

constexpr size_t kKeys = 5000;

class TwoWalks : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    LATCHKEY_TEST_RANDOM(random);
    keys_ = CreateMany(*engine_, random, MakeUser("muriel").uuid, kKeys, 8);
    std::sort(keys_.begin(), keys_.end(),
              [](const auto& a, const auto& b) { return a.uuid < b.uuid; });
    ASSERT_EQ(keys_.size(), kKeys);
    // One tombstone in each half.
    for (const auto* key : {&keys_.front(), &keys_.back()}) {
      ASSERT_TRUE(Revoke(*engine_, {}, key->uuid, {}).ok());
    }
  }
  Result<std::unique_ptr<Engine>> Load() {
    EngineOptions options = Options(OpenMode::kExisting);
    options.load_first = true;
    return Engine::Open(std::move(options));
  }
  // What becomes of the load when somebody has changed the record of the key, or its tombstone.
  template <typename Edit>
  Code LoadAfter(uint8_t column, const Uuid& uuid, Edit&& edit) {
    Close();
    Bytes before;
    EditValue(column, uuid, [&](Bytes* value) {
      before = *value;
      edit(value);
    });
    const Code code = Load().code();
    EditValue(column, uuid, [&](Bytes* value) { *value = before; });
    return code;
  }

  std::vector<CredentialRecord> keys_;

 private:
  // An empty value takes the record away.
  template <typename Edit>
  void EditValue(uint8_t column, const Uuid& uuid, Edit&& edit) {
    EditStoreAt(dir_ / "store", [&](const Storage& storage, Batch* batch) {
      const Result<Bytes> stored = storage.Get(column, uuid.view());
      Bytes value = stored.ok() ? *stored : Bytes();
      edit(&value);
      if (value.empty()) {
        batch->Delete(column, uuid.view());
      } else {
        batch->Put(column, uuid.view(), value);
      }
    });
  }
};

TEST_F(TwoWalks, EveryCredentialIsLoadedOnce) {
  Close();
  Result<std::unique_ptr<Engine>> loaded = Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status().why();
  const VerifyTable& table = (*loaded)->memory().table();
  EXPECT_EQ(table.size(), kKeys);
  EXPECT_EQ(table.revoked(), 2u);
  for (const CredentialRecord& key : keys_) {
    TableEntry entry;
    ASSERT_TRUE(table.Find(key.tag, &entry));
    EXPECT_EQ(entry.uuid, key.uuid);
    EXPECT_EQ(entry.revoked, key.uuid == keys_.front().uuid || key.uuid == keys_.back().uuid);
  }
}

TEST_F(TwoWalks, WhatIsWrongInEitherHalfShutsTheStore) {
  for (const CredentialRecord* key :
       {&keys_.front(), &keys_[1], &keys_[kKeys - 2], &keys_.back()}) {
    EXPECT_EQ(LoadAfter(column::kCredential, key->uuid, [](Bytes* value) { (*value)[0] ^= 1; }),
              Code::kCorruption);
    EXPECT_EQ(LoadAfter(column::kCredential, key->uuid, [](Bytes* value) { value->clear(); }),
              Code::kCorruption);
  }
  for (const CredentialRecord* key : {&keys_.front(), &keys_.back()}) {
    EXPECT_EQ(LoadAfter(column::kTombstone, key->uuid, [](Bytes* value) { value->clear(); }),
              Code::kCorruption);
  }
  EXPECT_TRUE(Load().ok());
}

TEST_F(TwoWalks, ALoadThatIsStoppedEndsBoth) {
  for (int round = 0; round < 20; ++round) {
    Close();
    EngineOptions options = Options(OpenMode::kExisting);
    Result<std::unique_ptr<Engine>> opened = Engine::Open(std::move(options));
    ASSERT_TRUE(opened.ok());
    if (round % 2 == 0) std::this_thread::yield();
  }
  EXPECT_TRUE(Load().ok());
}

}  // namespace
}  // namespace latchkey::test
