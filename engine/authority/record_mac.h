// The trailer of every record: fields | pepper version (4, little-endian) | MAC (16).
//
//   MAC = keyed BLAKE2b-128(record MAC key;
//                           column id (1) | pepper version (4) | key size (2) | key | fields)
//
// Bound to its column and key, so a record cannot be planted, altered or moved by whoever can write
// to the store but does not have the pepper. That none was put back or taken away is what the sum
// of all MACs in the head says.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/pepper.h"

namespace latchkey {

using MacSum = std::array<uint8_t, 16>;

class RecordMac {
 public:
  static constexpr size_t kTrailerSize = 4 + 16;

  explicit RecordMac(const PepperRing& ring) : ring_(ring) {}

  // The value to store.
  Bytes Close(uint8_t column, ByteView key, const Bytes& fields) const;
  // The fields of a stored value, borrowed from it; CORRUPTION if the MAC does not hold.
  Result<ByteView> Open(uint8_t column, ByteView key, ByteView value) const;

  // The sum takes part of whole values; both are little-endian additions modulo 2^128.
  static void Add(MacSum* sum, ByteView value);
  static void Subtract(MacSum* sum, ByteView value);

 private:
  std::array<uint8_t, 16> Compute(uint32_t version, uint8_t column, ByteView key,
                                  ByteView fields) const;
  const PepperRing& ring_;
};

}  // namespace latchkey
