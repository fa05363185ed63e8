// A store whose log or list of files was damaged opens with everything it held, or asks before it
// opens with less, or is refused and left as it was. Never less without a question.
#include <optional>

#include "storage/log_frames.h"
#include "unit/storage/fixture.h"

namespace latchkey::test {
namespace {

using Tree = std::map<std::string, Bytes>;
constexpr int kBatches = 6;

Bytes KeyOf(int i) { return "key" + std::to_string(100 + i); }

void PutNumbered(Storage* storage, int i) {
  Batch batch(*storage);
  batch.Put(kPoint, KeyOf(i), "value");
  batch.Put(kEvents, KeyOf(i), "event");
  const Status status = storage->Commit(&batch);
  ASSERT_TRUE(status.ok()) << status.why();
}

// A store with kBatches synced batches in its log, killed.
Tree KilledStore() {
  const TempDir temp;
  const std::string path = temp / "rocks";
  const auto storage = MustOpen(Options(path, true));
  for (int i = 0; i < kBatches; ++i) PutNumbered(storage.get(), i);
  return ReadTreeOfOpenStore(path);
}

// Offsets at which the records of a log begin that fits one block.
std::vector<size_t> RecordOffsets(ByteView log) {
  std::vector<size_t> offsets;
  for (size_t at = 0; at + 7 <= log.size();) {
    offsets.push_back(at);
    at += 7 + static_cast<uint8_t>(log[at + 4]) + 256 * static_cast<uint8_t>(log[at + 5]);
  }
  return offsets;
}

std::string OnlyLogWithRecords(const Tree& tree) {
  std::string found;
  for (const std::string& name : NamesLike(tree, "", ".log")) {
    if (tree.at(name).empty()) continue;
    EXPECT_TRUE(found.empty());
    found = name;
  }
  EXPECT_FALSE(found.empty());
  return found;
}

struct Outcome {
  Status status = Status::Ok();
  int asked = 0;
  size_t asked_rows = 0;  // what the question showed
  size_t rows = 0;        // what the opened store holds
  bool unchanged = false;
};

Outcome OpenTree(const Tree& tree, bool accept) {
  const TempDir temp;
  const std::string path = temp / "rocks";
  WriteTree(path, tree);
  Outcome outcome;
  const TailCheck check = [&](const Storage& shorter) {
    ++outcome.asked;
    outcome.asked_rows = ReadAll(shorter, kPoint).size();
    EXPECT_EQ(ReadTree(path), tree) << "looking at the store has changed it";
    return accept ? Status::Ok() : RefuseTail(shorter);
  };
  {
    const Result<std::unique_ptr<Storage>> opened = Storage::Open(Options(path), check);
    outcome.status = opened.status();
    if (opened.ok()) {
      outcome.rows = ReadAll(*opened.value(), kPoint).size();
      EXPECT_EQ(ReadAll(*opened.value(), kEvents).size(), outcome.rows) << "half a batch";
    }
  }
  outcome.unchanged = ReadTree(path) == tree;
  return outcome;
}

TEST(Recovery, CleanLogAsksNothing) {
  const Outcome outcome = OpenTree(KilledStore(), false);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.why();
  EXPECT_EQ(outcome.asked, 0);
  EXPECT_EQ(outcome.rows, size_t{kBatches});
}

TEST(Recovery, TornLastRecordIsDroppedOnlyWithConsent) {
  const Tree tree = KilledStore();
  const std::string log = OnlyLogWithRecords(tree);
  const std::vector<size_t> records = RecordOffsets(tree.at(log));
  ASSERT_EQ(records.size(), size_t{kBatches});
  for (size_t size = records.back() + 1; size < tree.at(log).size(); ++size) {
    SCOPED_TRACE(testing::Message() << "log cut to " << size);
    Tree torn = tree;
    torn[log].resize(size);
    const Outcome refused = OpenTree(torn, false);
    EXPECT_EQ(refused.status.code(), Code::kRolledBack);
    EXPECT_EQ(refused.asked, 1);
    EXPECT_EQ(refused.asked_rows, size_t{kBatches - 1});
    EXPECT_TRUE(refused.unchanged);
    if (size % 8 != 0) continue;
    const Outcome accepted = OpenTree(torn, true);
    EXPECT_TRUE(accepted.status.ok()) << accepted.status.why();
    EXPECT_EQ(accepted.asked, 1);
    EXPECT_EQ(accepted.rows, size_t{kBatches - 1});
  }
}

// Lays the store down, opens it without its torn tail, puts one more record and closes it.
void PutAfterATornTail(const Tree& torn, const std::string& path, int number) {
  WriteTree(path, torn);
  const auto storage = MustOpen(Options(path), AcceptTail);
  ASSERT_NE(storage, nullptr);
  PutNumbered(storage.get(), number);
}

TEST(Recovery, DroppedTailStaysDropped) {
  Tree tree = KilledStore();
  const std::string log = OnlyLogWithRecords(tree);
  tree[log].resize(tree[log].size() - 3);
  const TempDir temp;
  const std::string path = temp / "rocks";
  PutAfterATornTail(tree, path, kBatches - 1);
  const auto again = MustOpen(Options(path));
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(ReadAll(*again, kPoint).size(), size_t{kBatches});
}

// Where nothing of the log was whole RocksDB has nothing to flush, and keeps the log. When the next
// life was killed as well the torn one stood before one that was not empty: CORRUPTION, for good.
TEST(Recovery, AKillAfterADroppedTailIsNoDamage) {
  for (const size_t kept : {size_t{0}, size_t{1}, size_t{kBatches - 1}}) {
    SCOPED_TRACE(testing::Message() << kept << " records are whole");
    Tree tree = KilledStore();
    const std::string log = OnlyLogWithRecords(tree);
    tree[log].resize(RecordOffsets(tree[log])[kept] + 9);
    const TempDir temp;
    const std::string path = temp / "rocks";
    WriteTree(path, tree);
    {
      const auto storage = MustOpen(Options(path), AcceptTail);
      ASSERT_NE(storage, nullptr);
      PutNumbered(storage.get(), kBatches);
      tree = ReadTreeOfOpenStore(path);
    }
    const Outcome outcome = OpenTree(tree, false);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.why();
    EXPECT_EQ(outcome.asked, 0);
    EXPECT_EQ(outcome.rows, kept + 1);
  }
}

TEST(Recovery, ZerosBehindTheLastRecordAreATornTail) {
  Tree tree = KilledStore();
  tree[OnlyLogWithRecords(tree)].append(5000, '\0');
  EXPECT_EQ(OpenTree(tree, false).asked, 1);
  const Outcome accepted = OpenTree(tree, true);
  EXPECT_TRUE(accepted.status.ok()) << accepted.status.why();
  EXPECT_EQ(accepted.rows, size_t{kBatches});
}

// Among these flips are the two that RocksDB takes for the end of the log: a length that points
// behind the file, and a record type of 1 that becomes 5.
TEST(Recovery, NoFlippedBitOfTheLogShortensHistorySilently) {
  const Tree tree = KilledStore();
  const std::string log = OnlyLogWithRecords(tree);
  for (size_t at = 0; at < tree.at(log).size(); ++at) {
    for (const int mask : {0x01, 0x04, 0x80}) {
      SCOPED_TRACE(testing::Message() << "byte " << at << " xor " << mask);
      Tree flipped = tree;
      flipped[log][at] = static_cast<char>(flipped[log][at] ^ mask);
      const Outcome outcome = OpenTree(flipped, false);
      ASSERT_EQ(outcome.status.code(), Code::kCorruption) << outcome.status.why();
      ASSERT_EQ(outcome.asked, 0);
      ASSERT_TRUE(outcome.unchanged);
    }
  }
}

TEST(Recovery, NoFlippedBitOfTheManifestLosesTables) {
  Tree tree;
  {
    const TempDir temp;
    const std::string path = temp / "rocks";
    const auto storage = MustOpen(Options(path, true));
    for (int i = 0; i < kBatches; ++i) {
      PutNumbered(storage.get(), i);
      if (i % 3 == 2) {
        ASSERT_TRUE(storage->Flush().ok());
      }
    }
    tree = ReadTreeOfOpenStore(path);
  }
  const std::vector<std::string> manifests = NamesLike(tree, "MANIFEST-", "");
  ASSERT_EQ(manifests.size(), 1u);
  const std::string manifest = manifests[0];
  const size_t size = tree[manifest].size();
  for (size_t at = 0; at < size; ++at) {
    for (const int mask : {0x04, 0xff}) {
      SCOPED_TRACE(testing::Message() << "byte " << at << " of " << size << " xor " << mask);
      Tree flipped = tree;
      flipped[manifest][at] = static_cast<char>(flipped[manifest][at] ^ mask);
      const Outcome outcome = OpenTree(flipped, false);
      ASSERT_FALSE(outcome.status.ok());
      ASSERT_TRUE(outcome.unchanged);
    }
  }
}

// Two logs are needed while the older one's memtables are being written out. To drop the tail of
// the older would leave a hole that no look at the last event can see.
TEST(Recovery, TornTailOfAnOlderLogIsRefused) {
  Tree tree = KilledStore();
  const std::string older = OnlyLogWithRecords(tree);
  Tree longer;
  {
    // The same store further on, its log continued under the next number.
    const TempDir temp;
    const std::string path = temp / "rocks";
    WriteTree(path, tree);
    const auto storage = MustOpen(Options(path));
    for (int i = 0; i < 3; ++i) PutNumbered(storage.get(), kBatches + i);
    longer = ReadTreeOfOpenStore(path);
  }
  const std::string newer = OnlyLogWithRecords(longer);
  ASSERT_NE(older, newer);
  tree[newer] = longer[newer];
  const Outcome whole = OpenTree(tree, false);
  ASSERT_TRUE(whole.status.ok()) << whole.status.why();
  ASSERT_EQ(whole.rows, size_t{kBatches + 3});

  tree[older].resize(tree[older].size() - 3);
  const Outcome outcome = OpenTree(tree, true);
  EXPECT_EQ(outcome.status.code(), Code::kCorruption);
  EXPECT_EQ(outcome.asked, 0);
  EXPECT_TRUE(outcome.unchanged);
}

// An open that dropped a tail and crashed before it removed the log leaves the torn log behind.
TEST(Recovery, TornLogThatIsNoLongerNeededIsIgnored) {
  Tree tree = KilledStore();
  const std::string log = OnlyLogWithRecords(tree);
  tree[log].resize(tree[log].size() - 3);
  const TempDir temp;
  const std::string path = temp / "rocks";
  PutAfterATornTail(tree, path, kBatches);
  WriteFile(path + "/" + log, tree[log]);
  const auto again = MustOpen(Options(path));
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(ReadAll(*again, kPoint).size(), size_t{kBatches});
}

// As if the power had gone between the new, still empty log and the note that the torn one is done.
TEST(Recovery, EmptyNewerLogDoesNotHideATornTail) {
  Tree tree = KilledStore();
  const std::string log = OnlyLogWithRecords(tree);
  tree[log].resize(tree[log].size() - 3);
  tree["000999.log"] = "";
  EXPECT_EQ(OpenTree(tree, false).asked, 1);
  EXPECT_TRUE(OpenTree(tree, true).status.ok());
}

TEST(Recovery, MissingFilesAreCorruption) {
  const Tree tree = KilledStore();
  for (const std::string& name : NamesLike(tree, "", "")) {
    if (name != "CURRENT" && !name.starts_with("MANIFEST-")) continue;
    SCOPED_TRACE(name);
    Tree without = tree;
    without.erase(name);
    const Outcome outcome = OpenTree(without, true);
    EXPECT_EQ(outcome.status.code(), Code::kCorruption);
    EXPECT_TRUE(outcome.unchanged);
  }
}

}  // namespace
}  // namespace latchkey::test
