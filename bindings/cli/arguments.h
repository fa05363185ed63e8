// Verbs, flags, and what their texts mean. CLI11 splits the command line, behind this header and
// in main.cc alone; every value is read here, at the moment the chosen verb runs, so that a bad
// value in the environment concerns only the verbs that use it.
#pragma once

#include <latchkey/latchkey.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace latchkey::cli {

struct Globals;

// A flag with a text, which may be empty, as opposed to a flag that was not given.
struct TextFlag {
  std::string value = {};
  CLI::Option* option = nullptr;

  bool given() const;
  // The pair that the C API takes: NULL and 0 when not given.
  const char* data() const { return given() ? value.data() : nullptr; }
  size_t size() const { return given() ? value.size() : 0; }
};

// A verb that holds verbs: "user", "project key".
CLI::App* AddGroup(CLI::App* parent, const std::string& name, const std::string& description);
// A verb that does something. `alias` may be empty; `example` is a whole command line.
CLI::App* AddVerb(CLI::App* parent, const std::string& name, const std::string& alias,
                  const std::string& description, const std::string& example);
// `action` becomes globals->run if the verb is the chosen one.
void OnRun(CLI::App* verb, Globals* globals, std::function<int()> action);

void AddPositional(CLI::App* verb, const std::string& name, std::string* value,
                   const std::string& description);
void AddOptionalPositional(CLI::App* verb, const std::string& name, TextFlag* flag,
                           const std::string& description);
// `name` with its dashes, here and below.
void AddText(CLI::App* verb, const std::string& name, TextFlag* flag, const std::string& value_name,
             const std::string& description);
void AddRequiredText(CLI::App* verb, const std::string& name, TextFlag* flag,
                     const std::string& value_name, const std::string& description);
// Also settable as LATCHKEY_ + the name in capitals: for files, addresses and limits.
void AddTextWithEnvironment(CLI::App* verb, const std::string& name, TextFlag* flag,
                            const std::string& value_name, const std::string& description);
void AddFlag(CLI::App* verb, const std::string& name, bool* flag, const std::string& description);
void AddScopes(CLI::App* verb, std::vector<std::string>* scopes, const std::string& description);

// The flags of every list. `hidden_word` is the flag for what is listed no more: "revoked" or
// "deleted".
struct ListFlags {
  TextFlag name;
  TextFlag search;
  TextFlag sort;
  TextFlag direction;
  TextFlag page;
  TextFlag per_page;
  bool hidden = false;
};
void AddListFlags(CLI::App* verb, const std::string& hidden_word, ListFlags* flags);
// Borrows the texts of `flags`. Throws a usage Refusal.
latchkey_list_options ReadListFlags(const ListFlags& flags);

// Each throws a usage Refusal that names the flag and the rule.
uint64_t ReadWhole(const std::string& flag, const std::string& text, uint64_t min, uint64_t max);
// Seconds, or a whole number with s, m, h or d behind it; `max_s` if it was not given.
int64_t ReadTtl(const TextFlag& ttl, int64_t max_s, int64_t default_s);
// "true" or "false".
bool ReadTruth(const std::string& flag, const std::string& text);
// "verify" for bit 0, or 0..63; any number of them.
uint64_t ReadScopes(const std::vector<std::string>& scopes);
// 64 hexadecimal digits.
void ReadSha256(const std::string& text, uint8_t digest[32]);

}  // namespace latchkey::cli
