// Random histories, then random tampering, then a repair: what a std::map says of each key is what
// the store says of it; or, where nothing shows it, nothing is allowed that was not.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "support/seed.h"
#include "unit/service/tampering.h"

namespace latchkey::test {
namespace {

using Random64 = std::mt19937_64;

class RepairRandom : public TamperedStore {
 public:
  void SetUp() override { EngineTest::SetUp(); }

 protected:
  struct Made {
    Key key;
    size_t user = 0;
    bool revoked = false;
    std::string name;
  };
  struct User {
    Uuid uuid;
    bool locked = false;
    bool maintainer = false;
  };

  Reason Due(const Made& made) const {
    if (made.revoked) return Reason::kRevoked;
    return users_[made.user].locked ? Reason::kLocked : Reason::kAllowed;
  }

  void Begin() {
    Close();
    std::filesystem::remove_all(dir_ / "store");
    std::filesystem::remove(dir_ / "store.pepper");
    users_.clear();
    made_.clear();
    earlier_.clear();
    Open(OpenMode::kCreate);
    for (int i = 0; i < 3; ++i) users_.push_back({MakeUser("u" + std::to_string(i)).uuid});
    NewOwner project;
    project.sort = OwnerSort::kProject;
    project.name = "project";
    project_ = CreateOwnerNow(*engine_, {}, project)->uuid;
  }

  void Step(Random64& random) {
    const size_t u = random() % users_.size();
    Made* one = made_.empty() ? nullptr : &made_[random() % made_.size()];
    switch (one == nullptr ? 0 : random() % 8) {
      case 0:
      case 1:
      case 2: {
        const std::string name = "k" + std::to_string(random() % 10);
        if (!users_[u].locked) made_.push_back({MakeKey(users_[u].uuid, name), u, false, name});
        break;
      }
      case 3:
        one->name = "r" + std::to_string(random() % 10);
        ASSERT_TRUE(Rename(*engine_, {}, one->key.uuid, one->name).ok());
        break;
      case 4:
        ASSERT_EQ(Revoke(*engine_, users_[u].uuid, one->key.uuid, "r").ok(), !one->revoked);
        one->revoked = true;
        break;
      case 5: {
        UpdateOwner lock;
        lock.uuid = users_[u].uuid;
        users_[u].locked = !users_[u].locked;
        lock.locked = users_[u].locked;
        ASSERT_TRUE(UpdateOwnerNow(*engine_, {}, lock).ok());
        break;
      }
      case 6:
        if (users_[u].maintainer) {
          ASSERT_TRUE(RemoveGrantNow(*engine_, {}, {project_, users_[u].uuid}).ok());
        } else {
          ASSERT_TRUE(
              SetGrantNow(*engine_, {}, {project_, users_[u].uuid, Role::kMaintainer}).ok());
        }
        users_[u].maintainer = !users_[u].maintainer;
        break;
      default: {
        if (random() % 3 != 0) break;
        SweepRecord sweep;
        sweep.owner = users_[u].uuid;
        ASSERT_TRUE(RevokeAll(*engine_, {}, sweep, false).ok());
        for (Made& made : made_) made.revoked = made.revoked || made.user == u;
        break;
      }
    }
  }

  // Any key of the column, and any value that it has or had.
  static const std::pair<const std::pair<uint8_t, Bytes>, Bytes>* Any(const Contents& contents,
                                                                      uint8_t column,
                                                                      Random64& random) {
    const auto first = contents.lower_bound({column, Bytes()});
    const auto last = contents.lower_bound({static_cast<uint8_t>(column + 1), Bytes()});
    const auto size = std::distance(first, last);
    if (size == 0) return nullptr;
    return &*std::next(first, static_cast<ptrdiff_t>(random() % static_cast<uint64_t>(size)));
  }

  // `columns`: which of them are tampered with.
  void Tamper(const Contents& now, const std::vector<uint8_t>& columns, Random64& random,
              Batch* batch) {
    const uint8_t column = columns[random() % columns.size()];
    const auto* entry = Any(now, column, random);
    const Contents& old = earlier_[random() % earlier_.size()];
    const auto* old_entry = Any(old, column, random);
    switch (random() % 5) {
      case 0:
        if (entry != nullptr) batch->Delete(column, entry->first.second);
        break;
      case 1:
        if (entry != nullptr && !entry->second.empty()) {
          Bytes value = entry->second;
          value[random() % value.size()] ^= static_cast<char>(1 << random() % 8);
          batch->Put(column, entry->first.second, value);
        }
        break;
      case 2:  // as it was once
        if (old_entry != nullptr) batch->Put(column, old_entry->first.second, old_entry->second);
        break;
      case 3: {  // two swapped
        const auto* other = Any(now, column, random);
        if (entry == nullptr) break;
        batch->Put(column, entry->first.second, other->second);
        batch->Put(column, other->first.second, entry->second);
        break;
      }
      default:  // planted
        if (entry != nullptr) {
          Bytes key = entry->first.second;
          key[random() % key.size()] ^= static_cast<char>(1 << random() % 8);
          batch->Put(column, key, entry->second);
        }
    }
  }

