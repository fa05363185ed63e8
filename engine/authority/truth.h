// What the records of a damaged store should be, and what shows it (README.md, "Repair"):
//
//   the sum      the records whose MACs hold add up to what the head says: they are all there is
//   the events   the chain holds from the first event to the head: it says what each record is
//   nothing      then what takes away is believed wherever its MAC holds, and what gives is not
//
// Either proof needs a head whose MAC holds, and no sign that the head is not the latest one.
#pragma once

#include <memory>

#include "authority/history.h"
#include "authority/reader.h"
#include "storage/store_dir.h"

namespace latchkey {

enum class Proof : uint8_t { kUnknown = 0, kSum = 1, kEvents = 2, kNothing = 3 };

class Truth {
 public:
  // All outlive this.
  Truth(const Storage& storage, const Snapshot& snapshot, const RecordMac& mac);

  // Reads what there is to know; first. `ack` as it was read. `now_s` is when what cannot be shown
  // to be good is taken back. IO; UNSUPPORTED: a newer latchkey has written; ROLLED_BACK: marker
  // and database are not of one store.
  Status Establish(const Marker& marker, const Result<Ack>& ack, int64_t now_s, const Tick& tick);

  Proof proof() const { return proof_; }
  const ChainSurvey& chain() const { return chain_; }
  // Can the history not go on as it is?
  bool history_is_lost() const { return proof_ == Proof::kNothing || !chain_.holds; }
  bool head_holds() const { return head_holds_; }
  // Is the sum of the head that of the records whose MACs hold?
  bool adds_up() const { return sum_ == head_.record_sum; }
  const HeadRecord& head() const { return head_; }  // zeros unless it holds
  // The record "store"; nullopt = its MAC does not hold.
  const std::optional<StoreRecord>& store() const { return store_; }
  // Is `ack` of a time before this, or not of this store and history?
  bool ack_fits() const { return ack_fits_; }
  // Nothing is there that is later than the head, and `ack` fits.
  bool is_latest() const { return is_latest_; }
  // No record and no event has a higher number.
  uint64_t last_number() const { return last_number_; }
  // What can be told from the events alone; empty unless they are the proof.
  const History& history() const { return history_; }

  // The fields of what is stored, if its MAC holds.
  Result<std::optional<Bytes>> Stored(uint8_t column, ByteView key) const;

  // What a credential should be, and its tombstone. A tombstone whose MAC holds is always what it
  // is; one without a credential gets a credential that stands in for the lost one.
  struct Verdict {
    std::optional<CredentialRecord> credential;
    std::optional<TombstoneRecord> tombstone;
    bool stands_in = false;  // for a credential that is lost
    bool tombstone_from_event = false;
    bool withdrawn = false;  // revoked because nothing shows that it was not
  };
  Result<Verdict> Judge(const Uuid& uuid) const;
  Result<std::optional<OwnerRecord>> Owner(const Uuid& uuid) const;
  Result<std::optional<SweepRecord>> Sweep(uint64_t number) const;
  Result<std::optional<KindRecord>> Kind(uint16_t number) const;
  Result<std::optional<GrantRecord>> Grant(ByteView key) const;

 private:
  Status ReadHead(const Marker& marker, const Result<Ack>& ack);
  Status SumUp(const Tick& tick);
  void Note(uint64_t number) { last_number_ = std::max(last_number_, number); }
  TombstoneRecord Withdrawal(const CredentialRecord& credential) const;

  const Storage& storage_;
  const Snapshot& snapshot_;
  const RecordMac& mac_;
  Proof proof_ = Proof::kNothing;
  ChainSurvey chain_;
  bool head_holds_ = false;
  bool ack_fits_ = false;
  bool is_latest_ = false;
  HeadRecord head_;
  std::optional<StoreRecord> store_;
  MacSum sum_{};
  uint64_t last_number_ = 0;
  int64_t now_s_ = 0;
  History history_;
};

}  // namespace latchkey
