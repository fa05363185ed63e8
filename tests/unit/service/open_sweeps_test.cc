// A mass revocation is in force whatever happens between its commit and the moment when the verify
// table is told of it: another write that fails, so that the store is to be reopened and cannot be
// asked; a store that cannot be read.
#include <chrono>
#include <thread>

#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

class OpenSweepsTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    user_ = MakeUser("muriel").uuid;
    old_ = MakeKey(user_, "old");
    clock_.AdvanceMs(60'000);
    new_ = MakeKey(user_, "new");
  }
  // Nothing that the table knows tells whom this covers: the old key, and not the new one.
  SweepRecord OfTheOld() {
    SweepRecord sweep;
    sweep.issued_before_s = engine_->clock().NowS() - 30;
    return sweep;
  }
  // The commit alone: as if whoever asked for it had not come to Deny() yet.
  void CommitSweep(SweepRecord sweep) {
    ASSERT_TRUE(engine_->Run(Uuid{}, StartSweep{std::move(sweep)}).ok());
    ASSERT_EQ(Judge(old_), Reason::kAllowed);
  }
  void FailAWrite() {
    env_.files->set_fault(LogFault::kAppend);
    EXPECT_EQ(TryMakeKey(user_, "ghost").code(), Code::kOutcomeUnknown);
  }
  template <typename Condition>
  void WaitUntil(Condition&& condition) {
    for (int i = 0; i < 600 && !condition(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ASSERT_TRUE(condition());
  }

  Uuid user_;
  Key old_;
  Key new_;
};

TEST_F(OpenSweepsTest, InForceThoughTheNextWriteFails) {
  CommitSweep(OfTheOld());
  FailAWrite();
  EXPECT_EQ(Judge(old_), Reason::kRevoked);
  EXPECT_EQ(Judge(new_), Reason::kAllowed);
}

// Of the sweeps that the table can tell alone it remembers the latest: here that of the write which
// fails.
TEST_F(OpenSweepsTest, InForceThoughTheNextSweepFails) {
  SweepRecord of_owner;
  of_owner.owner = user_;
  CommitSweep(of_owner);
  const Uuid other = MakeUser("other").uuid;
  const Key others = MakeKey(other, "k");
  env_.files->set_fault(LogFault::kAppend);
  SweepRecord of_other;
  of_other.owner = other;
  EXPECT_EQ(RevokeAll(*engine_, {}, of_other, false).code(), Code::kOutcomeUnknown);
  for (const Key& key : {old_, new_, others}) EXPECT_EQ(Judge(key), Reason::kRevoked);
}

// Neither the table nor the store can say whom it covers: nobody is allowed until the store can.
TEST_F(OpenSweepsTest, NobodyIsAllowedWhileItCannotBeTold) {
  Result<std::unique_ptr<LocalAuthority::View>> view = engine_->authority().Look();
  ASSERT_TRUE(view.ok());  // it keeps the store from being reopened
  FailAWrite();
  Event event;
  event.number = engine_->authority().state().head.event_number + 1;
  SweepStarted started;
  started.sweep = OfTheOld();
  started.sweep.number = event.number;
  event.body = started;
  ASSERT_TRUE(engine_->memory().Prepare({&event, 1}).ok());
  engine_->memory().Restrict({&event, 1});
  for (const Key& key : {old_, new_}) {
    const Verdict verdict = Verify(*engine_, key.secret, {});
    EXPECT_NE(verdict.reason, Reason::kAllowed);
    EXPECT_EQ(verdict.failure, Code::kBusy);
  }
  env_.files->set_fault(LogFault::kNone);
  *view = nullptr;
  WaitUntil([&] { return !engine_->memory().is_doubted(); });
  EXPECT_EQ(Judge(old_), Reason::kRevoked);
  EXPECT_EQ(Judge(new_), Reason::kAllowed);
  EXPECT_EQ(Judge(MakeKey(user_, "later")), Reason::kAllowed);
}

// Waked by another sweep, the background would write tombstones of this one too, and what has its
// tombstone is not counted.
TEST_F(OpenSweepsTest, CountedBeforeItsTombstonesAreWritten) {
  const Uuid other = MakeUser("other").uuid;
  MakeKey(other, "key");
  SweepRecord of_owner;
  of_owner.owner = user_;
  const auto pending = [&] { return engine_->authority().Now()->pending_sweeps.size(); };
  {
    const SweepCounts::UnderWay count(&engine_->sweep_counts(),
                                      engine_->authority().Now()->head.event_number);
    CommitSweep(of_owner);
    of_owner.owner = other;
    const Result<uint64_t> denied = RevokeAll(*engine_, {}, of_owner, false);
    ASSERT_TRUE(denied.ok()) << denied.status().why();
    EXPECT_EQ(*denied, 1u);
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // more than a tick
    EXPECT_EQ(pending(), 2u);
    const Result<uint64_t> counted =
        engine_->memory().Deny(engine_->authority().Now()->pending_sweeps.front());
    ASSERT_TRUE(counted.ok()) << counted.status().why();
    EXPECT_EQ(*counted, 2u);
  }
  WaitUntil([&] { return pending() == 0; });
  EXPECT_EQ(CountKeys(user_, true), 2u);
}

}  // namespace
}  // namespace latchkey::test
