// Where secrets live. Two types, both move-only or pinned, both wiped, neither printable:
//
//   SecretBytes  long-lived (pepper, sub-keys): libsodium guarded heap - guard pages, canary,
//                locked into memory where the system allows it, excluded from core dumps, and
//                zeros in a child process after fork().
//   SecretBuffer short-lived (a key being issued, a JWT being signed): fixed size, on the stack of
//                one call, wiped on destruction.
//
// Reading a secret's bytes takes an explicit call to Expose(), so that every place that does is one
// grep away.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace latchkey {

// Must be called before anything else in this room; idempotent, any thread. INTERNAL if libsodium
// cannot start.
Status InitCrypto();

// Overwrites in a way that the compiler may not remove: after it has written, it must believe that
// the memory is read. Inline, since every verification wipes, and a few stores are less than a call
// of sodium_memzero() (10 ns).
inline void Wipe(void* p, size_t size) {
  if (size == 0) return;
  std::memset(p, 0, size);
  __asm__ __volatile__("" : : "r"(p) : "memory");
}

class SecretBytes {
 public:
  SecretBytes() = default;
  // Zeroed. INTERNAL when memory is refused, or would be inherited by a child process.
  static Result<SecretBytes> Make(size_t size);
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ~SecretBytes();

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const uint8_t> Expose() const { return {data_, size_}; }
  std::span<uint8_t> ExposeForWriting() { return {data_, size_}; }

 private:
  void Free();

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

template <size_t N>
class SecretBuffer {
 public:
  SecretBuffer() = default;
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;
  ~SecretBuffer() { Wipe(bytes_.data(), N); }

  static constexpr size_t capacity() { return N; }
  size_t size() const { return size_; }
  // The caller writes through ExposeForWriting() and then says how much of it counts.
  void set_size(size_t size) { size_ = size; }
  ByteView Expose() const { return {reinterpret_cast<const char*>(bytes_.data()), size_}; }
  std::span<uint8_t> ExposeForWriting() { return bytes_; }

 private:
  std::array<uint8_t, N> bytes_{};
  size_t size_ = 0;
};

}  // namespace latchkey
