// A commit that fails midway: what it would have taken away is denied at once and for good, what it
// would have given is not served, and the store heals behind the engine once the fault is gone.
#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

class FailedWrite : public EngineTest, public testing::WithParamInterface<LogFault> {
 protected:
  void Break() { env_.files->set_fault(GetParam()); }
  // The background thread reopens the store about once a second.
  void MendAndWait() {
    env_.files->set_fault(LogFault::kNone);
    for (int i = 0; i < 600 && engine_->authority().healing(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ASSERT_FALSE(engine_->authority().healing());
  }
  // Retried revocations are committed just after healing() has turned false.
  bool ComesToBeRevokedOnDisk(const Uuid& uuid) {
    for (int i = 0; i < 200; ++i) {
      const Result<CredentialView> view = GetCredential(*engine_, uuid);
      if (view.ok() && view->revocation.revoked_s != 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
};

TEST_P(FailedWrite, RevokeIsInForceAtOnceAndLasts) {
  const OwnerRecord user = MakeUser("muriel");
  const Key doomed = MakeKey(user.uuid, "doomed");
  const Key other = MakeKey(user.uuid, "other");
  Break();
  EXPECT_EQ(Revoke(*engine_, {}, doomed.uuid, "leaked").code(), Code::kOutcomeUnknown);
  EXPECT_EQ(Judge(doomed), Reason::kRevoked);
  EXPECT_EQ(Judge(other), Reason::kAllowed);  // verification goes on from memory
  EXPECT_FALSE(TryMakeKey(user.uuid, "later").ok());
  MendAndWait();
  EXPECT_EQ(Judge(doomed), Reason::kRevoked);
  EXPECT_TRUE(ComesToBeRevokedOnDisk(doomed.uuid));
  EXPECT_EQ(Judge(MakeKey(user.uuid, "after")), Reason::kAllowed);
  ExpectSound();
  Reopen();
  EXPECT_EQ(Judge(doomed), Reason::kRevoked);
  EXPECT_EQ(Judge(other), Reason::kAllowed);
  ExpectSound();
}

TEST_P(FailedWrite, WhatWouldHaveBeenCreatedIsNotServed) {
  const OwnerRecord user = MakeUser("muriel");
  MakeKey(user.uuid, "before");
  ASSERT_EQ(CountKeys(user.uuid, false), 1u);
  const size_t entries = engine_->memory().table().size();
  Break();
  EXPECT_EQ(TryMakeKey(user.uuid, "ghost").code(), Code::kOutcomeUnknown);
  EXPECT_EQ(engine_->memory().table().size(), entries);
  EXPECT_EQ(CountKeys(user.uuid, false), 1u);
  MendAndWait();
  // Whole or absent: memory shows what the disk has.
  const uint64_t keys = CountKeys(user.uuid, false);
  EXPECT_EQ(keys, engine_->authority().state().head.active);
  EXPECT_EQ(engine_->memory().table().size(), keys);
  ExpectSound();
}

// The sweep is submitted again when the store has healed: what was acknowledged in the meantime is
// not swept by it, so there must be no meantime.
TEST_P(FailedWrite, WhatIsMadeOnceTheStoreHasHealedIsNotSwept) {
  for (int round = 0; round < 4; ++round) {
    const OwnerRecord user = MakeUser("muriel");
    const Key doomed = MakeKey(user.uuid, "doomed");
    Break();
    SweepRecord sweep;
    sweep.owner = user.uuid;
    EXPECT_EQ(RevokeAll(*engine_, {}, sweep, false).code(), Code::kOutcomeUnknown);
    std::vector<std::thread> makers;
    std::array<Result<Key>, 4> made{Status::Error(Code::kBusy, ""), Status::Error(Code::kBusy, ""),
                                    Status::Error(Code::kBusy, ""), Status::Error(Code::kBusy, "")};
    for (Result<Key>& key : made) {
      makers.emplace_back([&] {
        while (!key.ok()) key = TryMakeKey(user.uuid, "later");
      });
    }
    MendAndWait();
    for (std::thread& maker : makers) maker.join();
    EXPECT_TRUE(ComesToBeRevokedOnDisk(doomed.uuid));
    for (const Result<Key>& key : made) EXPECT_EQ(Judge(*key), Reason::kAllowed);
  }
}

TEST_P(FailedWrite, LockAndSweepAreInForceAtOnceAndLast) {
  const OwnerRecord locked = MakeUser("locked");
  const OwnerRecord swept = MakeUser("swept");
  const Key locked_key = MakeKey(locked.uuid, "k");
  const Key swept_key = MakeKey(swept.uuid, "k");
  Break();
  UpdateOwner lock;
  lock.uuid = locked.uuid;
  lock.locked = true;
  EXPECT_EQ(UpdateOwnerNow(*engine_, {}, lock).code(), Code::kOutcomeUnknown);
  EXPECT_EQ(Judge(locked_key), Reason::kLocked);
  MendAndWait();
  EXPECT_EQ(Judge(locked_key), Reason::kLocked);
  Break();
  SweepRecord sweep;
  sweep.owner = swept.uuid;
  EXPECT_EQ(RevokeAll(*engine_, {}, sweep, false).code(), Code::kOutcomeUnknown);
  EXPECT_EQ(Judge(swept_key), Reason::kRevoked);
  MendAndWait();
  EXPECT_TRUE(ComesToBeRevokedOnDisk(swept_key.uuid));
  Reopen();
  EXPECT_EQ(Judge(locked_key), Reason::kLocked);
  EXPECT_EQ(Judge(swept_key), Reason::kRevoked);
  ExpectSound();
}

INSTANTIATE_TEST_SUITE_P(Faults, FailedWrite, testing::Values(LogFault::kAppend, LogFault::kSync),
                         [](const auto& fault) {
                           return fault.param == LogFault::kAppend ? "Append" : "Sync";
                         });

using FailedFlush = EngineTest;

// Nobody has to change anything first, and whoever does is told that nothing has happened.
TEST_F(FailedFlush, IsHealedBehindTheEngine) {
  const OwnerRecord user = MakeUser("muriel");
  const Key before = MakeKey(user.uuid, "before");
  env_.files->set_fault(LogFault::kTableAppend);
  EXPECT_FALSE(engine_->authority().Flush().ok());
  EXPECT_NE(TryMakeKey(user.uuid, "meanwhile").code(), Code::kOutcomeUnknown);
  EXPECT_EQ(Judge(before), Reason::kAllowed);
  env_.files->set_fault(LogFault::kNone);
  bool is_healed = false;
  for (int i = 0; i < 600 && !is_healed; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    is_healed = engine_->authority().Flush().ok();
  }
  EXPECT_TRUE(is_healed);
  EXPECT_EQ(Judge(MakeKey(user.uuid, "after")), Reason::kAllowed);
  ExpectSound();
}

}  // namespace
}  // namespace latchkey::test
