// A write that failed is final: nothing is retried on the same file, and whoever holds the Storage
// learns it at the next Commit() at the latest.
#include <rocksdb/env.h>

#include <atomic>
#include <thread>

#include "storage/backup.h"
#include "unit/storage/fixture.h"

namespace latchkey::test {
namespace {

enum class Fault { kNone, kLogAppend, kLogAppendNoSpace, kLogSync, kTableAppend };

rocksdb::Status FaultStatus(Fault fault) {
  return fault == Fault::kLogAppendNoSpace ? rocksdb::Status::NoSpace("injected")
                                           : rocksdb::Status::IOError("injected");
}

class FaultyFile : public rocksdb::WritableFileWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::WritableFile> file, bool is_log,
             const std::atomic<Fault>& fault)
      : rocksdb::WritableFileWrapper(file.get()),
        file_(std::move(file)),
        is_log_(is_log),
        fault_(fault) {}

  using rocksdb::WritableFileWrapper::Append;
  rocksdb::Status Append(const rocksdb::Slice& data) override {
    const Fault fault = fault_;
    const bool fails = is_log_ ? fault == Fault::kLogAppend || fault == Fault::kLogAppendNoSpace
                               : fault == Fault::kTableAppend;
    return fails ? FaultStatus(fault) : file_->Append(data);
  }
  rocksdb::Status Sync() override {
    return is_log_ && fault_ == Fault::kLogSync ? FaultStatus(fault_) : file_->Sync();
  }

 private:
  std::unique_ptr<rocksdb::WritableFile> file_;
  bool is_log_;
  const std::atomic<Fault>& fault_;
};

class FaultyEnv : public rocksdb::EnvWrapper {
 public:
  FaultyEnv() : rocksdb::EnvWrapper(rocksdb::Env::Default()) {}
  const char* Name() const override { return "FaultyEnv"; }
  rocksdb::Status NewWritableFile(const std::string& name,
                                  std::unique_ptr<rocksdb::WritableFile>* file,
                                  const rocksdb::EnvOptions& options) override {
    std::unique_ptr<rocksdb::WritableFile> real;
    const rocksdb::Status status = rocksdb::EnvWrapper::NewWritableFile(name, &real, options);
    const bool is_log = name.ends_with(".log");
    if (status.ok() && (is_log || name.ends_with(".sst"))) {
      *file = std::make_unique<FaultyFile>(std::move(real), is_log, fault);
    } else {
      *file = std::move(real);
    }
    return status;
  }

  std::atomic<Fault> fault{Fault::kNone};
};

class CommitFailureTest : public testing::Test {
 protected:
  Status Put(ByteView key) {
    Batch batch(*storage_);
    batch.Put(kPoint, key, "value");
    return storage_->Commit(&batch);
  }
  void Open(bool create) {
    StorageOptions options = Options(temp_ / "rocks", create);
    options.env = &env_;
    storage_ = MustOpen(options, AcceptTail);
    ASSERT_NE(storage_, nullptr);
  }
  // The fault strikes one commit and is gone; the Storage stays failed, a new one works.
  void ExpectFinal(Fault fault, Code code) {
    Open(true);
    ASSERT_TRUE(Put("before").ok());
    env_.fault = fault;
    const Status first = Put("lost");
    EXPECT_EQ(first.code(), code) << first.why();
    env_.fault = Fault::kNone;
    const Status second = Put("after");
    EXPECT_EQ(second.code(), code);
    EXPECT_EQ(second.origin(), first.origin());
    Batch empty(*storage_);
    EXPECT_EQ(storage_->Commit(&empty).code(), code);
    EXPECT_EQ(storage_->Get(kPoint, "before").value(), "value") << "reading goes on";
    EXPECT_EQ(storage_->Get(kPoint, "lost").code(), Code::kNotFound);
    EXPECT_EQ(storage_->Flush().code(), code);
    storage_.reset();
    Open(false);
    EXPECT_EQ(storage_->Get(kPoint, "before").value(), "value");
    EXPECT_TRUE(Put("again").ok());
    EXPECT_EQ(storage_->Get(kPoint, "after").code(), Code::kNotFound);
  }

  TempDir temp_;
  FaultyEnv env_;
  std::unique_ptr<Storage> storage_;
};

TEST_F(CommitFailureTest, FailedAppendIsFinal) { ExpectFinal(Fault::kLogAppend, Code::kIo); }
TEST_F(CommitFailureTest, FailedSyncIsFinal) { ExpectFinal(Fault::kLogSync, Code::kIo); }
TEST_F(CommitFailureTest, FullDiskIsFinal) {
  ExpectFinal(Fault::kLogAppendNoSpace, Code::kNoSpace);
}

