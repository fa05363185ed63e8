// The keys that are made from the peppers.
#include <sodium.h>

#include <cassert>
#include <cstdlib>
#include <new>

#include "codec/key.h"
#include "crypto/pepper.h"

namespace latchkey {
namespace {

constexpr size_t kPepperSize = 32;
constexpr size_t kStoreKeySize = 32;
constexpr char kKdfContext[crypto_kdf_CONTEXTBYTES + 1] = "latchkey";
constexpr ByteView kCheckText = "latchkey pepper check";

// Ids of sub-keys: what is on disk was made with them, so append only.
enum SubKey : uint64_t { kSubKeyTag = 1, kSubKeySeal = 2, kSubKeyMac = 3 };

using StoreKey = SecretBuffer<kStoreKeySize>;
static_assert(kStoreKeySize == crypto_kdf_KEYBYTES);

void DeriveStoreKey(std::span<const uint8_t> pepper, const Uuid& store_id, uint32_t version,
                    StoreKey* out) {
  KeyWriter bound_to;
  bound_to.Raw(store_id.view()).Be32(version);
  const ByteView message = bound_to.view();
  crypto_generichash_blake2b(out->ExposeForWriting().data(), kStoreKeySize,
                             reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                             pepper.data(), pepper.size());
  out->set_size(kStoreKeySize);
}

void DeriveSubKey(StoreKey& store_key, SubKey id, std::span<uint8_t> out) {
  crypto_kdf_derive_from_key(out.data(), out.size(), id, kKdfContext,
                             store_key.ExposeForWriting().data());
}

}  // namespace

struct PepperRing::Keys {
  uint32_t version;
  TagKey tag;
  std::array<uint8_t, 32> seal;
  std::array<uint8_t, 32> mac;
};

Result<PepperRing> PepperRing::Make(const PepperFile& file, const Uuid& store_id) {
  // libsodium ends its guarded memory, not begins it, at the edge of a page.
  static_assert(sizeof(Keys) % alignof(Keys) == 0 && alignof(Keys) == alignof(uint32_t));
  if (file.entries().empty()) {
    return Status::Error(Code::kWrongPepper, "the pepper file holds no pepper");
  }
  PepperRing ring;
  ring.count_ = file.entries().size();
  LATCHKEY_TRY_ASSIGN(ring.memory_, SecretBytes::Make(ring.count_ * sizeof(Keys)));
  uint8_t* place = ring.memory_.ExposeForWriting().data();
  for (const PepperFile::Entry& entry : file.entries()) {
    assert(entry.pepper.size() == kPepperSize);
    StoreKey store_key;
    DeriveStoreKey(entry.pepper.Expose(), store_id, entry.version, &store_key);
    Keys* keys = new (place) Keys;
    keys->version = entry.version;
    DeriveSubKey(store_key, kSubKeyTag, keys->tag.bytes);
    DeriveSubKey(store_key, kSubKeySeal, keys->seal);
    DeriveSubKey(store_key, kSubKeyMac, keys->mac);
    place += sizeof(Keys);
  }
  return ring;
}

const PepperRing::Keys* PepperRing::Find(uint32_t version) const {
  const Keys* keys = reinterpret_cast<const Keys*>(memory_.Expose().data());
  for (size_t i = count_; i > 0; --i) {  // from the newest, which almost every record uses
    if (keys[i - 1].version == version) return &keys[i - 1];
  }
  return nullptr;
}

const PepperRing::Keys& PepperRing::at(uint32_t version) const {
  const Keys* keys = Find(version);
  if (keys == nullptr) std::abort();  // our own mistake, and no other key may stand in
  return *keys;
}

uint32_t PepperRing::newest_version() const {
  assert(count_ > 0);
  return reinterpret_cast<const Keys*>(memory_.Expose().data())[count_ - 1].version;
}

bool PepperRing::has(uint32_t version) const { return Find(version) != nullptr; }

const TagKey& PepperRing::tag_key(uint32_t version) const { return at(version).tag; }

std::span<const uint8_t> PepperRing::seal_key(uint32_t version) const { return at(version).seal; }

std::span<const uint8_t> PepperRing::mac_key(uint32_t version) const { return at(version).mac; }

std::array<uint8_t, 16> PepperRing::check_value(uint32_t version) const {
  return Blake2b128(mac_key(version), kCheckText);
}

}  // namespace latchkey
