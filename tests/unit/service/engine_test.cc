// What outlives a restart: the time of last use, the latest time, and a sweep that was under way.
#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

using EngineRestart = EngineTest;

TEST_F(EngineRestart, TheTimeOfLastUseIsKept) {
  const Key key = MakeKey(MakeUser("muriel").uuid, "k");
  EXPECT_EQ(GetCredential(*engine_, key.uuid)->last_used_s, 0u);
  clock_.AdvanceMs(5000);
  ASSERT_EQ(Judge(key), Reason::kAllowed);
  const auto used_s = static_cast<uint32_t>(engine_->clock().NowS());
  EXPECT_EQ(GetCredential(*engine_, key.uuid)->last_used_s, used_s);
  clock_.AdvanceMs(5000);
  Reopen();
  EXPECT_EQ(GetCredential(*engine_, key.uuid)->last_used_s, used_s);
  VerifyQuery what_if;
  what_if.at_s = engine_->clock().NowS();
  ASSERT_EQ(Verify(*engine_, key.secret, what_if).reason, Reason::kAllowed);
  EXPECT_EQ(GetCredential(*engine_, key.uuid)->last_used_s, used_s);  // a what-if is no use
}

TEST_F(EngineRestart, AClockThatWasSetBackRevivesNothing) {
  const Key key = MakeKey(MakeUser("muriel").uuid, "k");  // lives 1,000 s
  for (int minute = 0; minute < 20; ++minute) clock_.AdvanceMs(60'000);
  ASSERT_EQ(Judge(key), Reason::kExpired);
  MakeUser("a commit that remembers the time");
  clock_.StepWallMs(-1'200'000);
  EXPECT_EQ(Judge(key), Reason::kExpired);
  Reopen();
  EXPECT_EQ(Judge(key), Reason::kExpired);
}

TEST_F(EngineRestart, ASweepIsInForceBeforeItsTombstonesAndAfterAReopen) {
  const OwnerRecord user = MakeUser("muriel");
  std::vector<Key> keys;
  for (int i = 0; i < 600; ++i) keys.push_back(MakeKey(user.uuid, "k" + std::to_string(i)));
  SweepRecord sweep;
  sweep.owner = user.uuid;
  const Result<uint64_t> covered = RevokeAll(*engine_, {}, sweep, false);
  ASSERT_TRUE(covered.ok()) << covered.status().why();
  EXPECT_EQ(*covered, 600u);
  for (const Key& key : keys) ASSERT_EQ(Judge(key), Reason::kRevoked);
  EXPECT_EQ(CountKeys(user.uuid, /*revoked=*/true), 600u);
  EXPECT_EQ(Revoke(*engine_, {}, keys[0].uuid, {}).code(), Code::kConflict);
  const Key later = MakeKey(user.uuid, "later");
  Reopen();  // most likely in the middle of the tombstones
  for (const Key& key : keys) ASSERT_EQ(Judge(key), Reason::kRevoked);
  EXPECT_EQ(Judge(later), Reason::kAllowed);
  ExpectSound();
}

}  // namespace
}  // namespace latchkey::test
