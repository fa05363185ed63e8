// Every record of the store as plain data, with its encoding (codec/record.h). The tags are stored:
// append only, never reuse. A record keeps the fields that it does not know.
//
// Values of MACed columns are: fields | pepper version (4, little-endian) | MAC (16). The trailer
// is the authority's (authority/record_mac.h); here is only what the fields mean.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"

namespace latchkey {

using TagBytes = std::array<uint8_t, 16>;
using NonceBytes = std::array<uint8_t, 24>;
using SealBytes = std::array<uint8_t, 48>;

enum class OwnerSort : uint8_t { kUser = 1, kProject = 2 };
enum class Role : uint8_t { kNone = 0, kViewer = 1, kDeveloper = 2, kMaintainer = 3 };

namespace kind {
inline constexpr uint16_t kUserToken = 1;
inline constexpr uint16_t kUserKey = 2;
inline constexpr uint16_t kProjectKey = 3;
}  // namespace kind

// How the inner digest was made; append only.
enum class DigestAlgorithm : uint8_t { kSha256 = 1 };

struct FormatRecord {  // default "format"; no MAC: it must be readable before anything is trusted
  uint32_t reader_min = 0;
  uint32_t writer_min = 0;
  Bytes Encode() const;
  static Result<FormatRecord> Decode(ByteView fields);
};

struct StoreRecord {  // default "store"
  Uuid store_id;
  Uuid history_id;
  int64_t creation_s = 0;
  Bytes lineage;             // the histories that this one goes on from, oldest first: lineage.h
  Uuid repaired_history_id;  // that a repair had to give up; nil = none. Nothing of it is shared
  Bytes unknown;
  Bytes Encode() const;
  static Result<StoreRecord> Decode(ByteView fields);
};

struct BackupRecord {  // what is written on a backup; see FORMAT.md
  Uuid store_id;
  Uuid history_id;
  uint64_t event_number = 0;  // the last one before the backup began, and its id: it holds this
  std::array<uint8_t, 16> event_id{};
  Bytes marker;  // the text of the store's marker
  Bytes unknown;
  Bytes Encode() const;
  static Result<BackupRecord> Decode(ByteView fields);
};

// default "head": the end of the event chain and what all records add up to.
struct HeadRecord {
  uint64_t event_number = 0;
  std::array<uint8_t, 16> event_id{};
  std::array<uint8_t, 16> record_sum{};  // sum of the MACs of all records, modulo 2^128
  int64_t clock_s = 0;                   // latest time the store remembers
  uint64_t event_floor = 0;              // events up to this number have been trimmed
  uint64_t users = 0;                    // not deleted
  uint64_t projects = 0;
  uint64_t active = 0;  // credentials without a tombstone
  uint64_t revoked = 0;
  Bytes unknown;
  Bytes Encode() const;
  static Result<HeadRecord> Decode(ByteView fields);
};

struct CountRecord {  // default "count/": one owner's credentials of one kind
  uint64_t active = 0;
  uint64_t revoked = 0;
  Bytes unknown;
  Bytes Encode() const;
  static Result<CountRecord> Decode(ByteView fields);
};

struct OwnerRecord {
  Uuid uuid;  // the key
  OwnerSort sort = OwnerSort::kUser;
  Bytes name;
  Bytes slug;
  Bytes email;
  bool admin = false;
  bool locked = false;
  bool is_private = false;
  int64_t creation_s = 0;
  int64_t deleted_s = 0;
  int64_t tokens_not_before_s = 0;
  uint64_t quota = 0;  // active credentials it may have; 0 = no limit
  uint64_t born_event = 0;
  uint64_t last_event = 0;
  Bytes unknown;
  Bytes Encode() const;
  static Result<OwnerRecord> Decode(const Uuid& uuid, ByteView fields);
};

struct GrantRecord {
  Role role = Role::kNone;
  uint64_t last_event = 0;
  Bytes unknown;
  Bytes Encode() const;
  static Result<GrantRecord> Decode(ByteView fields);
};

struct KindRecord {
  uint16_t kind = 0;  // the key
  Bytes name;
  Bytes prefix;
  uint8_t format = 0;  // SecretFormat
  OwnerSort owner_sort = OwnerSort::kUser;
  uint64_t last_event = 0;
  Bytes unknown;
  Bytes Encode() const;
  static Result<KindRecord> Decode(uint16_t kind, ByteView fields);
};

struct CredentialRecord {
  Uuid uuid;  // the key
  Uuid owner;
  Uuid creator;
  Uuid minted_by;
  Uuid predecessor;
  Uuid successor;
  uint16_t kind = 0;
  Bytes name;
  Bytes slug;
  int64_t creation_s = 0;
  int64_t not_before_s = 0;
  int64_t expires_s = 0;
  int64_t cut_over_s = 0;  // when a rotation ends the overlap
  uint64_t scopes = 0;
  uint64_t flags = 0;
  Bytes metadata;
  Bytes claims;  // user_token: the payload's JSON text
  uint64_t born_event = 0;
  uint64_t last_event = 0;  // that changed this record; a revocation is the tombstone's
  DigestAlgorithm digest_algorithm = DigestAlgorithm::kSha256;
  uint32_t pepper_version = 0;
  TagBytes tag{};
  NonceBytes nonce{};
  SealBytes seal{};
  Bytes unknown;
  Bytes Encode() const;
  static Result<CredentialRecord> Decode(const Uuid& uuid, ByteView fields);
  // Into `*record`, whatever it was: the memory of its texts is used again.
  static Status Decode(const Uuid& uuid, ByteView fields, CredentialRecord* record);
};

// What a list shows of a credential beyond its by_name key; the value of by_name.
template <typename Text>
struct BasicListRow {
  int64_t revoked_s = 0;
  int64_t expires_s = 0;
  int64_t not_before_s = 0;
  Text slug;
  TagBytes tag{};
  Uuid creator;
  Uuid minted_by;
  Uuid revoked_by;
  uint64_t scopes = 0;
  uint64_t born_event = 0;
  uint64_t metadata_size = 0;
};
struct ListRow : BasicListRow<Bytes> {
  Bytes unknown;
  Bytes Encode() const;
  static Result<ListRow> Decode(ByteView fields);
};
// Borrows from the bytes that it was read from, and skips what it does not know: to be shown only.
struct ListRowView : BasicListRow<ByteView> {
  // Into `*row`, which is new.
  static Status Decode(ByteView fields, ListRowView* row);
};
ListRow ListRowOf(const CredentialRecord& credential);

struct TombstoneRecord {
  Uuid uuid;  // the key
  Uuid owner;
  uint16_t kind = 0;
  int64_t revoked_s = 0;
  Uuid revoked_by;
  Bytes reason;
  uint64_t event = 0;  // that wrote it
  uint64_t sweep = 0;  // 0 = a revocation of its own
  uint32_t pepper_version = 0;
  TagBytes tag{};
  NonceBytes nonce{};
  SealBytes seal{};
  Bytes unknown;
  Bytes Encode() const;
  static Result<TombstoneRecord> Decode(const Uuid& uuid, ByteView fields);
};

// The tombstone of a credential, as far as the credential says it.
TombstoneRecord TombstoneOf(const CredentialRecord& credential);

struct SweepRecord {
  uint64_t number = 0;  // the key: its event number
  Uuid owner;           // nil = any; so for all below
  Uuid creator;
  Uuid minted_by;
  uint16_t kind = 0;
  uint64_t scopes = 0;
  int64_t issued_before_s = 0;
  int64_t revoked_s = 0;
  Uuid revoked_by;
  Bytes reason;
  bool done = false;  // every tombstone has been written
  Bytes unknown;

  // May it cover any of that owner's credentials of that kind?
  bool Concerns(const Uuid& its_owner, uint16_t its_kind) const {
    return (owner.is_nil() || owner == its_owner) && (kind == 0 || kind == its_kind);
  }
  // Was it born before the sweep, and does it fit all that is given?
  bool Covers(const Uuid& its_owner, uint16_t its_kind, int64_t its_creation_s,
              const ListRow& row) const;
  bool Covers(const CredentialRecord& credential) const;
  Bytes Encode() const;
  static Result<SweepRecord> Decode(uint64_t number, ByteView fields);
};

}  // namespace latchkey
