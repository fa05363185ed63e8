// Bytes that no MAC vouches for, decoded as each record and event of the store: never a crash, and
// what can be read is stable: written and read again it is the same, down to the fields of a newer
// build. The first byte of an input says as what the rest is read.
#include "fuzz/target.h"
#include "schema/events.h"
#include "schema/lineage.h"

namespace latchkey::fuzz {
namespace {

template <typename Decode>
void ExpectStable(ByteView bytes, Decode&& decode) {
  const auto first = decode(bytes);
  if (!first.ok()) {
    Expect(first.code() == Code::kCorruption || first.code() == Code::kUnsupported,
           "a code that is not of damage");
    return;
  }
  Bytes written = first->Encode();
  if constexpr (requires { first->unknown; }) {
    // As if many fields of a newer build were not kept.
    if (Canary(first->unknown.size() > 24)) written.resize(written.size() - first->unknown.size());
  }
  const auto second = decode(written);
  Expect(second.ok(), "what was written cannot be read");
  const Bytes again = second->Encode();
  Expect(again == written, "what was read again is not the same");
  if constexpr (requires { first->unknown; }) {
    Expect(first->unknown == second->unknown, "a field of a newer build was lost");
  }
}

// A row that borrows says what the one that owns says.
void ExpectSameRow(ByteView bytes) {
  const Result<ListRow> row = ListRow::Decode(bytes);
  ListRowView view;
  const Status status = ListRowView::Decode(bytes, &view);
  Expect(row.ok() == status.ok(), "one of both rows is refused");
  if (!row.ok()) return;
  Expect(row->slug == view.slug && row->tag == view.tag && row->scopes == view.scopes &&
             row->creator == view.creator && row->minted_by == view.minted_by &&
             row->revoked_by == view.revoked_by && row->revoked_s == view.revoked_s &&
             row->expires_s == view.expires_s && row->not_before_s == view.not_before_s &&
             row->born_event == view.born_event && row->metadata_size == view.metadata_size,
         "the rows differ");
}

void Read(uint8_t which, ByteView bytes) {
  switch (which % 13) {
    case 0:
      return ExpectStable(bytes, FormatRecord::Decode);
    case 1:
      if (const auto store = StoreRecord::Decode(bytes); store.ok()) {
        Expect(LineageOf(*store).size() == store->lineage.size() / Ancestor::kSize,
               "a lineage that is not what its size says");
      }
      return ExpectStable(bytes, StoreRecord::Decode);
    case 2:
      return ExpectStable(bytes, HeadRecord::Decode);
    case 3:
      return ExpectStable(bytes, CountRecord::Decode);
    case 4:
      return ExpectStable(bytes, [](ByteView b) { return OwnerRecord::Decode(Uuid{}, b); });
    case 5:
      return ExpectStable(bytes, GrantRecord::Decode);
    case 6:
      return ExpectStable(bytes, [](ByteView b) { return KindRecord::Decode(300, b); });
    case 7:
      return ExpectStable(bytes, [](ByteView b) { return CredentialRecord::Decode(Uuid{}, b); });
    case 8:
      ExpectSameRow(bytes);
      return ExpectStable(bytes, ListRow::Decode);
    case 9:
      return ExpectStable(bytes, [](ByteView b) { return TombstoneRecord::Decode(Uuid{}, b); });
    case 10:
      return ExpectStable(bytes, [](ByteView b) { return SweepRecord::Decode(7, b); });
    case 11:
      return ExpectStable(bytes, [](ByteView b) { return DecodeEvent(7, b); });
    default:
      return ExpectStable(bytes, BackupRecord::Decode);
  }
}

}  // namespace
}  // namespace latchkey::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  latchkey::fuzz::Read(data[0], {reinterpret_cast<const char*>(data + 1), size - 1});
  return 0;
}
