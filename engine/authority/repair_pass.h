// One pass over a store: what is wrong, and, given a store that can be written, putting it right.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "authority/repair.h"

namespace latchkey {

// What is to be written, committed a few megabytes at a time. Whatever part of it is committed
// leaves a store that the next repair finishes: the head, without which nothing adds up, is last.
class Mender {
 public:
  // A null `storage` is not written to. Both outlive this.
  Mender(Storage* storage, const RepairOptions& options) : storage_(storage), options_(options) {
    if (storage_ != nullptr) batch_ = std::make_unique<Batch>(*storage_);
  }
  Status Put(uint8_t column, ByteView key, ByteView value);
  Status Delete(uint8_t column, ByteView key);
  // What comes from here on is committed as one.
  Status HoldBack();
  Status Commit();
  uint64_t changes() const { return changes_; }

 private:
  Status CommitIfFull();
  Storage* const storage_;
  const RepairOptions& options_;
  std::unique_ptr<Batch> batch_;
  bool holds_back_ = false;
  uint64_t changes_ = 0;
  uint64_t commits_ = 0;
};

class RepairPass {
 public:
  // `storage` is read, and written if `writes`. All outlive this.
  RepairPass(const RepairOptions& options, const Marker& marker, const PepperRing& ring,
             Storage* storage, bool writes, Random& random, RepairReport* report);

  // The codes of Truth::Establish(); CORRUPTION or ROLLED_BACK: the history is lost, and that is
  // not accepted.
  Status Run(const Result<Ack>& ack);
  // Was there anything to write, or is `ack` to be written anew?
  bool is_sound() const { return mender_.changes() == 0 && !needs_ack_; }
  bool needs_ack() const { return needs_ack_; }
  Ack ack() const { return {store_.store_id, store_.history_id, head_.event_number}; }

 private:
  void Found(Literal what, const Uuid& uuid = {});
  Status Tick();
  void TellProof(const Result<Ack>& ack);
  Status DecideHistory(const Result<Ack>& ack);

  // What a record is to be; nullptr = it is not to be there. What is there otherwise is set aside
  // if it is not believed, and the texts say what was found.
  struct Texts {
    Literal missing;
    Literal wrong;
    Literal foreign;
  };
  Status PutRecord(uint8_t column, ByteView key, const Bytes* fields, const Texts& texts,
                   const Uuid& uuid);
  Status SetAside(uint8_t column, ByteView key, ByteView value);

  Status Kinds();
  Status Grants();
  Status Sweeps();
  // repair_records.cc: owners and credentials.
  Status GatherOwners();
  void WithdrawOwners();
  Status PutOwners();
  Status Credentials();
  Status Credential(const Uuid& uuid);
  Status StandInOwner(const CredentialRecord& credential);

  // repair_indexes.cc: what follows from the records.
  Status IndexOwners();
  Status IndexCredential(const CredentialRecord& credential, const TombstoneRecord* tombstone);
  Status PutIndex(uint8_t column, ByteView key, ByteView value, const Uuid& uuid);
  Status Strays();
  Result<bool> IsStray(uint8_t column, ByteView key, ByteView value) const;
  Status Counts();
  Status Events();
  Status Names();
  Status Head();

  const RepairOptions& options_;
  const Marker& marker_;
  const PepperRing& ring_;
  const RecordMac mac_;
  Storage& storage_;
  Random& random_;
  RepairReport& report_;
  const Snapshot snapshot_;
  Mender mender_;
  Truth truth_;
  StoreRecord store_;
  HeadRecord head_;  // as it is to be; its sum and its counts grow
  const int64_t now_s_;
  bool begins_history_ = false;
  bool needs_ack_ = false;
  bool tells_ = false;  // findings are told once, by the pass that only looks
  uint64_t ticks_ = 0;
  std::map<Uuid, OwnerRecord> owners_;
  std::map<std::pair<Uuid, uint16_t>, CountRecord> counts_;
  std::map<uint8_t, uint64_t> index_present_;        // entries that are to be there, and are
  std::set<std::pair<uint8_t, Bytes>> overwritten_;  // of these, those that led elsewhere
};

}  // namespace latchkey
