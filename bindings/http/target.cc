#include "target.h"

#include <simdjson.h>

#include <charconv>
#include <cstring>

#include "limits.h"
#include "refusal.h"

namespace latchkey::http {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> Decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 1 < text.size() ? HexValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  if (!simdjson::validate_utf8(out.data(), out.size())) return std::nullopt;
  return out;
}

// "http://host:port/path" without what is before the path; anything else as it stands.
std::string_view WithoutAuthority(std::string_view text) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    const size_t path = text.find_first_of("/?", scheme.size());
    return path == std::string_view::npos ? std::string_view() : text.substr(path);
  }
  return text;
}

}  // namespace

Target SplitTarget(std::string_view text) {
  text = WithoutAuthority(text);
  Target target;
  if (const size_t question = text.find('?'); question != std::string_view::npos) {
    target.query = text.substr(question + 1);
    text = text.substr(0, question);
  }
  while (!text.empty()) {
    const std::string_view segment = text.substr(0, text.find('/'));
    text.remove_prefix(std::min(segment.size() + 1, text.size()));
    if (segment.empty()) continue;
    if (segment == "." || segment == "..") throw Refusal(400, "bad path: it has a dot segment");
    if (target.segments.size() == limits::kPathSegmentsMax) {
      throw Refusal(400, "bad path: it has too many segments");
    }
    target.segments.push_back(segment);
  }
  return target;
}

std::optional<std::string> DecodeSegment(std::string_view segment) {
  std::optional<std::string> out = Decode(segment, false);
  if (out && out->find('\0') != std::string::npos) return std::nullopt;
  return out;
}

Form::Form(std::string_view text, std::string what) : what_(std::move(what)) {
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
    if (field.empty()) continue;
    if (fields_.size() == limits::kQueryParametersMax) {
      throw Refusal(400, what_ + "too many parameters");
    }
    const size_t equals = std::min(field.find('='), field.size());
    const std::string_view raw =
        equals < field.size() ? field.substr(equals + 1) : std::string_view();
    std::optional<std::string> name = Decode(field.substr(0, equals), true);
    std::optional<std::string> value = Decode(raw, true);
    if (!name || !value) {
      throw Refusal(400, what_ + "a percent escape is broken, or the text is not UTF-8");
    }
    fields_.emplace_back(std::move(*name), std::move(*value));
  }
}

Form::~Form() {
  // A form may hold a token.
  for (auto& [name, value] : fields_) explicit_bzero(value.data(), value.size());
}

const std::string* Form::Find(std::string_view name) const {
  const std::string* found = nullptr;
  for (const auto& [key, value] : fields_) {
    if (key != name) continue;
    if (found != nullptr) Refuse(name, "it is given twice");
    found = &value;
  }
  return found;
}

bool Form::Truth(std::string_view name) const {
  const std::string* value = Find(name);
  if (value == nullptr || *value == "false") return false;
  if (*value != "true") Refuse(name, "it is true or false");
  return true;
}

uint32_t Form::Whole(std::string_view name, uint32_t otherwise, uint32_t max) const {
  const std::string* value = Find(name);
  if (value == nullptr) return otherwise;
  uint32_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stopped, error] = std::from_chars(value->data(), end, number);
  if (error != std::errc() || stopped != end || number > max) {
    Refuse(name, "it is a whole number from 0 to " + std::to_string(max));
  }
  return number;
}

void Form::Refuse(std::string_view name, std::string_view rule) const {
  throw Refusal(400, what_ + std::string(name) + ": " + std::string(rule));
}

std::string EncodeComponent(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                            (c >= 'A' && c <= 'Z') || std::strchr("-._~", c) != nullptr;
    if (unreserved && c != '\0') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace latchkey::http
