// Which of the salvaged bytes are records of ours.
#include "service/salvaged.h"

#include "codec/key.h"
#include "schema/columns.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

// Keeps the version that the latest event wrote.
template <typename Record>
void KeepNewest(std::map<Uuid, Record>* kept, Record record) {
  const auto [at, is_new] = kept->try_emplace(record.uuid, record);
  if (!is_new && at->second.last_event < record.last_event) at->second = std::move(record);
}

Status Take(uint8_t column, ByteView key, ByteView fields, Salvaged* all) {
  switch (column) {
    case column::kTombstone: {
      LATCHKEY_TRY_ASSIGN(TombstoneRecord tombstone,
                          TombstoneRecord::Decode(Uuid::From(key), fields));
      all->tombstones.try_emplace(tombstone.uuid, std::move(tombstone));
      return Status::Ok();
    }
    case column::kOwner: {
      LATCHKEY_TRY_ASSIGN(OwnerRecord owner, OwnerRecord::Decode(Uuid::From(key), fields));
      KeepNewest(&all->owners, std::move(owner));
      return Status::Ok();
    }
    case column::kSweep: {
      uint64_t number = 0;
      KeyReader(key).Be64(&number);
      LATCHKEY_TRY_ASSIGN(SweepRecord sweep, SweepRecord::Decode(number, fields));
      all->sweeps.insert_or_assign(number, std::move(sweep));
      return Status::Ok();
    }
    default: {
      if (key == keys::kStore) {
        LATCHKEY_TRY_ASSIGN(StoreRecord store, StoreRecord::Decode(fields));
        // It is rewritten when a history begins, which makes its lineage longer.
        if (!all->store || all->store->lineage.size() < store.lineage.size()) {
          all->store = std::move(store);
        }
        return Status::Ok();
      }
      LATCHKEY_TRY_ASSIGN(HeadRecord head, HeadRecord::Decode(fields));
      if (head.event_number >= all->head.event_number) all->head = std::move(head);
      return Status::Ok();
    }
  }
}

bool IsWanted(uint8_t column, ByteView key) {
  return column == column::kTombstone || column == column::kOwner || column == column::kSweep ||
         (column == column::kDefault && (key == keys::kHead || key == keys::kStore));
}

bool HasKeyShape(uint8_t column, ByteView key) {
  return column == column::kDefault || key.size() == (column == column::kSweep ? 8 : Uuid::kSize);
}

}  // namespace

Result<Salvaged> SalvageRestrictions(const std::string& path, const RecordMac& mac) {
  Salvaged all;
  const auto take = [&](uint8_t column, ByteView key, ByteView value) {
    if (!IsWanted(column, key)) return;
    const Result<ByteView> fields = mac.Open(column, key, value);
    if (!fields.ok() || !HasKeyShape(column, key) || !Take(column, key, *fields, &all).ok()) {
      ++all.damaged_records;
    }
  };
  LATCHKEY_TRY(Salvage(path + "/rocks", kColumns, take, &all.files));
  return all;
}

Result<std::map<Uuid, CredentialRecord>> SalvageCredentials(const std::string& path,
                                                            const RecordMac& mac,
                                                            const std::set<Uuid>& wanted) {
  std::map<Uuid, CredentialRecord> found;
  SalvageCount files;
  const auto take = [&](uint8_t column, ByteView key, ByteView value) {
    if (column != column::kCredential || key.size() != Uuid::kSize) return;
    const Uuid uuid = Uuid::From(key);
    if (!wanted.contains(uuid)) return;
    const Result<ByteView> fields = mac.Open(column, key, value);
    if (!fields.ok()) return;
    Result<CredentialRecord> credential = CredentialRecord::Decode(uuid, *fields);
    if (credential.ok()) KeepNewest(&found, std::move(*credential));
  };
  LATCHKEY_TRY(Salvage(path + "/rocks", kColumns, take, &files));
  return found;
}

}  // namespace latchkey
