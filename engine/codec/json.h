// Bounded JSON, read by simdjson. One object at a time (a line of NDJSON, the claims of a JWT),
// whose members are looked up by name. Depth and size are limited before anything is parsed; a
// member named twice, a number with a fraction where a whole one is due, and invalid UTF-8 are
// refused.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace latchkey {

// Keeps its buffers from one object to the next. Not thread-safe.
class JsonObjectReader {
 public:
  JsonObjectReader();
  ~JsonObjectReader();
  JsonObjectReader(const JsonObjectReader&) = delete;
  JsonObjectReader& operator=(const JsonObjectReader&) = delete;

  // Parses one object and forgets the one before. INVALID_ARGUMENT: too long for `bytes_max`, too
  // deep (limits::kJsonDepthMax), not JSON, not an object, or with a member named twice. The fixed
  // text says which.
  Status Parse(ByteView json, size_t bytes_max);

  // An absent member and null are the same: nullopt. INVALID_ARGUMENT for another type. Strings are
  // borrowed until the next Parse().
  Result<std::optional<ByteView>> String(ByteView name);
  Result<std::optional<int64_t>> Whole(ByteView name);
  Result<std::optional<bool>> Boolean(ByteView name);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Appends `text` as a JSON string with its quotes (RFC 8259); the text is valid UTF-8.
void AppendJsonString(ByteView text, Bytes* out);

}  // namespace latchkey
