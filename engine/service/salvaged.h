// The records of a damaged store that can still be read and whose MACs hold. Nothing else of it is
// believed, and nothing in it is changed.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "authority/record_mac.h"
#include "schema/records.h"
#include "storage/salvage.h"

namespace latchkey {

// What takes away, and what the store said of itself. Of what is rewritten, the newest version.
struct Salvaged {
  std::map<Uuid, TombstoneRecord> tombstones;
  std::map<Uuid, OwnerRecord> owners;
  std::map<uint64_t, SweepRecord> sweeps;
  HeadRecord head;                   // zeros if none was found
  std::optional<StoreRecord> store;  // says which histories the store goes on from
  SalvageCount files;
  uint64_t damaged_records = 0;  // that cannot be read, or whose MAC does not hold
};
// `path` is the store's folder. NOT_FOUND, IO.
Result<Salvaged> SalvageRestrictions(const std::string& path, const RecordMac& mac);

// The newest version of these credentials, of those that can be read.
Result<std::map<Uuid, CredentialRecord>> SalvageCredentials(const std::string& path,
                                                            const RecordMac& mac,
                                                            const std::set<Uuid>& wanted);

}  // namespace latchkey
