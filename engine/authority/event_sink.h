// Who follows the committed changes: the indexes in memory.
#pragma once

#include <span>

#include "base/status.h"
#include "schema/events.h"

namespace latchkey {

// Called by one thread at a time, in the order of the event numbers.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Before the commit: reserves what Apply() will need, so that Apply() cannot fail. An error
  // refuses the group; nothing has been written.
  virtual Status Prepare(std::span<const Event> events) = 0;
  // After the commit, before any of its callers returns.
  virtual void Apply(std::span<const Event> events) noexcept = 0;
  // The commit failed and its outcome is unknown: applies only what denies.
  virtual void Restrict(std::span<const Event> events) noexcept = 0;
};

// Takes the records of a store as they are loaded at open: owners first, then credentials. An error
// ends the load.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual Status LoadOwner(const OwnerRecord& owner) = 0;
  virtual Status LoadCredential(const CredentialRecord& credential, bool revoked,
                                uint32_t last_used_s) = 0;
};

}  // namespace latchkey
