#include "crypto/digest.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "unit/crypto/support.h"

// Counts what this thread allocates, libcrypto's allocations included. A sanitizer brings its own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__)
#define LATCHKEY_COUNTS_ALLOCATIONS 1
extern "C" {
void* __libc_malloc(size_t size);
static thread_local uint64_t allocation_count = 0;
__attribute__((visibility("default"))) void* malloc(size_t size) {
  ++allocation_count;
  return __libc_malloc(size);
}
}
#endif

namespace latchkey {
namespace {

using test::Ascending;
using test::ToHex;

struct Known {
  std::string text;
  const char* digest;
};

// FIPS 180-4 examples; the rest by `printf '%s' TEXT | sha256sum`.
std::vector<Known> KnownSha256() {
  return {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
      {"bencher_run_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh",
       "ac6c8fa701ccab0c2246583fe9606440dfc8a8409f0a546441f1329add13b82e"},
      {"bencher_user_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh",
       "3e0ab8e17529ee01b55573f5c144940e7d57567c5173e5bd0afe30b1c1ed2f1d"},
  };
}

class DigestTest : public testing::Test {
 protected:
  DigestTest() { EXPECT_TRUE(InitCrypto().ok()); }
};

TEST_F(DigestTest, Sha256GivesThePublishedAnswers) {
  for (const Known& known : KnownSha256()) {
    EXPECT_EQ(ToHex(Sha256ByLibcrypto(known.text).bytes), known.digest);
    EXPECT_EQ(ToHex(Sha256BySodium(known.text).bytes), known.digest);
    EXPECT_EQ(ToHex(Sha256(known.text).bytes), known.digest);
  }
}

// Two implementations by different people; every size around the edges of their blocks.
TEST_F(DigestTest, ImplementationsAgreeAtEverySize) {
  test::SeededRandom seeded;
  std::string text;
  for (size_t size = 0; size <= 300; ++size) {
    for (char& c : text) c = static_cast<char>(seeded());
    const InnerDigest due = Sha256BySodium(text);
    ASSERT_EQ(Sha256ByLibcrypto(text).bytes, due.bytes) << size;
    ASSERT_EQ(Sha256(text).bytes, due.bytes) << size;
    text.push_back('\0');
  }
}

#ifdef LATCHKEY_COUNTS_ALLOCATIONS
TEST_F(DigestTest, NothingIsAllocatedOnTheWayToATag) {
  std::string secret = "bencher_user_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh";
  const TagKey key{Ascending<16>()};
  const uint64_t before = allocation_count;
  const InnerDigest first = Sha256ByLibcrypto(secret);
  const InnerDigest second = Sha256BySodium(secret);
  const LookupTag tag = MakeLookupTag(key, Sha256(secret));
  const uint64_t after = allocation_count;
  EXPECT_EQ(after, before);
  EXPECT_EQ(first.bytes, second.bytes);
  EXPECT_NE(tag, LookupTag{});
  secret = std::string(1000, 'x');
  EXPECT_GT(allocation_count, after) << "the counter does not count";
}
#endif

uint64_t RotateLeft(uint64_t v, int bits) { return (v << bits) | (v >> (64 - bits)); }

// SipHash-2-4 with 128 bits of output, written from the paper and the designers' description of the
// longer output, to have something apart from libsodium to compare with.
std::array<uint8_t, 16> ReferenceSipHash(const std::array<uint8_t, 16>& key, ByteView text) {
  const uint64_t k0 = LoadLe64(key.data());
  const uint64_t k1 = LoadLe64(key.data() + 8);
  uint64_t v0 = k0 ^ 0x736f6d6570736575;
  uint64_t v1 = k1 ^ 0x646f72616e646f6d ^ 0xEE;
  uint64_t v2 = k0 ^ 0x6c7967656e657261;
  uint64_t v3 = k1 ^ 0x7465646279746573;
  const auto rounds = [&](int count) {
    for (int i = 0; i < count; ++i) {
      v0 += v1, v1 = RotateLeft(v1, 13) ^ v0, v0 = RotateLeft(v0, 32);
      v2 += v3, v3 = RotateLeft(v3, 16) ^ v2;
      v0 += v3, v3 = RotateLeft(v3, 21) ^ v0;
      v2 += v1, v1 = RotateLeft(v1, 17) ^ v2, v2 = RotateLeft(v2, 32);
    }
  };
  std::string padded(text);
  padded.resize(text.size() / 8 * 8 + 7);
  padded.push_back(static_cast<char>(text.size()));
  for (size_t at = 0; at < padded.size(); at += 8) {
    const uint64_t word = LoadLe64(padded.data() + at);
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
  std::array<uint8_t, 16> out;
  v2 ^= 0xEE;
  rounds(4);
  StoreLe64(out.data(), v0 ^ v1 ^ v2 ^ v3);
  v1 ^= 0xDD;
  rounds(4);
  StoreLe64(out.data() + 8, v0 ^ v1 ^ v2 ^ v3);
  return out;
}

// The designers' vectors (vectors_sip128): key 00..0f, text 00 01 02 ... of that size. Also by
//   openssl mac -macopt hexkey:000102030405060708090a0b0c0d0e0f -macopt size:16 -in FILE SIPHASH
TEST(ReferenceSipHash, GivesThePublishedAnswers) {
  const std::vector<std::pair<size_t, const char*>> known = {
      {0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
      {8, "3b62a9ba6258f5610f83e264f31497b4"},  {15, "5493e99933b0a8117e08ec0f97cfc3d9"},
      {31, "2939b0183223fafc1723de4f52c43d35"}, {32, "7c3956ca5eeafc3e363e9d556546eb68"},
      {63, "5150d1772f50834a503e069a973fbd7c"},
  };
  const auto text = Ascending<64>();
  for (const auto& [size, tag] : known) {
    EXPECT_EQ(ToHex(ReferenceSipHash(Ascending<16>(), View(text).substr(0, size))), tag) << size;
  }
}

TEST_F(DigestTest, LookupTagIsSipHashOfTheInnerDigest) {
  const TagKey key{Ascending<16>()};
  EXPECT_EQ(ToHex(MakeLookupTag(key, InnerDigest{Ascending<32>()}).bytes),
            "7c3956ca5eeafc3e363e9d556546eb68");
  // The same command, over the 32 bytes of the digest above.
  const LookupTag tag = MakeLookupTag(key, Sha256("bencher_user_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh"));
  EXPECT_EQ(ToHex(tag.bytes), "20fa7f73dbd4093f58e4d7db2afdb72e");
  EXPECT_EQ(tag.low(), 0x3f09d4db737ffa20U);
  EXPECT_EQ(tag.high(), 0x2eb7fd2adbd7e458U);
}

TEST_F(DigestTest, LookupTagMatchesTheReferenceForAnyKey) {
  test::SeededRandom seeded;
  for (int step = 0; step < 5'000; ++step) {
    TagKey key;
    InnerDigest digest;
    for (uint8_t& byte : key.bytes) byte = static_cast<uint8_t>(seeded());
    for (uint8_t& byte : digest.bytes) byte = static_cast<uint8_t>(seeded());
    ASSERT_EQ(MakeLookupTag(key, digest).bytes, ReferenceSipHash(key.bytes, View(digest.bytes)));
  }
}

// python3: hashlib.blake2b(TEXT, digest_size=16, key=KEY).hexdigest()
TEST_F(DigestTest, Blake2bGivesTheAnswersOfHashlib) {
  EXPECT_EQ(ToHex(Blake2b128({}, "")), "cae66941d9efbd404e4d88758ea67670");
  EXPECT_EQ(ToHex(Blake2b128({}, "abc")), "cf4ab791c62b8d2b2109c90275287816");
  EXPECT_EQ(ToHex(Blake2b128(Ascending<16>(), "one", "two", "three")),
            "e0c804af9d67c724ca4d275c52df1461");
  EXPECT_EQ(ToHex(Blake2b128(Ascending<32>(), "latchkey pepper check")),
            "6acb2cbd9b64755b47fb3b0051b7e26f");
  const auto bytes = Ascending<256>();
  EXPECT_EQ(ToHex(Blake2b128(Ascending<64>(), View(bytes), View(bytes))),
            "f06aa098884284eded8fbed231c46b6c");
}

TEST_F(DigestTest, Blake2bPartsAreJoined) {
  test::SeededRandom seeded;
  const auto key = Ascending<32>();
  for (int step = 0; step < 1'000; ++step) {
    std::string text(seeded() % 400, '\0');
    for (char& c : text) c = static_cast<char>(seeded());
    const size_t first = seeded() % (text.size() + 1);
    const size_t second = first + seeded() % (text.size() - first + 1);
    const ByteView view = text;
    ASSERT_EQ(Blake2b128(key, view.substr(0, first), view.substr(first, second - first),
                         view.substr(second)),
              Blake2b128(key, view));
  }
}

TEST_F(DigestTest, NoMacComesOfAKeyThatIsTooLong) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(Blake2b128(Ascending<65>(), "text"), testing::KilledBySignal(SIGABRT), "");
}

}  // namespace
}  // namespace latchkey
