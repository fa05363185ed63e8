// The histories that a store goes on from, as its record lists them.
#pragma once

#include <vector>

#include "schema/records.h"

namespace latchkey {

// A history that a store has in common with what it was restored from, up to an event.
struct Ancestor {
  Uuid history_id;
  uint64_t shared_number = 0;                       // the last event that both have
  static constexpr size_t kSize = Uuid::kSize + 8;  // history id | number as be64
};
std::vector<Ancestor> LineageOf(const StoreRecord& store);
// Begins a new history, which has all up to `shared_number` in common with the one before.
void BeginHistory(const Uuid& history_id, uint64_t shared_number, StoreRecord* store);

}  // namespace latchkey
