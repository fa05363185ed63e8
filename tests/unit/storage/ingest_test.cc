// Commits by files: they mix with commits by the log in any order, and survive what those survive.
#include <set>

#include "storage/key_filter.h"
#include "unit/storage/fixture.h"

namespace latchkey::test {
namespace {

class IngestTest : public testing::Test {
 protected:
  void Reopen() {
    storage_.reset();
    storage_ = MustOpen(Options(path_));
    ASSERT_NE(storage_, nullptr);
  }
  void Ingest(const std::vector<std::pair<Bytes, Bytes>>& rows) {
    Batch batch(*storage_);
    for (const auto& [key, value] : rows) {
      batch.Put(kPoint, key, value);
      batch.Put(kEvents, value + key, value);
    }
    const Status status = storage_->Ingest(&batch);
    ASSERT_TRUE(status.ok()) << status.why();
  }

  TempDir temp_;
  std::string path_ = temp_ / "rocks";
  std::unique_ptr<Storage> storage_ = MustOpen(Options(path_, true));
};

TEST_F(IngestTest, TheLatestWordCountsWhicheverWayItCame) {
  MustPut(storage_.get(), kPoint, "head", "log 1");
  Ingest({{"head", "files 2"}, {"b", "files"}});
  EXPECT_EQ(storage_->Get(kPoint, "head").value(), "files 2");
  MustPut(storage_.get(), kPoint, "head", "log 3");
  EXPECT_EQ(storage_->Get(kPoint, "head").value(), "log 3");
  Ingest({{"head", "files 4"}});
  Ingest({{"head", "files 5"}});
  MustPut(storage_.get(), kPoint, "c", "log");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(storage_->Get(kPoint, "head").value(), "files 5");
    EXPECT_EQ(ReadAll(*storage_, kPoint),
              (std::map<Bytes, Bytes>{{"b", "files"}, {"c", "log"}, {"head", "files 5"}}));
    EXPECT_EQ(ReadAll(*storage_, kEvents).size(), 4u);
    Reopen();
  }
}

TEST_F(IngestTest, IsOnTheDeviceWhenItReturns) {
  MustPut(storage_.get(), kPoint, "head", "log 1");
  Ingest({{"head", "files 2"}, {"b", "files"}});
  const auto killed = ReadTreeOfOpenStore(path_);
  EXPECT_TRUE(NamesLike(killed, "ingest-", "").empty());
  storage_.reset();
  WriteTree(path_, killed);
  storage_ = MustOpen(Options(path_));
  ASSERT_NE(storage_, nullptr);
  EXPECT_EQ(ReadAll(*storage_, kPoint),
            (std::map<Bytes, Bytes>{{"b", "files"}, {"head", "files 2"}}));
  EXPECT_EQ(ReadAll(*storage_, kEvents).size(), 2u);
}

TEST_F(IngestTest, ASnapshotDoesNotSeeWhatCameLater) {
  MustPut(storage_.get(), kPoint, "a", "1");
  const Snapshot snapshot(*storage_);
  Ingest({{"a", "2"}, {"b", "2"}});
  EXPECT_EQ(storage_->Get(kPoint, "a", &snapshot).value(), "1");
  EXPECT_EQ(storage_->Get(kPoint, "b", &snapshot).code(), Code::kNotFound);
  EXPECT_EQ(storage_->Get(kPoint, "a").value(), "2");
}

TEST_F(IngestTest, DeletesAndEmptyBatches) {
  MustPut(storage_.get(), kPoint, "a", "1");
  Batch batch(*storage_);
  EXPECT_TRUE(storage_->Ingest(&batch).ok()) << "nothing to write is no failure";
  batch.Delete(kPoint, "a");
  ASSERT_TRUE(storage_->Ingest(&batch).ok());
  EXPECT_EQ(storage_->Get(kPoint, "a").code(), Code::kNotFound);
  Reopen();
  EXPECT_TRUE(ReadAll(*storage_, kPoint).empty());
}

TEST_F(IngestTest, FilesLeftBehindAreRemovedAtTheNextOpen) {
  storage_.reset();
  WriteFile(std::filesystem::path(path_) / "ingest-2.sst", "cut off");
  Reopen();
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(path_) / "ingest-2.sst"));
  Ingest({{"a", "1"}});
}

TEST_F(IngestTest, AFilterNeverHidesWhatWasWritten) {
  LATCHKEY_TEST_RANDOM(random);
  KeyFilter filter({kPoint});
  std::map<Bytes, Bytes> due;
  for (int round = 0; round < 6; ++round) {
    Batch batch(*storage_, &filter);
    for (int i = 0; i < 500; ++i) {
      const Bytes key = std::to_string(random() % 5000);
      const Result<Bytes> got = batch.Get(kPoint, key);
      ASSERT_EQ(got.ok(), due.contains(key)) << key;
      if (got.ok()) {
        ASSERT_EQ(*got, due[key]);
      }
      batch.Put(kPoint, key, std::to_string(round));
      due[key] = std::to_string(round);
    }
    ASSERT_TRUE((round % 2 ? storage_->Ingest(&batch) : storage_->Commit(&batch)).ok());
  }
  // A key that was written past the filter: proof that it is asked at all, and of its columns only.
  MustPut(storage_.get(), kPoint, "past the filter", "1");
  MustPut(storage_.get(), kNames, "past the filter", "1");
  const Batch batch(*storage_, &filter);
  EXPECT_EQ(batch.Get(kPoint, "past the filter").code(), Code::kNotFound);
  EXPECT_TRUE(batch.Get(kNames, "past the filter").ok());
}

TEST_F(IngestTest, AFilterThatKnowsAColumnSparesTheSearchForWhatIsThere) {
  LATCHKEY_TEST_RANDOM(random);
  KeyFilter filter({}, {kPoint});
  std::set<Bytes> due;
  for (int round = 0; round < 4; ++round) {
    Batch batch(*storage_, &filter);
    for (int i = 0; i < 30000; ++i) {
      const Bytes key = std::to_string(random() % 100000);
      const Result<bool> has = batch.Has(kPoint, key);
      ASSERT_TRUE(has.ok() && *has == due.contains(key)) << key;
      batch.Put(kPoint, key, "1");
      due.insert(key);
    }
    ASSERT_TRUE((round % 2 ? storage_->Ingest(&batch) : storage_->Commit(&batch)).ok());
  }
  MustPut(storage_.get(), kPoint, "past the filter", "1");
  MustPut(storage_.get(), kNames, "past the filter", "1");
  const Batch batch(*storage_, &filter);
  EXPECT_FALSE(*batch.Has(kPoint, "past the filter"));
  EXPECT_TRUE(*batch.Has(kNames, "past the filter"));
  EXPECT_FALSE(*batch.Has(kNames, "nowhere"));
  EXPECT_TRUE(batch.Get(kPoint, *due.begin()).ok());
}

}  // namespace
}  // namespace latchkey::test
