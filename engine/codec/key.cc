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
  Bytes read;
  for (size_t i = 0; i < rest_.size(); ++i) {
    if (rest_[i] != '\0') {
      read.push_back(rest_[i]);
      continue;
    }
    if (++i == rest_.size()) break;
    if (rest_[i] == '\0') {
      rest_.remove_prefix(i + 1);
      *text = std::move(read);
      return true;
    }
    if (rest_[i] != '\xFF') break;
    read.push_back('\0');
  }
  return Fail();  // a foreign escape, or no end
}

}  // namespace latchkey
