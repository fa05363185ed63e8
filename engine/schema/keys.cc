// What a key says.
#include "schema/keys.h"

namespace latchkey::keys {

std::optional<std::pair<Uuid, uint16_t>> ParseCount(ByteView key) {
  if (!key.starts_with(kCountPrefix)) return std::nullopt;
  KeyReader reader(key.substr(kCountPrefix.size()));
  ByteView owner;
  uint16_t kind = 0;
  if (!reader.Raw(Uuid::kSize, &owner) || !reader.Be16(&kind) || !reader.AtEnd()) {
    return std::nullopt;
  }
  return std::pair(Uuid::From(owner), kind);
}

bool ParseByName(ByteView key, ByNameParts* parts) {
  KeyReader reader(key);
  ByteView owner;
  ByteView uuid;
  uint64_t creation_s = 0;
  if (!reader.Raw(Uuid::kSize, &owner) || !reader.Be16(&parts->kind) ||
      !reader.Text(&parts->name) || !reader.Be64(&creation_s) || !reader.Raw(Uuid::kSize, &uuid) ||
      !reader.AtEnd()) {
    return false;
  }
  parts->owner = Uuid::From(owner);
  parts->uuid = Uuid::From(uuid);
  parts->creation_s = static_cast<int64_t>(creation_s);
  return true;
}

}  // namespace latchkey::keys
