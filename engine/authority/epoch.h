// An epoch: one moment of one history, named so that nothing older can pass for it. Whoever keeps
// it outside the store can demand at the next open that this very moment is in the store's past.
#pragma once

#include <array>

#include "schema/records.h"
#include "storage/storage.h"

namespace latchkey {

struct Epoch {
  Uuid history_id;
  uint64_t event_number = 0;           // 0 = before the first event
  std::array<uint8_t, 16> event_id{};  // of that event
};

// Whether the store holds that very event, in this history or in the part that it shares with one
// it goes on from; the ids are computed anew from there to the head, so that an id which was only
// written into its place does not pass. ROLLED_BACK: it does not; GONE: that part has been trimmed;
// IO. Cost: reads the events since the epoch.
Status CheckEpoch(const Storage& storage, const StoreRecord& store, const HeadRecord& head,
                  const Epoch& epoch);

}  // namespace latchkey
