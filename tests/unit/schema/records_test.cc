// Records and events: golden bytes, round trips, and what a newer build wrote is kept.
#include "schema/records.h"

#include <gtest/gtest.h>

#include <tuple>

#include "codec/record.h"
#include "schema/events.h"

namespace latchkey {
namespace {

Uuid Filled(uint8_t byte) {
  Uuid uuid;
  uuid.bytes.fill(byte);
  return uuid;
}

// Every field set, none to a value that another has.
CredentialRecord FullCredential() {
  CredentialRecord record;
  record.uuid = Filled(0x10);
  record.owner = Filled(0x11);
  record.creator = Filled(0x12);
  record.minted_by = Filled(0x13);
  record.predecessor = Filled(0x14);
  record.successor = Filled(0x15);
  record.kind = 2;
  record.name = "name";
  record.slug = "slug";
  record.creation_s = 0x0109;
  record.not_before_s = 0x010A;
  record.expires_s = 0x01010B;
  record.cut_over_s = 0x010C;
  record.scopes = 0x8000000000000001;
  record.flags = 0x0E;
  record.metadata = "meta";
  record.claims = "{}";
  record.born_event = 0x11;
  record.last_event = 0x12;
  record.pepper_version = 0x14;
  record.tag.fill(0x21);
  record.nonce.fill(0x22);
  record.seal.fill(0x23);
  return record;
}

Bytes Repeat(const char* hex, int times) {
  Bytes out;
  for (int i = 0; i < times; ++i) out += hex;
  return out;
}

// The contract on disk: editing these bytes is a migration.
TEST(Records, CredentialGoldenBytesDoNotChange) {
  const Bytes expected =
      "0110" + Repeat("11", 16) + "0210" + Repeat("12", 16) + "0310" + Repeat("13", 16) + "0410" +
      Repeat("14", 16) + "0510" + Repeat("15", 16) + "060102" + "07046e616d65" + "0804736c7567" +
      "09020901" + "0a020a01" + "0b030b0101" + "0c020c01" + "0d080100000000000080" + "0e010e" +
      "0f046d657461" + "10027b7d" + "110111" + "120112" + "130101" + "140114" + "1510" +
      Repeat("21", 16) + "1618" + Repeat("22", 24) + "1730" + Repeat("23", 48);
  EXPECT_EQ(HexEncode(FullCredential().Encode()), expected);
}

TEST(Records, TombstoneSweepOwnerAndHeadGoldenBytesDoNotChange) {
  TombstoneRecord tombstone;
  tombstone.owner = Filled(0x11);
  tombstone.kind = 2;
  tombstone.revoked_s = 3;
  tombstone.revoked_by = Filled(0x14);
  tombstone.reason = "why";
  tombstone.event = 6;
  tombstone.sweep = 7;
  tombstone.pepper_version = 8;
  EXPECT_EQ(HexEncode(tombstone.Encode()),
            "0110" + Repeat("11", 16) + "020102" + "030103" + "0410" + Repeat("14", 16) +
                "0503776879" + "060106" + "070107" + "080108" + "0910" + Repeat("00", 16) + "0a18" +
                Repeat("00", 24) + "0b30" + Repeat("00", 48));
  SweepRecord sweep;
  sweep.owner = Filled(0x11);
  sweep.kind = 4;
  sweep.scopes = 5;
  sweep.issued_before_s = 6;
  sweep.revoked_s = 7;
  sweep.done = true;
  EXPECT_EQ(HexEncode(sweep.Encode()),
            "0110" + Repeat("11", 16) + "040104" + "050105" + "060106" + "070107" + "0a0101");
  OwnerRecord owner;
  owner.sort = OwnerSort::kProject;
  owner.name = "n";
  owner.slug = "s";
  owner.is_private = true;
  owner.creation_s = 8;
  owner.deleted_s = 9;
  owner.tokens_not_before_s = 10;
  owner.quota = 11;
  owner.born_event = 12;
  owner.last_event = 13;
  EXPECT_EQ(HexEncode(owner.Encode()),
            "010102"
            "02016e"
            "030173"
            "070101"
            "080108"
            "090109"
            "0a010a"
            "0b010b"
            "0c010c"
            "0d010d");
  HeadRecord head;
  head.event_number = 1;
  head.clock_s = 4;
  EXPECT_EQ(HexEncode(head.Encode()),
            "010101"
            "0210" +
                Repeat("00", 16) + "0310" + Repeat("00", 16) + "040104");
}

TEST(Records, ReadsBackWhatItWrote) {
  const CredentialRecord record = FullCredential();
  const Result<CredentialRecord> back = CredentialRecord::Decode(record.uuid, record.Encode());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->Encode(), record.Encode());
  EXPECT_EQ(back->uuid, record.uuid);
  EXPECT_EQ(back->seal, record.seal);
  EXPECT_EQ(back->expires_s, record.expires_s);
}

// A load reads one record after another into the same place.
TEST(Records, NothingOfARecordIsLeftInThePlaceOfTheNext) {
  const Bytes full = FullCredential().Encode() + RecordWriter().Text(200, "later").Finish();
  const Bytes empty = CredentialRecord().Encode();
  CredentialRecord place;
  for (const Bytes& fields : {full, empty, full}) {
    const Uuid uuid = Filled(static_cast<uint8_t>(fields.size()));
    ASSERT_TRUE(CredentialRecord::Decode(uuid, fields, &place).ok());
    EXPECT_EQ(place.uuid, uuid);
    EXPECT_EQ(place.Encode(), fields);
  }
}

// A list reads rows without copying them: the same fields, what it does not know passed over.
TEST(Records, AViewOfAListRowIsThatRow) {
  ListRow row = ListRowOf(FullCredential());
  row.revoked_s = 7;
  row.revoked_by = Filled(0x31);
  row.metadata_size = 4;
  const Bytes fields = row.Encode() + RecordWriter().Text(200, "newer").Finish();
  ListRowView view;
  ASSERT_TRUE(ListRowView::Decode(fields, &view).ok());
  const auto all = [](const auto& r) {
    return std::tuple(r.revoked_s, r.expires_s, r.not_before_s, ByteView(r.slug), r.tag, r.creator,
                      r.minted_by, r.revoked_by, r.scopes, r.born_event, r.metadata_size);
  };
  EXPECT_EQ(all(view), all(row));
  EXPECT_GE(view.slug.data(), fields.data());
  EXPECT_LT(view.slug.data(), fields.data() + fields.size());
  ListRowView damaged;
  EXPECT_EQ(ListRowView::Decode(ByteView(fields).substr(1), &damaged).code(), Code::kCorruption);
}

TEST(Records, FieldsOfANewerBuildAreKept) {
  Bytes newer = FullCredential().Encode() + RecordWriter().Text(200, "later").Finish();
  Result<CredentialRecord> record = CredentialRecord::Decode(Filled(0x10), newer);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->Encode(), newer);
  record->name = "renamed";
  EXPECT_NE(record->Encode().find("later"), Bytes::npos);
}

