// The full load: every record read once, every MAC checked, all of them added up and compared with
// the head. A record that was put back, taken away or planted does not survive it.
#pragma once

#include <functional>

#include "authority/event_sink.h"
#include "authority/open_group.h"

namespace latchkey {

// Reads the state that commands need (head, pending sweeps, kinds), checking that the event chain
// ends where the head says. CORRUPTION, IO.
Result<AuthorityState> LoadState(const Storage& storage, const RecordMac& mac);

// Gives every owner to `take`. CORRUPTION, IO; or what `take` says.
Status LoadOwners(const Storage& storage, const RecordMac& mac,
                  const std::function<Status(const OwnerRecord&)>& take);

// Reads all that the snapshot holds, gives every credential to `sink`, and compares the sum of all
// records with the head's, so that at the end what was given is known to be neither less nor older
// than what was there. CORRUPTION: a MAC, or the sum, does not hold; IO; or what the sink says.
// Cost: reads the whole store.
Status LoadRecords(const Storage& storage, const RecordMac& mac, const Snapshot& snapshot,
                   LoadSink* sink);

}  // namespace latchkey
