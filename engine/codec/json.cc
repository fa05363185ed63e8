// The only file that knows simdjson. It validates and unescapes the whole text; the limits that it
// does not have (depth before work, members named twice) are enforced around it.
#include "codec/json.h"

#include <simdjson.h>
#include <strings.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/limits.h"

namespace latchkey {
namespace {

Status Refuse(Literal why) { return Status::Error(Code::kInvalidArgument, why); }

bool IsJsonSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// One pass over the text before the parser sees it: megabytes of brackets are refused at the first
// one too many, and whatever follows the value is told apart from damage within it. Judges nothing
// else: what it cannot make sense of, the parser refuses.
Status CheckShape(ByteView json) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > limits::kJsonDepthMax) return Refuse("the JSON is nested too deeply");
    } else if (c == '}' || c == ']') {
      if (depth == 0) return Status::Ok();
      if (--depth > 0) continue;
      const auto rest = json.substr(i + 1);
      if (std::all_of(rest.begin(), rest.end(), IsJsonSpace)) return Status::Ok();
      return Refuse("the JSON is followed by something else");
    }
  }
  return Status::Ok();
}

// The value of four hexadecimal digits, or -1.
int EscapedUnit(ByteView digits) {
  uint8_t unit[2];
  return HexDecode(digits, unit, sizeof unit) ? unit[0] << 8 | unit[1] : -1;
}

// Whether a refused string escape is half of a surrogate pair; only to choose the error's text.
bool HasLoneSurrogate(ByteView json) {
  for (size_t i = 0; i + 1 < json.size(); ++i) {
    if (json[i] != '\\') continue;
    if (json[++i] != 'u') continue;
    const int unit = EscapedUnit(json.substr(i + 1, 4));
    if (unit < 0xD800 || unit > 0xDFFF) continue;
    if (unit >= 0xDC00 || json.substr(i + 5, 2) != "\\u") return true;
    const int second = EscapedUnit(json.substr(i + 7, 4));
    if (second < 0xDC00 || second > 0xDFFF) return true;
    i += 10;
  }
  return false;
}

Status Explain(simdjson::error_code error, ByteView json) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return Refuse("the JSON is not valid UTF-8");
    case simdjson::NUMBER_ERROR:
      return Refuse("the JSON holds a number that is malformed or out of range");
    case simdjson::DEPTH_ERROR:
      return Refuse("the JSON is nested too deeply");
    case simdjson::CAPACITY:
      return Refuse("the JSON is too long");
    case simdjson::MEMALLOC:
      return Status::Error(Code::kInternal, "no memory to read the JSON");
    case simdjson::STRING_ERROR:
      if (HasLoneSurrogate(json)) return Refuse("the JSON holds half of a surrogate pair");
      return Refuse("the JSON is malformed");
    default:
      return Refuse("the JSON is malformed");
  }
}

}  // namespace

struct JsonObjectReader::Impl {
  struct Member {
    ByteView name;
    simdjson::dom::element value;
  };

  // The member of that name, unless it is absent or null.
  const Member* Find(ByteView name) const {
    const auto found = std::lower_bound(
        members.begin(), members.end(), name,
        [](const Member& member, ByteView wanted) { return member.name < wanted; });
    if (found == members.end() || found->name != name || found->value.is_null()) return nullptr;
    return &*found;
  }

  // A line may hold a token: neither the text nor the strings read from it outlive the next one.
  void Wipe() {
    members.clear();
    if (!padded.empty()) explicit_bzero(padded.data(), padded.size());
    // As large as simdjson makes it for a text of `capacity` bytes: each string with its size and
    // NUL.
    const size_t capacity = parser.capacity();
    if (capacity != 0) explicit_bzero(parser.doc.string_buf.get(), 5 * capacity / 3);
  }
  ~Impl() { Wipe(); }

  simdjson::dom::parser parser;
  std::vector<char> padded;     // the parser reads past the end of the text
  std::vector<Member> members;  // by name
};

JsonObjectReader::JsonObjectReader() : impl_(std::make_unique<Impl>()) {}
JsonObjectReader::~JsonObjectReader() = default;

Status JsonObjectReader::Parse(ByteView json, size_t bytes_max) {
  impl_->Wipe();
  if (json.size() > bytes_max) return Refuse("the JSON is too long");
  LATCHKEY_TRY(CheckShape(json));

  std::vector<char>& padded = impl_->padded;
  padded.reserve(json.size() + simdjson::SIMDJSON_PADDING);  // no copy is left by growing
  padded.assign(json.begin(), json.end());
  padded.resize(json.size() + simdjson::SIMDJSON_PADDING);
  constexpr bool kCopyFirst = false;
  const auto root = impl_->parser.parse(padded.data(), json.size(), kCopyFirst);
  if (root.error() != simdjson::SUCCESS) return Explain(root.error(), json);
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return Refuse("the JSON is not an object");

  std::vector<Impl::Member>& members = impl_->members;
  for (const auto field : object) members.push_back({field.key, field.value});
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(members.begin(), members.end(), by_name);
  const auto same_name = [](const auto& a, const auto& b) { return a.name == b.name; };
  if (std::adjacent_find(members.begin(), members.end(), same_name) != members.end()) {
    members.clear();
    return Refuse("the JSON names a member twice");
  }
  return Status::Ok();
}

Result<std::optional<ByteView>> JsonObjectReader::String(ByteView name) {
  const Impl::Member* member = impl_->Find(name);
  if (member == nullptr) return std::optional<ByteView>();
  ByteView text;
  if (member->value.get(text) != simdjson::SUCCESS) {
    return Refuse("a member of the JSON that must be a string is not one");
  }
  return std::optional<ByteView>(text);
}

Result<std::optional<int64_t>> JsonObjectReader::Whole(ByteView name) {
  const Impl::Member* member = impl_->Find(name);
  if (member == nullptr) return std::optional<int64_t>();
  // simdjson refuses 2^63 and above here, and takes no fraction or exponent for a whole number.
  int64_t number = 0;
  if (member->value.get(number) != simdjson::SUCCESS) {
    return Refuse("a member of the JSON that must be a whole number of 64 bits is not one");
  }
  return std::optional<int64_t>(number);
}

Result<std::optional<bool>> JsonObjectReader::Boolean(ByteView name) {
  const Impl::Member* member = impl_->Find(name);
  if (member == nullptr) return std::optional<bool>();
  bool value = false;
  if (member->value.get(value) != simdjson::SUCCESS) {
    return Refuse("a member of the JSON that must be true or false is neither");
  }
  return std::optional<bool>(value);
}

void AppendJsonString(ByteView text, Bytes* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  out->push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\':
        out->push_back('\\');
        out->push_back(c);
        break;
      case '\b':
        out->append("\\b");
        break;
      case '\f':
        out->append("\\f");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\t':
        out->append("\\t");
        break;
      default:
        if (static_cast<uint8_t>(c) >= 0x20) {
          out->push_back(c);
        } else {
          out->append("\\u00");
          out->push_back(kDigits[c >> 4]);
          out->push_back(kDigits[c & 0xF]);
        }
    }
  }
  out->push_back('"');
}

}  // namespace latchkey
