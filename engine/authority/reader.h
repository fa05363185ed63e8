// Typed reading of records, with their MACs checked, from whatever holds the bytes: an open batch
// over the store, the store as it is, or a snapshot of it.
#pragma once

#include <vector>

#include "authority/record_mac.h"
#include "base/result.h"
#include "schema/columns.h"
#include "schema/records.h"
#include "storage/storage.h"

namespace latchkey {

// True for OK, false for NOT_FOUND, the error otherwise: for "is it there?".
template <typename T>
Result<bool> Exists(const Result<T>& result) {
  if (result.ok()) return true;
  if (result.code() == Code::kNotFound) return false;
  return result.status();
}

class Source {
 public:
  virtual ~Source() = default;
  virtual Result<Bytes> Get(uint8_t column, ByteView key) const = 0;
  virtual Result<bool> Has(uint8_t column, ByteView key) const = 0;
};

class BatchSource : public Source {
 public:
  explicit BatchSource(const Batch& batch) : batch_(batch) {}
  Result<Bytes> Get(uint8_t column, ByteView key) const override { return batch_.Get(column, key); }
  Result<bool> Has(uint8_t column, ByteView key) const override { return batch_.Has(column, key); }

 private:
  const Batch& batch_;
};

class StorageSource : public Source {
 public:
  explicit StorageSource(const Storage& storage, const Snapshot* snapshot = nullptr)
      : storage_(storage), snapshot_(snapshot) {}
  Result<Bytes> Get(uint8_t column, ByteView key) const override {
    return storage_.Get(column, key, snapshot_);
  }
  Result<bool> Has(uint8_t column, ByteView key) const override { return Exists(Get(column, key)); }

 private:
  const Storage& storage_;
  const Snapshot* snapshot_;
};

// Every method: NOT_FOUND with a text that names the thing; CORRUPTION; IO.
class Reader {
 public:
  Reader(const Source& source, const RecordMac& mac) : source_(source), mac_(mac) {}

  Result<StoreRecord> Store() const;
  Result<HeadRecord> Head() const;
  Result<CountRecord> Count(const Uuid& owner, uint16_t kind) const;  // absent = zeros
  Result<OwnerRecord> Owner(const Uuid& uuid) const;                  // deleted ones too
  Result<OwnerRecord> LiveOwner(const Uuid& uuid, OwnerSort sort) const;
  Result<Uuid> OwnerBySlug(OwnerSort sort, ByteView slug) const;
  Result<Uuid> OwnerByEmail(ByteView email) const;
  Result<GrantRecord> Grant(const Uuid& project, const Uuid& user) const;
  Result<CredentialRecord> Credential(const Uuid& uuid) const;
  Result<Uuid> CredentialByTag(const TagBytes& tag) const;
  Result<Uuid> CredentialBySlug(const Uuid& owner, uint16_t kind, ByteView slug) const;
  Result<bool> IsSlugTaken(const Uuid& owner, uint16_t kind, ByteView slug) const;
  Result<TombstoneRecord> Tombstone(const Uuid& uuid) const;
  Result<SweepRecord> Sweep(uint64_t number) const;
  Result<ListRow> RowAt(ByteView by_name_key) const;

 private:
  // The fields of a record, MAC checked; `missing` is the text of NOT_FOUND.
  Result<Bytes> Fields(uint8_t column, ByteView key, Literal missing) const;
  Result<Uuid> Index(uint8_t column, ByteView key, Literal missing) const;

  const Source& source_;
  const RecordMac& mac_;
};

// What has become of a credential, by its tombstone or by a sweep that covers it but has not
// written its tombstone yet.
struct Revocation {
  int64_t revoked_s = 0;  // 0 = active
  Uuid revoked_by;
};
Result<Revocation> RevocationOf(const Reader& reader, const CredentialRecord& credential,
                                const std::vector<SweepRecord>& pending_sweeps);

}  // namespace latchkey
