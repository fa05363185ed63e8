// A table that may be smaller than the store: the same verdicts, whoever gives them.
#include "service/verify_stored.h"
#include "support/edit_store.h"
#include "unit/service/held_load.h"

namespace latchkey::test {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kBudget = 128 * kPage;  // a page for every other segment

class Bounded : public HeldLoadTest {
 protected:
  void SetUp() override { OpenBounded(OpenMode::kCreate, kBudget); }
  void OpenBounded(OpenMode mode, size_t budget_bytes) {
    Close();
    EngineOptions options = Options(mode);
    options.budgets.table_bytes = budget_bytes;
    OpenWith(std::move(options));
    ASSERT_TRUE(engine_->loader().Wait().ok());
  }
};

TEST_F(Bounded, ResidentAndStoredAnswerAlike) {
  const Uuid user = MakeUser("muriel").uuid;
  EXPECT_TRUE(engine_->memory().complete());  // nothing is left out yet
  std::vector<Key> keys = MakeKeys(user, 200);
  for (int reopened = 0; reopened < 2; ++reopened) {
    EXPECT_FALSE(engine_->memory().complete());
    EXPECT_LE(engine_->memory().table().memory_bytes(), kBudget);
    std::vector<Key> resident;
    std::vector<Key> stored;
    Split(keys, &resident, &stored);
    for (const Key& key : keys) ASSERT_EQ(Judge(key), Reason::kAllowed);
    SetLocked(user, true);
    for (const Key& key : keys) ASSERT_EQ(Judge(key), Reason::kLocked);
    SetLocked(user, false);
    for (std::vector<Key>* half : {&resident, &stored}) {
      ASSERT_TRUE(Revoke(*engine_, {}, half->back().uuid, {}).ok());
      EXPECT_EQ(Judge(half->back()), Reason::kRevoked);
      std::erase_if(keys, [&](const Key& key) { return key.uuid == half->back().uuid; });
      half->pop_back();
    }
    for (const Key& key : keys) ASSERT_EQ(Judge(key), Reason::kAllowed);
    ExpectSound();
    OpenBounded(OpenMode::kExisting, kBudget);
  }
  EXPECT_EQ(*RevokeAll(*engine_, {}, SweepRecord{}, true), keys.size());
  for (const Key& key : keys) ASSERT_EQ(Judge(key), Reason::kRevoked);
  EXPECT_EQ(Judge(MakeKey(user, "later")), Reason::kAllowed);
  ExpectSound();
}

// The first key that does not fit: the table was complete until then.
TEST_F(Bounded, ACreateThatDoesNotFitIsServed) {
  Close();
  std::filesystem::remove_all(dir_ / "store");
  std::filesystem::remove(dir_ / "store.pepper");
  OpenBounded(OpenMode::kCreate, kPage);
  const Uuid user = MakeUser("muriel").uuid;
  for (int i = 0; i < 20; ++i) {
    const Key key = MakeKey(user, "k" + std::to_string(i));
    ASSERT_EQ(Judge(key), Reason::kAllowed);
  }
  EXPECT_FALSE(engine_->memory().complete());
  EXPECT_LE(engine_->memory().table().memory_bytes(), kPage);
}

TEST_F(Bounded, TheTimeOfLastUseOfWhatIsStoredIsKept) {
  const std::vector<Key> keys = MakeKeys(MakeUser("muriel").uuid, 50);
  std::vector<Key> resident;
  std::vector<Key> stored;
  Split(keys, &resident, &stored);
  clock_.AdvanceMs(5000);
  const auto used_s = static_cast<uint32_t>(engine_->clock().NowS());
  for (const Key& key : {resident[0], stored[0]}) {
    ASSERT_EQ(Judge(key), Reason::kAllowed);
    EXPECT_EQ(GetCredential(*engine_, key.uuid)->last_used_s, used_s);
  }
  OpenBounded(OpenMode::kExisting, kBudget);
  for (const Key& key : {resident[0], stored[0]}) {
    EXPECT_EQ(GetCredential(*engine_, key.uuid)->last_used_s, used_s);
  }
  EXPECT_EQ(GetCredential(*engine_, stored[1].uuid)->last_used_s, 0u);
}

TEST_F(Bounded, UsesBeyondTheBoundAreLostAndNoOther) {
  StoredUses uses;
  for (uint32_t i = 1; i <= StoredUses::kSizeMax + 1; ++i) {
    TagWords tag;
    tag.low = i;
    uses.Note(tag, {}, i);
    uses.Note(tag, {}, i - 1);  // read before, noted after
    EXPECT_EQ(uses.Of(tag), i <= StoredUses::kSizeMax ? i : 0u);
  }
  std::vector<StoredUses::Use> all = uses.All();
  EXPECT_EQ(all.size(), StoredUses::kSizeMax);
  uses.Note(all[0].tag, {}, all[0].last_used_s + 1);  // used again while it was written
  uses.Forget(all);
  EXPECT_EQ(uses.Of(all[0].tag), all[0].last_used_s + 1);
  EXPECT_EQ(uses.All().size(), 1u);
}

// The index has no MAC: what it leads to must be the credential of that tag.
TEST_F(Bounded, ATagThatLeadsToAnotherCredentialIsNotAnswered) {
  const std::vector<Key> keys = MakeKeys(MakeUser("muriel").uuid, 50);
  std::vector<Key> resident;
  std::vector<Key> stored;
  Split(keys, &resident, &stored);
  const TagBytes tag = GetCredential(*engine_, stored[0].uuid)->record.tag;
  Close();
  EditStoreAt(dir_ / "store", [&](const Storage&, Batch* batch) {
    batch->Put(column::kByTag, View(tag), stored[1].uuid.view());
  });
  OpenBounded(OpenMode::kExisting, kBudget);
  const Verdict verdict = Verify(*engine_, stored[0].secret, {});
  EXPECT_EQ(verdict.reason, Reason::kUnknown);
  EXPECT_EQ(verdict.failure, Code::kCorruption);
  EXPECT_EQ(Judge(stored[1]), Reason::kAllowed);
}

// What has been committed and not applied yet has not returned: whoever asks the store must not see
// it, since whoever asks the table does not.
TEST_F(Bounded, TheStoreIsAnsweredAsFarAsMemoryFollowsIt) {
  const OwnerRecord user = MakeUser("muriel");
  const LocalAuthority& authority = engine_->authority();
  Memory before_create(authority, MemoryBudgets{});
  const Key key = MakeKey(user.uuid, "k");
  Memory before_revoke(authority, MemoryBudgets{});
  ASSERT_TRUE(Revoke(*engine_, {}, key.uuid, {}).ok());
  Memory after_all(authority, MemoryBudgets{});
  for (Memory* memory : {&before_create, &before_revoke, &after_all}) {
    ASSERT_TRUE(memory->LoadOwner(user).ok());
  }
  const TagBytes tag = GetCredential(*engine_, key.uuid)->record.tag;
  EXPECT_FALSE(LookInStore(authority, before_create, tag)->has_value());
  EXPECT_FALSE((*LookInStore(authority, before_revoke, tag))->words.revoked());
  EXPECT_TRUE((*LookInStore(authority, after_all, tag))->words.revoked());
}

}  // namespace
}  // namespace latchkey::test
