// What RocksDB says, in our words. Its own texts hold paths and sometimes keys; none gets through.
#pragma once

#include <rocksdb/status.h>

#include "base/status.h"

namespace latchkey {

// origin() of the result is RocksDB's code << 8 | sub-code.
Status FromRocks(const rocksdb::Status& status);

// The same for a failure to open: what is missing or unfit there has been damaged, for the columns
// and the presence of a store were checked before.
Status FromRocksOpen(const rocksdb::Status& status);

// Whether a failed LockFile() says that somebody holds the lock, not that it cannot be read.
bool LockIsHeld(const rocksdb::Status& status);

}  // namespace latchkey
