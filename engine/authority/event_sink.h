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

// A credential as a snapshot has it.
struct LoadedCredential {
  CredentialRecord record;
  bool revoked = false;  // has a tombstone; sweeps are for the sink to know
  uint32_t last_used_s = 0;
};

// Takes what the full load reads; called by one thread at a time.
class LoadSink {
 public:
  virtual ~LoadSink() = default;
  // Asked every few hundred records of any sort. An error ends the load, and is its outcome.
  virtual Status Continue() = 0;
  // Some credentials, borrowed for the call; each comes once. An error ends the load.
  virtual Status Take(std::span<const LoadedCredential> credentials) = 0;
};

}  // namespace latchkey
