// The two small files of a store beside RocksDB, as bytes: the marker and a slot of `ack`.
#pragma once

#include <array>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/store_dir.h"

namespace latchkey {

// The marker file:
//
//   latchkey store
//   format <reader_min> <writer_min>
//   id <uuid, hyphenated>
//   pepper <version> <32 hex digits>      a line for each version, ascending
//   crc <8 hex digits>                    CRC-32 of all above
//
// Every line ends with \n; numbers are decimal without leading zeros; letters are lower case.
Bytes FormatMarker(const Marker& marker);

// UNSUPPORTED when a newer build than `format` is needed: that is read before all else, for such a
// build may have changed everything below it. CORRUPTION: the CRC is wrong or missing.
// INVALID_ARGUMENT: it is right, or nothing says that this is a marker, but the text is not one.
Result<Marker> ParseMarker(ByteView text, uint32_t format);

inline constexpr size_t kMarkerBytesMax = 4096;

// One slot of `ack`, little-endian: magic "LKACK\0\0\1", sequence u64, store id, history id, event
// number u64, reserved u32 = 0, CRC-32 of all above. Slots lie in sectors of their own, so that a
// torn write of one leaves the other.
inline constexpr size_t kAckSlotSize = 64;
inline constexpr size_t kAckSlotStride = 512;
inline constexpr size_t kAckFileSize = kAckSlotStride + kAckSlotSize;

struct AckSlot {
  uint64_t sequence = 0;  // one more at each write: of two whole slots the higher is newer
  Ack ack;
};

std::array<char, kAckSlotSize> FormatAckSlot(const AckSlot& slot);
std::optional<AckSlot> ParseAckSlot(ByteView bytes);  // nullopt: not whole

}  // namespace latchkey
