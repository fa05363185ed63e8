// The self-check: every record against every index, counter, MAC, seal and event, at one moment.
#pragma once

#include <functional>

#include "service/engine.h"

namespace latchkey {

// What has been looked at.
struct CheckReport {
  uint64_t findings = 0;
  uint64_t owners = 0;
  uint64_t credentials = 0;
  uint64_t tombstones = 0;
  uint64_t events = 0;
};

using CheckFound = std::function<void(Literal, const Uuid&)>;
// Credentials done, of so many; about every thousand. False stops the check (BUSY).
using CheckProgress = std::function<bool(uint64_t done, uint64_t total)>;

// `found` is called for each finding with a fixed text and the UUID it is about (nil = none). OK
// when there was none, else CORRUPTION; IO; BUSY: stopped, or the store is being reopened. Waits
// until the store is loaded, then reads all of it beside its use. `report` may be null.
Status CheckStore(const Engine& engine, const CheckFound& found, const CheckProgress& progress = {},
                  CheckReport* report = nullptr);

}  // namespace latchkey
