// What was revoked does not come back with a backup: random histories, a backup at a random moment,
// more changes, random damage.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "service/salvaged.h"
#include "support/seed.h"
#include "unit/service/restore_fixture.h"

namespace latchkey::test {
namespace {

namespace fs = std::filesystem;

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
      if (locked_.erase(owner)) {
        unlocked_at_[owner] = EpochOf(*engine_).event_number;
      } else {
        locked_.insert(owner);
      }
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

  // Tombstones and sweeps that these files say there are. One that the background was just writing
  // when it was copied is there in part: what is to be in it is still in others.
  Salvaged ReadableIn(const std::set<std::string>& names, const RecordMac& mac) {
    const std::string place = dir_ / "looked";
    fs::remove_all(place);
    fs::create_directories(place + "/rocks");
    for (const std::string& name : names) fs::copy(rocks() + "/" + name, place + "/rocks/" + name);
    Result<Salvaged> salvaged = SalvageRestrictions(place, mac);
    EXPECT_TRUE(salvaged.ok());
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
  std::map<Uuid, uint64_t> unlocked_at_;  // the latest event by then
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
  const int rounds = IsLongRun() ? 150 : 4;
  int round = 0;
  for (; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    if (round != 0) {
      Close();
      for (const char* name : {"store", "backups", "restored", "damaged"}) {
        fs::remove_all(dir_ / name);
      }
      fs::remove(dir_ / "store.pepper");
      Open(OpenMode::kCreate);
      owners_.clear(), keys_.clear(), owner_of_.clear(), revoked_.clear(), locked_.clear();
      unlocked_at_.clear();
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
      // A damaged file may still tell of a later unlocking.
      const auto owner = readable.owners.find(owner_of_[key.uuid]);
      if (owner != readable.owners.end() && owner->second.locked &&
          owner->second.last_event > number_before &&
          owner->second.last_event > unlocked_at_[owner_of_[key.uuid]]) {
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
  std::printf("restored at random: tried %d, wrong %d\n", round, HasFailure() ? 1 : 0);
}

}  // namespace
}  // namespace latchkey::test
