// The folder of a store: its marker, its lock and its `ack` file. (RocksDB has DIR/rocks alone.)
//
//   DIR/LATCHKEY  text marker, replaced by rename: format numbers, store id, pepper check values
//   DIR/ack       two 64-byte slots written in place in turn: store id, history id, the number of
//                 the last acknowledged event, CRC-32
//   DIR/reserve   room that is given up when the device is full, so that a revocation finds some
//
// engine/FORMAT.md gives both byte by byte.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"

namespace latchkey {

struct Marker {
  uint32_t format_reader_min = 0;  // an older build than this must not read the store
  uint32_t format_writer_min = 0;  // nor write it
  Uuid store_id;
  struct PepperCheck {
    uint32_t version;
    std::array<uint8_t, 16> value;
  };
  std::vector<PepperCheck> peppers;  // ascending by version
};

struct Ack {
  Uuid store_id;
  Uuid history_id;
  uint64_t event_number = 0;
};

// Holds the lock on DIR (flock on the folder itself) from Open or Create until destruction.
class StoreDir {
 public:
  // NOT_FOUND: no such folder, or an empty one. INVALID_ARGUMENT: a folder without a marker (not a
  // latchkey store, or one whose creation was cut off), or a marker that does not parse.
  // CORRUPTION: a marker with a wrong CRC. UNSUPPORTED: a newer format than `format`. BUSY: another
  // process, or another handle of this one, holds the lock. Changes nothing on disk.
  static Result<std::unique_ptr<StoreDir>> Open(const std::string& path, uint32_t format);
  // Makes the folder (its parent must exist) or takes an empty one, mode 0700. CONFLICT: there is
  // something in it. The marker is written last, by WriteMarker().
  static Result<std::unique_ptr<StoreDir>> Create(const std::string& path);
  ~StoreDir();

  const std::string& path() const { return path_; }
  std::string rocks_path() const { return path_ + "/rocks"; }
  const Marker& marker() const { return marker_; }

  // Written to a temporary file, fsynced, renamed into place, folder fsynced.
  Status WriteMarker(const Marker& marker);

  // The newest slot that is whole. CORRUPTION when neither is, or the file is missing.
  Result<Ack> ReadAck() const;
  Status CreateAck(const Ack& ack);  // fsynced with the folder
  // In place, without fsync; IO. Not thread-safe against itself; SyncAck() may run beside it.
  Status WriteAck(const Ack& ack);
  Status SyncAck();

  // Bytes free for this user on the file system of the store; UINT64_MAX if unknown.
  uint64_t free_bytes() const;

  // Room set aside on the device, which the store may take when there is no other: for the log, and
  // for what it is written out to when the store is reopened.
  static constexpr uint64_t kReserveBytes = 8 << 20;
  bool has_reserve() const { return has_reserve_; }
  Status MakeReserve();   // NO_SPACE, or IO also where the file system cannot set room aside
  bool ReleaseReserve();  // whether there is more room now

 private:
  explicit StoreDir(std::string path) : path_(std::move(path)) {}
  Status TakeLock();

  std::string path_;
  int dir_fd_ = -1;
  int owner_pid_ = -1;  // who took the lock; a forked child has the descriptor too
  int ack_fd_ = -1;
  uint32_t ack_slot_ = 0;      // that holds the newest ack
  uint64_t ack_sequence_ = 0;  // of the newest ack; 0 = none is known
  bool has_reserve_ = false;
  Marker marker_;
};

}  // namespace latchkey
