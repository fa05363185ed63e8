#include "crypto/base64url.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <string>
#include <utility>
#include <vector>

#include "unit/crypto/support.h"

namespace latchkey {
namespace {

std::string Encode(ByteView bytes) {
  std::string out(Base64UrlSize(bytes.size()), '\0');
  EncodeBase64Url(test::Octets(bytes), out.data());
  return out;
}

std::string Decode(ByteView text) {
  std::string out(Base64UrlDecodedSize(text.size()), '\0');
  DecodeBase64Url(text, reinterpret_cast<uint8_t*>(out.data()));
  return out;
}

std::string EncodeBySodium(ByteView bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string out(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const uint8_t*>(bytes.data()),
                    bytes.size(), kVariant);
  out.pop_back();  // its terminator
  return out;
}

TEST(Base64Url, GivesThePublishedAnswers) {
  // RFC 4648 section 10, without padding; the last two reach the characters of the URL-safe kind.
  const std::vector<std::pair<std::string, std::string>> known = {
      {"", ""},
      {"f", "Zg"},
      {"fo", "Zm8"},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg"},
      {"fooba", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy"},
      {"\xfb\xff", "-_8"},
      {"\xff\xef", "_-8"},
  };
  for (const auto& [bytes, text] : known) {
    EXPECT_EQ(Encode(bytes), text);
    EXPECT_EQ(Decode(text), bytes);
    EXPECT_TRUE(IsCanonicalBase64Url(text)) << text;
  }
}

TEST(Base64Url, AgreesWithLibsodium) {
  test::SeededRandom seeded;
  for (int step = 0; step < 3'000; ++step) {
    std::string bytes(seeded() % 100, '\0');
    for (char& c : bytes) c = static_cast<char>(seeded());
    const std::string text = Encode(bytes);
    ASSERT_EQ(text, EncodeBySodium(bytes));
    ASSERT_EQ(Decode(text), bytes);
    ASSERT_TRUE(IsCanonicalBase64Url(text)) << text;
  }
}

// Model: text is canonical if and only if it is what some bytes are encoded to. Every text of two
// characters, and of three that end in every possible way.
TEST(Base64Url, OnlyTheCanonicalSpellingIsAccepted) {
  const auto check = [](const std::string& text) {
    constexpr ByteView kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const bool in_alphabet = text.find_first_not_of(kAlphabet) == std::string::npos;
    const bool due = in_alphabet && EncodeBySodium(Decode(text)) == text;
    ASSERT_EQ(IsCanonicalBase64Url(text), due) << testing::PrintToString(text);
  };
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      check(text);
      check("A" + text);
    }
  }
}

TEST(Base64Url, OtherTextIsRefused) {
  for (const char* text : {"A", "AAAAA", "Zg==", "Zm8=", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zm.v",
                           "Zh", "Zm9", "Zm9vYh"}) {
    EXPECT_FALSE(IsCanonicalBase64Url(text)) << text;
  }
  EXPECT_FALSE(IsCanonicalBase64Url(ByteView("Zm\0v", 4)));
}

}  // namespace
}  // namespace latchkey
