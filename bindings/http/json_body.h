// Reads the JSON object in the body of a request. simdjson parses it, strictly; behind this header
// alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "body.h"

namespace latchkey::http {

// An absent member and null are the same, unless HasNull() is asked. Each read throws a Refusal
// (400) that names the member and the rule; texts are borrowed from this object, and are wiped with
// it.
class JsonBody {
 public:
  // Throws a Refusal (400) unless the body is one JSON object.
  explicit JsonBody(const Body& body);
  ~JsonBody();
  JsonBody(const JsonBody&) = delete;
  JsonBody& operator=(const JsonBody&) = delete;

  bool HasNull(std::string_view member) const;
  std::optional<std::string_view> Text(std::string_view member) const;
  std::optional<bool> Truth(std::string_view member) const;
  // Whole, and within the bounds.
  std::optional<int64_t> Whole(std::string_view member, int64_t min, int64_t max) const;
  // An array of 1 to `count_max` texts.
  std::optional<std::vector<std::string_view>> Texts(std::string_view member,
                                                     size_t count_max) const;
  // ["verify", 9]
  std::optional<uint64_t> Scopes(std::string_view member) const;

  [[noreturn]] static void Refuse(std::string_view member, std::string_view rule);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace latchkey::http