  void Tamper(const std::vector<uint8_t>& columns, Random64& random) {
    while (!engine_->authority().Now()->pending_sweeps.empty()) std::this_thread::yield();
    const Contents now = ReadStore();
    earlier_.push_back(now);
    EditStore([&](const Storage&, Batch* batch) {
      for (uint64_t i = 0; i <= random() % 6; ++i, ++faults_) Tamper(now, columns, random, batch);
    });
  }
  void Tell(const char* name, uint64_t lost) const {
    std::printf("%s: faults %llu, wrong %d, histories lost %llu\n", name,
                static_cast<unsigned long long>(faults_), HasFailure() ? 1 : 0,
                static_cast<unsigned long long>(lost));
  }
  void History(Random64& random) {
    Begin();
    const uint64_t steps = 15 + random() % 30;
    for (uint64_t i = 0; i < steps && !HasFatalFailure(); ++i) {
      Step(random);
      if (i % 12 == 11) {
        earlier_.push_back(ReadStore());
        Open(OpenMode::kExisting);
      }
    }
  }

  std::vector<User> users_;
  std::vector<Made> made_;
  Uuid project_;
  std::vector<Contents> earlier_;
  uint64_t faults_ = 0;
};

uint64_t Rounds() { return IsLongRun() ? 100 : 4; }

// The head, `ack` and the events are as they were: everything comes back.
TEST_F(RepairRandom, WhatTheEventsShowComesBack) {
  LATCHKEY_TEST_RANDOM(random);
  const std::vector<uint8_t> columns = {column::kOwner,  column::kOwnerSlug,  column::kOwnerEmail,
                                        column::kGrant,  column::kCredential, column::kByTag,
                                        column::kByName, column::kBySlug,     column::kTombstone,
                                        column::kSweep};
  for (uint64_t round = 0; round < Rounds() && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    History(random);
    Tamper(columns, random);
    const Status repaired = RepairNow();
    ASSERT_TRUE(repaired.ok()) << repaired.why() << testing::PrintToString(told_);
    EXPECT_FALSE(report_.history_begun);
    Open(OpenMode::kExisting);
    ASSERT_NE(engine_, nullptr) << testing::PrintToString(told_);
    ExpectSound();
    for (const Made& made : made_) {
      EXPECT_EQ(Judge(made.key), Due(made));
      EXPECT_EQ(GetCredential(*engine_, made.key.uuid)->record.name, made.name);
    }
    for (size_t u = 0; u < users_.size(); ++u) {
      const bool may = users_[u].maintainer && !users_[u].locked;
      EXPECT_EQ(Authorize(*engine_, users_[u].uuid, project_, Role::kMaintainer).ok(), may);
      const auto count = [&](bool revoked) {
        return static_cast<uint64_t>(std::count_if(
            made_.begin(), made_.end(),
            [&](const Made& made) { return made.user == u && made.revoked == revoked; }));
      };
      EXPECT_EQ(CountKeys(users_[u].uuid, true), count(true));
      EXPECT_EQ(CountKeys(users_[u].uuid, false), count(false));
    }
    ASSERT_TRUE(RepairNow().ok());
    EXPECT_EQ(report_.findings, 0u) << testing::PrintToString(told_);
  }
  Tell("repair, events whole", 0);
}

// Everything may have been tampered with: nothing comes back that had been taken away.
TEST_F(RepairRandom, WhatWasTakenAwayStaysSo) {
  LATCHKEY_TEST_RANDOM(random);
  std::vector<uint8_t> columns;
  for (const ColumnSpec& column : kColumns) {
    if (column.id != column::kUsage) columns.push_back(column.id);
  }
  uint64_t lost = 0;
  for (uint64_t round = 0; round < Rounds() && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    History(random);
    Tamper(columns, random);
    Status repaired = RepairNow();
    if (repaired.code() == Code::kUnsupported) continue;  // the format says a newer one
    if (!repaired.ok()) {
      ASSERT_TRUE(report_.needs_accept) << repaired.why();
      ++lost;
      RepairOptions accept;
      accept.accept_broken_events = true;
      repaired = RepairNow(accept);
    }
    ASSERT_TRUE(repaired.ok()) << repaired.why() << testing::PrintToString(told_);
    const bool is_shown = report_.proof != Proof::kNothing;
    Open(OpenMode::kExisting);
    ASSERT_NE(engine_, nullptr) << testing::PrintToString(told_);
    ExpectSound();
    for (const Made& made : made_) {
      if (is_shown) {
        EXPECT_EQ(Judge(made.key), Due(made)) << testing::PrintToString(told_);
      } else {
        EXPECT_NE(Judge(made.key), Reason::kAllowed) << testing::PrintToString(told_);
      }
    }
    for (const User& user : users_) {
      const bool may = Authorize(*engine_, user.uuid, project_, Role::kViewer).ok();
      EXPECT_LE(may, is_shown && user.maintainer && !user.locked);
    }
    ASSERT_TRUE(RepairNow().ok());
    EXPECT_EQ(report_.findings, 0u) << testing::PrintToString(told_);
  }
  Tell("repair, all tampered with", lost);
  if (IsLongRun()) {
    EXPECT_GT(lost, 0u);
  }
}

}  // namespace
}  // namespace latchkey::test
