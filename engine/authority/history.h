// What the chain of events says. When it holds, from its first event to the one that the head
// names, the events are as they were written: the head carries a MAC, and each id depends on all
// events before it. Then each record can be told from the events alone.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

#include "schema/events.h"
#include "storage/storage.h"

namespace latchkey {

// Called for every record or event that is read; an error ends the reading.
using Tick = std::function<Status()>;

struct ChainSurvey {
  bool holds = false;        // up to the head, without a gap, and every event reads as one
  bool goes_on = false;      // events that follow on the head: it is not the latest there was
  uint64_t events = 0;       // that are there,
  uint64_t strays = 0;       // and of them, those that are not of the chain
  uint64_t last_number = 0;  // the highest that is there
};
// `head` as it is stored, or zeros. IO; UNSUPPORTED: an event of a newer build.
Result<ChainSurvey> SurveyChain(const Storage& storage, const Snapshot& snapshot,
                                const HeadRecord& head, const Tick& tick);
// The number of an event by its key; nullopt = a key of foreign shape.
std::optional<uint64_t> EventNumber(ByteView key);

// Which events made each record what it is. Holds numbers, some 80 bytes a credential, and reads
// the records from the events when they are asked for.
class History {
 public:
  // Both outlive this.
  History(const Storage& storage, const Snapshot& snapshot)
      : storage_(storage), snapshot_(snapshot) {}
  // All events, of a chain that holds and begins with the first.
  Status Read(const Tick& tick);

  struct Life {
    uint64_t created = 0;
    uint64_t renamed = 0;  // the last time; 0 = never, as below
    uint64_t revoked = 0;
    uint64_t sweep = 0;  // that revoked it; 0 = by itself
  };
  const std::unordered_map<Uuid, Life, UuidHash>& credentials() const { return credentials_; }
  const std::map<Uuid, uint64_t>& owners() const { return owners_; }
  const std::map<Bytes, GrantRecord>& grants() const { return grants_; }  // by their keys
  const std::map<uint16_t, KindRecord>& kinds() const { return kinds_; }
  const std::map<uint64_t, SweepRecord>& sweeps() const { return sweeps_; }

  Result<OwnerRecord> Owner(uint64_t event) const;
  Result<CredentialRecord> Credential(const Life& life) const;
  // Of a credential that has been revoked.
  Result<TombstoneRecord> Tombstone(const Life& life, const CredentialRecord& credential) const;

 private:
  void Take(const Event& event);
  Result<Event> At(uint64_t number) const;

  const Storage& storage_;
  const Snapshot& snapshot_;
  std::unordered_map<Uuid, Life, UuidHash> credentials_;
  std::map<Uuid, uint64_t> owners_;
  std::map<Bytes, GrantRecord> grants_;
  std::map<uint16_t, KindRecord> kinds_;
  std::map<uint64_t, SweepRecord> sweeps_;
};

}  // namespace latchkey
