// UUIDs (RFC 9562). Version 7 for what latchkey makes itself; any version is read.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace latchkey {

struct Uuid {
  std::array<uint8_t, 16> bytes{};

  static constexpr size_t kSize = 16;
  static constexpr size_t kTextSize = 36;  // lower case, hyphenated

  bool is_nil() const { return *this == Uuid{}; }
  ByteView view() const { return View(bytes); }
  static Uuid From(ByteView sixteen) { return Uuid{ToArray<16>(sixteen)}; }
  auto operator<=>(const Uuid&) const = default;
};

// Version 7 from a Unix time in milliseconds and ten random bytes (RFC 9562 section 5.7).
Uuid MakeUuidV7(int64_t unix_ms, const std::array<uint8_t, 10>& random);

// Hyphenated, 32 digits, braced, or with urn:uuid:, in any case. INVALID_ARGUMENT otherwise.
Result<Uuid> ParseUuid(ByteView text);

// Writes kTextSize characters, without a terminator.
void FormatUuid(const Uuid& uuid, char* out);
Bytes FormatUuid(const Uuid& uuid);

// For unordered containers; UUIDs hold random bits, so eight of them will do.
struct UuidHash {
  size_t operator()(const Uuid& uuid) const { return LoadLe64(uuid.bytes.data() + 8); }
};

}  // namespace latchkey
