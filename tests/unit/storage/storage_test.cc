#include "unit/storage/fixture.h"

namespace latchkey::test {
namespace {

class StorageTest : public testing::Test {
 protected:
  StorageTest() : path_(temp_ / "rocks"), storage_(MustOpen(Options(path_, true))) {}

  void Put(uint8_t column, ByteView key, ByteView value) {
    MustPut(storage_.get(), column, key, value);
  }
  void Reopen() {
    storage_.reset();
    storage_ = MustOpen(Options(path_));
  }
  std::vector<Bytes> Keys(ByteView prefix, ByteView from = {}, const Snapshot* at = nullptr) {
    std::vector<Bytes> keys;
    Scan scan = storage_->ScanPrefix(kNames, prefix, from, at);
    for (; scan.Valid(); scan.Next()) keys.emplace_back(scan.key());
    EXPECT_TRUE(scan.status().ok());
    return keys;
  }

  TempDir temp_;
  std::string path_;
  std::unique_ptr<Storage> storage_;
};

Bytes Le64(uint64_t number) {
  Bytes bytes(8, '\0');
  StoreLe64(bytes.data(), number);
  return bytes;
}

TEST_F(StorageTest, CommittedIsReadBackAlsoAfterReopen) {
  Put(kPoint, "key", "value");
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(storage_->Get(kPoint, "key").value(), "value");
    EXPECT_EQ(storage_->Get(kPoint, "kez").code(), Code::kNotFound);
    EXPECT_EQ(storage_->Get(kNames, "key").code(), Code::kNotFound) << "columns are apart";
    Reopen();
  }
}

TEST_F(StorageTest, EmptyAndBinaryKeysAndValues) {
  const Bytes zero(1, '\0');
  Put(kNames, zero, "");
  Put(kNames, "\xff\xff", zero);
  EXPECT_EQ(storage_->Get(kNames, zero).value(), "");
  EXPECT_EQ(Keys("\xff"), (std::vector<Bytes>{"\xff\xff"}));
  EXPECT_EQ(storage_->LastKey(kNames, "\xff").value(), "\xff\xff");
  EXPECT_EQ(storage_->LastKey(kNames, "").value(), "\xff\xff");
}

TEST_F(StorageTest, BatchIsAllOrNothingAndReadsItself) {
  Put(kPoint, "old", "1");
  Put(kPoint, "gone", "1");
  Batch batch(*storage_);
  EXPECT_TRUE(batch.empty());
  batch.Put(kPoint, "new", "2");
  batch.Put(kPoint, "new", "3");
  batch.Delete(kPoint, "gone");
  EXPECT_FALSE(batch.empty());
  EXPECT_GT(batch.size_bytes(), 10u);
  EXPECT_EQ(batch.Get(kPoint, "new").value(), "3");
  EXPECT_EQ(batch.Get(kPoint, "old").value(), "1");
  EXPECT_EQ(batch.Get(kPoint, "gone").code(), Code::kNotFound);
  EXPECT_EQ(batch.Get(kNames, "new").code(), Code::kNotFound);
  EXPECT_EQ(storage_->Get(kPoint, "new").code(), Code::kNotFound);
  ASSERT_TRUE(storage_->Commit(&batch).ok());
  EXPECT_EQ(storage_->Get(kPoint, "new").value(), "3");
  EXPECT_EQ(storage_->Get(kPoint, "gone").code(), Code::kNotFound);
  batch.Clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.Get(kPoint, "gone").code(), Code::kNotFound);
  EXPECT_TRUE(storage_->Commit(&batch).ok()) << "nothing to write is no failure";
}

