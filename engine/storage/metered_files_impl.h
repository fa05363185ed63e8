// The file system that a backup is written through: it counts the bytes, fails when it is to stop,
// and lets commits go on from the first file. Seen by this room only.
#pragma once

#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "storage/backup.h"
#include "storage/storage_impl.h"

namespace latchkey {

// Counts what is written, and fails the writing when the progress function says so: the engine then
// takes away what it has begun.
class Meter {
 public:
  explicit Meter(const BackupProgress& progress) : progress_(progress) {}
  bool Add(uint64_t bytes) {
    bytes_ += bytes;
    if (progress_ && !stopped_ && !progress_(bytes_)) stopped_ = true;
    return !stopped_;
  }
  bool stopped() const { return stopped_; }

 private:
  const BackupProgress& progress_;
  std::atomic<uint64_t> bytes_{0};
  std::atomic<bool> stopped_{false};
};

class MeteredFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  MeteredFile(std::unique_ptr<rocksdb::FSWritableFile>&& file, Meter* meter)
      : FSWritableFileOwnerWrapper(std::move(file)), meter_(meter) {}
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    if (!meter_->Add(data.size())) return rocksdb::IOStatus::Aborted();
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& info,
                           rocksdb::IODebugContext* debug) override {
    if (!meter_->Add(data.size())) return rocksdb::IOStatus::Aborted();
    return FSWritableFileOwnerWrapper::Append(data, options, info, debug);
  }

 private:
  Meter* const meter_;
};

class MeteredFileSystem : public rocksdb::FileSystemWrapper {
 public:
  explicit MeteredFileSystem(Meter* meter)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), meter_(meter) {}
  const char* Name() const override { return "latchkey.metered"; }
  // When the first file is written, the backup knows which it copies, and no longer needs the log.
  void ReleaseAtFirstFile(LogHold* hold) { hold_ = hold; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    if (hold_ != nullptr) hold_->Release();
    rocksdb::IOStatus status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    if (status.ok()) *file = std::make_unique<MeteredFile>(std::move(*file), meter_);
    return status;
  }

 private:
  Meter* const meter_;
  LogHold* hold_ = nullptr;
};

}  // namespace latchkey
