// The self-check: every record against every index, counter, MAC, seal and event, at one moment.
#pragma once

#include <functional>

#include "service/engine.h"

namespace latchkey {

// `found` is called for each finding with a fixed text and the UUID it is about (nil = none). OK
// when there was none, else CORRUPTION; IO. Waits until the store is loaded, then reads all of it
// beside its use.
Status CheckStore(const Engine& engine, const std::function<void(Literal, const Uuid&)>& found);

}  // namespace latchkey
