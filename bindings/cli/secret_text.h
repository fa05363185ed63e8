// Text that is wiped before its memory is given back, and secrets out of files.
#pragma once

#include <string.h>

#include <memory>
#include <string>

namespace latchkey::cli {

template <typename T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U>&) {}

  T* allocate(size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* place, size_t count) {
    explicit_bzero(place, count * sizeof(T));
    std::allocator<T>().deallocate(place, count);
  }
  bool operator==(const WipingAllocator&) const { return true; }
};

// As std::string. What is shorter than 16 bytes may lie in the object itself and is not wiped: no
// secret is.
using SecretText = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

// The secret in the file at `path`, less one newline at its end: 1 to `size_max` bytes. `flag` is
// the one to name when it cannot be read; `noun` is what to call it. `owner_only`: a file that
// others may read or write is refused. Throws a Refusal.
SecretText ReadSecretFile(const std::string& path, const char* flag, const char* noun,
                          size_t size_max, bool owner_only);

}  // namespace latchkey::cli
