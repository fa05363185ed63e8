#include "base/text.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/limits.h"
#include "base/utf8.h"
#include "support/seed.h"

namespace latchkey {
namespace {

// The reference encoder: any number up to 2^21, also what UTF-8 forbids.
Bytes Encode(char32_t c) {
  Bytes out;
  const auto tail = [&](int shift) {
    out.push_back(static_cast<char>(0x80 | (c >> shift & 0x3F)));
  };
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0 | c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | c >> 12));
    tail(6), tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | c >> 18));
    tail(12), tail(6), tail(0);
  }
  return out;
}

Bytes Repeat(ByteView text, size_t times) {
  Bytes out;
  while (times-- > 0) out.append(text);
  return out;
}

TEST(Utf8, EveryCodePointIsReadAndNothingElse) {
  for (char32_t c = 0; c < 0x1FFFFF; ++c) {
    const Bytes text = Encode(c);
    ByteView rest = text;
    char32_t read = 0;
    const bool is_valid = c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
    ASSERT_EQ(TakeCodePoint(&rest, &read), is_valid) << "U+" << std::hex << uint32_t{c};
    if (is_valid) {
      ASSERT_EQ(read, c);
      ASSERT_TRUE(rest.empty());
    }
  }
}

TEST(Utf8, MalformedFormsAreRefused) {
  for (const ByteView wrong : {"\x80",
                               "\xBF",
                               "\xC0\x80",
                               "\xC1\xBF",
                               "\xE0\x80\x80",
                               "\xE0\x9F\xBF",
                               "\xF0\x80\x80\x80",
                               "\xF0\x8F\xBF\xBF",
                               "\xC3",
                               "\xE2\x82",
                               "\xF0\x9F\x98",
                               "\xC3(",
                               "\xE2(\xA1",
                               "\xE2\x82(",
                               "\xED\xA0\x80",
                               "\xF4\x90\x80\x80",
                               "\xF8\x88\x80\x80\x80",
                               "\xFE",
                               "\xFF",
                               "a\xFFz"}) {
    EXPECT_EQ(CountCodePoints(wrong), -1) << HexEncode(wrong);
  }
}

TEST(Utf8, ACharacterThatTheTextCutsShortIsRefused) {
  constexpr ByteView kWhole[] = {"\xC3\x89", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
  for (const ByteView whole : kWhole) {
    EXPECT_EQ(CountCodePoints(whole), 1);
    for (size_t size = 1; size < whole.size(); ++size) {
      ByteView cut = whole.substr(0, size);  // what is missing lies just behind it
      char32_t ignored = 0;
      EXPECT_FALSE(TakeCodePoint(&cut, &ignored));
      EXPECT_EQ(cut.size(), size);
    }
  }
}

TEST(Utf8, CharactersAreCountedNotBytes) {
  EXPECT_EQ(CountCodePoints(""), 0);
  EXPECT_EQ(CountCodePoints("abc"), 3);
  EXPECT_EQ(CountCodePoints(ByteView("a\0b", 3)), 3);
  EXPECT_EQ(CountCodePoints("\xC3\x89\xE2\x82\xAC\xF0\x9F\x98\x80"), 3);
}

TEST(Name, AcceptsWhatPeopleWrite) {
  for (const ByteView name : {"a", "Release CI", "in\tner\nspace",
                              "\xC3\x89"
                              "clair",
                              "--", "\xF0\x9F\x94\x91"}) {
    EXPECT_TRUE(CheckName(name).ok()) << name;
  }
  EXPECT_TRUE(CheckName(ByteView("a\0b", 3)).ok());
  EXPECT_TRUE(CheckName(ByteView("\0", 1)).ok());
  EXPECT_TRUE(CheckName("\xE2\x80\x8B").ok());  // U+200B is no White_Space
}

TEST(Name, EachBrokenRuleIsNamed) {
  const auto why = [](ByteView name) {
    const Status status = CheckName(name);
    EXPECT_EQ(status.code(), status.ok() ? Code::kOk : Code::kInvalidArgument);
    return Bytes(status.why());
  };
  EXPECT_EQ(why(""), "the name is empty");
  EXPECT_EQ(why("\xC3("), "the name is not valid UTF-8");
  EXPECT_EQ(why(" a"), "the name begins or ends with white space");
  EXPECT_EQ(why("a "), "the name begins or ends with white space");
  EXPECT_EQ(why(" "), "the name begins or ends with white space");
  EXPECT_EQ(why(Repeat("a", 65)), "the name has more than 64 characters");
  EXPECT_EQ(why(Repeat("a", 64)), "ok");
  EXPECT_EQ(why(Repeat("\xF0\x9F\x94\x91", 64)), "ok");
  EXPECT_EQ(why(Repeat("\xF0\x9F\x94\x91", 64) + "a"), "the name has more than 64 characters");
  EXPECT_EQ(why(Repeat("\xC3\x89", 65)), "the name has more than 64 characters");
  EXPECT_EQ(why(Repeat("a", 10'000'000)), "the name has more than 64 characters");
}

TEST(Name, UnicodeWhiteSpaceIsRefusedAtEitherEndOnly) {
  std::vector<char32_t> spaces = {0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000};
  for (char32_t c = 0x09; c <= 0x0D; ++c) spaces.push_back(c);
  for (char32_t c = 0x2000; c <= 0x200A; ++c) spaces.push_back(c);
  ASSERT_EQ(spaces.size(), 25u);  // as many as Unicode has
  size_t found = 0;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const Bytes text = Encode(c);
    const bool is_space = std::find(spaces.begin(), spaces.end(), c) != spaces.end();
    found += is_space ? 1 : 0;
    ASSERT_EQ(CheckName(text + "x").ok(), !is_space) << "U+" << std::hex << uint32_t{c};
    ASSERT_EQ(CheckName("x" + text).ok(), !is_space) << "U+" << std::hex << uint32_t{c};
    if (is_space) {
      ASSERT_TRUE(CheckName("x" + text + "x").ok());
    }
  }
  EXPECT_EQ(found, spaces.size());
}

