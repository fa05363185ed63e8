// Digests, tags and keyed hashes by libsodium, and the choice of a SHA-256.
#include "crypto/digest.h"

#include <sodium.h>

#include <atomic>
#include <cassert>
#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace latchkey {
namespace {

// Read by every verification: a relaxed load of a word that never changes after the start.
constinit std::atomic<bool> sha256_by_libcrypto{false};

// Without these instructions libcrypto would fall back to code that is no faster than libsodium's.
// __builtin_cpu_supports() of gcc 12 does not know them by name.
bool ProcessorHasShaInstructions() {
#if defined(__x86_64__)
  constexpr unsigned kLeafExtendedFeatures = 7;
  constexpr unsigned kEbxSha = 1U << 29;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(kLeafExtendedFeatures, 0, &eax, &ebx, &ecx, &edx) != 0 &&
         (ebx & kEbxSha) != 0;
#else
  return false;
#endif
}

const unsigned char* Unsigned(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

static_assert(sizeof(InnerDigest) == crypto_hash_sha256_BYTES);
static_assert(sizeof(LookupTag) == crypto_shorthash_siphashx24_BYTES);
static_assert(sizeof(TagKey) == crypto_shorthash_siphashx24_KEYBYTES);

void ChooseSha256() {
  sha256_by_libcrypto.store(ProcessorHasShaInstructions(), std::memory_order_relaxed);
}

InnerDigest Sha256(ByteView secret) {
  return sha256_by_libcrypto.load(std::memory_order_relaxed) ? Sha256ByLibcrypto(secret)
                                                             : Sha256BySodium(secret);
}

InnerDigest Sha256BySodium(ByteView secret) {
  // Not crypto_hash_sha256(): that leaves its state, and with it the end of the secret, behind.
  crypto_hash_sha256_state state;
  InnerDigest digest;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, Unsigned(secret), secret.size());
  crypto_hash_sha256_final(&state, digest.bytes.data());
  Wipe(&state, sizeof state);
  return digest;
}

LookupTag MakeLookupTag(const TagKey& key, const InnerDigest& digest) {
  LookupTag tag;
  crypto_shorthash_siphashx24(tag.bytes.data(), digest.bytes.data(), digest.bytes.size(),
                              key.bytes.data());
  return tag;
}

std::array<uint8_t, 16> Blake2b128(std::span<const uint8_t> key, ByteView a, ByteView b,
                                   ByteView c) {
  assert(key.empty() || key.size() >= crypto_generichash_blake2b_KEYBYTES_MIN);
  std::array<uint8_t, 16> out;
  crypto_generichash_blake2b_state state;
  if (crypto_generichash_blake2b_init(&state, key.data(), key.size(), out.size()) != 0) {
    std::abort();  // a key of more than 64 bytes is our own mistake; no MAC may come of it
  }
  for (ByteView part : {a, b, c}) {
    crypto_generichash_blake2b_update(&state, Unsigned(part), part.size());
  }
  crypto_generichash_blake2b_final(&state, out.data(), out.size());
  Wipe(&state, sizeof state);
  return out;
}

}  // namespace latchkey
