// The full load.
#include "authority/load.h"

#include "crypto/digest.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

// Scans one MACed column; `visit(key, fields)` returns a Status.
template <typename Visit>
Status ForEachRecord(const Storage& storage, const RecordMac& mac, uint8_t column, MacSum* sum,
                     Visit&& visit) {
  Scan scan = storage.ScanPrefix(column, {}, {}, nullptr, /*fill_cache=*/false);
  for (; scan.Valid(); scan.Next()) {
    LATCHKEY_TRY_ASSIGN(const ByteView fields, mac.Open(column, scan.key(), scan.value()));
    if (sum != nullptr) RecordMac::Add(sum, scan.value());
    LATCHKEY_TRY(visit(scan.key(), fields));
  }
  return scan.status();
}

Status BadKey() { return Status::Error(Code::kCorruption, "a record has a key of foreign shape"); }

Status CheckChainEnd(const Storage& storage, const HeadRecord& head) {
  const Status wrong = Status::Error(
      Code::kCorruption, "the event chain does not end where the head of the store says");
  Result<Bytes> last = storage.LastKey(column::kEvent, {});
  if (last.code() == Code::kNotFound) return head.event_number == 0 ? Status::Ok() : wrong;
  if (!last.ok()) return last.status();
  KeyReader key(*last);
  uint16_t partition = 0;
  uint64_t number = 0;
  if (!key.Be16(&partition) || !key.Be64(&number) || number != head.event_number) return wrong;
  LATCHKEY_TRY_ASSIGN(const Bytes event, storage.Get(column::kEvent, *last));
  return ByteView(event).starts_with(View(head.event_id)) ? Status::Ok() : wrong;
}

// Walks beside the credentials, which have the same keys in the same order.
class TombstoneWalk {
 public:
  TombstoneWalk(const Storage& storage, const RecordMac& mac, MacSum* sum)
      : scan_(storage.ScanPrefix(column::kTombstone, {}, {}, nullptr, false)),
        mac_(mac),
        sum_(sum) {}

  // Is there a tombstone for this credential? Keys must be asked for in ascending order.
  Result<bool> Has(ByteView uuid) {
    while (scan_.Valid() && scan_.key() < uuid) LATCHKEY_TRY(Pass());
    LATCHKEY_TRY(scan_.status());
    if (!scan_.Valid() || scan_.key() != uuid) return false;
    LATCHKEY_TRY(Pass());
    return true;
  }
  Status Rest() {
    while (scan_.Valid()) LATCHKEY_TRY(Pass());
    return scan_.status();
  }

 private:
  Status Pass() {
    LATCHKEY_TRY_ASSIGN(const ByteView fields,
                        mac_.Open(column::kTombstone, scan_.key(), scan_.value()));
    if (fields.empty()) return Status::Error(Code::kCorruption, "a tombstone is empty");
    RecordMac::Add(sum_, scan_.value());
    scan_.Next();
    return Status::Ok();
  }
  Scan scan_;
  const RecordMac& mac_;
  MacSum* sum_;
};

// Beside the credentials in the same way; plain numbers without a MAC.
class UsageWalk {
 public:
  explicit UsageWalk(const Storage& storage)
      : scan_(storage.ScanPrefix(column::kUsage, {}, {}, nullptr, false)) {}
  Result<uint32_t> LastUsed(ByteView uuid) {
    while (scan_.Valid() && scan_.key() < uuid) scan_.Next();
    LATCHKEY_TRY(scan_.status());
    if (!scan_.Valid() || scan_.key() != uuid || scan_.value().size() != 8) return 0u;
    return static_cast<uint32_t>(LoadLe64(scan_.value().data()));
  }

 private:
  Scan scan_;
};

}  // namespace

Result<AuthorityState> LoadState(const Storage& storage, const RecordMac& mac) {
  AuthorityState state;
  const StorageSource source(storage);
  LATCHKEY_TRY_ASSIGN(state.head, Reader(source, mac).Head());
  LATCHKEY_TRY(CheckChainEnd(storage, state.head));
  LATCHKEY_TRY(ForEachRecord(
      storage, mac, column::kSweep, nullptr, [&](ByteView key, ByteView fields) -> Status {
        uint64_t number = 0;
        if (!KeyReader(key).Be64(&number)) return BadKey();
        LATCHKEY_TRY_ASSIGN(SweepRecord sweep, SweepRecord::Decode(number, fields));
        if (!sweep.done) state.pending_sweeps.push_back(std::move(sweep));
        return Status::Ok();
      }));
  LATCHKEY_TRY(ForEachRecord(
      storage, mac, column::kKind, nullptr, [&](ByteView key, ByteView fields) -> Status {
        uint16_t number = 0;
        if (!KeyReader(key).Be16(&number)) return BadKey();
        LATCHKEY_TRY_ASSIGN(KindRecord kind, KindRecord::Decode(number, fields));
        state.host_kinds.push_back(std::move(kind));
        return Status::Ok();
      }));
  return state;
}

Status LoadRecords(const Storage& storage, const RecordMac& mac, const AuthorityState& state,
                   RecordSink* sink) {
  MacSum sum{};
  const auto pass = [](ByteView, ByteView) { return Status::Ok(); };
  LATCHKEY_TRY(ForEachRecord(storage, mac, column::kGrant, &sum, pass));
  LATCHKEY_TRY(ForEachRecord(storage, mac, column::kKind, &sum, pass));
  LATCHKEY_TRY(ForEachRecord(storage, mac, column::kSweep, &sum, pass));
  LATCHKEY_TRY(ForEachRecord(
      storage, mac, column::kOwner, &sum, [&](ByteView key, ByteView fields) -> Status {
        if (key.size() != Uuid::kSize) return BadKey();
        LATCHKEY_TRY_ASSIGN(const OwnerRecord owner, OwnerRecord::Decode(Uuid::From(key), fields));
        return sink->LoadOwner(owner);
      }));

  TombstoneWalk tombstones(storage, mac, &sum);
  UsageWalk usage(storage);
  LATCHKEY_TRY(ForEachRecord(
      storage, mac, column::kCredential, &sum, [&](ByteView key, ByteView fields) -> Status {
        if (key.size() != Uuid::kSize) return BadKey();
        LATCHKEY_TRY_ASSIGN(const CredentialRecord credential,
                            CredentialRecord::Decode(Uuid::From(key), fields));
        LATCHKEY_TRY_ASSIGN(bool revoked, tombstones.Has(key));
        for (const SweepRecord& sweep : state.pending_sweeps) {
          revoked = revoked || sweep.Covers(credential);
        }
        LATCHKEY_TRY_ASSIGN(const uint32_t last_used_s, usage.LastUsed(key));
        return sink->LoadCredential(credential, revoked, last_used_s);
      }));
  LATCHKEY_TRY(tombstones.Rest());
  if (sum != state.head.record_sum) {
    return Status::Error(
        Code::kCorruption,
        "the records of the store do not add up to what its head says: one was put "
        "back, taken away or planted");
  }
  return Status::Ok();
}

}  // namespace latchkey
