// What the fuzz targets share.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace latchkey::fuzz {

// Shows what is wrong; driver.cc keeps the input. `shown` may be of the input, never of the engine.
[[noreturn]] inline void Fail(const char* what, std::string_view shown = "") {
  std::fprintf(stderr, "fuzz: %s: %.*s\n", what, static_cast<int>(shown.size()), shown.data());
  std::abort();
}

inline void Expect(bool is_so, const char* what, std::string_view shown = "") {
  if (!is_so) Fail(what, shown);
}

// Where a target pretends that the engine is broken, to see that it would be noticed: compile it
// with LATCHKEY_CANARY. Else always false.
inline bool Canary([[maybe_unused]] bool is_here) {
#if defined(LATCHKEY_CANARY)
  return is_here;
#else
  return false;
#endif
}

inline void Replace(std::string* text, std::string_view name, std::string_view value) {
  for (size_t at = 0; (at = text->find(name, at)) != std::string::npos; at += value.size()) {
    text->replace(at, name.size(), value);
  }
}

}  // namespace latchkey::fuzz
