// What was revoked does not come back with a backup, however little is left of the store that is
// given up: random histories, a backup at a random moment, more changes, random damage.
#include "service/restore.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "service/backup.h"
#include "service/salvaged.h"
#include "support/edit_store.h"
#include "support/seed.h"
#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

namespace fs = std::filesystem;

class RestoreTest : public EngineTest {
 protected:
  std::string store() const { return dir_ / "store"; }
  std::string damaged() const { return dir_ / "damaged"; }
  std::string rocks() const { return damaged() + "/rocks"; }

  void MakeBackup() {
    const Result<Backup> made = BackUp(*engine_, {dir_ / "backups", 0, nullptr});
    ASSERT_TRUE(made.ok()) << made.status().why();
  }
  // A copy of the store as it lies there, in use or closed.
  void CopyToDamaged() {
    std::error_code failed;
    do {  // a log or table may have gone in between
      fs::remove_all(damaged());
      fs::copy(store(), damaged(), fs::copy_options::recursive, failed);
    } while (failed && fs::exists(store()));
  }
  Result<RestoreReport> RestoreWith(const std::string& damaged_path,
                                    std::span<const ListedRevocation> list) {
    RestoreWish wish;
    wish.revocations = list;
    wish.backups = dir_ / "backups";
    wish.path = dir_ / "restored";
    wish.pepper_path = dir_ / "store.pepper";
    wish.damaged_path = damaged_path;
    return Restore(wish);
  }
  // From here on engine_ is the restored store.
  void OpenRestored() {
    Close();
    EngineOptions options = Options(OpenMode::kExisting);
    options.store.path = dir_ / "restored";
    OpenWith(std::move(options));
    ASSERT_TRUE(engine_->loader().Wait().ok());
  }
  void RestoreAndOpen(RestoreReport* report = nullptr,
                      std::span<const ListedRevocation> list = {}) {
    const Result<RestoreReport> restored = RestoreWith(damaged(), list);
    ASSERT_TRUE(restored.ok()) << restored.status().why();
    if (report != nullptr) *report = *restored;
    OpenRestored();
    ExpectSound();
  }
  void Lock(const Uuid& user, bool locked) {
    UpdateOwner wish;
    wish.uuid = user;
    wish.locked = locked;
    ASSERT_TRUE(UpdateOwnerNow(*engine_, {}, wish).ok());
  }
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

// ---- Random histories

class RandomRestore : public RestoreTest {
 protected:
  void Step(std::mt19937_64* random) {
    const Uuid owner = owners_[(*random)() % owners_.size()];
    const uint64_t what = (*random)() % 20;
    if (what < 10) {
      if (locked_.contains(owner)) return;
      keys_.push_back(MakeKey(owner, "k" + std::to_string(keys_.size())));
      owner_of_[keys_.back().uuid] = owner;
    } else if (what < 16 && !keys_.empty()) {
      const Key& key = keys_[(*random)() % keys_.size()];
      const Status status = Revoke(*engine_, {}, key.uuid, "test").status();
      ASSERT_TRUE(status.ok() || status.code() == Code::kConflict) << status.why();
      revoked_.insert(key.uuid);
    } else if (what < 18) {
      Lock(owner, !locked_.contains(owner));
      if (!locked_.erase(owner)) locked_.insert(owner);
    } else if (what == 18) {
      SweepRecord sweep;
      sweep.owner = owner;
      ASSERT_TRUE(RevokeAll(*engine_, {}, sweep, false).ok());
      for (const Key& key : keys_) {
        if (owner_of_[key.uuid] == owner) revoked_.insert(key.uuid);
      }
    } else {
      Reopen();  // what was in the log is in tables
    }
  }

  // Tombstones and sweeps that a sound copy of these files says there are.
  Salvaged ReadableIn(const std::set<std::string>& names, const RecordMac& mac) {
    const std::string place = dir_ / "looked";
    fs::remove_all(place);
    fs::create_directories(place + "/rocks");
    for (const std::string& name : names) fs::copy(rocks() + "/" + name, place + "/rocks/" + name);
    Result<Salvaged> salvaged = SalvageRestrictions(place, mac);
    EXPECT_TRUE(salvaged.ok());
    EXPECT_EQ(salvaged->files.damaged, 0u);
    return std::move(*salvaged);
  }

  static bool IsSwept(const Salvaged& salvaged, const Uuid& owner) {
    return std::any_of(salvaged.sweeps.begin(), salvaged.sweeps.end(),
                       [&](const auto& sweep) { return sweep.second.owner == owner; });
  }

