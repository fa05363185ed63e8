// RocksDB's file system with a switch: while it is on, what is written to or synced in a log fails,
// or what is written to a table.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

namespace latchkey::test {

// Which call fails while the switch is on: on a log, but for the last.
enum class LogFault { kNone, kAppend, kSync, kTableAppend };

class FaultyFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::FSWritableFile>&& file, LogFault append,
             const std::atomic<LogFault>& fault)
      : FSWritableFileOwnerWrapper(std::move(file)), append_(append), fault_(fault) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    if (fault_.load() == append_) return rocksdb::IOStatus::IOError("injected");
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& info,
                           rocksdb::IODebugContext* debug) override {
    if (fault_.load() == append_) return rocksdb::IOStatus::IOError("injected");
    return FSWritableFileOwnerWrapper::Append(data, options, info, debug);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    if (append_ == LogFault::kAppend && fault_.load() == LogFault::kSync)
      return rocksdb::IOStatus::IOError("injected");
    return FSWritableFileOwnerWrapper::Sync(options, debug);
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    if (append_ == LogFault::kAppend && fault_.load() == LogFault::kSync)
      return rocksdb::IOStatus::IOError("injected");
    return FSWritableFileOwnerWrapper::Fsync(options, debug);
  }

 private:
  const LogFault append_;  // the fault that fails an append
  const std::atomic<LogFault>& fault_;
};

class FaultyFileSystem : public rocksdb::FileSystemWrapper {
 public:
  FaultyFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultyFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    if (status.ok() && (name.ends_with(".log") || name.ends_with(".sst"))) {
      const LogFault append = name.ends_with(".log") ? LogFault::kAppend : LogFault::kTableAppend;
      *file = std::make_unique<FaultyFile>(std::move(*file), append, fault_);
    }
    return status;
  }
  void set_fault(LogFault fault) { fault_.store(fault); }

 private:
  std::atomic<LogFault> fault_{LogFault::kNone};
};

// An Env over it, for StorageOptions::env.
struct FaultyEnv {
  std::shared_ptr<FaultyFileSystem> files = std::make_shared<FaultyFileSystem>();
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
};

}  // namespace latchkey::test
