// The outcome of one operation, and the only way the engine reports a failure.
//
// A Status converts from compile-time text only: the constructor of Literal is consteval, so no
// secret and no byte of a caller can reach an error message or a log through it.
#pragma once

#include <cstdint>

namespace latchkey {

// What the caller can do about it. The numbers cross the C ABI: append only. capi/translate.cc
// asserts that they equal the LATCHKEY_* codes.
enum class Code : uint32_t {
  kOk = 0,
  kInvalidArgument = 1,
  kNotFound = 2,
  kConflict = 3,
  kDenied = 4,
  kForbidden = 5,
  kBusy = 6,
  kOutcomeUnknown = 7,
  kIo = 8,
  kNoSpace = 9,
  kCorruption = 10,
  kWrongPepper = 11,
  kRolledBack = 12,
  kGone = 13,
  kUnsupported = 14,
  kInternal = 15,
};

struct Literal {
  consteval Literal(const char* s) : text(s) {}  // NOLINT: the implicit conversion is the point
  const char* text;
};

// 16 bytes, trivially copyable, never allocates.
class [[nodiscard]] Status {
 public:
  static constexpr Status Ok() { return Status(Code::kOk, 0, "ok"); }
  // `origin` is an errno or a storage sub-code; 0 = none.
  static constexpr Status Error(Code code, Literal why, uint32_t origin = 0) {
    return Status(code, origin, why.text);
  }

  constexpr bool ok() const { return code_ == Code::kOk; }
  constexpr Code code() const { return code_; }
  constexpr uint32_t origin() const { return origin_; }
  constexpr const char* why() const { return why_; }  // static storage

  // Drops the outcome on purpose; greppable, and says why.
  constexpr void IgnoreBecause(Literal) const {}

 private:
  constexpr Status(Code code, uint32_t origin, const char* why)
      : code_(code), origin_(origin), why_(why) {}
  Code code_;
  uint32_t origin_;
  const char* why_;
};
static_assert(sizeof(void*) != 8 || sizeof(Status) == 16);

}  // namespace latchkey

// Returns from the enclosing function when the expression is not ok.
#define LATCHKEY_TRY(expression)                                    \
  do {                                                              \
    if (::latchkey::Status status_ = (expression); !status_.ok()) { \
      return status_;                                               \
    }                                                               \
  } while (false)
