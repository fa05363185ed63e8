// Entries whose every field follows from their tag, so that a torn one gives itself away.
#pragma once

#include "base/bytes.h"
#include "index/verify_table.h"

namespace latchkey::test {

inline uint64_t Stir(uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
  x = (x ^ x >> 27) * 0x94D049BB133111EB;
  return x ^ x >> 31;
}

inline TagBytes MakeTag(uint64_t low, uint64_t high) {
  TagBytes tag;
  StoreLe64(tag.data(), low);
  StoreLe64(tag.data() + 8, high);
  return tag;
}

// As good as random, and different for each number.
inline TagBytes NumberedTag(uint64_t number) {
  return MakeTag(Stir(number * 2 + 1), Stir(number * 2 + 2));
}

// `version` stands for a change of the record that the tag leads to.
inline TableEntry EntryOf(const TagBytes& tag, uint64_t version = 0) {
  const uint64_t seed = Stir(LoadLe64(tag.data()) ^ LoadLe64(tag.data() + 8) * 3) + version;
  TableEntry entry;
  entry.tag = tag;
  StoreLe64(entry.uuid.bytes.data(), Stir(seed + 1));
  StoreLe64(entry.uuid.bytes.data() + 8, Stir(seed + 2));
  entry.owner_index = static_cast<uint32_t>(Stir(seed + 3));
  entry.kind = static_cast<uint16_t>(Stir(seed + 4));
  entry.expires_s = static_cast<int64_t>(Stir(seed + 5)) & kSlotExpiresMax;
  entry.not_before_s = static_cast<int64_t>(Stir(seed + 6) >> 24);
  entry.scopes = Stir(seed + 7);
  return entry;
}

}  // namespace latchkey::test