  std::vector<Uuid> owners_;
  std::vector<Key> keys_;
  std::map<Uuid, Uuid> owner_of_;
  std::set<Uuid> revoked_;
  std::set<Uuid> locked_;
};

void Damage(const std::string& path, std::mt19937_64* random) {
  std::string content;
  {
    std::ifstream in(path, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(in), {});
  }
  switch ((*random)() % 3) {
    case 0:
      fs::remove(path);
      return;
    case 1:
      content.resize(content.size() / 2);
      break;
    default:
      for (int i = 0; i < 3 && !content.empty(); ++i) {
        char& byte = content[(*random)() % content.size()];
        byte = static_cast<char>(byte ^ (1 << (*random)() % 8));
      }
  }
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

TEST_F(RandomRestore, WhatIsReadableAsRevokedNeverComesBack) {
  LATCHKEY_TEST_RANDOM(random);
  for (int round = 0; round < 4; ++round) {
    SCOPED_TRACE(round);
    if (round != 0) {
      Close();
      for (const char* name : {"store", "backups", "restored", "damaged"}) {
        fs::remove_all(dir_ / name);
      }
      fs::remove(dir_ / "store.pepper");
      Open(OpenMode::kCreate);
      owners_.clear(), keys_.clear(), owner_of_.clear(), revoked_.clear(), locked_.clear();
    }
    for (int i = 0; i < 4; ++i) owners_.push_back(MakeUser("u" + std::to_string(i)).uuid);
    for (uint64_t i = random() % 60; i > 0; --i) Step(&random);
    MakeBackup();
    const uint64_t number_before = EpochOf(*engine_).event_number;
    const std::set<Uuid> revoked_before = revoked_;
    for (uint64_t i = random() % 60; i > 0; --i) Step(&random);
    CopyToDamaged();  // in use: some of it is in the log

    std::set<std::string> files;
    for (const auto& entry : fs::directory_iterator(rocks())) {
      const std::string name = entry.path().filename();
      if (name.ends_with(".sst") || name.ends_with(".log")) files.insert(name);
    }
    std::set<std::string> sound = files;
    for (const std::string& name : files) {
      if (random() % 3 == 0) sound.erase(name);
    }
    const auto pepper = PepperFile::Load(dir_ / "store.pepper");
    const auto ring = PepperRing::Make(*pepper, engine_->authority().store().store_id);
    const RecordMac mac(*ring);
    const Salvaged whole = ReadableIn(files, mac);
    const Salvaged readable = ReadableIn(sound, mac);
    // Nothing that was acknowledged is missing from sound files.
    for (const Uuid& uuid : revoked_) {
      EXPECT_TRUE(whole.tombstones.contains(uuid) || IsSwept(whole, owner_of_[uuid]));
    }
    for (const Uuid& owner : owners_) {
      EXPECT_EQ(whole.owners.at(owner).locked, locked_.contains(owner));
    }
    std::vector<ListedRevocation> list;
    std::set<Uuid> listed;
    for (uint64_t i = random() % 5; i > 0 && !keys_.empty(); --i) {
      list.push_back({keys_[random() % keys_.size()].uuid, 0});
      listed.insert(list.back().uuid);
    }
    for (const std::string& name : files) {
      if (!sound.contains(name)) Damage(rocks() + "/" + name, &random);
    }
    for (const auto& entry : fs::recursive_directory_iterator(damaged())) {
      const std::string name = entry.path().filename();
      if (entry.is_regular_file() && !files.contains(name) && random() % 2 == 0) {
        Damage(entry.path(), &random);
      }
    }
    RestoreAndOpen(nullptr, list);
    if (HasFatalFailure()) return;

    uint64_t came_back = 0;
    for (const Key& key : keys_) {
      const Reason reason = Judge(key);
      if (reason == Reason::kAllowed && revoked_.contains(key.uuid)) ++came_back;
      if (revoked_before.contains(key.uuid)) {
        EXPECT_EQ(reason, Reason::kRevoked);
      }
      if (readable.tombstones.contains(key.uuid) || listed.contains(key.uuid)) {
        EXPECT_TRUE(reason == Reason::kRevoked || reason == Reason::kUnknown);
      }
      for (const auto& [number, sweep] : readable.sweeps) {
        if (sweep.owner == owner_of_[key.uuid] && revoked_.contains(key.uuid) &&
            whole.tombstones.contains(key.uuid) && whole.tombstones.at(key.uuid).sweep == number) {
          EXPECT_NE(reason, Reason::kAllowed);
        }
      }
      const auto owner = readable.owners.find(owner_of_[key.uuid]);
      if (owner != readable.owners.end() && owner->second.locked &&
          owner->second.last_event > number_before) {
        EXPECT_NE(reason, Reason::kAllowed);
      }
      // Nothing else is refused: what was never revoked, nor its owner ever locked.
      if (!revoked_.contains(key.uuid) && !listed.contains(key.uuid) &&
          reason != Reason::kUnknown && reason != Reason::kLocked) {
        EXPECT_EQ(reason, Reason::kAllowed);
      }
    }
    if (sound == files) {
      EXPECT_EQ(came_back, 0u);
    }
  }
}

}  // namespace
}  // namespace latchkey::test
