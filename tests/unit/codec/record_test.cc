#include "codec/record.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <variant>

#include "support/seed.h"

namespace latchkey {
namespace {

using Value = std::variant<uint64_t, Bytes>;
using Model = std::map<uint8_t, Value>;

bool IsAbsent(const Value& value) {
  return std::holds_alternative<Bytes>(value) ? std::get<Bytes>(value).empty()
                                              : std::get<uint64_t>(value) == 0;
}

void Write(const Model& model, RecordWriter* writer) {
  for (const auto& [tag, value] : model) {
    if (std::holds_alternative<Bytes>(value)) {
      writer->Text(tag, std::get<Bytes>(value));
    } else {
      writer->Number(tag, std::get<uint64_t>(value));
    }
  }
}

Bytes Encode(const Model& model) {
  RecordWriter writer;
  Write(model, &writer);
  return writer.Finish();
}

Model RandomModel(std::mt19937_64* random) {
  Model model;
  for (uint64_t left = (*random)() % 10; left > 0; --left) {
    const auto tag = static_cast<uint8_t>(1 + (*random)() % 255);
    if ((*random)() % 2) {
      model[tag] = (*random)() >> ((*random)() % 64);
    } else {
      // Around 127 and 128, where a size takes another byte; rarely around 2^14.
      size_t size = (*random)() % 4 ? (*random)() % 6 : 124 + (*random)() % 8;
      if ((*random)() % 50 == 0) size = 16380 + (*random)() % 8;
      Bytes text(size, '\0');
      for (char& c : text) c = static_cast<char>((*random)());
      model[tag] = text;
    }
  }
  return model;
}

// Reads `record` as the model has it; the fields in order, for as long as there are any.
Status Read(ByteView record, const Model& model, Model* read) {
  RecordReader reader(record);
  while (reader.Next()) {
    const auto expected = model.find(reader.tag());
    if (expected != model.end() && std::holds_alternative<uint64_t>(expected->second)) {
      (*read)[reader.tag()] = reader.number();
    } else {
      (*read)[reader.tag()] = Bytes(reader.text());
    }
  }
  return reader.status();
}

TEST(Record, RandomRecordsRoundTrip) {
  LATCHKEY_TEST_RANDOM(random);
  for (int step = 0; step < 5'000; ++step) {
    Model model = RandomModel(&random);
    const Bytes record = Encode(model);
    Model read;
    ASSERT_TRUE(Read(record, model, &read).ok()) << "step " << step;
    std::erase_if(model, [](const auto& field) { return IsAbsent(field.second); });
    ASSERT_EQ(read, model) << "step " << step;
  }
}

// A build that knows only some of the fields reads and writes a record: nothing is lost or moved.
TEST(Record, UnknownFieldsSurviveARewrite) {
  LATCHKEY_TEST_RANDOM(random);
  for (int step = 0; step < 5'000; ++step) {
    const Model model = RandomModel(&random);
    const Bytes record = Encode(model);
    Model known;
    for (const auto& [tag, value] : model) {
      if (random() % 2) known[tag] = value;
    }
    RecordReader reader(record);
    while (reader.Next()) {
      if (!known.contains(reader.tag())) reader.Keep();
    }
    ASSERT_TRUE(reader.status().ok());
    RecordWriter writer;
    writer.Keep(reader.unknown());
    Write(known, &writer);
    ASSERT_EQ(writer.Finish(), record) << "step " << step;
  }
}

TEST(Record, AFieldThatIsWrittenReplacesTheKeptOne) {
  const Bytes kept = RecordWriter().Text(2, "old").Text(3, "kept").Finish();
  EXPECT_EQ(RecordWriter().Keep(kept).Text(2, "new").Finish(),
            RecordWriter().Text(2, "new").Text(3, "kept").Finish());
  EXPECT_EQ(RecordWriter().Keep(kept).Number(2, 0).Finish(),
            RecordWriter().Text(3, "kept").Finish());
}

TEST(Record, AWriterIsEmptyAfterFinish) {
  RecordWriter writer;
  const Bytes kept = RecordWriter().Number(9, 9).Finish();
  EXPECT_FALSE(writer.Keep(kept).Number(200, 1).Finish().empty());
  EXPECT_EQ(writer.Finish(), "");
  EXPECT_EQ(writer.Number(1, 1).Finish(), RecordWriter().Number(1, 1).Finish());
}

// A cut between two fields cannot be seen here (a record's MAC sees it); anywhere else it is
// damage, and what was read before it is what was written.
TEST(Record, EveryTruncationIsSeenOrIsAPrefix) {
  LATCHKEY_TEST_RANDOM(random);
  for (int step = 0; step < 300; ++step) {
    const Model model = RandomModel(&random);
    const Bytes record = Encode(model);
    std::set<size_t> boundaries = {0};
    Model so_far;
    for (const auto& [tag, value] : model) {
      so_far[tag] = value;
      boundaries.insert(Encode(so_far).size());
    }
    const size_t stride = record.size() > 2000 ? 97 : 1;
    for (size_t size = 0; size < record.size(); size += stride) {
      Model read;
      const Status status = Read(ByteView(record).substr(0, size), model, &read);
      ASSERT_EQ(status.code(), boundaries.contains(size) ? Code::kOk : Code::kCorruption) << size;
      for (const auto& [tag, value] : read) ASSERT_EQ(value, model.at(tag));
    }
  }
}

// Damage never crashes, and there is one encoding only: a record that is accepted is, byte for
// byte, the one that a writer makes of its fields.
TEST(Record, DamagedBytesAreRefusedOrMeanWhatTheySay) {
  LATCHKEY_TEST_RANDOM(random);
  int accepted = 0;
  int refused = 0;
  for (int step = 0; step < 50'000; ++step) {
    Bytes record;
    if (step % 2) {
      record.resize(random() % 12);
      for (char& c : record) c = static_cast<char>(random() % 2 ? random() % 6 : random());
    } else {
      record = Encode(RandomModel(&random));
      if (record.empty() || record.size() > 1000) continue;
      record[random() % record.size()] = static_cast<char>(random());
    }
    RecordReader reader(record);
    RecordWriter writer;
    while (reader.Next()) writer.Text(reader.tag(), reader.text());
    if (!reader.status().ok()) {
      ++refused;
      ASSERT_EQ(reader.status().code(), Code::kCorruption);
    } else {
      ++accepted;
      ASSERT_EQ(writer.Finish(), record) << HexEncode(record);
    }
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(Record, EachKindOfDamageIsRefused) {
  const struct {
    const char* what;
    ByteView record;
  } kCases[] = {
      {"tag 0", ByteView("\x00\x01\x61", 3)},
      {"the same tag twice", "\x02\x01\x61\x02\x01\x62"},
      {"descending tags", "\x02\x01\x61\x01\x01\x62"},
      {"a tag alone", "\x01"},
      {"a size that is too large", "\x01\x02\x61"},
      {"a size without an end", "\x01\x80"},
      {"an empty field", ByteView("\x01\x00", 2)},
      {"a size that is longer than it need be", ByteView("\x01\x81\x00\x61", 4)},
      {"a size of five bytes", "\x01\x81\x80\x80\x80\x01\x61"},
      {"a size near the largest", "\x01\xFF\xFF\xFF\x7F\x61"},
  };
  for (const auto& c : kCases) {
    RecordReader reader(c.record);
    while (reader.Next()) {
    }
    EXPECT_EQ(reader.status().code(), Code::kCorruption) << c.what;
    EXPECT_FALSE(reader.Next()) << c.what;
  }
}

// The bits of a byte too many may be shifted out of the word, and back in as a small size: what
// follows is cut so that such a field would be whole.
TEST(Record, AnEndlessSizeIsRefused) {
  for (size_t size_bytes = 5; size_bytes < 30; ++size_bytes) {
    const Bytes size = Bytes(size_bytes - 1, '\x80').append("\x01");
    for (int shift = 0; shift < 11; ++shift) {
      const Bytes record = Bytes("\x01").append(size).append(size_t{1} << shift, 'a');
      RecordReader reader(record);
      EXPECT_FALSE(reader.Next());
      EXPECT_EQ(reader.status().code(), Code::kCorruption) << size_bytes;
    }
  }
}

TEST(Record, ANumberIsCheckedWhenItIsRead) {
  for (const ByteView wrong : {ByteView("\x01\x02\x05\x00\x02\x01\x61", 7),  // a leading zero byte
                               ByteView("\x01\x01\x00\x02\x01\x61", 6),      // zero itself
                               ByteView("\x01\x09"
                                        "123456789"
                                        "\x02\x01\x61",
                                        14)}) {
    RecordReader reader(wrong);
    ASSERT_TRUE(reader.Next());
    EXPECT_EQ(reader.number(), 0u);
    EXPECT_EQ(reader.status().code(), Code::kCorruption);
    EXPECT_FALSE(reader.Next());  // nothing is read past damage
  }
  const Bytes largest = RecordWriter().Number(1, UINT64_MAX).Finish();
  RecordReader reader(largest);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.number(), UINT64_MAX);
  EXPECT_TRUE(reader.status().ok());
}

TEST(Record, AFixedFieldHasItsSizeOrIsDamage) {
  const Bytes record = RecordWriter().Text(1, "abcd").Text(2, "e").Finish();
  RecordReader reader(record);
  ASSERT_TRUE(reader.Next());
  uint8_t out[8] = {};
  ASSERT_TRUE(reader.Fixed(out, 4));
  EXPECT_EQ(std::memcmp(out, "abcd", 4), 0);
  EXPECT_TRUE(reader.status().ok());
  for (const size_t wrong : {size_t{3}, size_t{5}}) {
    RecordReader again(record);
    ASSERT_TRUE(again.Next());
    EXPECT_FALSE(again.Fixed(out, wrong));
    EXPECT_EQ(again.status().code(), Code::kCorruption);
    EXPECT_FALSE(again.Next());
  }
}

TEST(RecordFormat, GoldenBytesDoNotChange) {  // on disk: to edit this is a migration
  EXPECT_EQ(HexEncode(RecordWriter()
                          .Number(1, 1)
                          .Number(2, 0x010203)
                          .Number(3, 0)
                          .Text(4, "hi")
                          .Text(5, "")
                          .Number(255, UINT64_MAX)
                          .Finish()),
            "010101"
            "0203030201"
            "04026869"
            "ff08ffffffffffffffff");
  const Bytes record = RecordWriter().Text(7, Bytes(200, 'a')).Finish();
  EXPECT_EQ(HexEncode(record.substr(0, 4)), "07c80161");
  EXPECT_EQ(record.size(), 203u);
}

}  // namespace
}  // namespace latchkey
