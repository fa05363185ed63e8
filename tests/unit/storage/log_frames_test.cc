#include "storage/log_frames.h"

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
  }
}

}  // namespace
}  // namespace latchkey::test
