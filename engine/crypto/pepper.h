// The pepper file and the ring of keys made from it.
//
// The file is text, at most 4 KiB, mode 0600 or stricter, every line ended by a line feed:
//
//   latchkey-pepper 1
//   <version, decimal, ascending> <64 lower-case hexadecimal digits>
//   ...
//
// store key   = BLAKE2b-256(key = pepper; store id || version as be32)
// sub-keys    = crypto_kdf(store key, context "latchkey";
//               id 1 tag (16 bytes), 2 seal (32), 3 record MAC (32))
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "crypto/secret.h"

namespace latchkey {

// The peppers as read from the file, ascending by version, at most limits::kPepperVersionsMax.
class PepperFile {
 public:
  // WRONG_PEPPER: missing, unreadable, readable by group or others, not a regular file, or not in
  // the format above. Creates nothing.
  static Result<PepperFile> Load(const std::string& path);
  // Makes a file with one new pepper of version 1, by O_EXCL, mode 0600, fsynced with its folder.
  // CONFLICT if the path exists.
  static Result<PepperFile> Create(const std::string& path, Random& random);

  struct Entry {
    uint32_t version;
    SecretBytes pepper;  // 32 bytes
  };
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  static Result<PepperFile> Parse(ByteView text);
  std::vector<Entry> entries_;
};

// The keys of one store, by pepper version; the newest is the one that new records use. Immutable
// once made, so any thread may read it. Lives in guarded memory.
class PepperRing {
 public:
  // WRONG_PEPPER for a file without entries, INTERNAL when memory is refused.
  static Result<PepperRing> Make(const PepperFile& file, const Uuid& store_id);

  uint32_t newest_version() const;
  bool has(uint32_t version) const;
  // Each of these needs has(version).
  const TagKey& tag_key(uint32_t version) const;
  std::span<const uint8_t> seal_key(uint32_t version) const;  // 32 bytes
  std::span<const uint8_t> mac_key(uint32_t version) const;   // 32 bytes
  // What the store keeps to tell a wrong pepper from a right one: BLAKE2b-128 under the MAC key
  // over "latchkey pepper check".
  std::array<uint8_t, 16> check_value(uint32_t version) const;

 private:
  struct Keys;
  const Keys* Find(uint32_t version) const;  // nullptr if absent
  const Keys& at(uint32_t version) const;
  SecretBytes memory_;  // array of Keys
  size_t count_ = 0;
};

}  // namespace latchkey
