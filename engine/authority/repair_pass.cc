// One pass over a store, in order; and the records that are neither owners nor credentials.
#include "authority/repair_pass.h"

#include "authority/new_store.h"
#include "base/clock.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

constexpr uint64_t kTicksPerProgress = 1024;

Bytes LostKey(uint8_t column, ByteView key) {
  return Bytes(keys::kLostPrefix) + static_cast<char>(column) + Bytes(key);
}

}  // namespace

// ---- Mender

Status Mender::Put(uint8_t column, ByteView key, ByteView value) {
  ++changes_;
  if (batch_ == nullptr) return Status::Ok();
  batch_->Put(column, key, value);
  return CommitIfFull();
}

Status Mender::Delete(uint8_t column, ByteView key) {
  ++changes_;
  if (batch_ == nullptr) return Status::Ok();
  batch_->Delete(column, key);
  return CommitIfFull();
}

Status Mender::CommitIfFull() {
  const bool is_full = batch_->size_bytes() >= options_.batch_bytes;
  return is_full && !holds_back_ ? Commit() : Status::Ok();
}

Status Mender::HoldBack() {
  LATCHKEY_TRY(Commit());
  holds_back_ = true;
  return Status::Ok();
}

Status Mender::Commit() {
  if (batch_ == nullptr || batch_->empty()) return Status::Ok();
  LATCHKEY_TRY(storage_->Commit(batch_.get()));
  batch_->Clear();
  if (options_.committed) options_.committed(++commits_);
  return Status::Ok();
}

// ---- RepairPass

RepairPass::RepairPass(const RepairOptions& options, const Marker& marker, const PepperRing& ring,
                       Storage* storage, bool writes, Random& random, RepairReport* report)
    : options_(options),
      marker_(marker),
      ring_(ring),
      mac_(ring),
      storage_(*storage),
      random_(random),
      report_(*report),
      snapshot_(*storage),
      mender_(writes ? storage : nullptr, options),
      truth_(*storage, snapshot_, mac_),
      now_s_(SystemClock().NowUnixMs() / 1000),
      tells_(!writes) {}

Status RepairPass::Run(const Result<Ack>& ack) {
  report_ = RepairReport();
  LATCHKEY_TRY(truth_.Establish(marker_, ack, now_s_, [this] { return Tick(); }));
  head_ = truth_.head();
  report_.proof = truth_.proof();
  TellProof(ack);
  LATCHKEY_TRY(DecideHistory(ack));
  head_.record_sum = {};
  head_.users = head_.projects = head_.active = head_.revoked = 0;

  LATCHKEY_TRY(Kinds());
  LATCHKEY_TRY(Grants());
  LATCHKEY_TRY(Sweeps());
  LATCHKEY_TRY(GatherOwners());
  if (truth_.proof() == Proof::kNothing) WithdrawOwners();
  LATCHKEY_TRY(Credentials());
  LATCHKEY_TRY(PutOwners());
  LATCHKEY_TRY(IndexOwners());
  LATCHKEY_TRY(Strays());
  LATCHKEY_TRY(Counts());
  LATCHKEY_TRY(Events());
  LATCHKEY_TRY(mender_.HoldBack());
  LATCHKEY_TRY(Names());
  LATCHKEY_TRY(Head());
  LATCHKEY_TRY(mender_.Commit());
  report_.history_begun = begins_history_;
  report_.history_id = store_.history_id;
  report_.event_number = head_.event_number;
  report_.active = head_.active;
  report_.revoked = head_.revoked;
  if (!report_.needs_accept || options_.accept_broken_events) return Status::Ok();
  return Status::Error(Code::kCorruption,
                       "nothing shows what the history was: restore a backup, or accept the loss "
                       "(--accept-broken-events)");
}

void RepairPass::Found(Literal what, const Uuid& uuid) {
  ++report_.findings;
  if (tells_ && options_.found) options_.found(what, uuid);
}

Status RepairPass::Tick() {
  if (++ticks_ % kTicksPerProgress != 0 || !options_.progress || options_.progress(ticks_)) {
    return Status::Ok();
  }
  return Status::Error(Code::kBusy, "the repair was stopped: run it again");
}

void RepairPass::TellProof(const Result<Ack>& ack) {
  if (!truth_.store()) Found("the record that names the store and its history is lost");
  if (!truth_.head_holds()) {
    Found("the head of the store, by which all else is proved, is lost");
  } else if (!ack.ok()) {
    Found("the ack file is lost, so nothing shows that the store is the latest there was");
  } else if (truth_.store() && !truth_.ack_fits()) {
    Found("the ack file is of a later time or of another history: an older copy was put here");
  } else if (truth_.store() && !truth_.is_latest()) {
    Found("there are events or records that are later than the head: an older head was put here");
  }
  if (!truth_.chain().holds && truth_.head_holds()) {
    Found("the events are not those that were written: one was taken away, altered or planted");
  }
  if (truth_.ack_fits() && ack.value().history_id != truth_.store()->history_id) {
    Found("a repair was cut off before its last step: ended");
  }
  if (truth_.proof() == Proof::kEvents) {
    Found("the records do not add up to what the head says: each is written as the events have it");
  } else if (truth_.head_holds() && !truth_.adds_up()) {
    Found(
        "the records do not add up to what the head says, and the events do not tell what they "
        "were");
  }
}

