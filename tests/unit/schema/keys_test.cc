// Key shapes: golden bytes, and that an owner's names sort as the list shows them.
#include "schema/keys.h"

#include <gtest/gtest.h>

#include <tuple>

#include "schema/columns.h"
#include "support/seed.h"

namespace latchkey {
namespace {

Uuid Filled(uint8_t byte) {
  Uuid uuid;
  uuid.bytes.fill(byte);
  return uuid;
}

// The contract on disk: editing one of these lines is a migration.
TEST(Keys, GoldenBytesDoNotChange) {
  const Uuid a = Filled(0xAA);
  const Uuid b = Filled(0xBB);
  const Bytes aa = HexEncode(a.view());
  const Bytes bb = HexEncode(b.view());
  EXPECT_EQ(HexEncode(keys::OwnerSlug(OwnerSort::kProject, "x-1").view()), "02782d31");
  EXPECT_EQ(HexEncode(keys::Grant(a, b).view()), aa + bb);
  EXPECT_EQ(HexEncode(keys::Kind(258).view()), "0102");
  EXPECT_EQ(HexEncode(keys::ByName(a, 2, Bytes("a\0", 2), 1, b).view()),
            aa + "0002" + "6100ff0000" + "0000000000000001" + bb);
  EXPECT_EQ(HexEncode(keys::BySlug(a, 3, "ci").view()), aa + "0003" + "6369");
  EXPECT_EQ(HexEncode(keys::Sweep(7).view()), "0000000000000007");
  EXPECT_EQ(HexEncode(keys::Event(0, 258).view()), "00000000000000000102");
  EXPECT_EQ(keys::Pepper(1).view(), ByteView("pepper/\0\0\0\1", 11));
  EXPECT_EQ(keys::Count(a, 2).view(), Bytes("count/") + Bytes(a.view()) + Bytes("\0\2", 2));
}

TEST(Keys, ColumnsHaveTheirNumbers) {
  EXPECT_EQ(kColumns.size(), 14u);
  EXPECT_STREQ(kColumns[column::kTombstone].name, "tombstone");
  EXPECT_EQ(column::kTombstone, 10);
  EXPECT_EQ(column::kEvent, 13);
}

TEST(Keys, ByNameSortsByNameCreationUuidAndReadsBack) {
  LATCHKEY_TEST_RANDOM(random);
  const auto text = [&] {
    constexpr char kEdges[] = {'\0', '\1', 'a', '\xFF'};
    Bytes out(random() % 4, '\0');
    for (char& c : out) c = kEdges[random() % 4];
    return out;
  };
  const auto draw = [&] {
    return std::tuple(text(),
                      static_cast<int64_t>(random() % 2 == 0 ? random() % 3 : random() >> 20),
                      Filled(static_cast<uint8_t>(random() % 3)));
  };
  for (int step = 0; step < 20'000; ++step) {
    const auto a = draw();
    const auto b = draw();
    const auto encode = [](const auto& row) {
      return Bytes(
          keys::ByName(Filled(1), 2, std::get<0>(row), std::get<1>(row), std::get<2>(row)).view());
    };
    ASSERT_EQ(encode(a) < encode(b), a < b) << "step " << step;
    keys::ByNameParts parts;
    ASSERT_TRUE(keys::ParseByName(encode(a), &parts));
    ASSERT_EQ(std::tuple(parts.name, parts.creation_s, parts.uuid), a);
    ASSERT_EQ(parts.owner, Filled(1));
    ASSERT_EQ(parts.kind, 2);
  }
}

TEST(Keys, ForeignByNameKeysAreRefused) {
  const Bytes good(keys::ByName(Filled(1), 2, "n", 3, Filled(4)).view());
  keys::ByNameParts parts;
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(keys::ParseByName(ByteView(good).substr(0, size), &parts)) << size;
  }
  EXPECT_FALSE(keys::ParseByName(good + "x", &parts));
}

}  // namespace
}  // namespace latchkey