TEST(Records, AnyCutIsCorruptionOrAShorterRecordOfWholeFields) {
  const Bytes whole = FullCredential().Encode();
  int refused = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    const Result<CredentialRecord> record =
        CredentialRecord::Decode(Filled(0x10), ByteView(whole).substr(0, size));
    if (!record.ok()) {
      EXPECT_EQ(record.code(), Code::kCorruption);
      ++refused;
    }
  }
  EXPECT_EQ(refused, static_cast<int>(whole.size()) - 23);  // but for the 23 ends of fields
}

TEST(Records, SweepCoversOnlyWhatWasBornBeforeAndFitsAll) {
  const CredentialRecord record = FullCredential();
  SweepRecord sweep;
  sweep.number = record.born_event + 1;
  EXPECT_TRUE(sweep.Covers(record));
  sweep.owner = record.owner;
  sweep.creator = record.creator;
  sweep.minted_by = record.minted_by;
  sweep.kind = record.kind;
  sweep.scopes = 1;
  sweep.issued_before_s = record.creation_s + 1;
  EXPECT_TRUE(sweep.Covers(record));
  const auto refuses = [&](auto change) {
    SweepRecord changed = sweep;
    change(changed);
    return !changed.Covers(record);
  };
  EXPECT_TRUE(refuses([&](SweepRecord& s) { s.number = record.born_event; }));
  EXPECT_TRUE(refuses([&](SweepRecord& s) { s.owner = Filled(9); }));
  EXPECT_TRUE(refuses([&](SweepRecord& s) { s.creator = Filled(9); }));
  EXPECT_TRUE(refuses([&](SweepRecord& s) { s.minted_by = Filled(9); }));
  EXPECT_TRUE(refuses([&](SweepRecord& s) { s.kind = 3; }));
  EXPECT_TRUE(refuses([&](SweepRecord& s) { s.scopes = 3; }));
  EXPECT_TRUE(refuses([&](SweepRecord& s) { s.issued_before_s = record.creation_s; }));
}

std::vector<EventBody> EveryBody() {
  OwnerRecord owner;
  owner.uuid = Filled(1);
  owner.name = "n";
  KindRecord kind;
  kind.kind = 300;
  kind.prefix = "acme_";
  SweepRecord sweep;
  sweep.number = 77;
  sweep.kind = 2;
  const Revoked revoked{Filled(1), Filled(2), 3, 4, "five", {}};
  return {OwnerPut{owner, {}},
          GrantPut{Filled(1), Filled(2), Role::kDeveloper},
          GrantRemoved{Filled(1), Filled(2)},
          KindPut{kind},
          CredentialCreated{FullCredential()},
          CredentialRenamed{Filled(1), Filled(2), 3, 4, "before", "after"},
          CredentialRevoked{revoked, 5, "why"},
          SweepStarted{sweep},
          Swept{9, true, {revoked, revoked}},
          ClockAccepted{}};
}

TEST(Events, EveryTypeReadsBack) {
  const std::vector<EventBody> bodies = EveryBody();
  ASSERT_EQ(bodies.size(), std::variant_size_v<EventBody>);
  for (size_t i = 0; i < bodies.size(); ++i) {
    const Event event{77, 1'700'000'000, Filled(8), bodies[i]};
    EXPECT_EQ(static_cast<size_t>(event.type()), i + 1);  // types are stored: append only
    const Result<Event> back = DecodeEvent(77, event.Encode());
    ASSERT_TRUE(back.ok()) << i << ": " << back.status().why();
    EXPECT_EQ(back->Encode(), event.Encode()) << i;
    EXPECT_EQ(back->time_s, event.time_s);
    EXPECT_EQ(back->actor, event.actor);
  }
}

TEST(Events, AForeignTypeIsUnsupportedAndDamageIsCorruption) {
  const Event event{1, 2, {}, CredentialRevoked{{Filled(1), Filled(2), 2, 3, "n", {}}, 4, "why"}};
  Bytes bytes = event.Encode();
  bytes[0] = 99;
  EXPECT_EQ(DecodeEvent(1, bytes).code(), Code::kUnsupported);
  EXPECT_EQ(DecodeEvent(1, {}).code(), Code::kCorruption);
  const Bytes whole = event.Encode();
  EXPECT_EQ(DecodeEvent(1, ByteView(whole).substr(0, whole.size() - 1)).code(), Code::kCorruption);
}

}  // namespace
}  // namespace latchkey
