// The target of a request: its path in segments, and its query. The path is split before anything
// is decoded, so that an encoded slash never makes a segment of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latchkey::http {

// Borrows the text that it was made from.
struct Target {
  std::vector<std::string_view> segments;  // still encoded; empty ones are left out
  std::string_view query;                  // without its question mark
};

// Takes the origin form ("/v0/users?page=2") and the absolute form ("http://host/v0/users"). Throws
// a Refusal (400) for more segments than a path of ours can have, and for "." and "..".
Target SplitTarget(std::string_view text);

// One segment, percent-decoded: nullopt for a broken escape, U+0000, or what is not UTF-8.
std::optional<std::string> DecodeSegment(std::string_view segment);

// A list of names and values in application/x-www-form-urlencoded.
class Form {
 public:
  // Throws a Refusal (400) whose message begins with `what` for a broken escape, text that is not
  // UTF-8, and more parameters than limits::kQueryParametersMax.
  Form(std::string_view text, std::string what);
  ~Form();
  Form(const Form&) = delete;
  Form& operator=(const Form&) = delete;

  // nullptr when it is not there. Throws a Refusal (400) when it is there twice.
  const std::string* Find(std::string_view name) const;
  // "true" or "false"; false when it is not there. Throws a Refusal (400).
  bool Truth(std::string_view name) const;
  // Whole and within the bounds; `otherwise` when it is not there. Throws a Refusal (400).
  uint32_t Whole(std::string_view name, uint32_t otherwise, uint32_t max) const;

  [[noreturn]] void Refuse(std::string_view name, std::string_view rule) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
  std::string what_;
};

// Percent-encodes all but unreserved characters (RFC 3986, section 2.3).
std::string EncodeComponent(std::string_view text);

}  // namespace latchkey::http
