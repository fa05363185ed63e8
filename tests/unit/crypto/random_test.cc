#include "crypto/random.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "unit/crypto/support.h"

namespace latchkey {
namespace {

// An EntropySource is a plain function: what the sources below do is told to them here.
struct Script {
  uint64_t state = 0;
  int blocks = 0;    // drawn so far
  int fail_at = -1;  // this block and no other
  uint8_t* last_out = nullptr;
  size_t block_size = 0;
} script;

bool Scripted(uint8_t* out, size_t size) {
  script.last_out = out;
  script.block_size = size;
  if (script.blocks++ == script.fail_at) return false;
  test::FillBySplitMix(&script.state, out, size);
  return true;
}

bool SameBlockEachTime(uint8_t* out, size_t size) {
  uint64_t state = 1;
  test::FillBySplitMix(&state, out, size);
  return true;
}

bool SameBlockFromTheThirdOn(uint8_t* out, size_t size) {
  uint64_t state = script.blocks < 3 ? static_cast<uint64_t>(++script.blocks) : 3;
  test::FillBySplitMix(&state, out, size);
  return true;
}

bool OneByteRepeated(uint8_t* out, size_t size) {
  std::memset(out, 0x11 * ++script.blocks, size);
  return true;
}

// Never below 62 in its lower six bits.
bool OutsideTheAlphabet(uint8_t* out, size_t size) {
  test::FillBySplitMix(&script.state, out, size);
  for (size_t i = 0; i < size; ++i) out[i] |= 0x3E;
  return true;
}

constexpr ByteView kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

class RandomTest : public testing::Test {
 protected:
  RandomTest() { script = Script{}; }
};

// Model: the source's stream from its second block on (the first is only compared with).
TEST_F(RandomTest, HandsOutTheSourceInOrderAndOnce) {
  test::SeededRandom seeded;
  script.state = seeded();
  uint64_t model = script.state;
  Random random(&Scripted);
  bool skipped = false;
  for (int step = 0; step < 500; ++step) {
    std::vector<uint8_t> got(seeded() % (step % 10 == 0 ? 10'000 : 100));
    ASSERT_TRUE(random.Fill(got).ok());
    if (!skipped && !got.empty()) {
      std::vector<uint8_t> first_block(script.block_size);
      test::FillBySplitMix(&model, first_block.data(), first_block.size());
      skipped = true;
    }
    std::vector<uint8_t> due(got.size());
    test::FillBySplitMix(&model, due.data(), due.size());
    ASSERT_EQ(got, due) << "step " << step;
  }
}

TEST_F(RandomTest, BytesAreWipedBehindTheReader) {
  Random random(&Scripted);
  std::array<uint8_t, 100> got;
  ASSERT_TRUE(random.Fill(got).ok());
  const uint8_t* buffer = script.last_out;
  for (size_t i = 0; i < got.size(); ++i) ASSERT_EQ(buffer[i], 0) << i;
  size_t left = 0;
  for (size_t i = got.size(); i < script.block_size; ++i) left += buffer[i] != 0;
  EXPECT_GT(left, script.block_size / 2);
}

TEST_F(RandomTest, SourceThatFailsOnceFailsEveryLaterDraw) {
  for (int fail_at : {0, 1, 2, 3}) {
    script = Script{};
    script.fail_at = fail_at;
    Random random(&Scripted);
    std::vector<uint8_t> got(3 * 4096 + 1, 0xEE);
    EXPECT_EQ(random.Fill(got).code(), Code::kInternal);
    EXPECT_EQ(got, std::vector<uint8_t>(got.size())) << "half a key was handed out";
    std::array<uint8_t, 1> one{};
    EXPECT_EQ(random.Fill(one).code(), Code::kInternal);
    EXPECT_EQ(random.FillFromAlphabet(kBase62, one).code(), Code::kInternal);
  }
}

TEST_F(RandomTest, SourceThatFailsLaterFailsFromThenOn) {
  script.fail_at = 2;
  Random random(&Scripted);
  std::vector<uint8_t> block(4096);
  ASSERT_TRUE(random.Fill(block).ok());
  std::array<uint8_t, 30> key;
  key.fill(0xEE);
  EXPECT_EQ(random.FillFromAlphabet(kBase62, key).code(), Code::kInternal);
  EXPECT_EQ(key, (std::array<uint8_t, 30>{}));
  EXPECT_EQ(random.Fill(key).code(), Code::kInternal);
}

TEST_F(RandomTest, RepeatedBlockIsRefusedBeforeAByteOfItIsHandedOut) {
  Random random(&SameBlockEachTime);
  std::array<uint8_t, 1> one;
  EXPECT_EQ(random.Fill(one).code(), Code::kInternal);
}

TEST_F(RandomTest, SourceThatGetsStuckIsRefused) {
  Random random(&SameBlockFromTheThirdOn);
  std::vector<uint8_t> two_blocks(2 * 4096);
  ASSERT_TRUE(random.Fill(two_blocks).ok());
  std::array<uint8_t, 1> one;
  EXPECT_EQ(random.Fill(one).code(), Code::kInternal);
}

TEST_F(RandomTest, OneByteRepeatedIsRefused) {
  Random random(&OneByteRepeated);
  std::array<uint8_t, 1> one;
  EXPECT_EQ(random.Fill(one).code(), Code::kInternal);
}

TEST_F(RandomTest, SourceThatNeverHitsTheAlphabetEndsInAnError) {
  Random random(&OutsideTheAlphabet);
  std::array<uint8_t, 30> key;
  EXPECT_EQ(random.FillFromAlphabet(kBase62, key).code(), Code::kInternal);
}

TEST_F(RandomTest, AlphabetHas2To256Characters) {
  Random random(&Scripted);
  std::array<uint8_t, 4> out;
  for (size_t size : {0, 1, 257, 1000}) {
    EXPECT_EQ(random.FillFromAlphabet(std::string(size, 'x'), out).code(), Code::kInvalidArgument);
  }
  EXPECT_TRUE(random.FillFromAlphabet(std::string(256, 'x'), out).ok());
}

// Chi-square against the uniform distribution, from a fixed seed, so that it does not flicker. Six
// standard deviations above its mean: a remainder in place of rejection is off by thousands.
TEST_F(RandomTest, CharactersAreDrawnWithoutBias) {
  for (size_t alphabet_size : {2, 3, 31, 32, 33, 62, 200, 255, 256}) {
    script = Script{};
    script.state = 20'250'101;
    std::string alphabet;
    for (size_t i = 0; i < alphabet_size; ++i) alphabet.push_back(static_cast<char>(i));
    Random random(&Scripted);
    const size_t due = 4000;  // of each character
    std::vector<uint8_t> out(due * alphabet_size);
    ASSERT_TRUE(random.FillFromAlphabet(alphabet, out).ok());
    std::array<double, 256> seen{};
    for (uint8_t character : out) seen[character] += 1;
    double chi_square = 0;
    for (size_t i = 0; i < 256; ++i) {
      if (i >= alphabet_size) {
        ASSERT_EQ(seen[i], 0) << "outside the alphabet of " << alphabet_size;
        continue;
      }
      chi_square += (seen[i] - due) * (seen[i] - due) / due;
    }
    const double freedom = static_cast<double>(alphabet_size - 1);
    EXPECT_LT(chi_square, freedom + 6 * std::sqrt(2 * freedom)) << alphabet_size;
  }
}

TEST(SystemEntropy, FillsEverySizeAnew) {
  std::vector<uint8_t> first(10'000);
  std::vector<uint8_t> second(first.size());
  ASSERT_TRUE(SystemEntropy()(first.data(), first.size()));
  ASSERT_TRUE(SystemEntropy()(second.data(), second.size()));
  EXPECT_NE(first, second);
  const std::vector<uint8_t> zeros(32);
  EXPECT_NE(std::vector<uint8_t>(first.end() - 32, first.end()), zeros);
  EXPECT_TRUE(SystemEntropy()(first.data(), 0));
}

TEST(Random, ForkedChildDrawsItsOwn) {
  Random random;
  std::array<uint8_t, 16> before;
  ASSERT_TRUE(random.Fill(before).ok());  // the buffer is drawn, and both will hold it
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::array<uint8_t, 32> drawn{};
    const bool good = random.Fill(drawn).ok() &&
                      write(ends[1], drawn.data(), drawn.size()) == ssize_t{sizeof drawn};
    _exit(good ? 0 : 1);
  }
  std::array<uint8_t, 32> childs{};
  ASSERT_EQ(read(ends[0], childs.data(), childs.size()), ssize_t{sizeof childs});
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  EXPECT_EQ(state, 0);
  close(ends[0]);
  close(ends[1]);
  std::array<uint8_t, 32> parents{};
  ASSERT_TRUE(random.Fill(parents).ok());
  EXPECT_NE(childs, parents);
}

TEST(Random, ThreadsNeverShareABlock) {
  constexpr int kThreads = 4;
  constexpr int kDraws = 50'000;
  Random random;
  std::array<std::vector<std::array<uint8_t, 16>>, kThreads> drawn;
  std::latch start(kThreads);  // or the first would be done before the last begins
  std::vector<std::thread> threads;
  for (auto& mine : drawn) {
    threads.emplace_back([&random, &mine, &start] {
      mine.reserve(kDraws);
      start.arrive_and_wait();
      for (int i = 0; i < kDraws; ++i) {
        ASSERT_TRUE(random.Fill(mine.emplace_back()).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::array<uint8_t, 16>> all;
  for (const auto& mine : drawn) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), size_t{kThreads} * kDraws);
}

}  // namespace
}  // namespace latchkey
