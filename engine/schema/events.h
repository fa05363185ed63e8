// Committed changes. An event says all that a follower needs to become the same as the store that
// wrote it, and all that memory needs to follow the disk. Types and tags are stored: append only.
//
//   EventRecord = id (16) | type (1) | fields: 1 time_s, 2 actor, 3 body
//   id          = BLAKE2b-128(previous id | number as be64 | type | fields)
#pragma once

#include <variant>
#include <vector>

#include "schema/records.h"

namespace latchkey {

enum class EventType : uint8_t {
  kOwnerPut = 1,
  kGrantPut = 2,
  kGrantRemoved = 3,
  kKindPut = 4,
  kCredentialCreated = 5,
  kCredentialRenamed = 6,
  kCredentialRevoked = 7,
  kSweepStarted = 8,
  kSwept = 9,
  kClockAccepted = 10,
};

struct OwnerPut {  // created, changed, locked, deleted: the record as it is from now on
  OwnerRecord owner;
  OwnerRecord before;  // default-constructed when new; not stored, filled by whoever decides
};
struct GrantPut {
  Uuid project;
  Uuid user;
  Role role = Role::kNone;
};
struct GrantRemoved {
  Uuid project;
  Uuid user;
};
struct KindPut {
  KindRecord kind;
};
struct CredentialCreated {
  CredentialRecord credential;
};
struct CredentialRenamed {
  Uuid uuid;
  Uuid owner;
  uint16_t kind = 0;
  int64_t creation_s = 0;
  Bytes name_before;
  Bytes name;
};
// One credential that is refused from now on; what memory needs to find it without the disk.
struct Revoked {
  Uuid uuid;
  Uuid owner;
  uint16_t kind = 0;
  int64_t creation_s = 0;
  Bytes name;
  TagBytes tag{};
};
struct CredentialRevoked {
  Revoked credential;
  int64_t revoked_s = 0;  // an imported revocation is older than its event
  Bytes reason;
};
struct SweepStarted {
  SweepRecord sweep;
};
struct Swept {  // some tombstones of a sweep have been written; the last such event says done
  uint64_t sweep = 0;
  bool done = false;
  std::vector<Revoked> credentials;
};
struct ClockAccepted {};

using EventBody =
    std::variant<OwnerPut, GrantPut, GrantRemoved, KindPut, CredentialCreated, CredentialRenamed,
                 CredentialRevoked, SweepStarted, Swept, ClockAccepted>;

struct Event {
  uint64_t number = 0;
  int64_t time_s = 0;
  Uuid actor;
  EventBody body;

  EventType type() const { return static_cast<EventType>(body.index() + 1); }
  Bytes Encode() const;  // type | fields, as the id is made over; the id itself is not in it
};

// Reads what Encode() wrote. CORRUPTION; UNSUPPORTED for a type of a newer build.
Result<Event> DecodeEvent(uint64_t number, ByteView type_and_fields);

}  // namespace latchkey
