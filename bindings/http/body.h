// The body of a request: bytes that may hold secrets. They lie in one buffer that is wiped when it
// grows and when it goes, with room behind them for the JSON reader, and all bodies together take
// a bounded amount of memory.
#pragma once

#include <cstddef>
#include <string_view>

namespace latchkey::http {

class Body {
 public:
  Body() = default;
  ~Body();
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  // False when the body, or all bodies together, would grow beyond their limit; nothing is added
  // then.
  bool Append(const char* data, size_t size);
  void Clear();

  std::string_view view() const { return {data_, size_}; }
  size_t size() const { return size_; }
  // Bytes behind view() that may be read.
  static constexpr size_t kPadding = 64;

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace latchkey::http