// Enough to make its table of keys grow many times; values that grow, shrink and go.
TEST_F(StorageTest, LargeBatchKeepsTheLastWordOnEveryKey) {
  LATCHKEY_TEST_RANDOM(random);
  std::map<std::pair<uint8_t, Bytes>, std::optional<Bytes>> due;
  Batch batch(*storage_);
  for (int i = 0; i < 5000; ++i) {
    const uint8_t column = random() % 2 ? kPoint : kEvents;
    const Bytes key = std::to_string(random() % 2000);
    if (random() % 4 == 0) {
      batch.Delete(column, key);
      due[{column, key}] = std::nullopt;
    } else {
      const Bytes value(random() % 200, static_cast<char>(random()));
      batch.Put(column, key, value);
      due[{column, key}] = value;
    }
  }
  const auto expect_all = [&](const auto& from) {
    for (const auto& [place, value] : due) {
      const Result<Bytes> got = from.Get(place.first, place.second);
      ASSERT_EQ(got.ok(), value.has_value()) << place.second;
      if (got.ok()) {
        ASSERT_EQ(*got, *value) << place.second;
      }
    }
  };
  expect_all(batch);
  ASSERT_TRUE(storage_->Commit(&batch).ok());
  expect_all(*storage_);
}

TEST_F(StorageTest, MergeInABatchSeesWhatTheBatchHasDone) {
  Put(kUsage, "gone", Le64(9));
  Put(kUsage, "less", Le64(5));
  Batch batch(*storage_);
  batch.Delete(kUsage, "gone");
  batch.MergeMax64(kUsage, "gone", 3);
  batch.Put(kUsage, "put", Le64(4));
  batch.MergeMax64(kUsage, "put", 2);
  batch.MergeMax64(kUsage, "less", 1);
  const std::map<Bytes, Bytes> due = {{"gone", Le64(3)}, {"less", Le64(5)}, {"put", Le64(4)}};
  for (const auto& [key, value] : due) EXPECT_EQ(batch.Get(kUsage, key).value(), value) << key;
  ASSERT_TRUE(storage_->Commit(&batch).ok());
  EXPECT_EQ(ReadAll(*storage_, kUsage), due);
}

TEST_F(StorageTest, MergeInABatchOntoAForeignValueIsCorruption) {
  Batch batch(*storage_);
  batch.Put(kUsage, "k", "short");
  batch.MergeMax64(kUsage, "k", 1);
  EXPECT_EQ(storage_->Commit(&batch).code(), Code::kCorruption);
}

TEST_F(StorageTest, MovedBatchKeepsItsContent) {
  Batch batch(*storage_);
  batch.Put(kPoint, "a", "1");
  Batch moved(std::move(batch));
  ASSERT_TRUE(storage_->Commit(&moved).ok());
  EXPECT_EQ(storage_->Get(kPoint, "a").value(), "1");
}

TEST_F(StorageTest, MergeKeepsTheGreatest) {
  uint64_t greatest = 0;
  for (const uint64_t value : {uint64_t{5}, uint64_t{300}, uint64_t{7}}) {
    greatest = std::max(greatest, value);
    Batch batch(*storage_);
    batch.MergeMax64(kUsage, "k", value);
    batch.MergeMax64(kUsage, "k", value - 1);
    EXPECT_EQ(batch.Get(kUsage, "k").value(), Le64(greatest));
    ASSERT_TRUE(storage_->Commit(&batch).ok());
  }
  EXPECT_EQ(storage_->Get(kUsage, "k").value(), Le64(300));
  ASSERT_TRUE(storage_->Flush().ok());
  EXPECT_EQ(storage_->Get(kUsage, "k").value(), Le64(300));
  Reopen();
  EXPECT_EQ(ReadAll(*storage_, kUsage), (std::map<Bytes, Bytes>{{"k", Le64(300)}}));
}

