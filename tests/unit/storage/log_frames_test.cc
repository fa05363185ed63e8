#include "storage/log_frames.h"

#include <algorithm>

#include "unit/storage/fixture.h"

namespace latchkey::test {
namespace {

constexpr size_t kBlock = 32768;

// A log as RocksDB writes it: records of these sizes, the first value filling several blocks.
Bytes RealLog(const std::vector<size_t>& value_sizes) {
  const TempDir temp;
  const std::string path = temp / "rocks";
  const auto storage = MustOpen(Options(path, true));
  std::mt19937_64 random(7);
  for (size_t i = 0; i < value_sizes.size(); ++i) {
    Bytes value(value_sizes[i], '\0');
    for (char& c : value) c = static_cast<char>(random());
    MustPut(storage.get(), kPoint, std::to_string(i), value);
  }
  for (const auto& [name, content] : ReadTree(path)) {
    if (name.ends_with(".log") && !content.empty()) return content;
  }
  ADD_FAILURE() << "no log";
  return {};
}

std::pair<std::vector<Bytes>, uint64_t> Read(ByteView log) {
  std::vector<Bytes> records;
  const uint64_t damaged = ReadLogFrames(log, [&](ByteView each) { records.emplace_back(each); });
  return {std::move(records), damaged};
}

// Each of them is one of the others, in their order.
bool IsPart(const std::vector<Bytes>& records, const std::vector<Bytes>& whole) {
  auto at = whole.begin();
  for (const Bytes& record : records) {
    at = std::find(at, whole.end(), record);
    if (at++ == whole.end()) return false;
  }
  return true;
}

TEST(LogFrames, WholeLogsAreWhole) {
  EXPECT_EQ(CheckLogFrames({}), LogEnd::kWhole);
  EXPECT_EQ(CheckLogFrames(RealLog({10, 100, 1})), LogEnd::kWhole);
  EXPECT_EQ(CheckLogFrames(RealLog({100000, 10, 70000, 1})), LogEnd::kWhole);
}

// Every place where a block can end in a record, its header and the gap too small for a header.
TEST(LogFrames, WholeAtEveryBlockEdge) {
  const size_t overhead = RealLog({0}).size() + 2;  // a size of two bytes more in the record
  for (size_t gap = 0; gap < 20; ++gap) {
    const Bytes log = RealLog({kBlock - overhead - gap, 40, 3});
    EXPECT_EQ(CheckLogFrames(log), LogEnd::kWhole) << "gap " << gap;
    EXPECT_GT(log.size(), kBlock);
  }
}

TEST(LogFrames, EveryCutIsTornOrAtARecord) {
  const Bytes log = RealLog({30, 20, 33000, 10});
  size_t whole = 0;
  for (size_t size = 0; size < log.size(); ++size) {
    // Each cut inside the long record makes a search of all that is left: take a sample of those.
    if (size > 300 && size < kBlock - 40 && size % 509 != 0) continue;
    const LogEnd end = CheckLogFrames(ByteView(log).substr(0, size));
    ASSERT_NE(end, LogEnd::kBroken) << "cut to " << size;
    if (end == LogEnd::kWhole) ++whole;
  }
  EXPECT_EQ(whole, 4u);  // before each record; no edge of a block falls between records here
}

// A changed byte never looks like a write that was cut off, nor like the end of the log.
TEST(LogFrames, EveryFlippedBitIsBroken) {
  const Bytes log = RealLog({30, 20, 50, 10});
  for (size_t at = 0; at < log.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes flipped = log;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      ASSERT_EQ(CheckLogFrames(flipped), LogEnd::kBroken) << "byte " << at << " bit " << bit;
    }
  }
}

TEST(LogFrames, ZerosAreTorn) {
  const Bytes log = RealLog({30, 20});
  EXPECT_EQ(CheckLogFrames(log + Bytes(100, '\0')), LogEnd::kTorn);
  EXPECT_EQ(CheckLogFrames(log + Bytes(2 * kBlock, '\0')), LogEnd::kTorn);
  EXPECT_EQ(CheckLogFrames(log + Bytes(100, '\0') + "x"), LogEnd::kBroken);
}

TEST(LogFrames, RandomBytesNeverCrash) {
  LATCHKEY_TEST_RANDOM(random);
  for (int round = 0; round < 2000; ++round) {
    Bytes log(random() % 300, '\0');
    for (char& c : log) c = static_cast<char>(random() % 2 ? random() % 6 : random());
    const LogEnd end = CheckLogFrames(log);
    EXPECT_TRUE(end == LogEnd::kWhole || end == LogEnd::kTorn || end == LogEnd::kBroken);
    size_t read = 0;
    for (const Bytes& record : Read(log).first) read += record.size();
    EXPECT_LE(read, log.size());
  }
}

// ---- What can be read of one that is damaged

TEST(LogFrames, OfAWholeLogEveryRecordIsRead) {
  for (const std::vector<size_t>& sizes :
       {std::vector<size_t>{10, 100, 1}, {100000, 10, 70000, 1}, {33000, 0}}) {
    const auto [records, damaged] = Read(RealLog(sizes));
    EXPECT_EQ(damaged, 0u);
    ASSERT_EQ(records.size(), sizes.size());
    for (size_t i = 0; i < sizes.size(); ++i) EXPECT_GT(records[i].size(), sizes[i]);
  }
}

TEST(LogFrames, AFlippedBitCostsOneRecord) {
  const Bytes log = RealLog({30, 20, 50, 10});
  const auto whole = Read(log).first;
  for (size_t at = 0; at < log.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes flipped = log;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      const auto [records, damaged] = Read(flipped);
      ASSERT_EQ(damaged, 1u) << "byte " << at << " bit " << bit;
      ASSERT_EQ(records.size(), whole.size() - 1) << "byte " << at << " bit " << bit;
      ASSERT_TRUE(IsPart(records, whole));
    }
  }
}

TEST(LogFrames, ADamagedBlockCostsTheRecordsInIt) {
  const Bytes log = RealLog({100, 100000, 100, 100});
  const auto whole = Read(log).first;
  ASSERT_EQ(whole.size(), 4u);
  for (size_t at = 0; at < log.size(); at += 1009) {
    Bytes flipped = log;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    const auto [records, damaged] = Read(flipped);
    EXPECT_GE(damaged, 1u);
    EXPECT_EQ(records.size(), 3u) << at;
    EXPECT_TRUE(IsPart(records, whole));
  }
}

TEST(LogFrames, OfACutLogAllBeforeTheCutIsRead) {
  const Bytes log = RealLog({30, 20, 50, 10});
  const auto whole = Read(log).first;
  size_t most = 0;
  for (size_t size = 0; size < log.size(); ++size) {
    const auto records = Read(ByteView(log).substr(0, size)).first;
    ASSERT_GE(records.size(), most);  // a longer rest holds no fewer
    most = records.size();
    ASSERT_TRUE(std::equal(records.begin(), records.end(), whole.begin()));
  }
  EXPECT_EQ(most, 3u);
}

}  // namespace
}  // namespace latchkey::test
