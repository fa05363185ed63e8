// Import of owners, grants and issued credentials from NDJSON, a line at a time.
#pragma once

#include <functional>

#include "service/engine.h"

namespace latchkey {

struct ImportReport {
  uint64_t lines = 0;
  uint64_t imported = 0;
  uint64_t skipped = 0;
  uint64_t refused = 0;
};

struct ImportHooks {
  // Fills the buffer; 0 = the end; nullopt = reading failed.
  std::function<std::optional<size_t>(char* buffer, size_t capacity)> read;
  std::function<void(uint64_t line, Status why)> refused;  // may be empty
  // False stops the import. May be empty.
  std::function<bool(uint64_t lines, uint64_t bytes)> progress;
};

// OK also when lines were refused. IO when reading failed, BUSY when stopped; what was done stands.
Status Import(Engine& engine, const Uuid& actor, bool dry_run, const ImportHooks& hooks,
              ImportReport* report);

}  // namespace latchkey
