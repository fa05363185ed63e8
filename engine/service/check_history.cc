// The history: its chain, and what it says was revoked.
#include "service/check_history.h"

#include "authority/event_chain.h"
#include "base/text.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

// One whose MAC does not hold has been found already.
Status CheckTombstoneOf(const Uuid& uuid, const Reader& reader, const CheckFound& found) {
  const Result<TombstoneRecord> tombstone = reader.Tombstone(uuid);
  if (tombstone.code() == Code::kIo) return tombstone.status();
  if (tombstone.code() == Code::kNotFound) {
    found("a revocation of the history has no tombstone", uuid);
  }
  return Status::Ok();
}

Status CheckRevocations(const Event& event, const Reader& reader, const CheckFound& found) {
  if (const auto* revoked = std::get_if<CredentialRevoked>(&event.body)) {
    return CheckTombstoneOf(revoked->credential.uuid, reader, found);
  }
  if (const auto* swept = std::get_if<Swept>(&event.body)) {
    for (const Revoked& credential : swept->credentials) {
      LATCHKEY_TRY(CheckTombstoneOf(credential.uuid, reader, found));
    }
  } else if (std::holds_alternative<SweepStarted>(event.body)) {
    const Result<SweepRecord> sweep = reader.Sweep(event.number);
    if (sweep.code() == Code::kIo) return sweep.status();
    if (sweep.code() == Code::kNotFound) {
      found("a mass revocation of the history has no record", Uuid{});
    }
  }
  return Status::Ok();
}

}  // namespace

Status CheckHistory(const Storage& storage, const Snapshot& snapshot, const Reader& reader,
                    const HeadRecord& head, const CheckFound& found, uint64_t* events) {
  uint64_t expected = head.event_floor + 1;
  std::array<uint8_t, 16> id{};
  Scan scan = storage.ScanPrefix(column::kEvent, {}, {}, &snapshot, /*fill_cache=*/false);
  for (; scan.Valid(); scan.Next(), ++expected) {
    if (scan.key() != keys::Event(0, expected).view() || scan.value().size() < id.size()) {
      found("the numbers of the events have a gap", Uuid{});
      return Status::Ok();
    }
    const ByteView stored = scan.value().substr(0, id.size());
    const ByteView body = scan.value().substr(id.size());
    // The first one, which is the first behind the floor, is chained to nothing.
    id = NextEventId(id, expected, body);
    if (View(id) != stored) found("the chain of events is broken", Uuid{});
    id = ToArray<16>(stored);
    ++*events;
    const Result<Event> event = DecodeEvent(expected, body);
    if (event.ok()) {
      LATCHKEY_TRY(CheckRevocations(*event, reader, found));
    } else {
      found("an event does not read as one", Uuid{});
    }
  }
  LATCHKEY_TRY(scan.status());
  if (expected != head.event_number + 1 || id != head.event_id) {
    found("the chain of events does not end where the head says", Uuid{});
  }
  return Status::Ok();
}

}  // namespace latchkey
