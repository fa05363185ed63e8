// Guarded memory, and wiping.
#include "crypto/secret.h"

#include <sodium.h>

#include <utility>

#include "crypto/digest.h"

namespace latchkey {

Status InitCrypto() {
  // The initialisation of a local static runs once, and other threads wait for it.
  static const bool started = [] {
    if (sodium_init() < 0) return false;
    ChooseSha256();
    return true;
  }();
  if (!started) return Status::Error(Code::kInternal, "libsodium could not start");
  return Status::Ok();
}

Result<SecretBytes> SecretBytes::Make(size_t size) {
  // The canary and the page size of the guarded heap are set by sodium_init().
  LATCHKEY_TRY(InitCrypto());
  SecretBytes made;
  if (size == 0) return made;
  void* memory = sodium_malloc(size);
  if (memory == nullptr) {
    return Status::Error(Code::kInternal, "guarded memory for a secret was refused");
  }
  sodium_memzero(memory, size);
  made.data_ = static_cast<uint8_t*>(memory);
  made.size_ = size;
  return made;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    sodium_free(data_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

// sodium_free() wipes what it frees, and takes a null pointer.
SecretBytes::~SecretBytes() { sodium_free(data_); }

}  // namespace latchkey
