#include "crypto/key_format.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "unit/crypto/support.h"

namespace latchkey {
namespace {

constexpr ByteView kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool InBase62(char c) { return kBase62.find(c) != ByteView::npos; }

std::string Checksum(ByteView text) {
  std::string out(6, '\0');
  ChecksumBase62(text, out.data());
  return out;
}

std::string Generate(SecretFormat format, ByteView prefix) {
  static Random random;
  GeneratedSecret secret;
  EXPECT_TRUE(GenerateSecret(format, prefix, random, &secret).ok());
  return std::string(secret.Expose());
}

bool NoEntropy(uint8_t*, size_t) { return false; }

TEST(CheckKeyPrefix, TakesLowerCaseDigitsAndUnderscores) {
  for (const char* prefix :
       {"a_", "bencher_user_", "bencher_run_", "k9_", "a__", "abcdefghijklmnopqrstuvwxyz01234_"}) {
    EXPECT_TRUE(CheckKeyPrefix(prefix).ok()) << prefix;
  }
}

TEST(CheckKeyPrefix, RefusesTheRest) {
  for (const char* prefix : {"", "_", "a", "__", "9a_", "_a_", "ab", "Ab_", "aB_", "a-_", "a _",
                             "a\n_", "\xc3\xa4_", "abcdefghijklmnopqrstuvwxyz012345_"}) {
    EXPECT_EQ(CheckKeyPrefix(prefix).code(), Code::kInvalidArgument) << prefix;
  }
  EXPECT_EQ(CheckKeyPrefix(ByteView("a\0_", 3)).code(), Code::kInvalidArgument);
}

// "0mLq17" is the checksum that GitHub published with the sample token of this body; the others by
// zlib.crc32() of Python, in base 62.
TEST(ChecksumBase62, GivesThePublishedAnswers) {
  EXPECT_EQ(Checksum("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"), "0mLq17");
  EXPECT_EQ(Checksum(""), "000000");
  EXPECT_EQ(Checksum("acme_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "01fduD");
  EXPECT_EQ(Checksum("acme_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg"), "1cfhE7");
}

// Model: long division with the alphabet written out.
TEST(ChecksumBase62, IsCrc32InBase62) {
  test::SeededRandom seeded;
  for (int step = 0; step < 5'000; ++step) {
    std::string text(seeded() % 20, '\0');
    for (char& c : text) c = static_cast<char>(seeded());
    uint64_t number = 0;
    for (char digit : Checksum(text)) number = number * 62 + kBase62.find(digit);
    ASSERT_EQ(number, Crc32(text));
  }
}

TEST(GenerateSecret, ThirtyCharactersBehindThePrefix) {
  std::set<char> seen;
  std::set<std::string> secrets;
  for (int i = 0; i < 300; ++i) {
    const std::string secret = Generate(SecretFormat::kBase62x30, "bencher_user_");
    ASSERT_EQ(secret.size(), 43U);
    ASSERT_TRUE(secret.starts_with("bencher_user_"));
    for (char c : secret.substr(13)) {
      ASSERT_TRUE(InBase62(c));
      seen.insert(c);
    }
    ASSERT_TRUE(HasShape(SecretFormat::kBase62x30, "bencher_user_", secret));
    secrets.insert(secret);
  }
  EXPECT_EQ(seen.size(), 62U);  // one is missing with a chance of 62 * (61/62)^9000, below 1e-60
  EXPECT_EQ(secrets.size(), 300U);
}

TEST(GenerateSecret, ChecksumCoversPrefixAndBody) {
  for (int i = 0; i < 100; ++i) {
    const std::string secret = Generate(SecretFormat::kBase62x43Crc, "acme_");
    ASSERT_EQ(secret.size(), 5U + 43U + 6U);
    ASSERT_EQ(secret.substr(48), Checksum(secret.substr(0, 48)));
    ASSERT_TRUE(HasShape(SecretFormat::kBase62x43Crc, "acme_", secret));
  }
}

TEST(GenerateSecret, LongestPrefixFits) {
  const std::string prefix = "abcdefghijklmnopqrstuvwxyz01234_";
  EXPECT_EQ(Generate(SecretFormat::kBase62x43Crc, prefix).size(), 32U + 43U + 6U);
}

TEST(GenerateSecret, RefusalsLeaveNothing) {
  Random random;
  Random broken(&NoEntropy);
  GeneratedSecret secret;
  const auto code = [&](SecretFormat format, ByteView prefix, Random& source) {
    secret.set_size(1);
    const Code result = GenerateSecret(format, prefix, source, &secret).code();
    EXPECT_EQ(secret.size(), 0U);
    return result;
  };
  EXPECT_EQ(code(SecretFormat::kJwt, "a_", random), Code::kUnsupported);
  EXPECT_EQ(code(SecretFormat{0}, "a_", random), Code::kUnsupported);
  EXPECT_EQ(code(SecretFormat{4}, "a_", random), Code::kUnsupported);
  EXPECT_EQ(code(SecretFormat::kBase62x30, "A_", random), Code::kInvalidArgument);
  EXPECT_EQ(code(SecretFormat::kBase62x30, std::string(200, 'a') + "_", random),
            Code::kInvalidArgument);
  EXPECT_EQ(code(SecretFormat::kBase62x30, "a_", broken), Code::kInternal);
}

// Every byte at every place of the body.
TEST(HasShape, BodyIsOfTheAlphabetAndNothingElse) {
  const std::string good = Generate(SecretFormat::kBase62x30, "bencher_run_");
  for (size_t at = 12; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = good;
      changed[at] = static_cast<char>(byte);
      ASSERT_EQ(HasShape(SecretFormat::kBase62x30, "bencher_run_", changed), InBase62(changed[at]))
          << at << " " << byte;
    }
  }
}

TEST(HasShape, PrefixAndSizeAreExact) {
  const std::string good = Generate(SecretFormat::kBase62x30, "bencher_run_");
  for (size_t at = 0; at < 12; ++at) {
    std::string changed = good;
    changed[at] ^= 1;
    EXPECT_FALSE(HasShape(SecretFormat::kBase62x30, "bencher_run_", changed)) << at;
  }
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(HasShape(SecretFormat::kBase62x30, "bencher_run_", good.substr(0, size))) << size;
  }
  EXPECT_FALSE(HasShape(SecretFormat::kBase62x30, "bencher_run_", good + "a"));
  EXPECT_FALSE(
      HasShape(SecretFormat::kBase62x30, "bencher_run_", good + std::string(1 << 20, 'a')));
  EXPECT_FALSE(HasShape(SecretFormat::kBase62x30, "bencher_user_", good));
  EXPECT_FALSE(HasShape(SecretFormat::kBase62x43Crc, "bencher_run_", good));
}

TEST(HasShape, JwtAndUnknownFormatsHaveNone) {
  const std::string good = Generate(SecretFormat::kBase62x30, "a_");
  EXPECT_FALSE(HasShape(SecretFormat::kJwt, "a_", good));
  EXPECT_FALSE(HasShape(SecretFormat{0}, "a_", good));
  EXPECT_FALSE(HasShape(SecretFormat{4}, "a_", good));
  EXPECT_FALSE(HasShape(SecretFormat::kJwt, "", ""));
}

// A CRC finds every error within 32 bits in a row, so every single wrong character.
TEST(HasShape, ChecksumFindsEveryWrongCharacter) {
  const std::string good = Generate(SecretFormat::kBase62x43Crc, "acme_");
  for (size_t at = 5; at < good.size(); ++at) {
    for (char other : kBase62) {
      std::string changed = good;
      changed[at] = other;
      ASSERT_EQ(HasShape(SecretFormat::kBase62x43Crc, "acme_", changed), changed == good)
          << at << " " << other;
    }
  }
}

// The checksum of text outside the alphabet may well be right; the text still is not.
TEST(HasShape, RightChecksumDoesNotExcuseTheBody) {
  std::string body = "acme_" + std::string(42, 'a') + "-";
  EXPECT_FALSE(HasShape(SecretFormat::kBase62x43Crc, "acme_", body + Checksum(body)));
  body.back() = 'b';
  EXPECT_TRUE(HasShape(SecretFormat::kBase62x43Crc, "acme_", body + Checksum(body)));
}

}  // namespace
}  // namespace latchkey
