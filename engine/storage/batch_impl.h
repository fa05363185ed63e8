// What a Batch holds: one entry a key, found by a hash table, its bytes in blocks that only grow.
// Seen by this room only.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "storage/batch.h"
#include "storage/key_filter.h"
#include "storage/storage_impl.h"

namespace latchkey {

// Bytes that stay where they are until all are dropped at once.
class Arena {
 public:
  char* Allocate(size_t size);

 private:
  static constexpr size_t kFirstBlockBytes = 4 * 1024;
  static constexpr size_t kBlockBytesMax = 1024 * 1024;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  size_t left_ = 0;
  size_t next_block_bytes_ = kFirstBlockBytes;
};

struct Batch::Impl {
  enum class Change : uint8_t { kNone, kPut, kDelete, kMax64 };
  struct Entry {
    const char* key;
    char* value;
    uint64_t hash;
    uint32_t key_size;
    uint32_t value_size;
    uint8_t column;
    Change change;

    ByteView key_view() const { return {key, key_size}; }
    ByteView value_view() const { return {value, value_size}; }
  };

  Impl(const OpenDb* open_db, KeyFilter* key_filter) : db(open_db), filter(key_filter) {}

  const Entry* Find(uint64_t hash, uint8_t column, ByteView key) const;
  // The entry of the key; one that changes nothing yet if there was none.
  Entry* FindOrAdd(uint8_t column, ByteView key);
  void Set(Entry* entry, Change change, ByteView value);
  // The entries by column, and by key within one.
  std::vector<const Entry*> Sorted() const;

  // Before a commit.
  void TellFilter() const;

  const OpenDb* db;
  KeyFilter* filter;  // may be null
  std::vector<Entry> entries;
  size_t bytes = 0;                  // of all keys and values
  bool merged_onto_foreign = false;  // a u64 onto a value that is none: fails the Commit()

 private:
  size_t SlotOf(uint64_t hash, uint8_t column, ByteView key) const;
  void Grow();
  std::vector<uint32_t> slots_;  // index into entries, plus one; 0 = free; a power of two of them
  Arena arena_;
};

}  // namespace latchkey
