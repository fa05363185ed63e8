// A host's clock that is not what it should be. What is due, with a reopen after each:
//
//   the clock                     | the store's time   | keys
//   ------------------------------+--------------------+-----------------------------------------
//   runs backwards                | stands at the      | what has expired stays so; what is made
//                                 | latest             | is made at the latest
//   stands still                  | stands still       | nothing expires
//   jumps to 2100 and is back     | 2100, then as      | what expires by then is refused while it
//   within an hour                | before             | lasts; what is made then is of 2100
//   jumps to 2100 for more than   | 2100, for good     | what expires by then has expired
//   an hour, and is back          |                    |
//   is at 2100 when the store is  | 2100, for good     | the same: an open believes its first
//   opened, and is back           |                    | reading, as a store may be closed for
//                                 |                    | years
//   passes 2038-01-19, 2106-02-07 | goes on            | a key is dead at the second at which it
//   (where 32 bits end), and is   |                    | expires, alive at the one before;
//   in 2159                       |                    | creates, lists, issued_before go on
//   reaches 9999-12-31T23:59:59   | stands: the format | what expires later never does
//                                 | has no later time  |
//
// The time of last use is kept in 32 bits: from 2106-02-07T06:28:15 on it stays there.
#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/limits.h"
#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

constexpr int64_t kStartS = 1'750'000'000;
constexpr int64_t k2100S = 4'102'444'800;
constexpr int64_t kU32MaxS = 4'294'967'295;

class Clocks : public EngineTest {
 protected:
  Key Make(ByteView name, int64_t ttl_s) {
    NewCredential wish;
    wish.owner = user_.uuid;
    wish.kind = kind::kUserKey;
    wish.ttl_s = ttl_s;
    wish.name = name;
    GeneratedSecret secret;
    const Result<CredentialView> view = Issue(*engine_, wish, &secret);
    EXPECT_TRUE(view.ok()) << view.status().why();
    return view.ok() ? Key{view->record.uuid, Bytes(secret.Expose())} : Key{};
  }
  void Begin(int64_t wall_s) {
    Close();
    std::filesystem::remove_all(dir_ / "store");
    std::filesystem::remove(dir_ / "store.pepper");
    clock_.SetWallMs(wall_s * 1000);
    Open(OpenMode::kCreate);
    user_ = MakeUser("muriel");
  }
  void JumpTo(int64_t wall_s) { clock_.SetWallMs(wall_s * 1000); }
  int64_t NowS() { return engine_->clock().NowS(); }
  int64_t CreationOf(const Key& key) {
    return GetCredential(*engine_, key.uuid)->record.creation_s;
  }
  uint32_t LastUsedOf(const Key& key) { return GetCredential(*engine_, key.uuid)->last_used_s; }

  OwnerRecord user_;
};

