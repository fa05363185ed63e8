#include "codec/key.h"

#include <gtest/gtest.h>

#include <tuple>

#include "support/seed.h"

namespace latchkey {
namespace {

// std::string compares as memcmp does, which is how the store orders its keys.
Bytes TextThenNumber(const Bytes& text, uint64_t number) {
  return Bytes(KeyWriter().Text(text).Be64(number).view());
}

// An alphabet of 00 01 FE FF drives the escapes.
Bytes RandomText(std::mt19937_64* random) {
  constexpr char kEdges[] = {'\x00', '\x01', '\xFE', '\xFF'};
  Bytes out((*random)() % 4, '\0');
  for (char& c : out) c = kEdges[(*random)() % 4];
  return out;
}

// High bytes must often be FF, or a missing terminator goes unseen.
uint64_t RandomNumber(std::mt19937_64* random) {
  return (*random)() % 2 ? ~uint64_t{0} << ((*random)() % 64) : (*random)() % 4;
}

TEST(KeyOrder, TextThenBe64MatchesTheTupleModel) {
  LATCHKEY_TEST_RANDOM(random);
  for (int step = 0; step < 50'000; ++step) {
    const std::tuple a{RandomText(&random), RandomNumber(&random)};
    const std::tuple b{RandomText(&random), RandomNumber(&random)};
    ASSERT_EQ(std::apply(TextThenNumber, a) <=> std::apply(TextThenNumber, b), a <=> b)
        << "step " << step;
  }
}

TEST(KeyOrder, EveryShapeMatchesTheTupleModel) {
  LATCHKEY_TEST_RANDOM(random);
  using Model = std::tuple<uint8_t, Bytes, uint16_t, Bytes, uint32_t, Bytes>;
  const auto draw = [&random] {
    Bytes raw(2, '\0');
    for (char& c : raw) c = static_cast<char>(random() % 2 ? 0xFF : 0);
    return Model{static_cast<uint8_t>(random() % 2 ? 255 : 0),
                 RandomText(&random),
                 static_cast<uint16_t>(random() % 2 ? 0xFF00 : random() % 3),
                 raw,
                 static_cast<uint32_t>(random() % 2 ? 0xFFFF0000 : random() % 3),
                 RandomText(&random)};
  };
  const auto encode = [](uint8_t u8, const Bytes& first, uint16_t be16, const Bytes& raw,
                         uint32_t be32, const Bytes& second) {
    return Bytes(KeyWriter().U8(u8).Text(first).Be16(be16).Raw(raw).Be32(be32).Text(second).view());
  };
  for (int step = 0; step < 50'000; ++step) {
    const Model a = draw();
    Model b = random() % 2 ? draw() : a;  // equal up to some field, or the later ones go unseen
    if (random() % 2) std::get<1>(b) = std::get<1>(a), std::get<0>(b) = std::get<0>(a);
    if (random() % 2) std::get<5>(b) = RandomText(&random);
    ASSERT_EQ(std::apply(encode, a) <=> std::apply(encode, b), a <=> b) << "step " << step;
  }
}

// So that a scan of one text's keys never meets another's.
TEST(KeyOrder, NoEncodedTextIsAPrefixOfAnother) {
  LATCHKEY_TEST_RANDOM(random);
  for (int step = 0; step < 50'000; ++step) {
    const Bytes a = RandomText(&random);
    const Bytes b = RandomText(&random);
    const Bytes encoded_a(KeyWriter().Text(a).view());
    const Bytes encoded_b(KeyWriter().Text(b).view());
    ASSERT_EQ(encoded_a.starts_with(encoded_b), a == b) << "step " << step;
  }
}

TEST(KeyReader, ReadsBackWhatWasWritten) {
  LATCHKEY_TEST_RANDOM(random);
  for (int step = 0; step < 20'000; ++step) {
    const Bytes text = RandomText(&random);
    const Bytes raw = RandomText(&random);
    const uint64_t number = RandomNumber(&random);
    const Bytes key(KeyWriter()
                        .Text(text)
                        .U8(static_cast<uint8_t>(number))
                        .Be16(static_cast<uint16_t>(number))
                        .Raw(raw)
                        .Be32(static_cast<uint32_t>(number))
                        .Be64(number)
                        .view());
    KeyReader reader(key);
    Bytes read_text;
    ByteView read_raw;
    uint8_t u8 = 0;
    uint16_t be16 = 0;
    uint32_t be32 = 0;
    uint64_t be64 = 0;
    ASSERT_TRUE(reader.Text(&read_text) && reader.U8(&u8) && reader.Be16(&be16) &&
                reader.Raw(raw.size(), &read_raw) && reader.Be32(&be32));
    ASSERT_FALSE(reader.AtEnd());
    ASSERT_TRUE(reader.Be64(&be64));
    ASSERT_TRUE(reader.AtEnd());
    ASSERT_EQ(read_text, text);
    ASSERT_EQ(read_raw, raw);
    ASSERT_EQ(u8, static_cast<uint8_t>(number));
    ASSERT_EQ(be16, static_cast<uint16_t>(number));
    ASSERT_EQ(be32, static_cast<uint32_t>(number));
    ASSERT_EQ(be64, number);
  }
}

// One text, one encoding: whatever bytes a reader accepts are what the writer makes of them.
TEST(KeyReader, AcceptsNothingThatTheWriterWouldNotWrite) {
  LATCHKEY_TEST_RANDOM(random);
  int accepted = 0;
  for (int step = 0; step < 100'000; ++step) {
    constexpr char kEdges[] = {'\x00', '\x00', '\xFF', 'a'};
    Bytes key(random() % 8, '\0');
    for (char& c : key) c = kEdges[random() % 4];
    KeyReader reader(key);
    Bytes text = "untouched";
    if (!reader.Text(&text)) {
      ASSERT_EQ(text, "untouched");
      continue;
    }
    ++accepted;
    const Bytes again(KeyWriter().Text(text).view());
    ASSERT_TRUE(key.starts_with(again)) << HexEncode(key);
    ASSERT_EQ(reader.AtEnd(), key == again) << HexEncode(key);
  }
  EXPECT_GT(accepted, 1000);
}

TEST(KeyReader, MalformedTextIsRefused) {
  for (const ByteView wrong :
       {ByteView(""), ByteView("a"), ByteView("a\0", 2), ByteView("a\0\1\0\0", 5),
        ByteView("a\0\xFE\0\0", 5), ByteView("a\0\xFF", 3), ByteView("a\0\xFF\0", 4)}) {
    KeyReader reader(wrong);
    Bytes text;
    EXPECT_FALSE(reader.Text(&text)) << HexEncode(wrong);
    EXPECT_FALSE(reader.AtEnd());
  }
}

TEST(KeyReader, ReadsNothingMoreOnceAFieldDidNotFit) {
  KeyReader reader("abc");
  uint64_t be64 = 0;
  uint32_t be32 = 0;
  uint16_t be16 = 0;
  uint8_t u8 = 0;
  ByteView raw;
  Bytes text;
  EXPECT_FALSE(reader.Be64(&be64));
  EXPECT_FALSE(reader.Be32(&be32));
  EXPECT_FALSE(reader.Be16(&be16));
  EXPECT_FALSE(reader.U8(&u8));
  EXPECT_FALSE(reader.Raw(0, &raw));
  EXPECT_FALSE(reader.Text(&text));
  EXPECT_FALSE(reader.AtEnd());
  KeyReader empty("");
  EXPECT_TRUE(empty.AtEnd());
  EXPECT_FALSE(empty.U8(&u8));
  EXPECT_FALSE(empty.AtEnd());
}

TEST(KeyFormat, GoldenBytesDoNotChange) {  // on disk: to edit this is a migration
  EXPECT_EQ(HexEncode(TextThenNumber(Bytes("a\0", 2), 1)), "6100ff00000000000000000001");
  EXPECT_EQ(HexEncode(KeyWriter()
                          .U8(0x07)
                          .Be16(0x0102)
                          .Be32(0x03040506)
                          .Be64(0x0708090A0B0C0D0E)
                          .Raw("\xFE\xFF")
                          .Text("")
                          .view()),
            "07010203040506"
            "0708090a0b0c0d0e"
            "feff"
            "0000");
}

TEST(KeyWriter, HoldsTheLongestKey) {
  KeyWriter key;
  for (size_t i = 0; i < kKeyBytesMax; ++i) key.U8(0xAA);
  EXPECT_EQ(key.view(), Bytes(kKeyBytesMax, '\xAA'));
}

TEST(KeyWriterDeathTest, StopsRatherThanWritePastItsBuffer) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(KeyWriter().Raw(Bytes(kKeyBytesMax + 1, 'a')), "");
}

}  // namespace
}  // namespace latchkey
