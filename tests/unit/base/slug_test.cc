#include <gtest/gtest.h>

#include <cstring>

#include "base/limits.h"
#include "base/slug_table.h"
#include "base/text.h"
#include "base/utf8.h"
#include "support/seed.h"

namespace latchkey {
namespace {

Bytes Utf8(char32_t c) {
  Bytes out;
  if (c < 0x80) return out.push_back(static_cast<char>(c)), out;
  const int tails = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr uint8_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
  out.push_back(static_cast<char>(kLead[tails] | c >> (6 * tails)));
  for (int i = tails - 1; i >= 0; --i) out.push_back(static_cast<char>(0x80 | (c >> 6 * i & 0x3F)));
  return out;
}

TEST(Slugify, KnownNames) {
  const struct {
    ByteView name;
    ByteView slug;
  } kCases[] = {
      {"Release CI", "release-ci"},
      {"  --A__b!!C  ", "a-b-c"},
      {"don't", "don-t"},
      {"", ""},
      {"!?", ""},
      {"\xC3\x89"
       "clair CI",
       "eclair-ci"},
      {"E\xCC\x81"
       "clair CI",
       "eclair-ci"},  // decomposed: the mark vanishes
      {"Stra\xC3\x9F"
       "e \xC3\x98 \xC3\x86",
       "strasse-o-ae"},
      {"\xC5\x81\xC3\xB3"
       "d\xC5\xBA",
       "lodz"},
      {"\xC4\xB0stanbul \xC4\xB1", "istanbul-i"},
      {"\xC3\x9E\xC3\xB3r \xC3\xB0", "thor-d"},
      {"Vi\xE1\xBB\x87t Nam", "viet-nam"},
      {"\xE1\xBA\x9E", "ss"},
      {"\xD0\xBA\xD0\xBB\xD1\x8E\xD1\x87 \xD0\xB4\xD0\xBB\xD1\x8F "
       "\xD1\x81\xD0\xB1\xD0\xBE\xD1\x80\xD0\xBA\xD0\xB8",
       "kliuch-dlia-sborki"},
      {"\xD0\x91\xD0\x9E\xD0\x9B\xD0\xAC\xD0\xA8\xD0\x9E\xD0\x99", "bolshoi"},  // soft sign inside
      {"\xD0\xA9\xD1\x91\xD1\x82\xD0\xBA\xD0\xB0", "shchiotka"},
      {"\xCE\x95\xCE\xBB\xCE\xBB\xCE\xAC\xCE\xB4\xCE\xB1", "ellada"},
      {"\xCE\xA8\xCF\x85\xCF\x87\xCE\xAE \xCE\xBF\xCF\x82", "psychi-os"},
      {"CO\xC2\xB2 \xC2\xBD", "co2-1-2"},
      {"key \xF0\x9F\x94\x91 one", "key-one"},
      {"\xE9\x8D\xB5", ""},  // a script that the table does not know
      {"a\xFF"
       "b",
       "a-b"},  // not UTF-8
      {"a\xC3", "a"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Slugify(c.name), c.slug) << c.name;
  EXPECT_EQ(Slugify(ByteView("a\0b", 3)), "a-b");
}

TEST(Slugify, CutTo64AndTrimmedAgain) {
  EXPECT_EQ(Slugify(Bytes(100, 'a')), Bytes(64, 'a'));
  EXPECT_EQ(Slugify(Bytes(63, 'a') + " b"), Bytes(63, 'a'));
  EXPECT_EQ(Slugify(Bytes(62, 'a') + " b"), Bytes(62, 'a') + "-b");
  EXPECT_EQ(Slugify(Bytes(63, 'a') + "\xC3\x9F"), Bytes(63, 'a') + "s");
}

TEST(Slugify, EveryCodePointGivesASlugOrNothing) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const Bytes alone = Slugify(Utf8(c));
    ASSERT_TRUE(alone.empty() || CheckSlug(alone).ok()) << "U+" << std::hex << uint32_t{c};
    const auto between = [](ByteView text) { return Bytes("a").append(text).append("b"); };
    const Bytes inside = Slugify(between(Utf8(c)));
    ASSERT_TRUE(CheckSlug(inside).ok()) << "U+" << std::hex << uint32_t{c};
    if (c < 0x80) continue;
    // It separates, vanishes, or stands as the table says.
    const char* text = SlugText(c);
    ASSERT_EQ(inside, between(text == nullptr ? "-" : text));
  }
}

TEST(SlugTable, CombiningMarksVanishAndNeighboursDoNot) {
  for (char32_t c = 0x300; c <= 0x36F; ++c) {
    ASSERT_NE(SlugText(c), nullptr);
    EXPECT_STREQ(SlugText(c), "");
  }
  EXPECT_EQ(SlugText(0x00), nullptr);
  EXPECT_EQ(SlugText(0xD7), nullptr);  // the multiplication sign between two runs
  EXPECT_STREQ(SlugText(0xD6), "o");
  EXPECT_STREQ(SlugText(0xD8), "o");
  EXPECT_STREQ(SlugText(0xAA), "a");    // the table's first entry
  EXPECT_STREQ(SlugText(0x1EFF), "y");  // and its last
  EXPECT_EQ(SlugText(0x1F00), nullptr);
  EXPECT_EQ(SlugText(0x100C5), nullptr);  // whose low half is a letter's
  EXPECT_EQ(SlugText(0x10FFFF), nullptr);
}

// Every letter of an alphabet that we say we know is known, in both cases alike.
TEST(SlugTable, AlphabetsAreComplete) {
  for (char32_t c = 0x410; c <= 0x42F; ++c) {
    ASSERT_NE(SlugText(c), nullptr) << uint32_t{c};
    EXPECT_STREQ(SlugText(c), SlugText(c + 0x20));
  }
  for (char32_t c = 0x391; c <= 0x3A9; ++c) {
    if (c == 0x3A2) continue;  // not assigned
    ASSERT_NE(SlugText(c), nullptr) << uint32_t{c};
    EXPECT_STREQ(SlugText(c), SlugText(c + 0x20));
  }
  for (char32_t c = 0xC0; c <= 0x17F; ++c) {
    if (c == 0xD7 || c == 0xF7) continue;  // multiplication and division
    ASSERT_NE(SlugText(c), nullptr) << uint32_t{c};
    EXPECT_GT(std::strlen(SlugText(c)), 0u) << uint32_t{c};
  }
}

// A generated slug always passes the check, and slugging it again changes nothing.
TEST(Slugify, RandomNamesGiveFixedPoints) {
  LATCHKEY_TEST_RANDOM(random);
  constexpr char32_t kBlocks[] = {0x80, 0x250, 0x600, 0x2000, 0x10000, 0x110000};
  for (int step = 0; step < 50'000; ++step) {
    Bytes name;
    for (size_t left = random() % 90; left > 0; --left) {
      const auto c = static_cast<char32_t>(random() % kBlocks[random() % 6]);
      name.append(Utf8(c));  // surrogates among them: not UTF-8
      if (random() % 20 == 0) name.push_back(static_cast<char>(random()));
    }
    const Bytes slug = Slugify(name);
    ASSERT_TRUE(slug.empty() || CheckSlug(slug).ok()) << "step " << step << " " << slug;
    ASSERT_EQ(Slugify(slug), slug) << "step " << step;
  }
}

// The other way round: what the check accepts is what slugging leaves alone.
TEST(Slug, CheckAcceptsExactlyTheFixedPoints) {
  LATCHKEY_TEST_RANDOM(random);
  int accepted = 0;
  for (int step = 0; step < 50'000; ++step) {
    Bytes text;
    const size_t size = random() % 4 == 0 ? 60 + random() % 8 : random() % 8;
    for (size_t i = 0; i < size; ++i) text.push_back("ab01z9-A_"[random() % (step % 2 ? 6 : 9)]);
    if (random() % 4 == 0 && !text.empty()) text[random() % text.size()] = '-';
    const bool is_slug = CheckSlug(text).ok();
    accepted += is_slug ? 1 : 0;
    ASSERT_EQ(is_slug, !text.empty() && Slugify(text) == text) << text;
  }
  EXPECT_GT(accepted, 1000);
}

TEST(SlugWithSuffix, FitsAndStaysASlug) {
  EXPECT_EQ(SlugWithSuffix("ci", "k3j9x0ab"), "ci-k3j9x0ab");
  EXPECT_EQ(SlugWithSuffix("", "k3j9x0ab"), "k3j9x0ab");
  EXPECT_EQ(SlugWithSuffix(Bytes(64, 'a'), "k3j9x0ab"), Bytes(55, 'a') + "-k3j9x0ab");
  EXPECT_EQ(SlugWithSuffix(Bytes(54, 'a') + "-bcdefghij", "k3j9x0ab"),
            Bytes(54, 'a') + "-k3j9x0ab");
  EXPECT_EQ(SlugWithSuffix("ci", Bytes(63, 'b')), Bytes(63, 'b'));
  for (size_t size = 1; size <= limits::kSlugBytesMax; ++size) {
    for (size_t hyphen = 1; hyphen + 1 < size; ++hyphen) {
      Bytes slug(size, 'a');
      slug[hyphen] = '-';
      const Bytes joined = SlugWithSuffix(slug, "01234567");
      ASSERT_TRUE(CheckSlug(joined).ok()) << joined;
      ASSERT_TRUE(joined.ends_with("-01234567"));
    }
  }
}

}  // namespace
}  // namespace latchkey
