// A store that somebody wrote to, or put back: found when all of it is read, or by the check, which
// says what is wrong. The table is in tampering.cc.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "unit/service/tampering.h"

namespace latchkey::test {
namespace {

using Tamper = TamperedStore;

using TamperTable = TamperedRows;

TEST_P(TamperTable, EachIsFound) {
  ForEachRow([&](const Tampering& tampering) {
    ASSERT_EQ(OpenCode(), tampering.load);
    if (tampering.load != Code::kOk) return;
    Open(OpenMode::kExisting);
    const std::vector<std::string> findings = Findings();
    EXPECT_GE(std::count(findings.begin(), findings.end(), tampering.finding), 1)
        << testing::PrintToString(findings);
  });
}

INSTANTIATE_TEST_SUITE_P(Rows, TamperTable, testing::Range(size_t{0}, TamperedRows::kTests));

TEST_F(Tamper, UntouchedOpens) {
  EXPECT_EQ(OpenCode(), Code::kOk);
  ExpectAsItWas();
}

TEST_F(Tamper, AnIndexApartFromItsRecordIsFoundByCheck) {
  EditStore([&](const Storage&, Batch* batch) {
    batch->Delete(column::kBySlug, keys::BySlug(muriel_.uuid, kind::kUserKey, "live").view());
    batch->Put(column::kByTag, Bytes(16, 'x'), muriel_.uuid.view());
  });
  Open(OpenMode::kExisting);
  EXPECT_EQ(Findings().size(), 3u);  // the slug, the size of the slug index, that of the tag index
}

TEST_F(Tamper, AnOlderCopyOfTheDatabaseIsRolledBack) {
  namespace fs = std::filesystem;
  const fs::path rocks = (dir_ / "store") + "/rocks";
  fs::copy(rocks, dir_ / "copy", fs::copy_options::recursive);
  Open(OpenMode::kExisting);
  ASSERT_TRUE(Revoke(*engine_, {}, live_.uuid, {}).ok());
  Close();
  fs::remove_all(rocks);
  fs::rename(dir_ / "copy", rocks);
  EXPECT_EQ(OpenCode(), Code::kRolledBack);
}

TEST_F(Tamper, ARevocationIsATombstoneOfItsOwn) {
  EditStore([&](const Storage& storage, Batch*) {
    EXPECT_TRUE(storage.Get(column::kTombstone, revoked_.uuid.view()).ok());
    EXPECT_EQ(storage.Get(column::kTombstone, live_.uuid.view()).code(), Code::kNotFound);
  });
}

// The revocations that the events tell of are looked for one by one.
TEST_F(Tamper, TheCheckNamesARevocationWithoutItsTombstone) {
  Open(OpenMode::kExisting);
  {
    // Taken away while the store is open, so that the load has not seen it.
    const auto view = engine_->authority().Look();
    ASSERT_TRUE(view.ok());
    Batch batch((*view)->storage());
    batch.Delete(column::kTombstone, revoked_.uuid.view());
    ASSERT_TRUE(const_cast<Storage&>((*view)->storage()).Commit(&batch).ok());
  }
  std::vector<Uuid> without;
  EXPECT_EQ(
      CheckStore(*engine_,
                 [&](Literal what, const Uuid& uuid) {
                   if (std::string(what.text) == "a revocation of the history has no tombstone") {
                     without.push_back(uuid);
                   }
                 })
          .code(),
      Code::kCorruption);
  EXPECT_EQ(without, std::vector<Uuid>{revoked_.uuid});
}

// Changes go on: the check compares one moment with a memory that may be ahead of it.
TEST_F(Tamper, TheCheckFindsNothingWhileTheStoreChanges) {
  Open(OpenMode::kExisting);
  // So many a round: where checks are slow, a store that grew with their time would make them
  // slower still, without end.
  constexpr int kRounds = 20;
  constexpr int kKeysOfARound = 50;
  std::atomic<int> round{0};
  std::thread changer([&] {
    for (int i = 0; round < kRounds; ++i) {
      while (i >= kKeysOfARound * (round + 1) && round < kRounds) std::this_thread::yield();
      const Key key = MakeKey(muriel_.uuid, "k" + std::to_string(i));
      EXPECT_TRUE(Rename(*engine_, {}, key.uuid, "n" + std::to_string(i)).ok());
      EXPECT_TRUE(Revoke(*engine_, {}, key.uuid, {}).ok());
      if (i % 16 == 0) {
        SweepRecord sweep;
        sweep.owner = katz_.uuid;
        EXPECT_TRUE(RevokeAll(*engine_, {}, sweep, false).ok());
        MakeKey(katz_.uuid, "swept next");
        MakeUser("u" + std::to_string(i));
      }
    }
  });
  for (; round < kRounds; ++round) ExpectSound();
  changer.join();
}

TEST_F(Tamper, ACheckCanBeStopped) {
  Open(OpenMode::kExisting);
  CheckReport report;
  EXPECT_EQ(CheckStore(
                *engine_, {}, [](uint64_t, uint64_t) { return false; }, &report)
                .code(),
            Code::kBusy);
  EXPECT_EQ(CheckStore(
                *engine_, {}, [](uint64_t, uint64_t) { return true; }, &report)
                .code(),
            Code::kOk);
  EXPECT_EQ(report.findings, 0u);
  EXPECT_EQ(report.owners, 4u);
  EXPECT_EQ(report.credentials, due_.size());
  EXPECT_EQ(report.tombstones, 2u);
  EXPECT_EQ(report.events, engine_->authority().Now()->head.event_number);
}

}  // namespace
}  // namespace latchkey::test