// A value that is no u64 is damage, and must not be merged into a plausible number.
TEST_F(StorageTest, MergeOntoAForeignValueIsCorruption) {
  Put(kUsage, "k", "short");
  Batch batch(*storage_);
  batch.MergeMax64(kUsage, "k", 1);
  ASSERT_TRUE(storage_->Commit(&batch).ok());
  EXPECT_EQ(storage_->Get(kUsage, "k").code(), Code::kCorruption);
  Scan scan = storage_->ScanPrefix(kUsage, {});
  while (scan.Valid()) scan.Next();
  EXPECT_EQ(scan.status().code(), Code::kCorruption);
}

TEST_F(StorageTest, MultiGetAnswersInOrder) {
  Put(kPoint, "a", "1");
  Put(kPoint, "c", "3");
  const std::vector<ByteView> keys = {"c", "b", "a", "c"};
  const auto found = storage_->MultiGet(kPoint, keys);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found.value(), (std::vector<std::optional<Bytes>>{"3", std::nullopt, "1", "3"}));
  EXPECT_TRUE(storage_->MultiGet(kPoint, {}).value().empty());
}

TEST_F(StorageTest, ScanStaysInItsPrefix) {
  for (const char* key : {"a", "b", "b\x01", "b\xff", "b\xff\xff", "c", "\xff", "\xff\xff\x01"}) {
    Put(kNames, key, key);
  }
  EXPECT_EQ(Keys("b"), (std::vector<Bytes>{"b", "b\x01", "b\xff", "b\xff\xff"}));
  EXPECT_EQ(Keys("b\xff"), (std::vector<Bytes>{"b\xff", "b\xff\xff"}));
  EXPECT_EQ(Keys("\xff"), (std::vector<Bytes>{"\xff", "\xff\xff\x01"}));
  EXPECT_EQ(Keys("").size(), 8u);
  EXPECT_TRUE(Keys("bb").empty());
  EXPECT_EQ(Keys("b", "b\x02"), (std::vector<Bytes>{"b\xff", "b\xff\xff"}));
  EXPECT_EQ(Keys("b", "a").size(), 4u) << "`from` below the prefix starts at the prefix";
  EXPECT_TRUE(Keys("b", "c").empty()) << "`from` above the prefix finds nothing";
}

TEST_F(StorageTest, LastKeyOfAPrefix) {
  for (const char* key : {"a", "b1", "b2", "b2x", "c", "\xff\xff"}) Put(kNames, key, "");
  EXPECT_EQ(storage_->LastKey(kNames, "b").value(), "b2x");
  EXPECT_EQ(storage_->LastKey(kNames, "b2").value(), "b2x");
  EXPECT_EQ(storage_->LastKey(kNames, "a").value(), "a");
  EXPECT_EQ(storage_->LastKey(kNames, "bb").code(), Code::kNotFound);
  EXPECT_EQ(storage_->LastKey(kNames, "d").code(), Code::kNotFound);
  EXPECT_EQ(storage_->LastKey(kNames, "\xff").value(), "\xff\xff");
  EXPECT_EQ(storage_->LastKey(kEvents, "").code(), Code::kNotFound);
  ASSERT_TRUE(storage_->Flush().ok());
  EXPECT_EQ(storage_->LastKey(kNames, "b").value(), "b2x");
}

TEST_F(StorageTest, SnapshotStaysWhereItWas) {
  Put(kNames, "a", "1");
  const Snapshot snapshot(*storage_);
  Put(kNames, "a", "2");
  Put(kNames, "b", "2");
  EXPECT_EQ(storage_->Get(kNames, "a", &snapshot).value(), "1");
  EXPECT_EQ(storage_->Get(kNames, "a").value(), "2");
  EXPECT_EQ(Keys("", "", &snapshot), (std::vector<Bytes>{"a"}));
  const std::vector<ByteView> keys = {"a", "b"};
  EXPECT_EQ(storage_->MultiGet(kNames, keys, &snapshot).value(),
            (std::vector<std::optional<Bytes>>{"1", std::nullopt}));
}

