// What a group of commands has done so far: one batch, the head as it will be, the events. Nothing
// of it is committed. Commands decide by reading through it, and then their events are written into
// it.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "authority/committed_records.h"
#include "authority/reader.h"
#include "schema/events.h"

namespace latchkey {

// What every command may need to know and a committed group replaces as a whole.
struct AuthorityState {
  HeadRecord head;
  std::vector<SweepRecord> pending_sweeps;  // in force, tombstones still being written
  std::vector<KindRecord> host_kinds;
};

// The kind of this number, latchkey's own or a host's; nullptr if there is none.
const KindRecord* FindKindIn(const std::vector<KindRecord>& host_kinds, uint16_t kind);

class OpenGroup {
 public:
  // `committed` is read, and added to as the store is read; `filter` may be null. Both outlive
  // this.
  OpenGroup(const Storage& storage, const RecordMac& mac, AuthorityState state,
            CommittedRecords* committed, KeyFilter* filter = nullptr);

  const Reader& reader() const { return reader_; }
  const AuthorityState& state() const { return state_; }
  AuthorityState TakeState() { return std::move(state_); }
  const std::vector<Event>& events() const { return events_; }
  Batch& batch() { return batch_; }

  const KindRecord* FindKind(uint16_t kind) const;
  // As the group leaves them. Deleted owners are found; an absent count is zeros.
  Result<std::shared_ptr<const OwnerRecord>> Owner(const Uuid& uuid) const;
  Result<CountRecord> Count(const Uuid& owner, uint16_t kind) const;

  // Numbers the event, writes what it changes and the event itself into the batch. An error leaves
  // the group unusable: it must be dropped whole.
  Status Append(Event event);
  // The latest time to be remembered with this group.
  void set_clock_s(int64_t clock_s);
  // Writes the counts and the head; call once, last.
  void WriteHead();
  // After the commit: what this group has changed is what is committed.
  void Remember() noexcept;
  // Hands the events over, to whoever asked for them.
  std::vector<Event> TakeEvents() { return std::move(events_); }

 private:
  // One for each type: index edits and records, from the event alone and what is stored.
  Status Write(Event* event, OwnerPut* body);
  Status Write(Event* event, GrantPut* body);
  Status Write(Event* event, GrantRemoved* body);
  Status Write(Event* event, KindPut* body);
  Status Write(Event* event, CredentialCreated* body);
  Status Write(Event* event, CredentialRenamed* body);
  Status Write(Event* event, CredentialRevoked* body);
  Status Write(Event* event, SweepStarted* body);
  Status Write(Event* event, Swept* body);
  Status Write(Event* event, ClockAccepted* body);

  Status WriteTombstone(const CredentialRecord& credential, const TombstoneRecord& tombstone);
  Status AddToCount(const Uuid& owner, uint16_t kind, int64_t active, int64_t revoked);
  void CountOwner(const OwnerRecord& owner, int64_t change);

  // Records: with MAC, counted in the head's sum. Indexes are plain.
  Status PutRecord(uint8_t column, ByteView key, const Bytes& fields);
  // Of one that is not there, as whoever decided has found.
  void PutNewRecord(uint8_t column, ByteView key, const Bytes& fields);
  Status DeleteRecord(uint8_t column, ByteView key);
  Status ForgetMac(uint8_t column, ByteView key);

  const RecordMac& mac_;
  Batch batch_;
  BatchSource source_;
  Reader reader_;
  AuthorityState state_;
  std::vector<Event> events_;
  CommittedRecords* committed_;
  // What this group has changed of them.
  std::unordered_map<Uuid, std::shared_ptr<const OwnerRecord>, UuidHash> owners_;
  std::unordered_map<CountKey, CountRecord, CountKeyHash> counts_;
};

}  // namespace latchkey
