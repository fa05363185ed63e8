// Order-preserving keys: memcmp of two encodings has the sign of comparing them field by field.
//
//   be16/32/64  most significant byte first
//   raw         exactly N bytes; fixed-width fields only
//   text        00 becomes 00 FF, then 00 00 ends it. The ending sorts below every continuation:
//               "ab" < "ab\0" < "abc", and no encoded text is a prefix of another.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"

namespace latchkey {

// Never allocates: every shape in schema/keys.h is proven to fit kKeyBytesMax.
inline constexpr size_t kKeyBytesMax = 640;

class KeyWriter {
 public:
  KeyWriter& U8(uint8_t v) { return Put(v), *this; }
  KeyWriter& Be16(uint16_t v) { return BigEndian(v, 2); }
  KeyWriter& Be32(uint32_t v) { return BigEndian(v, 4); }
  KeyWriter& Be64(uint64_t v) { return BigEndian(v, 8); }
  KeyWriter& Raw(ByteView bytes);
  KeyWriter& Text(ByteView bytes);
  // Valid until the writer is written to or destroyed.
  ByteView view() const { return {buffer_, size_}; }

 private:
  KeyWriter& BigEndian(uint64_t v, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) Put(static_cast<uint8_t>(v >> shift));
    return *this;
  }
  void Put(uint8_t b) {
    // Lengths are refused at the edge, so this is our own mistake; in a release build too, a
    // process that stops is better than one that writes past the buffer.
    if (size_ == kKeyBytesMax) std::abort();
    buffer_[size_++] = static_cast<char>(b);
  }
  char buffer_[kKeyBytesMax];
  size_t size_ = 0;
};

// Every reader returns false, and reads nothing more, once a field does not fit.
class KeyReader {
 public:
  explicit KeyReader(ByteView key) : rest_(key) {}
  bool U8(uint8_t* v);
  bool Be16(uint16_t* v);
  bool Be32(uint32_t* v);
  bool Be64(uint64_t* v);
  bool Raw(size_t size, ByteView* bytes);  // borrowed from the key
  bool Text(Bytes* text);
  bool AtEnd() const { return !failed_ && rest_.empty(); }

 private:
  template <typename T>
  bool Whole(T* v) {
    uint64_t wide = 0;
    if (!BigEndian(sizeof(T), &wide)) return false;
    *v = static_cast<T>(wide);
    return true;
  }
  bool BigEndian(size_t size, uint64_t* v);
  bool Fail() {
    failed_ = true;
    return false;
  }
  ByteView rest_;
  bool failed_ = false;
};

}  // namespace latchkey
