// How events are chained: the id of each depends on all before it (FORMAT.md).
#pragma once

#include <array>

#include "codec/key.h"
#include "crypto/digest.h"

namespace latchkey {

using EventId = std::array<uint8_t, 16>;

// The id of the event of this number, behind the one with the id `before` (zeros = behind none).
inline EventId NextEventId(const EventId& before, uint64_t number, ByteView encoded) {
  return Blake2b128({}, View(before), KeyWriter().Be64(number).view(), encoded);
}

}  // namespace latchkey
