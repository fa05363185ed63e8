// The sealed digest: the inner digest under XChaCha20-Poly1305 (libsodium's *_ietf AEAD), so that a
// record can move to a new pepper without its user.
#pragma once

#include <array>
#include <cstdint>

#include "base/result.h"
#include "base/uuid.h"
#include "crypto/digest.h"
#include "crypto/pepper.h"
#include "crypto/random.h"

namespace latchkey {

struct SealedDigest {
  std::array<uint8_t, 24> nonce{};
  std::array<uint8_t, 48> sealed{};  // 32 bytes of ciphertext, 16 of authenticator
};

// What a seal is bound to: moved to another record, it no longer opens.
// Associated data =
//   store id (16) || credential UUID (16) || kind as be16 || pepper version as be32
struct SealContext {
  Uuid store_id;
  Uuid credential;
  uint16_t kind;
  uint32_t pepper_version;
};

// INTERNAL when the random source fails; WRONG_PEPPER when the ring lacks the version.
Result<SealedDigest> SealDigest(const PepperRing& ring, const SealContext& context,
                                const InnerDigest& digest, Random& random);
// CORRUPTION when the seal was not made by SealDigest under this pepper and context; WRONG_PEPPER
// when the ring lacks the version.
Result<InnerDigest> OpenSeal(const PepperRing& ring, const SealContext& context,
                             const SealedDigest& sealed);

}  // namespace latchkey
