#include "index/text_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "support/seed.h"

namespace latchkey {
namespace {

Bytes Folded(Bytes text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

// Few letters in both cases, their neighbours in ASCII, and what differs from them by bit 5 or 7.
Bytes RandomText(std::mt19937_64& random, size_t size_max) {
  constexpr ByteView kAlphabet("abABzZ@[`{-\x00\x20\xE1\xC1\xFF", 16);
  Bytes text(random() % (size_max + 1), '\0');
  const size_t letters = 1 + random() % kAlphabet.size();
  for (char& c : text) c = kAlphabet[random() % letters];
  return text;
}

TEST(SearchTerm, FindInAgreesWithFoldedFind) {
  LATCHKEY_TEST_RANDOM(random);
  size_t found = 0;
  for (int step = 0; step < 100'000; ++step) {
    const Bytes text = RandomText(random, 80);
    Bytes term = RandomText(random, 6);
    if (!text.empty() && random() % 2 == 0)
      term = text.substr(random() % text.size(), random() % 40);
    if (term.empty()) continue;
    const size_t from = random() % (text.size() + 1);
    const size_t due = Folded(text).find(Folded(term), from);
    ASSERT_EQ(SearchTerm(term).FindIn(text, from), due) << "step " << step;
    found += due != Bytes::npos;
  }
  EXPECT_GT(found, 10'000u);
}

TEST(SearchTerm, UuidFragmentsAgreeWithTheText) {
  LATCHKEY_TEST_RANDOM(random);
  size_t found = 0;
  for (int step = 0; step < 100'000; ++step) {
    Uuid uuid;
    const size_t digits = 1 + random() % 256;  // few different bytes: many near misses
    for (uint8_t& byte : uuid.bytes) byte = static_cast<uint8_t>(random() % digits * 0x11);
    const Bytes text = FormatUuid(uuid);
    Bytes term = text.substr(random() % text.size(), 1 + random() % 40);
    if (random() % 2 == 0) term[random() % term.size()] = "0123456789abcdefgG-: "[random() % 21];
    if (random() % 8 == 0) term += "0f-"[random() % 3];
    for (char& c : term) {
      if (c >= 'a' && c <= 'z' && random() % 4 == 0) c = static_cast<char>(c - 32);
    }
    const bool due = text.find(Folded(term)) != Bytes::npos;
    const SearchTerm search(term);
    ASSERT_EQ(search.IsIn(uuid), due) << text << " " << term;
    ASSERT_TRUE(search.fits_uuid() || !due);
    found += due;
  }
  EXPECT_GT(found, 10'000u);
}

TEST(SearchTerm, SomeTermsFitNoUuid) {
  for (const ByteView term : {"g", "--", "0-0-", "1234567890123", "-12345-", "0-00-0", "a_"}) {
    EXPECT_FALSE(SearchTerm(term).fits_uuid()) << term;
  }
  for (const ByteView term : {"A", "-", "12345678-", "8-1234-1234-1234-1", "123456789012"}) {
    EXPECT_TRUE(SearchTerm(term).fits_uuid()) << term;
  }
  EXPECT_FALSE(SearchTerm(Bytes(37, 'a')).fits_uuid());
}

TEST(TrigramFilter, NeverDeniesWhatWasAdded) {
  LATCHKEY_TEST_RANDOM(random);
  for (int round = 0; round < 100; ++round) {
    TrigramFilter one;
    TrigramFilter both;
    std::vector<Bytes> texts;
    for (size_t i = 0; i < 40; ++i) texts.push_back(RandomText(random, 30));
    for (size_t i = 0; i < texts.size(); ++i) (i % 2 ? one : both).Add(texts[i]);
    both.Add(one);
    for (const Bytes& text : texts) {
      const size_t begin = random() % (text.size() + 1);
      ASSERT_TRUE(SearchTerm(text.substr(begin, random() % 12)).MayBeIn(both));
    }
  }
}

TEST(TrigramFilter, DeniesMostOfWhatWasNotAdded) {
  TrigramFilter filter;
  EXPECT_TRUE(SearchTerm("word").MayBeIn(filter));  // one that was never made knows nothing
  for (int i = 0; i < 512; ++i) filter.Add("build-server-" + std::to_string(i));
  EXPECT_TRUE(SearchTerm("SERVER-51").MayBeIn(filter));
  EXPECT_TRUE(SearchTerm("zq").MayBeIn(filter));  // too short to tell
  size_t denied = 0;
  for (char c = 'a'; c <= 'z'; ++c) denied += !SearchTerm(Bytes("xq") + c + "w").MayBeIn(filter);
  EXPECT_GE(denied, 20u);
}

}  // namespace
}  // namespace latchkey
