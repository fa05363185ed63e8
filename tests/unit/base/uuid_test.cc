#include "base/uuid.h"

#include <gtest/gtest.h>

#include "support/seed.h"

namespace latchkey {
namespace {

constexpr ByteView kText = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";

Uuid Random(std::mt19937_64* random) {
  Uuid uuid;
  for (uint8_t& byte : uuid.bytes) byte = static_cast<uint8_t>((*random)());
  return uuid;
}

TEST(Uuid, Version7OfTheStandardsExample) {  // RFC 9562 A.6
  const Uuid uuid =
      MakeUuidV7(0x017F22E279B0, {0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F});
  EXPECT_EQ(FormatUuid(uuid), kText);
}

TEST(Uuid, Version7KeepsItsMarksWhateverTheRandomBytes) {
  std::array<uint8_t, 10> ones;
  ones.fill(0xFF);
  EXPECT_EQ(FormatUuid(MakeUuidV7(0, ones)), "00000000-0000-7fff-bfff-ffffffffffff");
  EXPECT_EQ(FormatUuid(MakeUuidV7(0, {})), "00000000-0000-7000-8000-000000000000");
}

TEST(Uuid, Version7OfTimesOutsideItsFieldStaysOrdered) {
  EXPECT_EQ(MakeUuidV7(-1, {}), MakeUuidV7(0, {}));
  EXPECT_EQ(FormatUuid(MakeUuidV7(INT64_MAX, {})), "ffffffff-ffff-7000-8000-000000000000");
}

TEST(Uuid, Version7SortsByTime) {
  LATCHKEY_TEST_RANDOM(random);
  for (int step = 0; step < 1000; ++step) {
    const auto ms = static_cast<int64_t>(random() >> 17);
    std::array<uint8_t, 10> early;
    early.fill(0xFF);
    ASSERT_LT(MakeUuidV7(ms, early), MakeUuidV7(ms + 1, {})) << ms;
  }
}

TEST(Uuid, EveryFormIsRead) {
  const Uuid expected = *ParseUuid(kText);
  for (const ByteView form :
       {"017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "017f22e279b07cc398c4dc0c0c07398f",
        "017F22e279b07cC398c4dc0c0c07398F", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "URN:UUID:017F22E2-79B0-7CC3-98C4-DC0C0C07398F"}) {
    const Result<Uuid> read = ParseUuid(form);
    ASSERT_TRUE(read.ok()) << form;
    EXPECT_EQ(*read, expected) << form;
  }
  EXPECT_TRUE(ParseUuid("00000000-0000-0000-0000-000000000000").value().is_nil());
  EXPECT_FALSE(expected.is_nil());
}

TEST(Uuid, NothingElseIsRead) {
  for (const ByteView wrong : {"",
                               "0",
                               "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
                               "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
                               "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
                               "017f22e279b0-7cc3-98c4-dc0c0c07398f-",
                               "017f22e2_79b0-7cc3-98c4-dc0c0c07398f",
                               "017f22e2-79b0-7cc398c4--dc0c0c07398f",
                               "-17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                               "{017f22e279b07cc398c4dc0c0c07398f}",
                               "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                               "(017f22e2-79b0-7cc3-98c4-dc0c0c07398f)",
                               "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f]",
                               "[017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
                               "urn:uuid:017f22e279b07cc398c4dc0c0c07398f",
                               " 017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                               "017f22e2-79b0-7cc3-98c4-dc0c0c07398f ",
                               "urn:uuie:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                               "urn:uuid:{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
                               "0x7f22e279b07cc398c4dc0c0c07398f"}) {
    const Result<Uuid> read = ParseUuid(wrong);
    EXPECT_FALSE(read.ok()) << wrong;
    EXPECT_EQ(read.code(), Code::kInvalidArgument);
  }
}

TEST(Uuid, FormatThenParseIsTheSame) {
  LATCHKEY_TEST_RANDOM(random);
  for (int step = 0; step < 1000; ++step) {
    const Uuid uuid = Random(&random);
    const Bytes text = FormatUuid(uuid);
    ASSERT_EQ(text.size(), Uuid::kTextSize);
    const Result<Uuid> read = ParseUuid(text);
    ASSERT_TRUE(read.ok()) << text;
    ASSERT_EQ(*read, uuid);
    ASSERT_EQ(Uuid::From(uuid.view()), uuid);
  }
}

TEST(Uuid, ChangingOneCharacterNeverReadsAsTheSame) {
  LATCHKEY_TEST_RANDOM(random);
  for (int step = 0; step < 20'000; ++step) {
    const Uuid uuid = Random(&random);
    Bytes text = FormatUuid(uuid);
    char& c = text[random() % text.size()];
    const char before = c;
    c = static_cast<char>(random());
    const Result<Uuid> read = ParseUuid(text);
    const bool same_digit = c == before || (before >= 'a' && c == before - 'a' + 'A');
    ASSERT_EQ(read.ok() && *read == uuid, same_digit) << "step " << step;
  }
}

}  // namespace
}  // namespace latchkey
