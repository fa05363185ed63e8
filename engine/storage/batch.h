// The unit of change: puts and deletes over several columns that become visible and durable
// together or not at all. Readable while it grows, so that a later command of a group sees the
// earlier ones.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/column.h"

namespace latchkey {

class KeyFilter;
class Storage;

// One writer at a time; not thread-safe. Bound to the Storage it was made by and not to outlive it.
class Batch {
 public:
  struct Impl;  // batch_impl.h

  // With `filter`, keys that it does not hold are not looked for in the store, and it is told of
  // what this batch writes; it outlives this.
  explicit Batch(const Storage& storage, KeyFilter* filter = nullptr);
  ~Batch();
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;

  void Put(uint8_t column, ByteView key, ByteView value);
  void Delete(uint8_t column, ByteView key);
  void MergeMax64(uint8_t column, ByteView key, uint64_t value);

  // The value as it would be after this batch: what the batch says, else what the store holds.
  // NOT_FOUND; IO or CORRUPTION from the store.
  Result<Bytes> Get(uint8_t column, ByteView key) const;
  // Whether there would be one. Where the filter knows the column, the store is not asked.
  Result<bool> Has(uint8_t column, ByteView key) const;

  size_t size_bytes() const;  // of the log record it would make
  bool empty() const;
  void Clear();

 private:
  friend class Storage;
  std::unique_ptr<Impl> impl_;
};

}  // namespace latchkey
