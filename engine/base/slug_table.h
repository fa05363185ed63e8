// How letters outside ASCII are written in a slug.
#pragma once

namespace latchkey {

// Lower-case ASCII for a code point: "" for one that vanishes (a combining mark, a soft sign),
// nullptr for one that the table does not know, which then separates words. A '-' in the text is a
// separator too (one half is "1-2").
const char* SlugText(char32_t code_point);

}  // namespace latchkey
