// Order-preserving keys. The bytes are the format on disk: see the grammar at the head of key.h.
#include "codec/key.h"

#include <utility>

namespace latchkey {

KeyWriter& KeyWriter::Raw(ByteView bytes) {
  for (const char c : bytes) Put(static_cast<uint8_t>(c));
  return *this;
}

KeyWriter& KeyWriter::Text(ByteView bytes) {
  for (const char c : bytes) {
    Put(static_cast<uint8_t>(c));
    if (c == '\0') Put(0xFF);
  }
  Put(0x00);
  Put(0x00);
  return *this;
}

bool KeyReader::BigEndian(size_t size, uint64_t* v) {
  ByteView bytes;
  if (!Raw(size, &bytes)) return false;
  *v = 0;
  for (const char c : bytes) *v = *v << 8 | static_cast<uint8_t>(c);
  return true;
}

bool KeyReader::U8(uint8_t* v) { return Whole(v); }
bool KeyReader::Be16(uint16_t* v) { return Whole(v); }
bool KeyReader::Be32(uint32_t* v) { return Whole(v); }
bool KeyReader::Be64(uint64_t* v) { return Whole(v); }

bool KeyReader::Raw(size_t size, ByteView* bytes) {
  if (failed_ || rest_.size() < size) return Fail();
  *bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

bool KeyReader::Text(Bytes* text) {
  if (failed_) return false;
  // The whole of it is looked through first: a text that fails leaves *text as it was.
  size_t end = rest_.find('\0');
  for (;; end = rest_.find('\0', end + 2)) {
    if (end == ByteView::npos || end + 1 == rest_.size()) return Fail();  // no end
    if (rest_[end + 1] == '\0') break;
    if (rest_[end + 1] != '\xFF') return Fail();  // a foreign escape
  }
  text->clear();  // and keeps its memory
  for (size_t from = 0;; from += 2) {
    const size_t zero = rest_.find('\0', from);
    text->append(rest_, from, zero - from);
    if (zero == end) break;
    text->push_back('\0');
    from = zero;
  }
  rest_.remove_prefix(end + 2);
  return true;
}

}  // namespace latchkey
