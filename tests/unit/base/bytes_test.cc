#include "base/bytes.h"

#include <gtest/gtest.h>

#include "support/seed.h"

namespace latchkey {
namespace {

TEST(Hex, EncodesLowerCase) {
  EXPECT_EQ(HexEncode(ByteView("\x00\x0F\xA5\xFF", 4)), "000fa5ff");
  EXPECT_EQ(HexEncode(""), "");
}

TEST(Hex, DecodesEitherCaseAndNothingElse) {
  uint8_t out[2] = {};
  ASSERT_TRUE(HexDecode("aBF0", out, 2));
  EXPECT_EQ(out[0], 0xAB);
  EXPECT_EQ(out[1], 0xF0);
  for (const ByteView wrong :
       {"abf", "abf00", "abf000", "", "ab f", "abfg", "0xab", "ab:f", "ab`0", "ab@0", "ab/0"}) {
    EXPECT_FALSE(HexDecode(wrong, out, 2)) << wrong;
  }
  EXPECT_TRUE(HexDecode("", out, 0));
}

TEST(Hex, EveryByteRoundTrips) {
  Bytes all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  uint8_t out[256];
  ASSERT_TRUE(HexDecode(HexEncode(all), out, sizeof out));
  EXPECT_EQ(std::memcmp(out, all.data(), sizeof out), 0);
}

TEST(Crc32, KnownAnswers) {
  EXPECT_EQ(Crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(Crc32(""), 0u);
  EXPECT_EQ(Crc32(ByteView("\0\0\0\0", 4)), 0x2144DF1Cu);
  EXPECT_EQ(Crc32("The quick brown fox jumps over the lazy dog"), 0x414FA339u);
}

// Why it is there: one mistyped byte is always found.
TEST(Crc32, FindsEveryChangeOfOneByte) {
  LATCHKEY_TEST_RANDOM(random);
  for (int step = 0; step < 200; ++step) {
    Bytes text(1 + random() % 60, '\0');
    for (char& c : text) c = static_cast<char>(random());
    const uint32_t right = Crc32(text);
    for (char& c : text) {
      const char kept = c;
      c = static_cast<char>(c ^ static_cast<char>(1 + random() % 255));
      ASSERT_NE(Crc32(text), right) << "step " << step;
      c = kept;
    }
  }
}

TEST(LittleEndian, BytesAreInPlace) {
  uint8_t bytes[8];
  StoreLe64(bytes, 0x0807060504030201);
  for (uint8_t i = 0; i < 8; ++i) EXPECT_EQ(bytes[i], i + 1);
  EXPECT_EQ(LoadLe64(bytes), 0x0807060504030201u);
}

}  // namespace
}  // namespace latchkey
