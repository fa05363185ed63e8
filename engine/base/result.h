// A value, or the Status that says why there is none.
#pragma once

#include <cassert>
#include <optional>
#include <utility>

#include "base/status.h"

namespace latchkey {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}                     // NOLINT: implicit on purpose
  Result(Status error) : status_(error) { assert(!status_.ok()); }  // NOLINT

  bool ok() const { return value_.has_value(); }
  Status status() const { return status_; }
  Code code() const { return status_.code(); }

  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_ = Status::Ok();
};

}  // namespace latchkey

#define LATCHKEY_CONCAT_INNER(a, b) a##b
#define LATCHKEY_CONCAT(a, b) LATCHKEY_CONCAT_INNER(a, b)

// LATCHKEY_TRY_ASSIGN(auto x, Expression()) declares x, or returns the error.
#define LATCHKEY_TRY_ASSIGN(declaration, expression)      \
  auto LATCHKEY_CONCAT(result_, __LINE__) = (expression); \
  if (!LATCHKEY_CONCAT(result_, __LINE__).ok()) {         \
    return LATCHKEY_CONCAT(result_, __LINE__).status();   \
  }                                                       \
  declaration = std::move(LATCHKEY_CONCAT(result_, __LINE__)).value()
