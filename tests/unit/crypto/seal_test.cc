#include "crypto/seal.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <set>
#include <string>
#include <vector>

#include "unit/crypto/support.h"

namespace latchkey {
namespace {

using test::Ascending;
using test::FromHex;
using test::ToHex;

constexpr const char* kPeppers =
    "latchkey-pepper 1\n"
    "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
    "7 a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf\n";
constexpr const char* kSecret = "bencher_user_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh";

Uuid UuidOf(ByteView hex) { return Uuid::From(test::AsText(FromHex(hex))); }

PepperRing RingOf(const std::string& text) {
  const test::ScratchFolder folder;
  test::WriteFile(folder / "pepper", text);
  Result<PepperFile> file = PepperFile::Load(folder / "pepper");
  EXPECT_TRUE(file.ok());
  Result<PepperRing> ring = PepperRing::Make(*file, UuidOf("0123456789abcdeffedcba9876543210"));
  EXPECT_TRUE(ring.ok());
  return std::move(ring).value();
}

SealContext ContextOf(uint32_t pepper_version) {
  return {UuidOf("0123456789abcdeffedcba9876543210"), UuidOf("018c5eb0a9667c9a944a268ea5cbabca"), 2,
          pepper_version};
}

// Every block begins with the nonce 40 41 42 ... and differs from the one before.
uint64_t block_count = 0;
bool PinnedNonce(uint8_t* out, size_t size) {
  test::FillBySplitMix(&block_count, out, size);
  const auto nonce = Ascending<24>(0x40);
  std::memcpy(out, nonce.data(), nonce.size());
  return true;
}

bool NoEntropy(uint8_t*, size_t) { return false; }

// draft-irtf-cfrg-xchacha-03, A.3.1: the cipher underneath.
TEST(Seal, CipherGivesThePublishedAnswer) {
  const ByteView text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  const std::vector<uint8_t> data = FromHex("50515253c0c1c2c3c4c5c6c7");
  std::vector<uint8_t> sealed(text.size() + 16);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      sealed.data(), nullptr, test::Octets(text).data(), text.size(), data.data(), data.size(),
      nullptr, Ascending<24>(0x40).data(), Ascending<32>(0x80).data());
  EXPECT_EQ(ToHex(sealed),
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a8"
            "2f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369"
            "488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf"
            "49");
}

// An outside computation: HChaCha20 in Python over ChaCha20Poly1305 of its `cryptography` package,
// with the seal keys that the ring's own test confirms by hashlib, nonce 40..57, associated data
// store id + credential + pack('>HI', 2, version).
TEST(Seal, GivesTheAnswerOfAnotherImplementation) {
  const PepperRing ring = RingOf(kPeppers);
  Random pinned_1(&PinnedNonce);
  const Result<SealedDigest> by_1 = SealDigest(ring, ContextOf(1), Sha256(kSecret), pinned_1);
  ASSERT_TRUE(by_1.ok());
  EXPECT_EQ(by_1->nonce, Ascending<24>(0x40));
  EXPECT_EQ(ToHex(by_1->sealed),
            "977a6343361585b7a300721a267680fb7b5dc893b4f80d9f4bb24c7b1a00c55905779cab206a434625e574"
            "e14af9a607");
  Random pinned_7(&PinnedNonce);
  const Result<SealedDigest> by_7 = SealDigest(ring, ContextOf(7), Sha256(kSecret), pinned_7);
  ASSERT_TRUE(by_7.ok());
  EXPECT_EQ(ToHex(by_7->sealed),
            "53639390d08ad32db5e9a881e7e7eed2762fda83e0a49ec772f0a58047388b33e85c143a767d6a5674e9c1"
            "3cbe136ac1");
}

class SealTest : public testing::Test {
 protected:
  SealedDigest Sealed() {
    const Result<SealedDigest> sealed = SealDigest(ring_, ContextOf(7), digest_, random_);
    EXPECT_TRUE(sealed.ok());
    return *sealed;
  }

  PepperRing ring_ = RingOf(kPeppers);
  Random random_;
  InnerDigest digest_ = Sha256(kSecret);
};

TEST_F(SealTest, OpensToWhatWasSealed) {
  const Result<InnerDigest> opened = OpenSeal(ring_, ContextOf(7), Sealed());
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->bytes, digest_.bytes);
}

TEST_F(SealTest, NonceIsNewEachTime) {
  std::set<std::array<uint8_t, 24>> nonces;
  for (int i = 0; i < 1'000; ++i) nonces.insert(Sealed().nonce);
  EXPECT_EQ(nonces.size(), 1'000U);
}

TEST_F(SealTest, EveryFlippedBitIsFound) {
  const SealedDigest good = Sealed();
  for (size_t bit = 0; bit < 8 * good.nonce.size(); ++bit) {
    SealedDigest changed = good;
    changed.nonce[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    ASSERT_EQ(OpenSeal(ring_, ContextOf(7), changed).code(), Code::kCorruption) << bit;
  }
  for (size_t bit = 0; bit < 8 * good.sealed.size(); ++bit) {
    SealedDigest changed = good;
    changed.sealed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    ASSERT_EQ(OpenSeal(ring_, ContextOf(7), changed).code(), Code::kCorruption) << bit;
  }
}

TEST_F(SealTest, IsBoundToItsRecord) {
  const SealedDigest good = Sealed();
  for (size_t at = 0; at < Uuid::kSize; ++at) {
    SealContext store = ContextOf(7);
    store.store_id.bytes[at] ^= 1;
    EXPECT_EQ(OpenSeal(ring_, store, good).code(), Code::kCorruption);
    SealContext credential = ContextOf(7);
    credential.credential.bytes[at] ^= 1;
    EXPECT_EQ(OpenSeal(ring_, credential, good).code(), Code::kCorruption);
  }
  for (uint16_t kind : {0, 3, 258, 512}) {
    SealContext other = ContextOf(7);
    other.kind = kind;
    EXPECT_EQ(OpenSeal(ring_, other, good).code(), Code::kCorruption) << kind;
  }
  EXPECT_EQ(OpenSeal(ring_, ContextOf(1), good).code(), Code::kCorruption);
}

TEST_F(SealTest, OtherPepperDoesNotOpenIt) {
  const PepperRing other = RingOf(
      "latchkey-pepper 1\n"
      "7 b0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf\n");
  EXPECT_EQ(OpenSeal(other, ContextOf(7), Sealed()).code(), Code::kCorruption);
}

TEST_F(SealTest, VersionMustBeInTheRing) {
  EXPECT_EQ(SealDigest(ring_, ContextOf(2), digest_, random_).code(), Code::kWrongPepper);
  EXPECT_EQ(OpenSeal(ring_, ContextOf(2), Sealed()).code(), Code::kWrongPepper);
}

TEST_F(SealTest, WithoutEntropyNothingIsSealed) {
  Random broken(&NoEntropy);
  EXPECT_EQ(SealDigest(ring_, ContextOf(7), digest_, broken).code(), Code::kInternal);
}

}  // namespace
}  // namespace latchkey