// RocksDB asserts that the log is left alone once a write of it has failed, and a backup begins by
// syncing it: the process ended.
TEST_F(CommitFailureTest, NoBackupBeginsAfterAFailure) {
  Open(true);
  ASSERT_TRUE(Put("before").ok());
  const auto backups = BackupDir::OpenOrCreate(temp_ / "backups", Uuid{});
  ASSERT_TRUE(backups.ok()) << backups.status().why();
  env_.fault = Fault::kLogSync;
  EXPECT_EQ(Put("lost").code(), Code::kIo);
  env_.fault = Fault::kNone;
  EXPECT_EQ((*backups)->Create(*storage_, "", nullptr).code(), Code::kBusy);
  storage_.reset();
  Open(false);
  EXPECT_TRUE((*backups)->Create(*storage_, "", nullptr).ok());
}

TEST_F(CommitFailureTest, ABackupMayMeetTheFailureAtAnyMoment) {
  const auto backups = BackupDir::OpenOrCreate(temp_ / "backups", Uuid{});
  ASSERT_TRUE(backups.ok()) << backups.status().why();
  for (int round = 0; round < 20; ++round) {
    Open(round == 0);
    std::atomic<bool> failed = false;
    std::thread writer([&] {
      for (int i = 0; i < 5 + round; ++i) EXPECT_TRUE(Put("before").ok());
      env_.fault = Fault::kLogSync;
      EXPECT_EQ(Put("lost").code(), Code::kIo);
      env_.fault = Fault::kNone;
      failed = true;
    });
    while (!failed) {
      const Code code = (*backups)->Create(*storage_, "", nullptr).code();
      EXPECT_TRUE(code == Code::kOk || code == Code::kBusy || code == Code::kIo);
    }
    writer.join();
    ASSERT_TRUE((*backups)->DropAllBut(1).ok());
    storage_.reset();
  }
}

// Each commit syncs the log, so that a flush has nothing left to sync of the log that it closes. If
// it did, in RocksDB's own thread, it could fail at the moment in which a backup begins.
TEST_F(CommitFailureTest, AFlushLeavesTheLogAlone) {
  Open(true);
  for (const Fault fault : {Fault::kLogSync, Fault::kLogAppend}) {
    env_.fault = Fault::kNone;
    ASSERT_TRUE(Put("before").ok());
    env_.fault = fault;
    EXPECT_TRUE(storage_->Flush().ok());
  }
}

TEST_F(CommitFailureTest, FailedFlushFailsTheNextCommit) {
  Open(true);
  ASSERT_TRUE(Put("before").ok());
  env_.fault = Fault::kTableAppend;
  EXPECT_EQ(storage_->Flush().code(), Code::kIo);
  env_.fault = Fault::kNone;
  EXPECT_EQ(Put("after").code(), Code::kIo);
  storage_.reset();
  Open(false);
  EXPECT_EQ(storage_->Get(kPoint, "before").value(), "value");
  EXPECT_EQ(storage_->Get(kPoint, "after").code(), Code::kNotFound);
}

TEST_F(CommitFailureTest, FailedIngestIsFinalAndLeavesNothing) {
  Open(true);
  ASSERT_TRUE(Put("before").ok());
  Batch batch(*storage_);
  batch.Put(kPoint, "lost", "value");
  batch.Put(kNames, "lost", "value");
  env_.fault = Fault::kTableAppend;
  EXPECT_EQ(storage_->Ingest(&batch).code(), Code::kIo);
  env_.fault = Fault::kNone;
  EXPECT_EQ(Put("after").code(), Code::kIo);
  EXPECT_EQ(storage_->Ingest(&batch).code(), Code::kIo);
  EXPECT_EQ(storage_->Get(kPoint, "before").value(), "value");
  storage_.reset();
  Open(false);
  EXPECT_EQ(storage_->Get(kPoint, "before").value(), "value");
  EXPECT_EQ(storage_->Get(kPoint, "lost").code(), Code::kNotFound);
  EXPECT_EQ(storage_->Get(kNames, "lost").code(), Code::kNotFound);
  EXPECT_TRUE(NamesLike(ReadTree(temp_ / "rocks"), "ingest-", "").empty());
  EXPECT_TRUE(Put("again").ok());
}

}  // namespace
}  // namespace latchkey::test
