// Random operations beside a std::map a column; the store is flushed, reopened and killed on
// the way.
#include <algorithm>

#include "unit/storage/fixture.h"

namespace latchkey::test {
namespace {

using Model = std::map<Bytes, Bytes>;
constexpr uint8_t kColumns[] = {kPoint, kNames, kEvents};

// Few distinct keys, sharing prefixes and full of the bytes where a bound can go wrong.
Bytes RandomKey(std::mt19937_64* random) {
  constexpr uint8_t kEdges[] = {0x00, 0x01, 'a', 0xfe, 0xff};
  Bytes key(1 + (*random)() % 3, '\0');
  for (char& c : key) c = static_cast<char>(kEdges[(*random)() % std::size(kEdges)]);
  return key;
}

std::vector<Bytes> ModelKeys(const Model& model, const Bytes& prefix, const Bytes& from) {
  std::vector<Bytes> keys;
  for (const auto& [key, value] : model) {
    if (key.starts_with(prefix) && key >= from) keys.push_back(key);
  }
  return keys;
}

std::vector<Bytes> ModelKeysBackward(const Model& model, const Bytes& prefix, const Bytes& below) {
  std::vector<Bytes> keys = ModelKeys(model, prefix, {});
  std::erase_if(keys, [&](const Bytes& key) { return !below.empty() && key >= below; });
  std::reverse(keys.begin(), keys.end());
  return keys;
}

std::vector<Bytes> KeysBackward(const Storage& storage, uint8_t column, const Bytes& prefix,
                                const Bytes& below, const Snapshot* at) {
  std::vector<Bytes> keys;
  Scan scan = storage.ScanPrefixBackward(column, prefix, below, at, false);
  for (; scan.Valid(); scan.Next()) keys.emplace_back(scan.key());
  EXPECT_TRUE(scan.status().ok());
  return keys;
}

void CompareReads(const Storage& storage, uint8_t column, const Model& model,
                  std::mt19937_64* random, const Snapshot* at) {
  const Bytes prefix = RandomKey(random).substr(0, (*random)() % 3);
  const Bytes from = (*random)() % 2 ? RandomKey(random) : Bytes();
  const std::vector<Bytes> expected = ModelKeys(model, prefix, from);
  std::vector<Bytes> keys;
  Scan scan = storage.ScanPrefix(column, prefix, from, at, (*random)() % 2);
  for (; scan.Valid(); scan.Next()) {
    keys.emplace_back(scan.key());
    ASSERT_EQ(scan.value(), model.at(keys.back()));
  }
  ASSERT_TRUE(scan.status().ok());
  ASSERT_EQ(keys, expected);
  const Bytes below = (*random)() % 2 ? RandomKey(random) : Bytes();
  ASSERT_EQ(KeysBackward(storage, column, prefix, below, at),
            ModelKeysBackward(model, prefix, below));
  const Bytes key = RandomKey(random);
  const Result<Bytes> got = storage.Get(column, key, at);
  ASSERT_EQ(got.ok(), model.contains(key));
  if (got.ok()) {
    ASSERT_EQ(got.value(), model.at(key));
  }
  if (at == nullptr) {
    const std::vector<Bytes> all = ModelKeys(model, prefix, {});
    const Result<Bytes> last = storage.LastKey(column, prefix);
    ASSERT_EQ(last.ok(), !all.empty());
    if (last.ok()) {
      ASSERT_EQ(last.value(), all.back());
    }
  }
}

class StorageModel {
 public:
  explicit StorageModel(std::mt19937_64* random)
      : random_(*random), path_(temp_ / "rocks"), storage_(MustOpen(Options(path_, true))) {}

  void Step() {
    switch (random_() % 24) {
      case 0:
        ASSERT_TRUE(storage_->Flush().ok());
        break;
      case 1:
        storage_.reset();
        storage_ = MustOpen(Options(path_));
        ASSERT_NE(storage_, nullptr);
        break;
      case 2: {
        const auto killed = ReadTreeOfOpenStore(path_);
        storage_.reset();
        WriteTree(path_, killed);
        storage_ = MustOpen(Options(path_));
        ASSERT_NE(storage_, nullptr);
        break;
      }
      case 3:
        CompareSnapshot();
        break;
      default:
        WriteBatch();
        break;
    }
    const uint8_t column = kColumns[random_() % std::size(kColumns)];
    CompareReads(*storage_, column, models_[column], &random_, nullptr);
  }

 private:
  void WriteBatch() {
    Batch batch(*storage_);
    std::map<uint8_t, Model> after = models_;
    for (uint64_t left = random_() % 6; left > 0; --left) {
      const uint8_t column = kColumns[random_() % std::size(kColumns)];
      const Bytes key = RandomKey(&random_);
      if (random_() % 3 == 0) {
        batch.Delete(column, key);
        after[column].erase(key);
      } else {
        const Bytes value(random_() % 40, static_cast<char>(random_()));
        batch.Put(column, key, value);
        after[column][key] = value;
      }
      const Bytes probe = RandomKey(&random_);
      const Result<Bytes> through = batch.Get(column, probe);
      ASSERT_EQ(through.ok(), after[column].contains(probe));
      if (through.ok()) {
        ASSERT_EQ(through.value(), after[column][probe]);
      }
    }
    if (random_() % 5 == 0) return;  // a batch that is never committed changes nothing
    const bool by_files = random_() % 4 == 0;
    ASSERT_TRUE((by_files ? storage_->Ingest(&batch) : storage_->Commit(&batch)).ok());
    models_ = std::move(after);
  }

  void CompareSnapshot() {
    const Snapshot snapshot(*storage_);
    const std::map<uint8_t, Model> then = models_;
    WriteBatch();
    if (random_() % 2) {
      ASSERT_TRUE(storage_->Flush().ok());
    }
    for (const uint8_t column : kColumns) {
      const auto model = then.find(column);
      CompareReads(*storage_, column, model == then.end() ? Model() : model->second, &random_,
                   &snapshot);
    }
  }

  std::mt19937_64& random_;
  TempDir temp_;
  std::string path_;
  std::unique_ptr<Storage> storage_;
  std::map<uint8_t, Model> models_;
};

TEST(StorageModelTest, RandomOperationsMatchMaps) {
  LATCHKEY_TEST_RANDOM(random);
  StorageModel model(&random);
  for (int step = 0; step < 500 && !testing::Test::HasFatalFailure(); ++step) {
    SCOPED_TRACE(testing::Message() << "step " << step);
    model.Step();
  }
}

}  // namespace
}  // namespace latchkey::test
