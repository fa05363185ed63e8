#include "refusal.h"

#include <algorithm>
#include <cstdio>

#include "output.h"

namespace latchkey::cli {
namespace {

constexpr std::string_view kHidden = "(a secret, not shown)";
constexpr size_t kShownBytesMax = 400;
// The shortest random part of a generated key that has no prefix known here.
constexpr size_t kRandomRunMin = 43;

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool IsWordByte(char c) { return IsAlphanumeric(c) || c == '_' || c == '.' || c == '-'; }

bool LooksSecret(std::string_view word) {
  for (std::string_view mark : {"bencher_user_", "bencher_run_", "eyJ"}) {
    if (word.find(mark) != std::string_view::npos) return true;
  }
  size_t run = 0;
  for (char c : word) {
    run = IsAlphanumeric(c) ? run + 1 : 0;
    if (run >= kRandomRunMin) return true;
  }
  return false;
}

int ExitCodeOf(latchkey_code code) {
  switch (code) {
    case LATCHKEY_OK:
      return kDone;
    case LATCHKEY_INVALID_ARGUMENT:
      return kUsage;
    case LATCHKEY_NOT_FOUND:
    case LATCHKEY_CONFLICT:
    case LATCHKEY_DENIED:
    case LATCHKEY_FORBIDDEN:
      return kRefused;
    default:
      return kFailure;
  }
}

std::string RemedyOf(latchkey_code code, const Remedies& remedies) {
  switch (code) {
    case LATCHKEY_INVALID_ARGUMENT:
      return remedies.invalid.empty() ? "Mend it and try again; --help shows an example."
                                      : remedies.invalid;
    case LATCHKEY_NOT_FOUND:
      return remedies.not_found;
    case LATCHKEY_CONFLICT:
      return remedies.conflict;
    case LATCHKEY_BUSY:
      return remedies.busy.empty() ? "Try again in a moment." : remedies.busy;
    case LATCHKEY_OUTCOME_UNKNOWN:
      return "It may or may not have happened: look, then try again.";
    case LATCHKEY_IO:
      return "The device failed: see to it, then try again.";
    case LATCHKEY_NO_SPACE:
      return "Nothing was changed: make room on the device, then try again.";
    case LATCHKEY_CORRUPTION:
    case LATCHKEY_ROLLED_BACK:
      return "Keep the folder as it is: latchkey restore makes a new store beside it, of a backup "
             "and of what was revoked here (--damaged).";
    case LATCHKEY_WRONG_PEPPER:
      return "Give the pepper that was made with this store (--pepper-file), readable by its owner "
             "alone (mode 0600).";
    case LATCHKEY_UNSUPPORTED:
      return "A newer latchkey may be able to.";
    case LATCHKEY_INTERNAL:
      return "This is a defect of latchkey, or there is no memory left: please report it.";
    default:
      return "";
  }
}

std::string Told(const std::string& thing, const std::string& rule, const std::string& remedy) {
  std::string text = thing;
  if (!rule.empty()) text += (text.empty() ? "" : ": ") + rule;
  if (!remedy.empty()) text += "\n" + remedy;
  return text;
}

}  // namespace

Refusal::Refusal(int exit_code, const std::string& thing, const std::string& rule,
                 const std::string& remedy)
    : std::runtime_error(Told(thing, rule, remedy)), exit_code_(exit_code) {}

std::string WithoutSecrets(std::string_view text) {
  std::string shown;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && IsWordByte(text[end])) ++end;
    if (end == begin) {
      shown += text[begin++];
      continue;
    }
    const std::string_view word = text.substr(begin, end - begin);
    shown += LooksSecret(word) ? kHidden : word;
    begin = end;
  }
  return shown;
}

std::string Quoted(std::string_view argument) {
  std::string shown = EscapeForTerminal(WithoutSecrets(argument));
  if (shown.size() > kShownBytesMax) {
    return "(an argument of " + std::to_string(argument.size()) + " bytes)";
  }
  return "'" + shown + "'";
}

void Require(latchkey_code code, const std::string& thing, const Remedies& remedies) {
  if (code == LATCHKEY_OK) return;
  std::string rule = latchkey_error_text();
  if (rule.empty()) rule = latchkey_code_text(code);
  Refuse(code, thing, rule, remedies);
}

void Refuse(latchkey_code code, const std::string& thing, const std::string& rule,
            const Remedies& remedies) {
  throw Refusal(ExitCodeOf(code), thing, rule, RemedyOf(code, remedies));
}

void RefuseUsage(const std::string& thing, const std::string& rule, const std::string& remedy) {
  throw Refusal(kUsage, thing, rule, remedy);
}

const char* CodeWord(latchkey_code code) {
  static constexpr const char* kWords[] = {"ok",          "invalid_argument",
                                           "not_found",   "conflict",
                                           "denied",      "forbidden",
                                           "busy",        "outcome_unknown",
                                           "io",          "no_space",
                                           "corruption",  "wrong_pepper",
                                           "rolled_back", "gone",
                                           "unsupported", "internal"};
  return code < std::size(kWords) ? kWords[code] : "unknown";
}

void Complain(std::string_view text) {
  std::string told;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    told.append("latchkey: ").append(text.substr(begin, end - begin)).append("\n");
    begin = end + 1;
  }
  std::fwrite(told.data(), 1, told.size(), stderr);
}

}  // namespace latchkey::cli
