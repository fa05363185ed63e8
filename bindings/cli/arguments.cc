#include "arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "backend.h"

namespace latchkey::cli {
namespace {

constexpr int64_t kPerPageMax = 255;

std::string EnvironmentName(const std::string& flag) {
  std::string name = "LATCHKEY_";
  for (char c : flag.substr(flag.find_first_not_of('-'))) {
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

// Digits alone: no sign, no space, no other base.
bool ParseWhole(std::string_view text, uint64_t* value) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc() && stopped == end && !text.empty();
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool TextFlag::given() const { return option != nullptr && option->count() > 0; }

CLI::App* AddGroup(CLI::App* parent, const std::string& name, const std::string& description) {
  CLI::App* group = parent->add_subcommand(name, description);
  // One verb and no more: what follows is an owner or a key, also when it is called "list".
  group->require_subcommand(1);
  return group;
}

CLI::App* AddVerb(CLI::App* parent, const std::string& name, const std::string& alias,
                  const std::string& description, const std::string& example) {
  CLI::App* verb = parent->add_subcommand(name, description);
  if (!alias.empty()) verb->alias(alias);
  verb->require_subcommand(0);
  verb->footer("Example:\n  " + example +
               "\n\nThe flags of every verb (--store, --output and others): latchkey --help");
  return verb;
}

void OnRun(CLI::App* verb, Globals* globals, std::function<int()> action) {
  verb->callback([globals, action = std::move(action)] { globals->run = action; });
}

void AddPositional(CLI::App* verb, const std::string& name, std::string* value,
                   const std::string& description) {
  verb->add_option(name, *value, description)->required()->type_name("");
}

void AddOptionalPositional(CLI::App* verb, const std::string& name, TextFlag* flag,
                           const std::string& description) {
  flag->option = verb->add_option(name, flag->value, description)->type_name("");
}

void AddText(CLI::App* verb, const std::string& name, TextFlag* flag, const std::string& value_name,
             const std::string& description) {
  flag->option = verb->add_option(name, flag->value, description)->type_name(value_name);
}

void AddRequiredText(CLI::App* verb, const std::string& name, TextFlag* flag,
                     const std::string& value_name, const std::string& description) {
  AddText(verb, name, flag, value_name, description);
  flag->option->required();
}

void AddTextWithEnvironment(CLI::App* verb, const std::string& name, TextFlag* flag,
                            const std::string& value_name, const std::string& description) {
  AddText(verb, name, flag, value_name, description);
  flag->option->envname(EnvironmentName(name));
}

void AddFlag(CLI::App* verb, const std::string& name, bool* flag, const std::string& description) {
  verb->add_flag(name, *flag, description);
}

void AddScopes(CLI::App* verb, std::vector<std::string>* scopes, const std::string& description) {
  verb->add_option("--scope", *scopes, description)->type_name("SCOPE")->allow_extra_args(false);
}

void AddListFlags(CLI::App* verb, const std::string& hidden_word, ListFlags* flags) {
  AddText(verb, "--name", &flags->name, "NAME", "Only those with exactly this name");
  AddText(verb, "--search", &flags->search, "TEXT",
          "Only those that hold this text, in any case, in what names them");
  AddFlag(verb, "--" + hidden_word, &flags->hidden, "The " + hidden_word + " ones instead");
  AddText(verb, "--sort", &flags->sort, "name", "What to sort by: name");
  AddText(verb, "--direction", &flags->direction, "asc|desc", "Order, asc unless given");
  AddText(verb, "--page", &flags->page, "N", "Which page, from 1");
  AddTextWithEnvironment(verb, "--per-page", &flags->per_page, "N",
                         "Rows on a page, 0 to 255; 8 unless given");
}

latchkey_list_options ReadListFlags(const ListFlags& flags) {
  auto options = Sized<latchkey_list_options>();
  options.revoked = flags.hidden ? 1 : 0;
  options.page = 1;
  options.page_size = LATCHKEY_PAGE_SIZE_DEFAULT;
  options.name = flags.name.data();
  options.name_size = flags.name.size();
  options.search = flags.search.data();
  options.search_size = flags.search.size();
  if (flags.sort.given() && flags.sort.value != "name") {
    RefuseUsage("--sort " + Quoted(flags.sort.value), "lists are sorted by name",
                "Leave it out, or give: --sort name");
  }
  if (flags.direction.given()) {
    options.descending = flags.direction.value == "desc" ? 1 : 0;
    if (options.descending == 0 && flags.direction.value != "asc") {
      RefuseUsage("--direction " + Quoted(flags.direction.value), "it is asc or desc",
                  "Give one of the two.");
    }
  }
  if (flags.page.given()) {
    options.page = static_cast<uint32_t>(ReadWhole("--page", flags.page.value, 0, UINT32_MAX));
  }
  if (flags.per_page.given()) {
    options.page_size =
        static_cast<uint32_t>(ReadWhole("--per-page", flags.per_page.value, 0, kPerPageMax));
  }
  return options;
}

uint64_t ReadWhole(const std::string& flag, const std::string& text, uint64_t min, uint64_t max) {
  uint64_t value = 0;
  if (!ParseWhole(text, &value) || value < min || value > max) {
    RefuseUsage(flag + " " + Quoted(text),
                "it is a whole number from " + std::to_string(min) + " to " + std::to_string(max),
                "Give a number within these bounds.");
  }
  return value;
}

int64_t ReadTtl(const TextFlag& ttl, int64_t max_s, int64_t default_s) {
  if (!ttl.given()) return default_s;
  std::string_view digits = ttl.value;
  uint64_t unit_s = 1;
  if (!digits.empty()) {
    switch (digits.back()) {
      case 'd':
        unit_s = 86400;
        break;
      case 'h':
        unit_s = 3600;
        break;
      case 'm':
        unit_s = 60;
        break;
      case 's':
        break;
      default:
        unit_s = 0;
    }
    if (unit_s == 0) {
      unit_s = 1;
    } else {
      digits.remove_suffix(1);
    }
  }
  uint64_t value = 0;
  const uint64_t limit = static_cast<uint64_t>(max_s) / unit_s;
  if (!ParseWhole(digits, &value) || value == 0 || value > limit) {
    RefuseUsage("--ttl " + Quoted(ttl.value),
                "a lifetime is 1 to " + std::to_string(max_s) + " seconds",
                "Give whole seconds, or days, hours or minutes such as 90d, 12h or 30m.");
  }
  return static_cast<int64_t>(value * unit_s);
}

bool ReadTruth(const std::string& flag, const std::string& text) {
  if (text != "true" && text != "false") {
    RefuseUsage(flag + " " + Quoted(text), "it is true or false", "Give one of the two.");
  }
  return text == "true";
}

uint64_t ReadScopes(const std::vector<std::string>& scopes) {
  uint64_t bits = 0;
  for (const std::string& scope : scopes) {
    uint64_t bit = 0;
    if (scope != "verify" && (!ParseWhole(scope, &bit) || bit > 63)) {
      RefuseUsage("--scope " + Quoted(scope), "a scope is verify or a number from 0 to 63",
                  "Give one of these; repeat --scope for more than one.");
    }
    bits |= uint64_t{1} << bit;
  }
  return bits;
}

void ReadSha256(const std::string& text, uint8_t digest[32]) {
  const bool all_hex =
      std::all_of(text.begin(), text.end(), [](char c) { return HexValue(c) >= 0; });
  if (text.size() != 64 || !all_hex) {
    RefuseUsage("--sha256", "a SHA-256 is 64 hexadecimal digits",
                "Of a secret in a file without a newline: sha256sum FILE");
  }
  for (size_t i = 0; i < 32; ++i) {
    digest[i] = static_cast<uint8_t>(HexValue(text[2 * i]) * 16 + HexValue(text[2 * i + 1]));
  }
}

}  // namespace latchkey::cli
