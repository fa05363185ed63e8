// The part of the self-check that reads the history.
#pragma once

#include "authority/reader.h"
#include "service/check.h"

namespace latchkey {

// Is the chain of events whole, does it end where the head says, and has every revocation that it
// tells of its record? `reader` reads at the same `snapshot`; *events counts. IO.
Status CheckHistory(const Storage& storage, const Snapshot& snapshot, const Reader& reader,
                    const HeadRecord& head, const CheckFound& found, uint64_t* events);

}  // namespace latchkey
