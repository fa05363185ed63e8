// UTF-8 one code point at a time, for the rules of text.h.
#pragma once

#include "base/bytes.h"

namespace latchkey {

// Takes the first code point off `rest`, which is not empty. False if it does not start with valid
// UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF); `rest` then stays as
// it was.
bool TakeCodePoint(ByteView* rest, char32_t* code_point);

// The property White_Space of the Unicode character database.
bool IsWhiteSpace(char32_t code_point);

}  // namespace latchkey
