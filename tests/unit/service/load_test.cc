// What is asked and done while the table is being filled has its effect at once and keeps it.
#include "unit/service/held_load.h"

namespace latchkey::test {
namespace {

constexpr size_t kKeys = 600;  // three hand-overs

class Load : public HeldLoadTest {
 protected:
  void SetUp() override {
    HeldLoadTest::SetUp();
    user_ = MakeUser("muriel").uuid;
    keys_ = MakeKeys(user_, kKeys);
  }
  void ExpectAll(const std::vector<Key>& keys, Reason due) {
    for (const Key& key : keys) ASSERT_EQ(Judge(key), due);
  }

  Uuid user_;
  std::vector<Key> keys_;
};

TEST_F(Load, VerdictsAreThereAtOnce) {
  const OwnerRecord locked = MakeUser("locked");
  const OwnerRecord deleted = MakeUser("deleted");
  const Key locked_key = MakeKey(locked.uuid, "k");
  const Key deleted_key = MakeKey(deleted.uuid, "k");
  SetLocked(locked.uuid, true);
  ASSERT_TRUE(DeleteOwnerNow(*engine_, {}, deleted.uuid).ok());
  ASSERT_TRUE(Revoke(*engine_, {}, keys_[0].uuid, {}).ok());
  for (const uint64_t loaded : {0, 1, 2}) {
    ReopenHeld(loaded);
    EXPECT_FALSE(engine_->memory().complete());
    EXPECT_EQ(engine_->memory().table().size(), loaded * 256);
    for (const bool finished : {false, true}) {
      if (finished) FinishLoad();
      EXPECT_EQ(Judge(keys_[0]), Reason::kRevoked);
      EXPECT_EQ(Judge(locked_key), Reason::kLocked);
      EXPECT_EQ(Judge(deleted_key), Reason::kDeleted);
      ExpectAll({keys_.begin() + 1, keys_.end()}, Reason::kAllowed);
      Key stranger = keys_[1];
      stranger.secret.back() = stranger.secret.back() == 'a' ? 'b' : 'a';
      EXPECT_EQ(Judge(stranger), Reason::kUnknown);
      VerifyQuery query;
      query.required_scopes = 2;
      EXPECT_EQ(Verify(*engine_, keys_[2].secret, query).reason, Reason::kScope);
      query = {};
      query.at_s = engine_->clock().NowS() + 2000;
      EXPECT_EQ(Verify(*engine_, keys_[2].secret, query).reason, Reason::kExpired);
      const Verdict verdict = Verify(*engine_, keys_[3].secret, {});
      EXPECT_EQ(verdict.uuid, keys_[3].uuid);
      EXPECT_EQ(verdict.owner, user_);
      EXPECT_EQ(verdict.kind, kind::kUserKey);
      EXPECT_EQ(verdict.failure, Code::kOk);
    }
  }
}

TEST_F(Load, ARevocationMeanwhileLasts) {
  for (const uint64_t loaded : {1, 2}) {
    ReopenHeld(loaded);
    std::vector<Key> resident;
    std::vector<Key> stored;
    Split(keys_, &resident, &stored);
    const std::vector<Key> revoked = {resident[loaded], stored[loaded], stored.back()};
    for (const Key& key : revoked) ASSERT_TRUE(Revoke(*engine_, {}, key.uuid, {}).ok());
    ExpectAll(revoked, Reason::kRevoked);
    FinishLoad();
    ExpectAll(revoked, Reason::kRevoked);
    ExpectAll({resident[0], stored[0]}, Reason::kAllowed);
    ExpectSound();
    std::erase_if(keys_, [&](const Key& key) {
      return std::any_of(revoked.begin(), revoked.end(),
                         [&](const Key& one) { return one.uuid == key.uuid; });
    });
  }
}

TEST_F(Load, ASweepMeanwhileLastsAndCountsRight) {
  const Uuid other = MakeUser("other").uuid;
  const Key others = MakeKey(other, "k");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Revoke(*engine_, {}, keys_[i].uuid, {}).ok());
  ReopenHeld(1);
  SweepRecord sweep;
  sweep.owner = user_;
  const Result<uint64_t> covered = RevokeAll(*engine_, {}, sweep, false);
  ASSERT_TRUE(covered.ok()) << covered.status().why();
  EXPECT_EQ(*covered, kKeys - 5);
  EXPECT_EQ(*RevokeAll(*engine_, {}, sweep, false), 0u);
  // By what the table alone would know, were it complete.
  EXPECT_EQ(*RevokeAll(*engine_, {}, SweepRecord{}, true), 1u);
  const Key later = MakeKey(user_, "later");
  for (const bool finished : {false, true}) {
    if (finished) FinishLoad();
    ExpectAll(keys_, Reason::kRevoked);
    EXPECT_EQ(Judge(others), Reason::kRevoked);
    EXPECT_EQ(Judge(later), Reason::kAllowed);
  }
  ExpectSound();
}

TEST_F(Load, ASweepThatWasPendingIsInForce) {
  SweepRecord sweep;
  sweep.owner = user_;
  ASSERT_TRUE(RevokeAll(*engine_, {}, sweep, false).ok());
  ReopenHeld(1);  // most likely in the middle of the tombstones
  ExpectAll(keys_, Reason::kRevoked);
  FinishLoad();
  ExpectAll(keys_, Reason::kRevoked);
  ExpectSound();
}

TEST_F(Load, WhatIsMadeAndLockedMeanwhileIsSo) {
  ReopenHeld(1);
  const Uuid other = MakeUser("other").uuid;
  const Key key = MakeKey(other, "k");
  EXPECT_EQ(Judge(key), Reason::kAllowed);
  SetLocked(user_, true);
  ExpectAll(keys_, Reason::kLocked);
  SetLocked(user_, false);
  SetLocked(other, true);
  for (const bool finished : {false, true}) {
    if (finished) FinishLoad();
    ExpectAll(keys_, Reason::kAllowed);
    EXPECT_EQ(Judge(key), Reason::kLocked);
  }
  ExpectSound();
}

TEST_F(Load, TheTimeOfLastUseIsKept) {
  ReopenHeld(0);
  clock_.AdvanceMs(5000);
  ASSERT_EQ(Judge(keys_[0]), Reason::kAllowed);
  const auto used_s = static_cast<uint32_t>(engine_->clock().NowS());
  const auto shown_s = [&] { return GetCredential(*engine_, keys_[0].uuid)->last_used_s; };
  const auto listed_s = [&] {
    ListQuery query;
    query.owner = user_;
    query.kind = kind::kUserKey;
    query.filter.name = "k0";
    const Result<CredentialPage> page = ListCredentials(*engine_, query, 0, 1);
    return page.ok() && page->rows.size() == 1 ? page->rows[0].last_used_s : 0;
  };
  EXPECT_EQ(shown_s(), used_s);
  EXPECT_EQ(listed_s(), used_s);
  FinishLoad();
  EXPECT_EQ(shown_s(), used_s);
  EXPECT_EQ(listed_s(), used_s);
  ReopenHeld(0);
  EXPECT_EQ(shown_s(), used_s);
  EXPECT_EQ(listed_s(), used_s);
  FinishLoad();
  EXPECT_EQ(shown_s(), used_s);
}

TEST_F(Load, CloseEndsIt) {
  Close();
  std::atomic<int> handed_over{0};
  EngineOptions options = Options(OpenMode::kExisting);
  std::atomic<bool> closing{false};
  options.load.hold = [&](uint64_t) {
    ++handed_over;
    while (!closing.load()) std::this_thread::yield();
  };
  OpenWith(std::move(options));
  while (handed_over.load() == 0) std::this_thread::yield();
  std::thread releaser([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    closing.store(true);
  });
  Close();
  releaser.join();
  EXPECT_EQ(handed_over.load(), 1);  // of three
}

TEST_F(Load, ProgressIsToldAtTheEnd) {
  for (const bool first : {false, true}) {
    Close();
    std::atomic<uint64_t> done{0};
    std::atomic<uint64_t> total{0};
    EngineOptions options = Options(OpenMode::kExisting);
    options.load_first = first;
    options.load.progress = [&](uint64_t done_now, uint64_t total_now) {
      done.store(done_now);
      total.store(total_now);
    };
    OpenWith(std::move(options));
    ASSERT_TRUE(engine_->loader().Wait().ok());
    Close();  // and its thread is gone
    EXPECT_EQ(done.load(), kKeys);
    EXPECT_EQ(total.load(), kKeys);
  }
}

// A revocation of which nobody knows whether it was written denies, though neither the store nor
// the snapshot that is being loaded says so.
class LoadRestricted : public Load {
 protected:
  // The group that is next, with this event alone, whose write has failed.
  void RestrictTo(EventBody body) {
    Event event;
    event.number = NextEvent();
    event.body = std::move(body);
    ASSERT_TRUE(engine_->memory().Prepare({&event, 1}).ok());
    engine_->memory().Restrict({&event, 1});
  }
  uint64_t NextEvent() { return engine_->authority().state().head.event_number + 1; }
};

TEST_F(LoadRestricted, OneByOne) {
  ReopenHeld(1);
  std::vector<Key> resident;
  std::vector<Key> stored;
  Split(keys_, &resident, &stored);
  for (const Key& key : {resident[0], stored[0]}) {
    const Result<CredentialView> view = GetCredential(*engine_, key.uuid);
    ASSERT_TRUE(view.ok());
    CredentialRevoked revoked;
    revoked.credential.uuid = key.uuid;
    revoked.credential.tag = view->record.tag;
    RestrictTo(revoked);
  }
  for (const bool finished : {false, true}) {
    if (finished) FinishLoad();
    ExpectAll({resident[0], stored[0]}, Reason::kRevoked);
    ExpectAll({resident[1], stored[1]}, Reason::kAllowed);
  }
}

TEST_F(LoadRestricted, BySweep) {
  ReopenHeld(1);
  const Uuid other = MakeUser("other").uuid;
  const Key others = MakeKey(other, "k");
  SweepStarted started;
  started.sweep.owner = user_;
  started.sweep.number = NextEvent();
  RestrictTo(started);
  for (const bool finished : {false, true}) {
    if (finished) FinishLoad();
    ExpectAll(keys_, Reason::kRevoked);
    EXPECT_EQ(Judge(others), Reason::kAllowed);
  }
}

class LoadFailedWrite : public Load, public testing::WithParamInterface<LogFault> {
 protected:
  // The background thread reopens the store about once a second; the loader is in the way until it
  // notices.
  void MendAndFinish() {
    env_.files->set_fault(LogFault::kNone);
    gate_->LetThrough(2);
    EXPECT_FALSE(engine_->authority().healing());  // it stands before the gate of a new load
    FinishLoad();
    for (int i = 0; i < 600 && engine_->authority().healing(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ASSERT_FALSE(engine_->authority().healing());
  }
};

TEST_P(LoadFailedWrite, DeniesAtOnceAndTheLoadBeginsAnew) {
  ReopenHeld(1);
  std::vector<Key> resident;
  std::vector<Key> stored;
  Split(keys_, &resident, &stored);
  env_.files->set_fault(GetParam());
  EXPECT_EQ(Revoke(*engine_, {}, stored[0].uuid, {}).code(), Code::kOutcomeUnknown);
  EXPECT_EQ(Judge(resident[0]), Reason::kAllowed);
  // Not in memory, and the store is not to be asked: not allowed, and not unknown either.
  for (const Key& key : {stored[0], stored[1]}) {
    const Verdict verdict = Verify(*engine_, key.secret, {});
    EXPECT_NE(verdict.reason, Reason::kAllowed);
    EXPECT_EQ(verdict.failure, Code::kBusy);
  }
  MendAndFinish();
  EXPECT_EQ(Judge(stored[0]), Reason::kRevoked);
  EXPECT_EQ(Judge(stored[1]), Reason::kAllowed);
  ExpectSound();
  Reopen();
  EXPECT_EQ(Judge(stored[0]), Reason::kRevoked);
  EXPECT_EQ(Judge(stored[1]), Reason::kAllowed);
}

TEST_P(LoadFailedWrite, ASweepThatFailedIsInForce) {
  ReopenHeld(1);
  env_.files->set_fault(GetParam());
  SweepRecord sweep;
  sweep.owner = user_;
  EXPECT_EQ(RevokeAll(*engine_, {}, sweep, false).code(), Code::kOutcomeUnknown);
  for (const Key& key : keys_) ASSERT_NE(Judge(key), Reason::kAllowed);
  MendAndFinish();
  ExpectAll(keys_, Reason::kRevoked);
  EXPECT_EQ(Judge(MakeKey(user_, "later")), Reason::kAllowed);
}

INSTANTIATE_TEST_SUITE_P(Faults, LoadFailedWrite,
                         testing::Values(LogFault::kAppend, LogFault::kSync),
                         [](const auto& fault) {
                           return fault.param == LogFault::kAppend ? "Append" : "Sync";
                         });

}  // namespace
}  // namespace latchkey::test
