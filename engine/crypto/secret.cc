// Guarded memory, and wiping.
#include "crypto/secret.h"

#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "crypto/digest.h"

namespace latchkey {
namespace {

// Before the secret lies a byte that is not 0, but in a process that has inherited the memory.
constexpr size_t kMarkSize = 1;

bool WipeOnFork(void* memory, size_t size) {
  const auto page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(memory) & ~(page_size - 1);
  const uintptr_t end = reinterpret_cast<uintptr_t>(memory) + size;
  return madvise(reinterpret_cast<void*>(begin), end - begin, MADV_WIPEONFORK) == 0;
}

}  // namespace

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
  void* memory = size < SIZE_MAX ? sodium_malloc(kMarkSize + size) : nullptr;
  if (memory == nullptr) {
    return Status::Error(Code::kInternal, "guarded memory for a secret was refused");
  }
  sodium_memzero(memory, kMarkSize + size);
  made.data_ = static_cast<uint8_t*>(memory) + kMarkSize;
  made.data_[-1] = 1;
  made.size_ = size;
  if (!WipeOnFork(memory, kMarkSize + size)) {
    return Status::Error(Code::kInternal,
                         "memory for a secret cannot be kept from child processes");
  }
  return made;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    Free();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

SecretBytes::~SecretBytes() { Free(); }

// sodium_free() wipes what it frees. In a process that was forked the memory is zeros, the canary
// as well: libsodium would take it for overrun and end the process, so there it is left.
void SecretBytes::Free() {
  if (data_ != nullptr && data_[-1] != 0) sodium_free(data_ - kMarkSize);
}

}  // namespace latchkey
