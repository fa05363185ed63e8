// Every key shape of the store: one function a shape, and the only place where keys are put
// together, and taken apart.
#pragma once

#include <optional>
#include <utility>

#include "base/limits.h"
#include "base/uuid.h"
#include "codec/key.h"
#include "schema/records.h"

namespace latchkey::keys {

// Keys of the column `default`.
inline constexpr ByteView kFormat = "format";
inline constexpr ByteView kStore = "store";
inline constexpr ByteView kHead = "head";
inline constexpr ByteView kPepperPrefix = "pepper/";
inline constexpr ByteView kCountPrefix = "count/";
inline constexpr ByteView kLostPrefix = "lost/";  // what a repair has set aside; never read

inline KeyWriter Pepper(uint32_t version) { return KeyWriter().Raw(kPepperPrefix).Be32(version); }

inline KeyWriter Count(const Uuid& owner, uint16_t kind) {
  return KeyWriter().Raw(kCountPrefix).Raw(owner.view()).Be16(kind);
}
// Whose count it is, and of what kind; nullopt for a key that is none.
std::optional<std::pair<Uuid, uint16_t>> ParseCount(ByteView key);

inline KeyWriter OwnerSlug(OwnerSort sort, ByteView slug) {
  return KeyWriter().U8(static_cast<uint8_t>(sort)).Raw(slug);
}

inline KeyWriter Grant(const Uuid& project, const Uuid& user) {
  return KeyWriter().Raw(project.view()).Raw(user.view());
}

inline KeyWriter Kind(uint16_t kind) { return KeyWriter().Be16(kind); }

// The common beginning of all of one owner's and kind's keys in by_name and by_slug.
inline KeyWriter OwnerKind(const Uuid& owner, uint16_t kind) {
  return KeyWriter().Raw(owner.view()).Be16(kind);
}

// That of all by_name keys of one owner's and kind's credentials of one name.
inline KeyWriter ByExactName(const Uuid& owner, uint16_t kind, ByteView name) {
  return OwnerKind(owner, kind).Text(name);
}

inline KeyWriter ByName(const Uuid& owner, uint16_t kind, ByteView name, int64_t creation_s,
                        const Uuid& uuid) {
  return ByExactName(owner, kind, name).Be64(static_cast<uint64_t>(creation_s)).Raw(uuid.view());
}

// What a by_name key says; false if it is not one.
struct ByNameParts {
  Uuid owner;
  uint16_t kind = 0;
  Bytes name;
  int64_t creation_s = 0;
  Uuid uuid;
};
bool ParseByName(ByteView key, ByNameParts* parts);

inline KeyWriter BySlug(const Uuid& owner, uint16_t kind, ByteView slug) {
  return OwnerKind(owner, kind).Raw(slug);
}

inline KeyWriter Sweep(uint64_t number) { return KeyWriter().Be64(number); }

// The local store has one partition, 0.
inline KeyWriter Event(uint16_t partition, uint64_t number) {
  return KeyWriter().Be16(partition).Be64(number);
}

// by_name is the longest shape: every byte of a name may be escaped.
static_assert(16 + 2 + 2 * limits::kNameBytesMax + 2 + 8 + 16 <= kKeyBytesMax);

}  // namespace latchkey::keys