TEST_F(StorageTest, MovedScanGoesOn) {
  for (const char* key : {"b1", "b2", "c"}) Put(kNames, key, "");
  Scan scan = storage_->ScanPrefix(kNames, "b");
  Scan moved(std::move(scan));
  moved.Next();
  ASSERT_TRUE(moved.Valid());
  EXPECT_EQ(moved.key(), "b2");
  moved.Next();
  EXPECT_FALSE(moved.Valid());
}

TEST_F(StorageTest, FlushLeavesNoLogToReplay) {
  for (int i = 0; i < 100; ++i) Put(kPoint, std::to_string(i), Bytes(1000, 'x'));
  EXPECT_GT(storage_->sizes().log_bytes, 100'000u);
  EXPECT_GT(storage_->sizes().memory_bytes, 100'000u);
  ASSERT_TRUE(storage_->Flush().ok());
  EXPECT_LT(storage_->sizes().log_bytes, 1000u);
  storage_.reset();
  for (const auto& [name, content] : ReadTree(path_)) {
    if (name.ends_with(".log")) {
      EXPECT_EQ(content, "") << name;
    }
  }
  Reopen();
  EXPECT_EQ(ReadAll(*storage_, kPoint).size(), 100u);
  EXPECT_GT(storage_->sizes().disk_bytes, 100'000u);
}

// Replay costs about 113 ms a MiB, so an open after a crash must find little.
TEST_F(StorageTest, LogIsBounded) {
  uint64_t log_bytes_max = 0;
  for (int i = 0; i < 24; ++i) {
    Put(i % 2 ? kPoint : kEvents, std::to_string(i), Bytes(1 << 20, 'x'));
    log_bytes_max = std::max(log_bytes_max, storage_->sizes().log_bytes);
  }
  EXPECT_GT(log_bytes_max, uint64_t{3} << 20);
  EXPECT_LT(log_bytes_max, uint64_t{13} << 20);  // one log full, one being written out, one batch
}

// Keys hold names, and RocksDB's own log would hold keys.
TEST_F(StorageTest, NoInfoLogIsWritten) {
  Put(kPoint, "key", "value");
  ASSERT_TRUE(storage_->Flush().ok());
  Reopen();
  for (const auto& [name, content] : ReadTree(path_)) EXPECT_FALSE(name.starts_with("LOG")) << name;
}

TEST_F(StorageTest, FlippedByteInATableIsNeverServed) {
  for (int i = 0; i < 50; ++i) Put(kPoint, "key" + std::to_string(i), "value" + std::to_string(i));
  ASSERT_TRUE(storage_->Flush().ok());
  const auto whole = ReadAll(*storage_, kPoint);
  storage_.reset();
  const auto tree = ReadTree(path_);
  const std::vector<std::string> tables = NamesLike(tree, "", ".sst");
  ASSERT_EQ(tables.size(), 1u);
  int noticed = 0;
  for (size_t at = 0; at < tree.at(tables[0]).size(); at += 11) {
    auto flipped = tree;
    flipped[tables[0]][at] = static_cast<char>(flipped[tables[0]][at] ^ 0x10);
    WriteTree(path_, flipped);
    const auto opened = Storage::Open(Options(path_), RefuseTail);
    if (!opened.ok()) {
      ++noticed;
      continue;
    }
    std::map<Bytes, Bytes> rows;
    Scan scan = opened.value()->ScanPrefix(kPoint, {});
    for (; scan.Valid(); scan.Next()) rows.emplace(scan.key(), scan.value());
    if (!scan.status().ok()) ++noticed;
    ASSERT_TRUE(!scan.status().ok() || rows == whole) << "byte " << at;
    for (const auto& [key, value] : whole) {
      const Result<Bytes> got = opened.value()->Get(kPoint, key);
      ASSERT_TRUE(got.code() == Code::kCorruption || (got.ok() && got.value() == value))
          << "byte " << at;
    }
  }
  EXPECT_GT(noticed, 20);
}

}  // namespace
}  // namespace latchkey::test
