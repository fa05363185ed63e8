# Writes the bytes of INPUT as a C++ array into OUTPUT.
file(READ ${INPUT} digits HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${digits}")
string(REPEAT "." 80 line)
string(REGEX REPLACE "(${line})" "\\1\n    " bytes "${bytes}")
file(WRITE ${OUTPUT}
"// Made by the build from openapi.json.
#include <cstddef>

namespace latchkey::http {
extern const char kOpenApi[];
extern const size_t kOpenApiSize;
const char kOpenApi[] = {
    ${bytes}
};
const size_t kOpenApiSize = sizeof kOpenApi;
}  // namespace latchkey::http
")
