// Which credentials does a sweep cover? By the name index where it names an owner, else by all
// records.
#pragma once

#include <functional>

#include "authority/local_authority.h"

namespace latchkey {

// Calls `visit` for each credential that the sweep covers and that has no tombstone yet in the name
// index (without an owner: for each that it covers). An error of `visit` ends the walk.
Status ForEachCovered(const LocalAuthority& authority, const SweepRecord& sweep,
                      const std::function<Status(const Uuid&, const TagBytes&)>& visit);

}  // namespace latchkey
