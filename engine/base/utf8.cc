// A strict UTF-8 decoder: what it refuses, an overlong or surrogate form, could be one text under
// two spellings, and slip past a comparison of bytes.
#include "base/utf8.h"

namespace latchkey {

bool TakeCodePoint(ByteView* rest, char32_t* code_point) {
  const auto first = static_cast<uint8_t>(rest->front());
  if (first < 0x80) {
    *code_point = first;
    rest->remove_prefix(1);
    return true;
  }
  size_t size = 0;
  char32_t smallest = 0;  // below it, the form is overlong
  char32_t value = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    size = 2, smallest = 0x80, value = first & 0x1F;
  } else if (first >= 0xE0 && first <= 0xEF) {
    size = 3, smallest = 0x800, value = first & 0x0F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    size = 4, smallest = 0x10000, value = first & 0x07;
  } else {
    return false;
  }
  if (rest->size() < size) return false;
  for (size_t i = 1; i < size; ++i) {
    const auto next = static_cast<uint8_t>((*rest)[i]);
    if ((next & 0xC0) != 0x80) return false;
    value = value << 6 | (next & 0x3F);
  }
  if (value < smallest || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
  *code_point = value;
  rest->remove_prefix(size);
  return true;
}

bool IsWhiteSpace(char32_t code_point) {
  switch (code_point) {
    case 0x0020:
    case 0x0085:
    case 0x00A0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
      return true;
    default:
      return (code_point >= 0x0009 && code_point <= 0x000D) ||
             (code_point >= 0x2000 && code_point <= 0x200A);
  }
}

}  // namespace latchkey
