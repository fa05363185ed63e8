// The full load.
#include "authority/load.h"

#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "crypto/digest.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

constexpr size_t kChunkCredentials = 256;  // one hand-over, and how often the sink is asked
// From here on two threads load: below, some ten milliseconds are there to be saved.
constexpr uint64_t kCredentialsOfTwoWalks = 4096;

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
      Code::kCorruption,
      "the event chain does not end where the head of the store says: latchkey repair "
      "--dry-run says what is wrong");
  Result<Bytes> last = storage.LastKey(column::kEvent, {});
  if (last.code() == Code::kNotFound) {
    return head.event_number == head.event_floor ? Status::Ok() : wrong;
  }
  if (!last.ok()) return last.status();
  KeyReader key(*last);
  uint16_t partition = 0;
  uint64_t number = 0;
  if (!key.Be16(&partition) || !key.Be64(&number) || number != head.event_number) return wrong;
  LATCHKEY_TRY_ASSIGN(const Bytes event, storage.Get(column::kEvent, *last));
  return ByteView(event).starts_with(View(head.event_id)) ? Status::Ok() : wrong;
}

// A sink that two walks share: it is called by one at a time, and the first error ends both.
class SharedSink : public LoadSink {
 public:
  explicit SharedSink(LoadSink* sink) : sink_(sink) {}

  Status Continue() override {
    const std::lock_guard lock(mutex_);
    return outcome_.ok() ? Note(sink_->Continue()) : outcome_;
  }
  Status Take(std::span<const LoadedCredential> credentials) override {
    const std::lock_guard lock(mutex_);
    return outcome_.ok() ? Note(sink_->Take(credentials)) : outcome_;
  }
  // How a walk has ended; how all have, up to now.
  Status End(const Status& status) {
    const std::lock_guard lock(mutex_);
    return outcome_.ok() ? Note(status) : outcome_;
  }

 private:
  const Status& Note(const Status& status) {
    outcome_ = status;
    return outcome_;
  }

  LoadSink* const sink_;
  std::mutex mutex_;
  Status outcome_ = Status::Ok();
};

// Reads the credentials of one snapshot, with their tombstones, from one UUID to before another
// (empty = to the end), or other records, and adds them up.
class RecordWalk {
 public:
  RecordWalk(const Storage& storage, const RecordMac& mac, const Snapshot& snapshot, LoadSink* sink,
             ByteView from, ByteView until)
      : storage_(storage),
        mac_(mac),
        snapshot_(snapshot),
        sink_(sink),
        from_(from),
        until_(until),
        tombstones_(ScanFrom(column::kTombstone, from)),
        usage_(ScanFrom(column::kUsage, from)) {}

  const MacSum& sum() const { return sum_; }

  Status PassColumn(uint8_t column) {
    Scan scan = ScanFrom(column, {});
    for (; scan.Valid(); scan.Next()) LATCHKEY_TRY(Count(column, scan).status());
    return scan.status();
  }

  Status Credentials() {
    std::vector<LoadedCredential> chunk(kChunkCredentials);
    size_t size = 0;
    Scan scan = ScanFrom(column::kCredential, from_);
    for (; IsWithin(scan); scan.Next()) {
      LATCHKEY_TRY_ASSIGN(const ByteView fields, Count(column::kCredential, scan));
      const ByteView key = scan.key();
      if (key.size() != Uuid::kSize) return BadKey();
      LoadedCredential& credential = chunk[size];
      LATCHKEY_TRY(CredentialRecord::Decode(Uuid::From(key), fields, &credential.record));
      LATCHKEY_TRY_ASSIGN(credential.revoked, HasTombstone(key));
      LATCHKEY_TRY_ASSIGN(credential.last_used_s, LastUsed(key));
      if (++size < kChunkCredentials) continue;
      LATCHKEY_TRY(sink_->Take(chunk));
      size = 0;
    }
    LATCHKEY_TRY(scan.status());
    LATCHKEY_TRY(sink_->Take(std::span(chunk).first(size)));
    while (IsWithin(tombstones_)) LATCHKEY_TRY(PassTombstone());
    return tombstones_.status();
  }

 private:
  Scan ScanFrom(uint8_t column, ByteView from) const {
    return storage_.ScanPrefix(column, {}, from, &snapshot_, /*fill_cache=*/false);
  }
  bool IsWithin(const Scan& scan) const {
    return scan.Valid() && (until_.empty() || scan.key() < until_);
  }
  // The fields of the record on which the scan stands, which is counted.
  Result<ByteView> Count(uint8_t column, const Scan& scan) {
    if (++passed_ % kChunkCredentials == 0) LATCHKEY_TRY(sink_->Continue());
    LATCHKEY_TRY_ASSIGN(const ByteView fields, mac_.Open(column, scan.key(), scan.value()));
    RecordMac::Add(&sum_, scan.value());
    return fields;
  }
  Status PassTombstone() {
    LATCHKEY_TRY_ASSIGN(const ByteView fields, Count(column::kTombstone, tombstones_));
    if (fields.empty()) return Status::Error(Code::kCorruption, "a tombstone is empty");
    tombstones_.Next();
    return Status::Ok();
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
  const ByteView from_;
  const ByteView until_;
  Scan tombstones_;
  Scan usage_;  // plain numbers without a MAC
  MacSum sum_{};
  size_t passed_ = 0;
};

// The walks over both halves of the UUIDs, each by a thread; where no second one can be had, one
// after the other.
Status WalkHalves(RecordWalk* first, RecordWalk* second, SharedSink* sink) {
  const auto walk = [sink](RecordWalk* half) noexcept {
    try {
      sink->End(half->Credentials()).IgnoreBecause("the sink remembers it");
    } catch (const std::bad_alloc&) {
      sink->End(Status::Error(Code::kInternal, "there is no memory")).IgnoreBecause("as above");
    }
  };
  std::thread thread;
  try {
    thread = std::thread(walk, second);
  } catch (const std::system_error&) {
  }
  walk(first);
  if (thread.joinable()) {
    thread.join();
  } else {
    walk(second);
  }
  return sink->End(Status::Ok());
}

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
  const StorageSource source(storage, &snapshot);
  LATCHKEY_TRY_ASSIGN(const HeadRecord head, Reader(source, mac).Head());
  const bool in_halves = head.active + head.revoked >= kCredentialsOfTwoWalks;
  const ByteView middle = in_halves ? "\x80" : "";
  SharedSink shared(sink);
  RecordWalk first(storage, mac, snapshot, &shared, {}, middle);
  for (const uint8_t column : {column::kGrant, column::kKind, column::kSweep, column::kOwner}) {
    LATCHKEY_TRY(first.PassColumn(column));
  }
  MacSum sum{};
  if (in_halves) {
    RecordWalk second(storage, mac, snapshot, &shared, middle, {});
    LATCHKEY_TRY(WalkHalves(&first, &second, &shared));
    sum = second.sum();
  } else {
    LATCHKEY_TRY(first.Credentials());
  }
  RecordMac::Add(&sum, View(first.sum()));
  if (sum == head.record_sum) return Status::Ok();
  return Status::Error(Code::kCorruption,
                       "the records of the store do not add up to what its head says: one was put "
                       "back, taken away or planted; latchkey repair --dry-run says which");
}

}  // namespace latchkey
