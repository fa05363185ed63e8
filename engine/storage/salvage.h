// What can still be read of a store that may open no more: every key and value in every table and
// log that is there, file by file, without the list of files, and without writing a byte. Versions
// that have been overwritten or deleted since come as well, in no order. Who gave the store its
// bytes can tell by their MACs which of them are true.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/column.h"

namespace latchkey {

struct SalvageCount {
  uint64_t files = 0;    // tables and logs that are there
  uint64_t damaged = 0;  // of them, those that could not be read whole
};

// Columns of Access::kMax64 are left out. NOT_FOUND: no such folder. IO: it could not be listed;
// what becomes of a single file is only counted.
Status Salvage(const std::string& rocks_path, std::span<const ColumnSpec> columns,
               const std::function<void(uint8_t column, ByteView key, ByteView value)>& take,
               SalvageCount* count);

}  // namespace latchkey
