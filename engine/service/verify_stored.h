// What a verdict needs, from the store instead of the verify table: for credentials that are not
// loaded yet, or for which the memory budget leaves no room.
#pragma once

#include <optional>

#include "service/memory.h"

namespace latchkey {

struct StoredSight {
  SlotWords words;
  OwnerTable::Word owner;
};

// As of one moment of the call, and of all that had returned before it; nullopt: there is no such
// credential. BUSY while the store is being reopened; IO; CORRUPTION. Not in constant time. Any
// thread; a few reads of the store.
Result<std::optional<StoredSight>> LookInStore(const LocalAuthority& authority,
                                               const Memory& memory, TagWords tag);

}  // namespace latchkey
