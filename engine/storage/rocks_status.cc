// RocksDB's outcomes as ours.
#include "storage/rocks_status.h"

#include <cstdint>
#include <string>

namespace latchkey {
namespace {

uint32_t Origin(const rocksdb::Status& status) {
  return static_cast<uint32_t>(status.code()) << 8 | static_cast<uint32_t>(status.subcode());
}

// The MANIFEST could not be opened: RocksDB blames the options, whatever the reason, and has no
// code of its own for it. tests/fault fails each open in turn.
bool IsFailedOpenOfFile(const rocksdb::Status& status) {
  if (!status.IsInvalidArgument() || status.getState() == nullptr) return false;
  const std::string text = status.getState();
  return text.find("incompatible with filesystem") != std::string::npos ||
         text.find("Direct I/O is not supported") != std::string::npos;
}

}  // namespace

Status FromRocks(const rocksdb::Status& status) {
  using Rocks = rocksdb::Status;
  const uint32_t origin = Origin(status);
  if (status.subcode() == Rocks::kNoSpace || status.subcode() == Rocks::kSpaceLimit) {
    return Status::Error(Code::kNoSpace, "no space left for the store", origin);
  }
  switch (status.code()) {
    case Rocks::kOk:
      return Status::Ok();
    case Rocks::kNotFound:
      return Status::Error(Code::kNotFound, "no such key in the store", origin);
    case Rocks::kCorruption:
    case Rocks::kMergeInProgress:  // an operand that the merge operator refused
      return Status::Error(Code::kCorruption, "the store is damaged", origin);
    case Rocks::kNotSupported:
      return Status::Error(Code::kUnsupported, "the store needs what this build lacks", origin);
    case Rocks::kBusy:
      return Status::Error(Code::kBusy, "the store is busy", origin);
    case Rocks::kInvalidArgument:
    case Rocks::kColumnFamilyDropped:
      return Status::Error(Code::kInternal, "the storage engine was misused", origin);
    default:
      return Status::Error(Code::kIo, "the store could not be read or written", origin);
  }
}

Status FromRocksOpen(const rocksdb::Status& status) {
  using Rocks = rocksdb::Status;
  if (LockIsHeld(status)) {
    return Status::Error(Code::kBusy, "the store is open elsewhere", Origin(status));
  }
  if (IsFailedOpenOfFile(status)) {
    return Status::Error(Code::kIo, "the store could not be read or written", Origin(status));
  }
  if (status.IsNotFound() || status.IsInvalidArgument() || status.IsPathNotFound() ||
      status.subcode() == Rocks::kPathNotFound) {
    return Status::Error(Code::kCorruption, "the store is damaged: a part is missing or unfit",
                         Origin(status));
  }
  return FromRocks(status);
}

bool LockIsHeld(const rocksdb::Status& status) {
  if (!status.IsIOError() || status.getState() == nullptr) return false;
  // There is no code for it. These are RocksDB's own words, not strerror()'s, for a lock held by
  // this process and by another; "while open a file for lock" is neither. A test pins both.
  const std::string text = status.getState();
  return text.find("lock hold by current process") != std::string::npos ||
         text.find("While lock file") != std::string::npos;
}

}  // namespace latchkey
