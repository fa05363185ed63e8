// A store that somebody wrote to, or put back: found when it is opened.
#include <filesystem>

#include "schema/columns.h"
#include "schema/keys.h"
#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

class Tamper : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    const OwnerRecord user = MakeUser("muriel");
    user_ = user.uuid;
    live_ = MakeKey(user_, "live");
    other_ = MakeKey(user_, "other");
    revoked_ = MakeKey(user_, "revoked");
    ASSERT_TRUE(Revoke(*engine_, {}, revoked_.uuid, {}).ok());
  }
  Code OpenCode() {
    EngineOptions options = Options(OpenMode::kExisting);
    options.load_first = true;
    return Engine::Open(std::move(options)).code();
  }
  // Writes to the database behind the engine's back, which is closed.
  template <typename Edit>
  void EditStore(Edit&& edit) {
    Close();
    StorageOptions options;
    options.path = (dir_ / "store") + "/rocks";
    options.columns = kColumns;
    Result<std::unique_ptr<Storage>> storage = Storage::Open(options, nullptr);
    ASSERT_TRUE(storage.ok()) << storage.status().why();
    Batch batch(**storage);
    edit(**storage, &batch);
    ASSERT_TRUE((*storage)->Commit(&batch).ok());
  }
  Uuid user_;
  Key live_;
  Key other_;
  Key revoked_;
};

TEST_F(Tamper, UntouchedOpens) {
  EditStore([](const Storage&, Batch*) {});
  EXPECT_EQ(OpenCode(), Code::kOk);
}

TEST_F(Tamper, ATombstoneTakenAwayIsFound) {
  EditStore([&](const Storage&, Batch* batch) {
    batch->Delete(column::kTombstone, revoked_.uuid.view());
  });
  EXPECT_EQ(OpenCode(), Code::kCorruption);
}

TEST_F(Tamper, AnAlteredRecordIsFound) {
  EditStore([&](const Storage& storage, Batch* batch) {
    Bytes value = *storage.Get(column::kCredential, live_.uuid.view());
    value[0] = static_cast<char>(value[0] ^ 1);
    batch->Put(column::kCredential, live_.uuid.view(), value);
  });
  EXPECT_EQ(OpenCode(), Code::kCorruption);
}

TEST_F(Tamper, TwoRecordsSwappedAreFound) {
  EditStore([&](const Storage& storage, Batch* batch) {
    const Bytes a = *storage.Get(column::kCredential, live_.uuid.view());
    const Bytes b = *storage.Get(column::kCredential, other_.uuid.view());
    batch->Put(column::kCredential, live_.uuid.view(), b);
    batch->Put(column::kCredential, other_.uuid.view(), a);
  });
  EXPECT_EQ(OpenCode(), Code::kCorruption);
}

TEST_F(Tamper, AnOlderOwnerRecordPutBackIsFound) {
  Bytes before;
  EditStore(
      [&](const Storage& storage, Batch*) { before = *storage.Get(column::kOwner, user_.view()); });
  Open(OpenMode::kExisting);
  UpdateOwner lock;
  lock.uuid = user_;
  lock.locked = true;
  ASSERT_TRUE(UpdateOwnerNow(*engine_, {}, lock).ok());
  EditStore(
      [&](const Storage&, Batch* batch) { batch->Put(column::kOwner, user_.view(), before); });
  EXPECT_EQ(OpenCode(), Code::kCorruption);
}

TEST_F(Tamper, ABrokenChainEndIsFound) {
  EditStore([&](const Storage& storage, Batch* batch) {
    const Bytes last = *storage.LastKey(column::kEvent, {});
    batch->Delete(column::kEvent, last);
  });
  EXPECT_EQ(OpenCode(), Code::kCorruption);
}

TEST_F(Tamper, AnIndexApartFromItsRecordIsFoundByCheck) {
  EditStore([&](const Storage&, Batch* batch) {
    batch->Delete(column::kBySlug, keys::BySlug(user_, kind::kUserKey, "live").view());
    batch->Put(column::kByTag, Bytes(16, 'x'), user_.view());
  });
  Open(OpenMode::kExisting);
  int findings = 0;
  EXPECT_EQ(CheckStore(*engine_, [&](Literal, const Uuid&) { ++findings; }).code(),
            Code::kCorruption);
  EXPECT_EQ(findings, 3);  // the slug, the size of the slug index, the size of the tag index
}

TEST_F(Tamper, AnOlderCopyOfTheDatabaseIsRolledBack) {
  namespace fs = std::filesystem;
  Close();
  const fs::path rocks = (dir_ / "store") + "/rocks";
  fs::copy(rocks, dir_ / "copy", fs::copy_options::recursive);
  Open(OpenMode::kExisting);
  ASSERT_TRUE(Revoke(*engine_, {}, live_.uuid, {}).ok());
  Close();
  fs::remove_all(rocks);
  fs::rename(dir_ / "copy", rocks);
  EXPECT_EQ(OpenCode(), Code::kRolledBack);
}

TEST_F(Tamper, ARevocationIsATombstoneOfItsOwn) {
  Close();
  EditStore([&](const Storage& storage, Batch*) {
    EXPECT_TRUE(storage.Get(column::kTombstone, revoked_.uuid.view()).ok());
    EXPECT_EQ(storage.Get(column::kTombstone, live_.uuid.view()).code(), Code::kNotFound);
  });
}

}  // namespace
}  // namespace latchkey::test
