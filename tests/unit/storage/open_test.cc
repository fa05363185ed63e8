// Every documented refusal of Storage::Open(), and that it changes nothing.
#include <algorithm>

#include "unit/storage/fixture.h"

namespace latchkey::test {
namespace {

constexpr ColumnSpec kWithoutUsage[] = {kCatalogue[0], kCatalogue[1], kCatalogue[2]};
constexpr ColumnSpec kWithExtra[] = {
    kCatalogue[0], kCatalogue[1], kCatalogue[2], kCatalogue[3], {4, "extra", Access::kPoint}};
constexpr ColumnSpec kNotDense[] = {kCatalogue[0], kCatalogue[2]};

class OpenTest : public testing::Test {
 protected:
  void Create() {
    const auto storage = MustOpen(Options(path_, true));
    MustPut(storage.get(), kPoint, "key", "value");
  }
  void ExpectRefused(const StorageOptions& options, Code code) {
    const auto before = ReadTree(temp_.path());
    const auto opened = Storage::Open(options, AcceptTail);
    EXPECT_EQ(opened.code(), code) << opened.status().why();
    EXPECT_EQ(ReadTree(temp_.path()), before);
  }

  TempDir temp_;
  std::string path_ = temp_ / "rocks";
};

TEST_F(OpenTest, NothingThereIsNotFound) {
  ExpectRefused(Options(path_), Code::kNotFound);
  std::filesystem::create_directory(path_);
  ExpectRefused(Options(path_), Code::kNotFound);
}

TEST_F(OpenTest, CreateOverAnythingIsConflict) {
  Create();
  ExpectRefused(Options(path_, true), Code::kConflict);
  std::filesystem::remove_all(path_);
  std::filesystem::create_directory(path_);
  WriteFile(path_ + "/note", "mine");
  ExpectRefused(Options(path_, true), Code::kConflict);
}

TEST_F(OpenTest, FolderOfSomethingElseIsCorruption) {
  std::filesystem::create_directory(path_);
  WriteFile(path_ + "/note", "mine");
  ExpectRefused(Options(path_), Code::kCorruption);
}

TEST_F(OpenTest, SecondOpenIsBusy) {
  Create();
  const auto storage = MustOpen(Options(path_));
  ExpectRefused(Options(path_), Code::kBusy);
  MustPut(storage.get(), kPoint, "key", "still works");
}

// RocksDB reads a table's properties, which are near its end, before it looks whether their
// checksum holds, and asserts of them what a flipped bit makes untrue.
TEST_F(OpenTest, NoHighBitOfATablesEndEndsTheProcess) {
  {
    const auto storage = MustOpen(Options(path_, true));
    MustPut(storage.get(), kPoint, "key", "value");
    ASSERT_TRUE(storage->Flush().ok());
  }
  const auto whole = ReadTree(path_);
  const auto table = std::find_if(whole.begin(), whole.end(),
                                  [](const auto& file) { return file.first.ends_with(".sst"); });
  ASSERT_NE(table, whole.end());
  size_t refused = 0;
  for (size_t from_end = 1; from_end <= 200; ++from_end) {
    auto tree = whole;
    char& byte = tree[table->first][table->second.size() - from_end];
    byte = static_cast<char>(byte ^ 0x80);
    WriteTree(path_, tree);
    const auto opened = Storage::Open(Options(path_), RefuseTail);
    if (opened.ok()) continue;
    EXPECT_EQ(opened.code(), Code::kCorruption) << opened.status().why();
    EXPECT_TRUE(ReadTree(path_) == tree) << "a refused open has changed something";
    ++refused;
  }
  EXPECT_GT(refused, 100u);
}

TEST_F(OpenTest, MissingColumnIsCorruption) {
  StorageOptions options = Options(path_, true);
  options.columns = kWithoutUsage;
  { const auto made = MustOpen(options); }
  ExpectRefused(Options(path_), Code::kCorruption);
}

TEST_F(OpenTest, UnknownColumnIsUnsupported) {
  StorageOptions options = Options(path_, true);
  options.columns = kWithExtra;
  { const auto made = MustOpen(options); }
  ExpectRefused(Options(path_), Code::kUnsupported);
}

TEST_F(OpenTest, CatalogueMustBeDense) {
  StorageOptions options = Options(path_, true);
  options.columns = kNotDense;
  ExpectRefused(options, Code::kInternal);
}

TEST_F(OpenTest, CopyWithoutLockFileOpens) {
  Create();
  std::filesystem::remove(path_ + "/LOCK");
  const auto storage = MustOpen(Options(path_));
  ASSERT_NE(storage, nullptr);
  EXPECT_EQ(storage->Get(kPoint, "key").value(), "value");
}

TEST_F(OpenTest, OriginNamesTheSubCodeOfRocksDb) {
  Create();
  const auto storage = MustOpen(Options(path_));
  EXPECT_EQ(storage->Get(kPoint, "absent").status().origin(), 1u << 8);
}

}  // namespace
}  // namespace latchkey::test
