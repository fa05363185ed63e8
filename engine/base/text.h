// The rules for text that people choose: names, slugs, e-mail addresses. Text is accepted or
// rejected as it stands, never repaired.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

namespace latchkey {

// Code points, or -1 if the text is not valid UTF-8 (RFC 3629: no surrogates, no overlong forms).
int64_t CountCodePoints(ByteView utf8);

// 1..64 code points of valid UTF-8, equal to itself trimmed of Unicode White_Space. Inner white
// space and control characters are allowed. INVALID_ARGUMENT names the rule that was broken.
Status CheckName(ByteView name);

// 1..64 of [0-9a-z] and single inner hyphens.
Status CheckSlug(ByteView slug);

// 3..254 bytes of valid UTF-8 without white space or control characters, one '@' with something on
// either side. No deliverability is promised.
Status CheckEmail(ByteView email);

// The slug of a name: ASCII lower-cased, other scripts transliterated where the table knows them,
// each run of anything else one hyphen, cut to 64 and trimmed again. Empty when nothing is left;
// the caller then draws 8 random characters.
Bytes Slugify(ByteView name);

// `slug` cut so that "-" and `suffix` fit into 64 characters, then "-" and `suffix`.
Bytes SlugWithSuffix(ByteView slug, ByteView suffix);

// ASCII letters to lower case; every other byte as it is.
Bytes FoldAscii(ByteView text);

}  // namespace latchkey
