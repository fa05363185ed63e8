// The host's log on standard error: a line a request, and what the operator should know.
#pragma once

#include <latchkey/latchkey.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "address.h"

namespace latchkey::http {

// A text known when this was compiled: no byte of a request can be in it.
class Word {
 public:
  consteval Word(const char* text) : text_(text) {}  // NOLINT: a literal is a word
  constexpr std::string_view text() const { return text_; }

 private:
  const char* text_;
};

// The word of a LATCHKEY_REASON_*: "revoked".
Word ReasonWord(uint32_t reason);

// One operation as it is called in logs and metrics: "GET", "/v0/users/{user}/keys". Both texts
// are in static memory.
struct RouteName {
  std::string_view method;
  std::string_view path;
};

// Stands for a route's number where no route matched.
inline constexpr size_t kNoRoute = SIZE_MAX;

// One answered request. There is no member for a raw path, a query, a header or a body: what is
// not here cannot be logged by mistake.
struct AccessEntry {
  latchkey_uuid request_id = {};
  std::string_view method = {};  // as it came; logged as "?" unless HTTP knows it
  size_t route = kNoRoute;       // place in the routes that the log was made with
  int status = 0;
  uint64_t bytes = 0;  // of the body that was sent
  int64_t duration_us = 0;
  Address client = {};
  latchkey_uuid caller = {};  // of the credential or its user; all zero = none
  Word reason = "";           // why the credential was refused; empty = it was not
};

// Methods may be called from any thread; each writes one whole line with one write(2).
class Log {
 public:
  enum class Format { kText, kJson, kOff };  // kOff: no line a request; Say() goes on, as text
  // As LATCHKEY_LOG_*.
  enum class Level : uint32_t { kError = 0, kWarning = 1, kInfo = 2 };

  Log(Format format, std::vector<RouteName> routes, int fd = 2);

  bool access() const { return format_ != Format::kOff; }
  void Access(const AccessEntry& entry) const;
  // `message` holds no secret; control characters are escaped, and 2048 bytes of it are kept.
  void Say(Level level, std::string_view message) const;
  // A latchkey_log_function; `log` is a Log*.
  static void Sink(void* log, uint32_t level, const char* text);

 private:
  void Write(std::string line) const;

  const Format format_;
  const std::vector<RouteName> routes_;
  const int fd_;
};

}  // namespace latchkey::http
