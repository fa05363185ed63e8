// What can be read of a store file by file: all of it, and of a damaged one all but the damage.
#include "storage/salvage.h"

#include <set>

#include "unit/storage/fixture.h"

namespace latchkey::test {
namespace {

namespace fs = std::filesystem;

class SalvageTest : public testing::Test {
 protected:
  static constexpr int kRows = 4000;

  static Bytes KeyOf(int i) { return "key " + std::to_string(100000 + i); }
  // Does not compress, so that a table has many blocks.
  static Bytes ValueOf(int i) {
    std::mt19937_64 random(static_cast<uint64_t>(i));
    Bytes value(100, '\0');
    for (char& c : value) c = static_cast<char>(random());
    return value;
  }
  // Rows [from, to) in a commit of their own.
  void Put(int from, int to) {
    Batch batch(*storage_);
    for (int i = from; i < to; ++i) batch.Put(kNames, KeyOf(i), ValueOf(i));
    batch.MergeMax64(kUsage, "use", 7);
    ASSERT_TRUE(storage_->Commit(&batch).ok());
  }
  // Which rows come; every one as it was written.
  std::set<int> Read(SalvageCount* count) {
    std::set<int> rows;
    const auto take = [&](uint8_t column, ByteView key, ByteView value) {
      EXPECT_NE(column, kUsage);
      if (column != kNames) return;
      const int i = std::stoi(std::string(key.substr(4))) - 100000;
      EXPECT_EQ(value, ByteView(ValueOf(i)));
      rows.insert(i);
    };
    EXPECT_TRUE(Salvage(path_, kCatalogue, take, count).ok());
    return rows;
  }
  // The largest file that ends so.
  fs::path Largest(const std::string& suffix) const {
    fs::path largest;
    for (const auto& entry : fs::directory_iterator(path_)) {
      if (entry.path().extension() != suffix) continue;
      if (largest.empty() || fs::file_size(largest) < entry.file_size()) largest = entry.path();
    }
    return largest;
  }

  const TempDir temp_;
  const std::string path_ = temp_ / "rocks";
  std::unique_ptr<Storage> storage_ = MustOpen(Options(path_, true));
};

TEST_F(SalvageTest, ReadsTablesAndLogsAndChangesNothing) {
  Put(0, kRows / 2);
  ASSERT_TRUE(storage_->Flush().ok());
  Put(kRows / 2, kRows);
  const auto before = ReadTreeOfOpenStore(path_);
  SalvageCount count;
  EXPECT_EQ(Read(&count).size(), size_t{kRows});
  EXPECT_GE(count.files, 2u);
  EXPECT_EQ(count.damaged, 0u);
  EXPECT_TRUE(ReadTreeOfOpenStore(path_) == before);
}

TEST_F(SalvageTest, ADamagedBlockOfATableCostsThatBlock) {
  Put(0, kRows);
  ASSERT_TRUE(storage_->Flush().ok());
  storage_.reset();
  fs::remove(Largest(".log"));
  const fs::path table = Largest(".sst");
  const Bytes whole = ReadFile(table);
  for (const size_t at : {whole.size() / 7, whole.size() / 2, whole.size() * 4 / 5}) {
    Bytes flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    WriteFile(table, flipped);
    SalvageCount count;
    const size_t rows = Read(&count).size();
    EXPECT_EQ(count.damaged, 1u);
    EXPECT_LT(rows, size_t{kRows});
    EXPECT_GT(rows, size_t{kRows} * 9 / 10);
  }
  WriteFile(table, ByteView(whole).substr(0, whole.size() / 2));  // without its index: nothing
  SalvageCount count;
  EXPECT_TRUE(Read(&count).empty());
  EXPECT_EQ(count.damaged, 1u);
}

// RandomRestore ended in an assertion of RocksDB's, which reads a table's properties before it
// looks whether their checksum holds.
TEST_F(SalvageTest, NoHighBitOfATableEndsTheProcess) {
  Put(0, 20);
  ASSERT_TRUE(storage_->Flush().ok());
  storage_.reset();
  fs::remove(Largest(".log"));
  const fs::path table = Largest(".sst");
  const Bytes whole = ReadFile(table);
  size_t damaged = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    Bytes flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x80);
    WriteFile(table, flipped);
    SalvageCount count;
    const size_t rows = Read(&count).size();
    EXPECT_EQ(rows < 20, count.damaged != 0) << at;
    damaged += count.damaged;
  }
  EXPECT_GT(damaged, whole.size() * 9 / 10);
}

TEST_F(SalvageTest, ADamagedRecordOfALogCostsThatRecord) {
  for (int i = 0; i < 200; ++i) Put(i, i + 1);
  const fs::path log = Largest(".log");
  Bytes content = ReadFile(log);
  storage_.reset();
  for (const auto& entry : fs::directory_iterator(path_)) {
    if (entry.path().extension() != "") fs::remove(entry.path());
  }
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
  WriteFile(path_ + "/999999.log", content);
  SalvageCount count;
  EXPECT_EQ(Read(&count).size(), 199u);
  EXPECT_EQ(count.damaged, 1u);
}

TEST_F(SalvageTest, WhatIsNotAFileOfTheStoreIsPassedOver) {
  Put(0, 1);
  WriteFile(path_ + "/ingest-0.sst", "of a group that was never committed");
  WriteFile(path_ + "/12x.log", "of somebody else");
  SalvageCount count;
  EXPECT_EQ(Read(&count).size(), 1u);
  EXPECT_EQ(count.damaged, 0u);
  EXPECT_EQ(Salvage(
                temp_ / "none", kCatalogue, [](uint8_t, ByteView, ByteView) {}, &count)
                .code(),
            Code::kNotFound);
}

}  // namespace
}  // namespace latchkey::test
