// The full load.
#include "authority/load.h"

#include "crypto/digest.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

constexpr size_t kChunkCredentials = 256;  // one hand-over, and how often the sink is asked

// Scans one MACed column; `visit(key, fields)` returns a Status.
template <typename Visit>
Status ForEachRecord(const Storage& storage, const RecordMac& mac, uint8_t column,
                     const Snapshot* snapshot, Visit&& visit) {
  Scan scan = storage.ScanPrefix(column, {}, {}, snapshot, /*fill_cache=*/false);
  for (; scan.Valid(); scan.Next()) {
    LATCHKEY_TRY_ASSIGN(const ByteView fields, mac.Open(column, scan.key(), scan.value()));
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

// Reads all records of one snapshot and adds them up.
class RecordWalk {
 public:
  RecordWalk(const Storage& storage, const RecordMac& mac, const Snapshot& snapshot, LoadSink* sink)
      : storage_(storage),
        mac_(mac),
        snapshot_(snapshot),
        sink_(sink),
        tombstones_(ScanAll(column::kTombstone)),
        usage_(ScanAll(column::kUsage)) {}

  Status Run() {
    for (const uint8_t column : {column::kGrant, column::kKind, column::kSweep, column::kOwner}) {
      LATCHKEY_TRY(PassColumn(column));
    }
    LATCHKEY_TRY(Credentials());
    while (tombstones_.Valid()) LATCHKEY_TRY(PassTombstone());
    LATCHKEY_TRY(tombstones_.status());
    const StorageSource source(storage_, &snapshot_);
    LATCHKEY_TRY_ASSIGN(const HeadRecord head, Reader(source, mac_).Head());
    if (sum_ == head.record_sum) return Status::Ok();
    return Status::Error(
        Code::kCorruption,
        "the records of the store do not add up to what its head says: one was put "
        "back, taken away or planted");
  }

 private:
  Scan ScanAll(uint8_t column) const {
    return storage_.ScanPrefix(column, {}, {}, &snapshot_, /*fill_cache=*/false);
  }
  // The fields of the record on which the scan stands, which is counted.
  Result<ByteView> Count(uint8_t column, const Scan& scan) {
    if (++passed_ % kChunkCredentials == 0) LATCHKEY_TRY(sink_->Continue());
    LATCHKEY_TRY_ASSIGN(const ByteView fields, mac_.Open(column, scan.key(), scan.value()));
    RecordMac::Add(&sum_, scan.value());
    return fields;
  }
  Status PassColumn(uint8_t column) {
    Scan scan = ScanAll(column);
    for (; scan.Valid(); scan.Next()) LATCHKEY_TRY(Count(column, scan).status());
    return scan.status();
  }
  Status PassTombstone() {
    LATCHKEY_TRY_ASSIGN(const ByteView fields, Count(column::kTombstone, tombstones_));
    if (fields.empty()) return Status::Error(Code::kCorruption, "a tombstone is empty");
    tombstones_.Next();
    return Status::Ok();
  }

  Status Credentials() {
    std::vector<LoadedCredential> chunk;
    chunk.reserve(kChunkCredentials);
    Scan scan = ScanAll(column::kCredential);
    for (; scan.Valid(); scan.Next()) {
      LATCHKEY_TRY_ASSIGN(const ByteView fields, Count(column::kCredential, scan));
      const ByteView key = scan.key();
      if (key.size() != Uuid::kSize) return BadKey();
      LoadedCredential& credential = chunk.emplace_back();
      LATCHKEY_TRY_ASSIGN(credential.record, CredentialRecord::Decode(Uuid::From(key), fields));
      LATCHKEY_TRY_ASSIGN(credential.revoked, HasTombstone(key));
      LATCHKEY_TRY_ASSIGN(credential.last_used_s, LastUsed(key));
      if (chunk.size() < kChunkCredentials) continue;
      LATCHKEY_TRY(sink_->Take(chunk));
      chunk.clear();
    }
    LATCHKEY_TRY(scan.status());
    return sink_->Take(chunk);
  }

  // These two walk beside the credentials, which have the same keys in the same order.
  Result<bool> HasTombstone(ByteView uuid) {
    while (tombstones_.Valid() && tombstones_.key() < uuid) LATCHKEY_TRY(PassTombstone());
    LATCHKEY_TRY(tombstones_.status());
    if (!tombstones_.Valid() || tombstones_.key() != uuid) return false;
    LATCHKEY_TRY(PassTombstone());
    return true;
  }
  Result<uint32_t> LastUsed(ByteView uuid) {
    while (usage_.Valid() && usage_.key() < uuid) usage_.Next();
    LATCHKEY_TRY(usage_.status());
    if (!usage_.Valid() || usage_.key() != uuid || usage_.value().size() != 8) return 0u;
    return static_cast<uint32_t>(LoadLe64(usage_.value().data()));
  }

  const Storage& storage_;
  const RecordMac& mac_;
  const Snapshot& snapshot_;
  LoadSink* const sink_;
  Scan tombstones_;
  Scan usage_;  // plain numbers without a MAC
  MacSum sum_{};
  size_t passed_ = 0;
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

Status LoadOwners(const Storage& storage, const RecordMac& mac,
                  const std::function<Status(const OwnerRecord&)>& take) {
  return ForEachRecord(
      storage, mac, column::kOwner, nullptr, [&](ByteView key, ByteView fields) -> Status {
        if (key.size() != Uuid::kSize) return BadKey();
        LATCHKEY_TRY_ASSIGN(const OwnerRecord owner, OwnerRecord::Decode(Uuid::From(key), fields));
        return take(owner);
      });
}

Status LoadRecords(const Storage& storage, const RecordMac& mac, const Snapshot& snapshot,
                   LoadSink* sink) {
  return RecordWalk(storage, mac, snapshot, sink).Run();
}

}  // namespace latchkey
