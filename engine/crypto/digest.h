// Inner digest and lookup tag: how a presented secret becomes what is stored and looked up.
//
//   inner digest = SHA-256(secret)                            FIPS 180-4
//   lookup tag   = SipHash-2-4-128(tag key, inner digest)     Aumasson and Bernstein, 2012
//
// One-wayness rests on SHA-256 alone; the tag hides the digest from whoever has the store but not
// the pepper (engine/FORMAT.md).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "crypto/secret.h"

namespace latchkey {

// As sensitive as a password hash: never stored bare, never printed, wiped when it goes.
struct InnerDigest {
  std::array<uint8_t, 32> bytes{};
  ~InnerDigest() { Wipe(bytes.data(), bytes.size()); }
};

struct LookupTag {
  std::array<uint8_t, 16> bytes{};
  uint64_t low() const { return LoadLe64(bytes.data()); }
  uint64_t high() const { return LoadLe64(bytes.data() + 8); }
  ByteView view() const { return View(bytes); }
  bool operator==(const LookupTag&) const = default;
};

struct TagKey {
  std::array<uint8_t, 16> bytes{};
};

// SHA-256 by the fastest packaged implementation, chosen once by InitCrypto(): libcrypto where the
// processor has SHA instructions, else libsodium. No allocation, no lock, any thread.
InnerDigest Sha256(ByteView secret);
void ChooseSha256();  // by InitCrypto() only
// For tests: both implementations must give the same known answers.
InnerDigest Sha256ByLibcrypto(ByteView secret);
InnerDigest Sha256BySodium(ByteView secret);

LookupTag MakeLookupTag(const TagKey& key, const InnerDigest& digest);

// Keyed BLAKE2b-128 (RFC 7693): record MACs, check values, and - unkeyed, with an empty key - the
// chain of event ids. `key` is 0 or 16..64 bytes.
std::array<uint8_t, 16> Blake2b128(std::span<const uint8_t> key, ByteView a, ByteView b = {},
                                   ByteView c = {});

}  // namespace latchkey
