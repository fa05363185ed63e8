// What was revoked does not come back with a backup, however little is left of the store that is
// given up.
#include "service/restore.h"

#include <filesystem>
#include <thread>
#include <vector>

#include "support/edit_store.h"
#include "unit/service/restore_fixture.h"

namespace latchkey::test {
namespace {

namespace fs = std::filesystem;

// With nobody behind the store who would write the tombstones, so that the sweep stays pending.
class IgnoreEvents : public EventSink {
 public:
  Status Prepare(std::span<const Event>) override { return Status::Ok(); }
  void Apply(std::span<const Event>) noexcept override {}
  void Restrict(std::span<const Event>) noexcept override {}
};

TEST_F(RestoreTest, CarriesOverRevocationsSweepsLocksAndDeletions) {
  const Uuid muriel = MakeUser("muriel").uuid;
  const Uuid eustace = MakeUser("eustace").uuid;
  const Uuid katz = MakeUser("katz").uuid;
  const Uuid swept = MakeUser("swept").uuid;
  const Key live = MakeKey(muriel, "live");
  const Key revoked = MakeKey(muriel, "revoked");
  const Key locked = MakeKey(eustace, "locked");
  const Key deleted = MakeKey(katz, "deleted");
  const Key all = MakeKey(swept, "all");
  MakeBackup();
  const Key unknown = MakeKey(muriel, "unknown");
  ASSERT_TRUE(Revoke(*engine_, muriel, revoked.uuid, "leaked").ok());
  ASSERT_TRUE(Revoke(*engine_, muriel, unknown.uuid, "leaked too").ok());
  const CredentialView before = *GetCredential(*engine_, revoked.uuid);
  Lock(eustace, true);
  ASSERT_TRUE(DeleteOwnerNow(*engine_, {}, katz).ok());
  SweepRecord sweep;
  sweep.owner = swept;
  ASSERT_TRUE(RevokeAll(*engine_, {}, sweep, false).ok());
  Close();
  CopyToDamaged();
  RestoreReport report;
  RestoreAndOpen(&report);
  EXPECT_EQ(Judge(live), Reason::kAllowed);
  EXPECT_EQ(Judge(revoked), Reason::kRevoked);
  EXPECT_EQ(Judge(unknown), Reason::kRevoked);
  EXPECT_EQ(Judge(locked), Reason::kLocked);
  EXPECT_EQ(Judge(deleted), Reason::kDeleted);
  EXPECT_EQ(Judge(all), Reason::kRevoked);
  EXPECT_EQ(report.kept_unknown, 1u);
  EXPECT_EQ(report.dropped_unknown, 0u);
  EXPECT_EQ(report.carried_owners, 3u);  // the sweep of all of an owner's refuses older tokens
  EXPECT_EQ(report.carried_sweeps, 1u);
  EXPECT_EQ(report.unreadable_files + report.unreadable_records + report.missing_tombstones, 0u);
  const CredentialView after = *GetCredential(*engine_, revoked.uuid);
  EXPECT_EQ(after.revocation.revoked_s, before.revocation.revoked_s);
  EXPECT_EQ(after.revocation.revoked_by, muriel);
  // And after a restart, when the tombstones of the sweep are there.
  Close();
  OpenRestored();
  EXPECT_EQ(Judge(all), Reason::kRevoked);
  ExpectSound();
}

TEST_F(RestoreTest, AnUnlockBeforeTheBackupStands) {
  const Uuid muriel = MakeUser("muriel").uuid;
  const Key key = MakeKey(muriel, "key");
  Lock(muriel, true);
  Lock(muriel, false);
  MakeBackup();
  MakeKey(muriel, "later");
  Close();
  CopyToDamaged();
  RestoreAndOpen();
  EXPECT_EQ(Judge(key), Reason::kAllowed);
}

// No unlocking is taken over, also not that of an owner whose deletion is.
TEST_F(RestoreTest, ALockOfTheBackupOutlastsADeletion) {
  const Uuid muriel = MakeUser("muriel").uuid;
  const Key key = MakeKey(muriel, "key");
  Lock(muriel, true);
  MakeBackup();
  Lock(muriel, false);
  ASSERT_TRUE(DeleteOwnerNow(*engine_, {}, muriel).ok());
  ASSERT_EQ(Judge(key), Reason::kDeleted);
  Close();
  CopyToDamaged();
  RestoreAndOpen();
  EXPECT_EQ(Judge(key), Reason::kLocked);
}

// A store that was restored from an older backup counts its own events, which may be lower numbers
// than those of a later backup: they are not older for that.
TEST_F(RestoreTest, ALockOfAnotherHistoryIsCarriedOver) {
  const Uuid muriel = MakeUser("muriel").uuid;
  const Key key = MakeKey(muriel, "key");
  MakeBackup();
  for (const char* name : {"m", "mu", "mur", "muri", "murie"}) {
    UpdateOwner wish;
    wish.uuid = muriel;
    wish.name = name;
    ASSERT_TRUE(UpdateOwnerNow(*engine_, {}, wish).ok());
  }
  MakeBackup();
  Close();
  RestoreWish wish;
  wish.backups = dir_ / "backups";
  wish.number = 1;
  wish.path = damaged();
  wish.pepper_path = dir_ / "store.pepper";
  ASSERT_TRUE(Restore(wish).ok());
  EngineOptions options = Options(OpenMode::kExisting);
  options.store.path = damaged();
  OpenWith(std::move(options));
  Lock(muriel, true);
  Close();
  RestoreAndOpen();
  EXPECT_EQ(Judge(key), Reason::kLocked);
}

// A list does not know who had asked for a revocation: what a sweep has still to revoke keeps the
// word of the sweep.
TEST_F(RestoreTest, AListLeavesAPendingSweepItsWord) {
  const Uuid muriel = MakeUser("muriel").uuid;
  const Key swept = MakeKey(muriel, "swept");
  MakeBackup();
  Close();
  {
    Random random;
    IgnoreEvents nobody;
    const auto authority = LocalAuthority::Open(Options(OpenMode::kExisting).store, random);
    ASSERT_TRUE(authority.ok()) << authority.status().why();
    ASSERT_TRUE((*authority)->Follow([](const auto&) { return Status::Ok(); }, &nobody).ok());
    StartSweep start;
    start.sweep.owner = muriel;
    const Outcome outcome = (*authority)->Submit({clock_.NowUnixMs() / 1000, muriel, start});
    ASSERT_TRUE(outcome.status.ok()) << outcome.status.why();
  }
  CopyToDamaged();
  const ListedRevocation listed{swept.uuid, 7};
  RestoreReport report;
  RestoreAndOpen(&report, {&listed, 1});
  EXPECT_EQ(report.carried_sweeps, 1u);
  EXPECT_EQ(report.listed, 0u);
  EXPECT_EQ(Judge(swept), Reason::kRevoked);
  while (!engine_->authority().Now()->pending_sweeps.empty()) std::this_thread::yield();
  const CredentialView view = *GetCredential(*engine_, swept.uuid);
  EXPECT_EQ(view.revocation.revoked_by, muriel);
  ExpectSound();
}

// Who can write to the damaged store but has no pepper plants nothing.
TEST_F(RestoreTest, AForgedTombstoneIsCountedAndNotBelieved) {
  const Uuid muriel = MakeUser("muriel").uuid;
  const Key key = MakeKey(muriel, "key");
  const Key revoked = MakeKey(muriel, "revoked");
  MakeBackup();
  ASSERT_TRUE(Revoke(*engine_, {}, revoked.uuid, {}).ok());
  Close();
  CopyToDamaged();
  EditStoreAt(damaged(), [&](const Storage& storage, Batch* batch) {
    // The tombstone of another, under this key.
    batch->Put(column::kTombstone, key.uuid.view(),
               *storage.Get(column::kTombstone, revoked.uuid.view()));
  });
  RestoreReport report;
  RestoreAndOpen(&report);
  EXPECT_EQ(report.unreadable_records, 1u);
  EXPECT_EQ(Judge(key), Reason::kAllowed);
  EXPECT_EQ(Judge(revoked), Reason::kRevoked);
}

// Everything but the tables and logs may be gone: nothing of it is needed.
TEST_F(RestoreTest, NeedsNothingButTablesAndLogs) {
  const Uuid muriel = MakeUser("muriel").uuid;
  std::vector<Key> keys;
  for (int i = 0; i < 20; ++i) keys.push_back(MakeKey(muriel, "k" + std::to_string(i)));
  MakeBackup();
  for (int i = 0; i < 20; i += 2) ASSERT_TRUE(Revoke(*engine_, {}, keys[i].uuid, {}).ok());
  Reopen();  // half of it in tables, half in the log
  for (int i = 1; i < 20; i += 4) ASSERT_TRUE(Revoke(*engine_, {}, keys[i].uuid, {}).ok());
  CopyToDamaged();
  fs::remove(damaged() + "/LATCHKEY");
  fs::remove(damaged() + "/ack");
  for (const auto& entry : fs::directory_iterator(rocks())) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".sst") && !name.ends_with(".log")) fs::remove(entry.path());
  }
  RestoreReport report;
  RestoreAndOpen(&report);
  EXPECT_EQ(report.carried_tombstones, 15u);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Judge(keys[i]), i % 2 == 0 || i % 4 == 1 ? Reason::kRevoked : Reason::kAllowed) << i;
  }
}

}  // namespace
}  // namespace latchkey::test