TEST(Slug, AcceptsAndRefuses) {
  for (const Bytes& slug : {Bytes("a"), Bytes("0"), Bytes("a-b-3"), Repeat("a", 64)}) {
    EXPECT_TRUE(CheckSlug(slug).ok()) << slug;
  }
  for (const Bytes& slug :
       {Bytes(), Bytes("-"), Bytes("-a"), Bytes("a-"), Bytes("a--b"), Bytes("A"), Bytes("a b"),
        Bytes("a_b"), Bytes("\xC3\xA9"), Bytes("a\0b", 3), Repeat("a", 65)}) {
    EXPECT_EQ(CheckSlug(slug).code(), Code::kInvalidArgument) << slug;
  }
}

TEST(Email, AcceptsAndRefuses) {
  const Bytes longest = Repeat("a", limits::kEmailBytesMax - 2) + "@b";
  for (const Bytes& email : {Bytes("a@b"), Bytes("Muriel.Bagge@nowhere.com"), Bytes("a+b@c.d"),
                             Bytes("\xC3\xA9@x.org"), longest}) {
    EXPECT_TRUE(CheckEmail(email).ok()) << email;
  }
  for (const Bytes& email :
       {Bytes(), Bytes("ab"), Bytes("abc"), Bytes("@bc"), Bytes("ab@"), Bytes("a@b@c"),
        Bytes("a@@b"), Bytes("a b@c"), Bytes("a@b\n"), Bytes("a\0@b", 4), Bytes("a@b\x7F"),
        Bytes("a@b\xC2\x85"), Bytes("a@b\xC2\x9F"), Bytes("a@b\xE3\x80\x80"), Bytes("a@b\xFF"),
        longest + "c"}) {
    EXPECT_EQ(CheckEmail(email).code(), Code::kInvalidArgument) << email;
  }
}

TEST(FoldAscii, TouchesAsciiLettersOnly) {
  Bytes all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const Bytes folded = FoldAscii(all);
  for (int i = 0; i < 256; ++i) {
    const int expected = i >= 'A' && i <= 'Z' ? i + 32 : i;
    EXPECT_EQ(static_cast<uint8_t>(folded[static_cast<size_t>(i)]), expected);
  }
}

// Whatever bytes come in, a name that passes is one that a list can show and an index can hold.
TEST(Name, RandomBytesThatPassKeepTheRules) {
  LATCHKEY_TEST_RANDOM(random);
  int passed = 0;
  for (int step = 0; step < 50'000; ++step) {
    constexpr ByteView kPieces[] = {"a", " ", "\xC2\xA0", "\xF0\x9F\x94\x91", "\xFF", "\xE2\x80"};
    Bytes name;
    for (size_t left = random() % 80; left > 0; --left) {
      // Spoilt pieces are rare, or no long name would ever pass.
      name.append(kPieces[random() % 50 == 0 ? random() % 6 : random() % 2 * 3]);
    }
    if (!CheckName(name).ok()) continue;
    ++passed;
    const int64_t count = CountCodePoints(name);
    ASSERT_GE(count, 1);
    ASSERT_LE(count, 64);
    ASSERT_LE(name.size(), limits::kNameBytesMax);
    ASSERT_FALSE(name.starts_with(' ') || name.ends_with(' ') || name.ends_with("\xC2\xA0"));
  }
  EXPECT_GT(passed, 1000);
}

}  // namespace
}  // namespace latchkey
