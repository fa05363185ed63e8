// Whether a file in RocksDB's log format (a write-ahead log, a MANIFEST) reads cleanly to its end,
// and if not, whether a write that was cut off explains it.
//
// RocksDB cannot tell: it takes a length field that points past the end for a torn tail, and a
// record type with one bit flipped (1 to 5, "recyclable") for the end of the log, the latter even
// with kAbsoluteConsistency and for the MANIFEST always. Either way everything behind is dropped.
//
// The format: blocks of 32 KiB; in them records of a 7-byte header (masked CRC-32C of type and
// body, u16 length, u8 type: 1 full, 2 first, 3 middle, 4 last) and a body; the last bytes of a
// block that cannot hold a header are zeros.
#pragma once

#include <functional>

#include "base/bytes.h"

namespace latchkey {

enum class LogEnd : uint8_t {
  kWhole,   // the last record ends where the file ends
  kTorn,    // the last record is cut off, or zeros follow it
  kBroken,  // something that no cut-off write leaves: what was written whole has changed since
};

// `log` is the whole file; every CRC is checked, at about 8 ms a MiB. *whole_size (may be null) is
// where the last record ends that is there to its end.
LogEnd CheckLogFrames(ByteView log, size_t* whole_size = nullptr);

// Gives every record that is whole by its CRCs to `take`, in order, and passes over what is not;
// how many damaged places were passed over.
uint64_t ReadLogFrames(ByteView log, const std::function<void(ByteView record)>& take);

}  // namespace latchkey
