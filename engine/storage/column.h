// How a column is used. Storage opens the columns it is handed and knows no meaning;
// schema/columns.h is the catalogue.
#pragma once

#include <cstdint>

namespace latchkey {

enum class Access : uint8_t {
  kPoint,       // read by whole key: whole-key Bloom filter
  kPrefixScan,  // read by ranges of a common prefix: no compression in the upper levels
  kAppend,      // written in ascending order, read from a position on: larger blocks, compressed
  kMax64,       // value is a u64, little-endian; Merge() keeps the greatest
};

struct ColumnSpec {
  uint8_t id;        // dense, from 0; the index into the catalogue
  const char* name;  // stored: never reused
  Access access;
};

}  // namespace latchkey
