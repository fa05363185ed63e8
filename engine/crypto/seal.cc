// Sealing and opening of inner digests.
#include "crypto/seal.h"

#include <sodium.h>

#include "codec/key.h"

namespace latchkey {
namespace {

static_assert(sizeof(SealedDigest::nonce) == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(sizeof(SealedDigest::sealed) ==
              sizeof(InnerDigest) + crypto_aead_xchacha20poly1305_ietf_ABYTES);

// Every field has a fixed size, so that no two contexts give the same bytes.
KeyWriter AssociatedData(const SealContext& context) {
  KeyWriter data;
  data.Raw(context.store_id.view()).Raw(context.credential.view());
  data.Be16(context.kind).Be32(context.pepper_version);
  return data;
}

const unsigned char* Unsigned(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Status LacksVersion() {
  return Status::Error(Code::kWrongPepper, "the pepper file lacks the version a record needs");
}

}  // namespace

Result<SealedDigest> SealDigest(const PepperRing& ring, const SealContext& context,
                                const InnerDigest& digest, Random& random) {
  if (!ring.has(context.pepper_version)) return LacksVersion();
  SealedDigest out;
  LATCHKEY_TRY(random.Fill(out.nonce));
  const KeyWriter data = AssociatedData(context);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      out.sealed.data(), nullptr, digest.bytes.data(), digest.bytes.size(), Unsigned(data.view()),
      data.view().size(), nullptr, out.nonce.data(), ring.seal_key(context.pepper_version).data());
  return out;
}

Result<InnerDigest> OpenSeal(const PepperRing& ring, const SealContext& context,
                             const SealedDigest& sealed) {
  if (!ring.has(context.pepper_version)) return LacksVersion();
  InnerDigest digest;
  const KeyWriter data = AssociatedData(context);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          digest.bytes.data(), nullptr, nullptr, sealed.sealed.data(), sealed.sealed.size(),
          Unsigned(data.view()), data.view().size(), sealed.nonce.data(),
          ring.seal_key(context.pepper_version).data()) != 0) {
    return Status::Error(Code::kCorruption, "a sealed digest does not open");
  }
  return digest;
}

}  // namespace latchkey