// A history that cannot be shown to be the one it was is given up: the next begins behind it, with
// no event, and chains its first one to nothing.
Status RepairPass::DecideHistory(const Result<Ack>& ack) {
  if (truth_.store()) store_ = *truth_.store();
  store_.store_id = marker_.store_id;
  begins_history_ = truth_.history_is_lost();
  report_.needs_accept = begins_history_;
  needs_ack_ = begins_history_ || (ack.ok() && ack.value().history_id != store_.history_id);
  if (!begins_history_) return Status::Ok();
  // As `ack` has it until the last step, so that a repair which was cut off before it is known.
  store_.repaired_history_id = ack.ok() ? ack.value().history_id : store_.history_id;
  LATCHKEY_TRY_ASSIGN(store_.history_id, NewId(random_));
  head_.event_number = truth_.last_number();
  head_.event_floor = truth_.last_number();
  head_.event_id = {};
  return Status::Ok();
}

Status RepairPass::SetAside(uint8_t column, ByteView key, ByteView value) {
  ++report_.records_set_aside;
  LATCHKEY_TRY(mender_.Put(column::kDefault, LostKey(column, key), value));
  return mender_.Delete(column, key);
}

Status RepairPass::PutRecord(uint8_t column, ByteView key, const Bytes* fields, const Texts& texts,
                             const Uuid& uuid) {
  const Result<Bytes> value = storage_.Get(column, key, &snapshot_);
  const bool is_there = value.ok();
  if (!is_there && value.code() != Code::kNotFound) return value.status();
  const Result<ByteView> stored =
      is_there ? mac_.Open(column, key, *value) : Result<ByteView>(value.status());
  if (fields == nullptr) {
    if (!is_there) return Status::Ok();
    Found(texts.foreign, uuid);
    return SetAside(column, key, *value);
  }
  if (stored.ok() && *stored == *fields) {
    RecordMac::Add(&head_.record_sum, *value);
    return Status::Ok();
  }
  Found(is_there ? texts.wrong : texts.missing, uuid);
  ++report_.records_written;
  if (is_there && !stored.ok()) LATCHKEY_TRY(SetAside(column, key, *value));
  const Bytes closed = mac_.Close(column, key, *fields);
  RecordMac::Add(&head_.record_sum, closed);
  return mender_.Put(column, key, closed);
}

Status RepairPass::Kinds() {
  constexpr Texts kTexts = {"a kind is missing: written again", "a kind was altered: written again",
                            "a kind is not one that was registered: set aside"};
  const auto put = [&](ByteView key) -> Status {
    uint16_t number = 0;
    KeyReader reader(key);
    const bool is_key = reader.Be16(&number) && reader.AtEnd();
    std::optional<KindRecord> kind;
    if (is_key) {
      LATCHKEY_TRY_ASSIGN(kind, truth_.Kind(number));
    }
    const Bytes fields = kind ? kind->Encode() : Bytes();
    return PutRecord(column::kKind, key, kind ? &fields : nullptr, kTexts, {});
  };
  Scan scan = storage_.ScanPrefix(column::kKind, {}, {}, &snapshot_, false);
  for (; scan.Valid(); scan.Next()) LATCHKEY_TRY(put(scan.key()));
  LATCHKEY_TRY(scan.status());
  for (const auto& [number, kind] : truth_.history().kinds()) {
    const auto key = keys::Kind(number);
    if (storage_.Get(column::kKind, key.view(), &snapshot_).code() == Code::kNotFound) {
      LATCHKEY_TRY(put(key.view()));
    }
  }
  return Status::Ok();
}

Status RepairPass::Grants() {
  constexpr Texts kTexts = {"a role is missing: written again", "a role was altered: written again",
                            "a role is not one that can be shown to have been given: taken back"};
  const auto put = [&](ByteView key) -> Status {
    LATCHKEY_TRY(Tick());
    LATCHKEY_TRY_ASSIGN(const auto grant, truth_.Grant(key));
    const Bytes fields = grant ? grant->Encode() : Bytes();
    if (!grant && truth_.proof() == Proof::kNothing) ++report_.grants_withdrawn;
    const Uuid user = key.size() == 2 * Uuid::kSize ? Uuid::From(key.substr(Uuid::kSize)) : Uuid{};
    return PutRecord(column::kGrant, key, grant ? &fields : nullptr, kTexts, user);
  };
  Scan scan = storage_.ScanPrefix(column::kGrant, {}, {}, &snapshot_, false);
  for (; scan.Valid(); scan.Next()) LATCHKEY_TRY(put(scan.key()));
  LATCHKEY_TRY(scan.status());
  for (const auto& [key, grant] : truth_.history().grants()) {
    if (storage_.Get(column::kGrant, key, &snapshot_).code() == Code::kNotFound) {
      LATCHKEY_TRY(put(key));
    }
  }
  return Status::Ok();
}

Status RepairPass::Sweeps() {
  constexpr Texts kTexts = {"a mass revocation is missing: written again from its event",
                            "a mass revocation was altered: written again from its event",
                            "what stands in the place of a mass revocation is none: set aside"};
  const auto put = [&](ByteView key) -> Status {
    uint64_t number = 0;
    KeyReader reader(key);
    const bool is_key = reader.Be64(&number) && reader.AtEnd();
    std::optional<SweepRecord> sweep;
    if (is_key) {
      LATCHKEY_TRY_ASSIGN(sweep, truth_.Sweep(number));
    }
    const Bytes fields = sweep ? sweep->Encode() : Bytes();
    return PutRecord(column::kSweep, key, sweep ? &fields : nullptr, kTexts, {});
  };
  Scan scan = storage_.ScanPrefix(column::kSweep, {}, {}, &snapshot_, false);
  for (; scan.Valid(); scan.Next()) LATCHKEY_TRY(put(scan.key()));
  LATCHKEY_TRY(scan.status());
  for (const auto& [number, sweep] : truth_.history().sweeps()) {
    const auto key = keys::Sweep(number);
    if (storage_.Get(column::kSweep, key.view(), &snapshot_).code() == Code::kNotFound) {
      LATCHKEY_TRY(put(key.view()));
    }
  }
  return Status::Ok();
}

}  // namespace latchkey
