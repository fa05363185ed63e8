// Which credentials does a sweep cover? By the name index where it names an owner, else by all
// records.
#pragma once

#include <functional>

#include "authority/local_authority.h"

namespace latchkey {

struct Covered {
  Uuid uuid;
  TagBytes tag;
  bool denied_before;  // by an earlier sweep whose tombstones are still being written
};

// Calls `visit` for each credential that the sweep covers and that has no tombstone. An error of
// `visit` ends the walk.
Status ForEachCovered(const LocalAuthority& authority, const SweepRecord& sweep,
                      const std::function<Status(const Covered&)>& visit);

}  // namespace latchkey