TEST_F(Clocks, OneThatRunsBackwardsRevivesNothing) {
  Begin(kStartS);
  const Key hour = Make("hour", 3600);
  const Key day = Make("day", 86'400);
  for (int minute = 0; minute < 61; ++minute) {
    clock_.AdvanceMs(60'000);
    NowS();
  }
  const int64_t latest_s = kStartS + 61 * 60;
  ASSERT_EQ(NowS(), latest_s);
  for (int second = 0; second < 5; ++second) {
    clock_.StepWallMs(-20'000'000);
    EXPECT_EQ(NowS(), latest_s);
    EXPECT_EQ(Judge(hour), Reason::kExpired);
    EXPECT_EQ(Judge(day), Reason::kAllowed);
  }
  const Key made = Make("made", 10);
  EXPECT_EQ(CreationOf(made), latest_s);
  EXPECT_EQ(LastUsedOf(day), latest_s);
  Reopen();
  EXPECT_EQ(NowS(), latest_s);
  EXPECT_EQ(Judge(hour), Reason::kExpired);
  EXPECT_EQ(Judge(day), Reason::kAllowed);
  EXPECT_EQ(Judge(made), Reason::kAllowed);
  EXPECT_EQ(CountKeys(user_.uuid, false), 3u);
  ExpectSound();
}

TEST_F(Clocks, OneThatStandsStillLetsNothingExpire) {
  Begin(kStartS);
  const Key key = Make("second", 1);
  for (int round = 0; round < 3; ++round) {
    clock_.SetMonotonicMs(clock_.MonotonicMs() + 86'400'000);
    EXPECT_EQ(NowS(), kStartS);
    EXPECT_EQ(Judge(key), Reason::kAllowed);
    Reopen();
  }
  EXPECT_EQ(LastUsedOf(key), kStartS);
  clock_.AdvanceMs(1000);
  EXPECT_EQ(Judge(key), Reason::kExpired);
}

TEST_F(Clocks, AJumpTo2100AndBackIsForgotten) {
  Begin(kStartS);
  const Key year = Make("year", 365 * 86'400);
  const Key longest = Make("longest", limits::kTtlMaxS);
  JumpTo(k2100S);
  EXPECT_EQ(NowS(), k2100S);
  EXPECT_EQ(Judge(year), Reason::kExpired);
  EXPECT_EQ(Judge(longest), Reason::kAllowed);
  const Key ahead = Make("ahead", 3600);
  EXPECT_EQ(CreationOf(ahead), k2100S);
  JumpTo(kStartS + 60);
  EXPECT_EQ(NowS(), kStartS + 60);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Judge(year), Reason::kAllowed);
    EXPECT_EQ(Judge(longest), Reason::kAllowed);
    EXPECT_EQ(Judge(ahead), Reason::kAllowed);  // until an hour behind the beginning of 2100
    Reopen();
    EXPECT_EQ(NowS(), kStartS + 60);
  }
  // By the time at which each says it was made.
  SweepRecord before_2100;
  before_2100.owner = user_.uuid;
  before_2100.issued_before_s = k2100S;
  EXPECT_EQ(*RevokeAll(*engine_, {}, before_2100, false), 2u);
  EXPECT_EQ(Judge(year), Reason::kRevoked);
  EXPECT_EQ(Judge(ahead), Reason::kAllowed);
  Reopen();
  EXPECT_EQ(Judge(longest), Reason::kRevoked);
  EXPECT_EQ(Judge(ahead), Reason::kAllowed);
  ExpectSound();
}

TEST_F(Clocks, AJumpTo2100ThatLastsAnHourIsRemembered) {
  Begin(kStartS);
  const Key year = Make("year", 365 * 86'400);
  const Key longest = Make("longest", limits::kTtlMaxS);
  JumpTo(k2100S);
  EXPECT_EQ(Judge(year), Reason::kExpired);
  for (int minute = 0; minute < 62; ++minute) {
    clock_.AdvanceMs(60'000);
    NowS();
  }
  ASSERT_FALSE(engine_->clock().jump_pending());
  MakeUser("a commit that remembers the time");
  JumpTo(kStartS + 7200);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(NowS(), k2100S + 62 * 60);
    EXPECT_EQ(Judge(year), Reason::kExpired);
    EXPECT_EQ(Judge(longest), Reason::kAllowed);
    Reopen();
  }
}

TEST_F(Clocks, AnOpenIn2100IsBelieved) {
  Begin(kStartS);
  const Key year = Make("year", 365 * 86'400);
  const Key longest = Make("longest", limits::kTtlMaxS);
  Close();
  JumpTo(k2100S);
  Open(OpenMode::kExisting);
  EXPECT_EQ(Judge(year), Reason::kExpired);
  JumpTo(kStartS + 60);
  EXPECT_EQ(NowS(), k2100S);
  Reopen();
  EXPECT_EQ(NowS(), k2100S);
  EXPECT_EQ(Judge(year), Reason::kExpired);
  EXPECT_EQ(Judge(longest), Reason::kAllowed);
}

struct Boundary {
  const char* name;
  int64_t at_s;
};
class ClocksPassing : public Clocks, public testing::WithParamInterface<Boundary> {};

TEST_P(ClocksPassing, GoesOn) {
  const int64_t at_s = GetParam().at_s;
  Begin(at_s - 10);
  const Key at = Make("at", 10);
  const Key after = Make("after", 11);
  const Key longest = Make("longest", limits::kTtlMaxS);
  const auto used_s = [](int64_t now_s) {
    return static_cast<uint32_t>(std::min(now_s, kU32MaxS));
  };
  const auto expect = [&](int64_t now_s, Reason of_at, Reason of_after) {
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(NowS(), now_s);
      EXPECT_EQ(Judge(at), of_at);
      EXPECT_EQ(Judge(after), of_after);
      EXPECT_EQ(Judge(longest), Reason::kAllowed);
      EXPECT_EQ(LastUsedOf(longest), used_s(now_s));
      Reopen();
      EXPECT_EQ(LastUsedOf(longest), used_s(now_s));
    }
  };
  clock_.AdvanceMs(9'000);
  expect(at_s - 1, Reason::kAllowed, Reason::kAllowed);
  clock_.AdvanceMs(1'000);
  expect(at_s, Reason::kExpired, Reason::kAllowed);
  clock_.AdvanceMs(1'000);
  expect(at_s + 1, Reason::kExpired, Reason::kExpired);

  const Key made = Make("made", 5);
  EXPECT_EQ(CreationOf(made), at_s + 1);
  EXPECT_EQ(GetCredential(*engine_, longest.uuid)->record.expires_s, at_s - 10 + limits::kTtlMaxS);
  EXPECT_EQ(CountKeys(user_.uuid, false), 4u);  // expired ones are listed until they are revoked
  SweepRecord sweep;
  sweep.owner = user_.uuid;
  sweep.issued_before_s = at_s + 1;
  EXPECT_EQ(*RevokeAll(*engine_, {}, sweep, false), 3u);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Judge(longest), Reason::kRevoked);
    EXPECT_EQ(Judge(made), Reason::kAllowed);
    EXPECT_EQ(LastUsedOf(made), used_s(at_s + 1));
    Reopen();
  }
  while (!engine_->authority().Now()->pending_sweeps.empty()) std::this_thread::yield();
  EXPECT_EQ(GetCredential(*engine_, longest.uuid)->revocation.revoked_s, at_s + 1);
  EXPECT_EQ(CountKeys(user_.uuid, true), 3u);
  ExpectSound();
}

INSTANTIATE_TEST_SUITE_P(Years, ClocksPassing,
                         testing::Values(Boundary{"Y2038", 2'147'483'648},
                                         Boundary{"Y2106", kU32MaxS + 1},
                                         Boundary{"Y2159", 5'967'000'000}),
                         [](const testing::TestParamInfo<Boundary>& row) {
                           return row.param.name;
                         });

TEST_F(Clocks, TheFormatEndsWith9999) {
  Begin(limits::kTimeMaxS - 5);
  const Key at = Make("at", 5);
  const Key never = Make("never", 6);
  clock_.AdvanceMs(100'000);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(NowS(), limits::kTimeMaxS);
    EXPECT_EQ(Judge(at), Reason::kExpired);
    EXPECT_EQ(Judge(never), Reason::kAllowed);
    Reopen();
  }
  EXPECT_TRUE(Revoke(*engine_, {}, never.uuid, {}).ok());
  EXPECT_EQ(Judge(never), Reason::kRevoked);
  ExpectSound();
}

}  // namespace
}  // namespace latchkey::test
