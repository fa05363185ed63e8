// The file system that RocksDB opens a store's tables through. Seen by this room only.
//
// RocksDB 7.8 reads a table's properties block before it looks whether its checksum holds (an
// ingested file may have had a sequence number written into it). In Debian's build, which keeps its
// assertions, one flipped bit there ends the process: the highest of the block's last four bytes,
// which says that a hash index precedes them, when there is none. So we look first.
//
// A table ends in a footer of 53 bytes: the checksum's type; offset and size (varints) of the block
// that names the others, and of the index; padding; version; magic. The named block has the name
// "rocksdb.properties", and behind it the offset and size of that one. (RocksDB's table/format.cc.)
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <memory>
#include <string>

namespace latchkey {

class TableFiles : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "latchkey.tables"; }
  // Corruption for a table that RocksDB could not open without ending the process. Whatever else is
  // wrong with one it finds itself. Costs three reads of some bytes.
  rocksdb::IOStatus NewRandomAccessFile(const std::string& name,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* debug) override;
};

// With the files of `env`, and the threads and the clock of the default one.
std::unique_ptr<rocksdb::Env> WithTableFiles(const rocksdb::Env& env);

}  // namespace latchkey
