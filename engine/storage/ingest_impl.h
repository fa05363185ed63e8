// The files of a commit by files, as they lie in RocksDB's folder until it has taken them. Seen by
// this room only.
#pragma once

#include <rocksdb/env.h>

#include <string>
#include <vector>

#include "base/bytes.h"

namespace latchkey {

// A name that RocksDB takes for none of its own.
inline constexpr ByteView kIngestPrefix = "ingest-";

// What a process left behind that died between writing its files and having them taken.
void RemoveIngestLeftovers(rocksdb::Env* env, const std::string& path,
                           const std::vector<std::string>& names);

}  // namespace latchkey
