#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "crypto/pepper.h"
#include "unit/crypto/support.h"

namespace latchkey {
namespace {

using test::ToHex;

const Uuid kStoreId{{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76,
                     0x54, 0x32, 0x10}};
constexpr const char* kPepper1 = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr const char* kPepper7 = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf";

PepperFile Peppers(const std::string& lines) {
  const test::ScratchFolder folder;
  test::WriteFile(folder / "pepper", "latchkey-pepper 1\n" + lines);
  Result<PepperFile> file = PepperFile::Load(folder / "pepper");
  EXPECT_TRUE(file.ok());
  return std::move(file).value();
}

std::string Line(uint32_t version, const std::string& hex) {
  return std::to_string(version) + " " + hex + "\n";
}

PepperRing RingOf(const std::string& lines, const Uuid& store_id = kStoreId) {
  Result<PepperRing> ring = PepperRing::Make(Peppers(lines), store_id);
  EXPECT_TRUE(ring.ok());
  return std::move(ring).value();
}

// An outside computation, in Python:
//   store_key = blake2b(store_id + pack('>I', version), digest_size=32, key=pepper).digest()
//   blake2b(b'', digest_size=SIZE, key=store_key, salt=pack('<Q', ID) + bytes(8),
//           person=b'latchkey' + bytes(8)).hexdigest()     for (ID, SIZE) = (1, 16) (2, 32) (3, 32)
//   blake2b(b'latchkey pepper check', digest_size=16, key=mac_key).hexdigest()
TEST(PepperRing, GivesTheAnswersOfHashlib) {
  const PepperRing ring = RingOf(Line(1, kPepper1) + Line(7, kPepper7));
  EXPECT_EQ(ToHex(ring.tag_key(1).bytes), "6b8c97a2e3d9f44ea05fdfafde567f38");
  EXPECT_EQ(ToHex(ring.seal_key(1)),
            "68a27ce70d7f7a23a1f3957ebb30cf72dc3c082ed17bac0fde9089c99f758e26");
  EXPECT_EQ(ToHex(ring.mac_key(1)),
            "8cd5d1221ea04b6a66c74d2a8a5855a9faea609be1be6a1bd4431851d488a766");
  EXPECT_EQ(ToHex(ring.check_value(1)), "718a1affa89e5c35f77efcc5c6fb913d");

  EXPECT_EQ(ToHex(ring.tag_key(7).bytes), "16842e8367dd773b726f3d5745315897");
  EXPECT_EQ(ToHex(ring.seal_key(7)),
            "b5bcec7c9889834324b277c32bc6beee791c6497287877058579c45bf08e60d2");
  EXPECT_EQ(ToHex(ring.mac_key(7)),
            "1b0461101cddb920f02f516ef00dfee94269b0b8ef83af4765d83ae892b09156");
  EXPECT_EQ(ToHex(ring.check_value(7)), "0cadc1399498f8334c9fedbf17d0eb0d");
}

TEST(PepperRing, KnowsItsVersions) {
  const PepperRing ring = RingOf(Line(1, kPepper1) + Line(7, kPepper7));
  EXPECT_EQ(ring.newest_version(), 7U);
  EXPECT_TRUE(ring.has(1));
  EXPECT_TRUE(ring.has(7));
  for (uint32_t version : {0U, 2U, 6U, 8U, 4294967295U}) EXPECT_FALSE(ring.has(version));
}

TEST(PepperRing, HoldsAsManyVersionsAsTheFile) {
  std::string lines;
  for (uint32_t version = 1; version <= 16; ++version) lines += Line(version * 3, kPepper1);
  const PepperRing ring = RingOf(lines);
  EXPECT_EQ(ring.newest_version(), 48U);
  for (uint32_t version = 1; version <= 16; ++version) {
    // Each as if it were alone.
    const PepperRing alone = RingOf(Line(version * 3, kPepper1));
    EXPECT_EQ(ring.tag_key(version * 3).bytes, alone.tag_key(version * 3).bytes);
    EXPECT_EQ(ring.check_value(version * 3), alone.check_value(version * 3));
  }
}

TEST(PepperRing, KeysDifferByStoreVersionAndPepper) {
  Uuid other_store = kStoreId;
  other_store.bytes[15] ^= 1;
  const PepperRing ring = RingOf(Line(1, kPepper1) + Line(2, kPepper1) + Line(7, kPepper7));
  const PepperRing elsewhere = RingOf(Line(1, kPepper1), other_store);
  EXPECT_NE(ring.tag_key(1).bytes, ring.tag_key(2).bytes);
  EXPECT_NE(ring.tag_key(1).bytes, ring.tag_key(7).bytes);
  EXPECT_NE(ring.tag_key(1).bytes, elsewhere.tag_key(1).bytes);
  EXPECT_NE(ring.check_value(1), elsewhere.check_value(1));
}

TEST(PepperRing, MovesWithItsKeys) {
  PepperRing first = RingOf(Line(1, kPepper1));
  const PepperRing second = std::move(first);
  EXPECT_EQ(ToHex(second.tag_key(1).bytes), "6b8c97a2e3d9f44ea05fdfafde567f38");
}

TEST(PepperRing, NoneIsMadeOfNothing) {
  EXPECT_EQ(PepperRing::Make(PepperFile(), kStoreId).code(), Code::kWrongPepper);
}

TEST(PepperRing, NoOtherKeyStandsInForAMissingOne) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const PepperRing ring = RingOf(Line(1, kPepper1));
  EXPECT_EXIT(ring.tag_key(2), testing::KilledBySignal(SIGABRT), "");
  EXPECT_EXIT(ring.seal_key(0), testing::KilledBySignal(SIGABRT), "");
}

}  // namespace
}  // namespace latchkey
