// Whatever the bytes, the reader of JSON objects takes what another reader takes too, gives the
// same members, and what it writes reads back.
#include <nlohmann/json.hpp>

#include "codec/json.h"
#include "fuzz/target.h"

namespace latchkey::fuzz {
namespace {

constexpr size_t kBytesMax = 8192;
constexpr const char* kNames[] = {"type", "uuid", "name", "slug", "created", "admin", "a", ""};

void ExpectWritable(ByteView text) {
  Bytes json = "{\"a\":";
  AppendJsonString(text, &json);
  json.push_back('}');
  JsonObjectReader reader;
  Expect(reader.Parse(json, 8 * kBytesMax).ok(), "what was written is not JSON", json);
  const auto read = reader.String("a");
  Expect(read.ok() && read->has_value() && **read == text, "what was written is another text",
         json);
}

void Read(ByteView text) {
  static JsonObjectReader reader;  // as an import does: one for many lines
  if (!reader.Parse(text, kBytesMax).ok()) return;
  Expect(text.size() <= kBytesMax, "longer than it may be");
  const auto other = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  Expect(other.is_object(), "another reader sees no object", text);
  for (const char* name : kNames) {
    const auto string = reader.String(name);
    const auto whole = reader.Whole(name);
    const auto boolean = reader.Boolean(name);
    const bool is_there = other.contains(name) && !other[name].is_null();
    if (string.ok() && string->has_value()) {
      Expect(is_there && other[name].is_string() && other[name].get<std::string>() == **string,
             "another string", text);
      ExpectWritable(**string);
    }
    if (whole.ok() && whole->has_value()) {
      Expect(is_there && other[name].is_number_integer() && other[name].get<int64_t>() == **whole &&
                 !Canary(**whole < -1),  // as if that had no sign
             "another number", text);
    }
    if (boolean.ok() && boolean->has_value()) {
      Expect(is_there && other[name].is_boolean() && other[name].get<bool>() == **boolean,
             "another truth", text);
    }
    Expect(is_there || (string.ok() && !string->has_value()), "there is no such member", text);
  }
}

}  // namespace
}  // namespace latchkey::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  latchkey::fuzz::Read({reinterpret_cast<const char*>(data), size});
  return 0;
}
