// How a verb ends when it cannot do what it was asked: the exit code, and what is told on standard
// error. Thrown by whatever finds out, caught once, in main().
#pragma once

#include <latchkey/latchkey.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace latchkey::cli {

inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;  // denied, not found, conflict
inline constexpr int kUsage = 2;
inline constexpr int kFailure = 3;

class Refusal : public std::runtime_error {
 public:
  // `thing` and `rule` make the first line, `remedy` (what to do; may be empty) the second. None of
  // them holds bytes that have not been through Quoted() or EscapeForTerminal().
  Refusal(int exit_code, const std::string& thing, const std::string& rule,
          const std::string& remedy = "");
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// An argument, as it may be shown: in quotes, control and direction characters escaped, and with
// whatever looks like a secret left out.
std::string Quoted(std::string_view argument);

// `text` with every stretch that looks like a secret replaced. People paste keys where they do not
// belong, and a message is read by more people than the one who pasted.
std::string WithoutSecrets(std::string_view text);

// What to do about a code, where the caller knows better than the code alone. Empty = it does not.
struct Remedies {
  std::string not_found = {};
  std::string conflict = {};
  std::string invalid = {};
  std::string busy = {};
};

// Throws unless `code` is OK. To be called right after the call that gave the code, since the rule
// is latchkey_error_text() of that call. `thing` as in Refusal.
void Require(latchkey_code code, const std::string& thing, const Remedies& remedies = {});

// Throws for a code that is not OK, with the rule that was broken.
[[noreturn]] void Refuse(latchkey_code code, const std::string& thing, const std::string& rule,
                         const Remedies& remedies);

[[noreturn]] void RefuseUsage(const std::string& thing, const std::string& rule,
                              const std::string& remedy = "");

// The lower-case word of a code: "conflict".
const char* CodeWord(latchkey_code code);

// Prints "latchkey: " and the text, line by line, on standard error.
void Complain(std::string_view text);

}  // namespace latchkey::cli
