#include "options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <string_view>
#include <thread>
#include <vector>

namespace latchkey::http {
namespace {

constexpr const char* kListenDefault = "127.0.0.1:61016";
constexpr const char* kMetricsListenDefault = "127.0.0.1:61017";
constexpr size_t kTextBytesMax = 1024;
constexpr size_t kIssuerBytesMax = 256;  // as latchkey_jwt_key has it

constexpr const char* kFooter =
    "Every flag with a value, and --create, --require-tls and --accept-untracked-tokens, can\n"
    "also be set in the environment: LATCHKEY_ and the flag in capitals, as LATCHKEY_STORE.\n"
    "A flag beats its variable.\n"
    "\n"
    "Examples:\n"
    "  latchkeyd --store data --create\n"
    "  latchkeyd --store /var/lib/latchkey/store --listen 0.0.0.0:443 \\\n"
    "      --tls-cert cert.pem --tls-key key.pem --jwt-secret-file jwt-secret\n"
    "\n"
    "Signals: TERM or INT stop it, a second one at once; HUP reads the certificate and the JWT\n"
    "secret again.\n"
    "Exit codes: 0 done; 1 refused; 2 wrong usage; 3 failure.";

[[noreturn]] void Refuse(const std::string& what, const std::string& rule) {
  throw UsageError("latchkeyd: " + what + ": " + rule + "\nlatchkeyd: See latchkeyd --help\n");
}

std::string EnvironmentName(const std::string& flag) {
  std::string name = "LATCHKEY_";
  for (char c : flag.substr(2)) {
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

// A value, and where it came from, for messages. The value itself is in no message: it may be a
// secret in the wrong place.
struct Given {
  std::string source = {};
  std::vector<std::string> values = {};
  const std::string& value() const { return values.front(); }
};

// The flags of one command line, by name.
class Flags {
 public:
  explicit Flags(CLI::App* app) : app_(app) {}

  void Value(const std::string& flag, const std::string& type, const std::string& description) {
    values_[flag] = app_->add_option(flag)->description(description)->type_name(type);
  }
  void Repeatable(const std::string& flag, const std::string& type,
                  const std::string& description) {
    Value(flag, type, description);
    values_[flag]->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  void Switch(const std::string& flag, const std::string& description) {
    switches_[flag] = app_->add_flag(flag)->description(description)->disable_flag_override();
  }

  // From the flag, else from the environment; none if neither is there. An empty variable is not.
  std::optional<Given> Find(const std::string& flag) const {
    const CLI::Option* option = values_.at(flag);
    if (option->count() == 0) return FromEnvironment(flag);
    for (const std::string& value : option->results()) {
      // CLI11 lets --store swallow the --create behind it.
      if (value.starts_with("--")) Refuse(flag, "the value is missing");
    }
    return Given{flag, option->results()};
  }
  bool IsOn(const std::string& flag) const {
    if (switches_.at(flag)->count() > 0) return true;
    const std::optional<Given> given = FromEnvironment(flag);
    if (!given) return false;
    if (given->value() == "true" || given->value() == "1") return true;
    if (given->value() == "false" || given->value() == "0") return false;
    Refuse(given->source, "it is true or false");
  }

 private:
  static std::optional<Given> FromEnvironment(const std::string& flag) {
    const std::string name = EnvironmentName(flag);
    const char* text = std::getenv(name.c_str());
    if (text == nullptr || *text == '\0') return std::nullopt;
    return Given{name, {text}};
  }

  CLI::App* app_;
  std::map<std::string, CLI::Option*> values_;
  std::map<std::string, CLI::Option*> switches_;
};

void Declare(Flags* flags) {
  flags->Value("--store", "DIR", "The store's folder; ./latchkey-data unless given");
  flags->Value("--pepper-file", "FILE", "The store's pepper; DIR.pepper unless given");
  flags->Switch("--create", "Make the store when there is none");
  flags->Value("--memory-budget", "MIB",
               "What the table of credentials may take, some 100 bytes\n"
               "each; what does not fit is answered from the store, more\n"
               "slowly. What it needs, unless given");
  flags->Value("--directory-budget", "MIB", "What the lists in use may take; 256 unless given");
  flags->Value("--backup-dir", "DIR",
               "Make backups of the store there, without its pepper;\n"
               "latchkey restore takes them. None unless given");
  flags->Value("--backup-every", "SECONDS", "How often; 86400 (a day) unless given");
  flags->Value("--backup-keep", "N", "How many; 7 unless given");
  flags->Value("--listen", "ADDR:PORT",
               "Where to serve; 127.0.0.1:61016 unless given. IPv6 as\n"
               "[::1]:61016; port 0 is any free one");
  flags->Value("--metrics-listen", "ADDR:PORT|off",
               "Where to serve /metrics; 127.0.0.1:61017 unless given");
  flags->Value("--tls-cert", "FILE", "Serve HTTPS with this certificate chain (PEM)");
  flags->Value("--tls-key", "FILE", "Its key (PEM, no passphrase, mode 0640 at most)");
  flags->Switch("--require-tls", "Refuse to serve plain HTTP beyond this machine");
  flags->Value("--jwt-secret-file", "FILE",
               "The secret that JSON Web Tokens are signed with;\n"
               "without it only those in the store are good");
  flags->Value("--issuer", "TEXT", "Their issuer; http://localhost:3000/ unless given");
  flags->Switch("--accept-untracked-tokens",
                "Accept API tokens that are signed well, though not in\nthe store");
  flags->Value("--log", "text|json|off", "A line a request on standard error; text unless given");
  flags->Value("--api-version", "V", "What /v0/server/version says; 0.6.12 unless given");
  flags->Value("--guess-burst", "N",
               "Failed guesses that an address has at once; 200 unless\ngiven, 0 = no limit");
  flags->Value("--guess-rate", "N",
               "Failed guesses that it gets back a second; 10 unless\ngiven, 0 = no limit");
  flags->Repeatable("--trusted-proxy", "CIDR",
                    "A proxy whose X-Forwarded-For is believed; may be\n"
                    "repeated (in the environment: with commas)");
  flags->Value("--threads", "N", "Threads that serve; one a core unless given");
  flags->Value("--request-timeout", "SECONDS",
               "How long a client may take to send a request, and again\n"
               "to take the reply; 30 unless given");
  flags->Value("--drain", "SECONDS",
               "How long requests in progress may take when it stops;\n30 unless given");
  flags->Value("--clock-file", "FILE", "For tests: the time is what this file says (Unix seconds)");
  flags->Switch("--routes", "Print METHOD PATH of every operation and exit");
}

uint32_t ReadWhole(const Flags& flags, const std::string& flag, uint32_t min, uint32_t max,
                   uint32_t unless_given) {
  const std::optional<Given> given = flags.Find(flag);
  if (!given) return unless_given;
  const std::string& text = given->value();
  const char* end = text.data() + text.size();
  uint32_t value = 0;
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || value < min || value > max) {
    Refuse(given->source,
           "it is a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return value;
}

// Any text that is not empty, not endless, and holds no control character.
std::string ReadText(const Flags& flags, const std::string& flag, const std::string& unless_given,
                     size_t bytes_max = kTextBytesMax) {
  const std::optional<Given> given = flags.Find(flag);
  if (!given) return unless_given;
  const std::string& text = given->value();
  const bool control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (text.empty() || text.size() > bytes_max || control) {
    Refuse(given->source, "it is a text of 1 to " + std::to_string(bytes_max) +
                              " bytes without control characters");
  }
  return text;
}

Endpoint ReadEndpoint(const Flags& flags, const std::string& flag,
                      const std::string& unless_given) {
  const std::optional<Given> given = flags.Find(flag);
  const std::optional<Endpoint> endpoint = ParseEndpoint(given ? given->value() : unless_given);
  if (!endpoint) {
    Refuse(given->source, "it is an address and a port, such as 127.0.0.1:61016 or [::1]:61016");
  }
  return *endpoint;
}

std::string ReadApiVersion(const Flags& flags, const std::string& unless_given) {
  const std::string text = ReadText(flags, "--api-version", unless_given);
  const bool plain = text.find_first_not_of(
                         "0123456789abcdefghijklmnopqrstuvwxyz"
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ.+-") == std::string::npos;
  if (!plain || text.size() > 64) {
    Refuse(flags.Find("--api-version")->source, "it is a version such as 0.6.12");
  }
  return text;
}

Log::Format ReadLogFormat(const Flags& flags) {
  const std::optional<Given> given = flags.Find("--log");
  if (!given || given->value() == "text") return Log::Format::kText;
  if (given->value() == "json") return Log::Format::kJson;
  if (given->value() == "off") return Log::Format::kOff;
  Refuse(given->source, "it is text, json or off");
}

AddressSet ReadTrustedProxies(const Flags& flags) {
  AddressSet proxies;
  const std::optional<Given> given = flags.Find("--trusted-proxy");
  if (!given) return proxies;
  for (const std::string& value : given->values) {
    for (size_t begin = 0; begin <= value.size();) {
      const size_t end = std::min(value.find(',', begin), value.size());
      if (!proxies.AddCidr(std::string_view(value).substr(begin, end - begin))) {
        Refuse(given->source,
               "it is an address, or a network such as 10.0.0.0/8 with no bit set behind the /");
      }
      begin = end + 1;
    }
  }
  return proxies;
}

void ReadTls(const Flags& flags, Options* options) {
  options->tls_cert_path = ReadText(flags, "--tls-cert", "");
  options->tls_key_path = ReadText(flags, "--tls-key", "");
  options->require_tls = flags.IsOn("--require-tls");
  if (options->tls_cert_path.empty() != options->tls_key_path.empty()) {
    Refuse(options->tls_cert_path.empty() ? "--tls-key" : "--tls-cert",
           "a certificate and its key are given together: --tls-cert and --tls-key");
  }
  if (options->require_tls && !options->tls() && !options->listen.address.IsLoopback()) {
    Refuse("--require-tls",
           "--listen is beyond this machine, which needs --tls-cert and --tls-key");
  }
}

void ReadBackups(const Flags& flags, Options* options) {
  constexpr uint32_t kMinute = 60;
  constexpr uint32_t kYear = 365 * 24 * 60 * 60;
  options->backup_path = ReadText(flags, "--backup-dir", "");
  for (const char* flag : {"--backup-every", "--backup-keep"}) {
    const std::optional<Given> given = flags.Find(flag);
    if (given && options->backup_path.empty()) {
      Refuse(given->source, "there are no backups without --backup-dir");
    }
  }
  options->backup_every_s =
      ReadWhole(flags, "--backup-every", kMinute, kYear, options->backup_every_s);
  options->backup_keep = ReadWhole(flags, "--backup-keep", 1, 1000, options->backup_keep);
}

// In MiB, from 1 MiB to 1 TiB; 0 = not given.
uint64_t ReadBudget(const Flags& flags, const std::string& flag) {
  return uint64_t{ReadWhole(flags, flag, 1, 1u << 20, 0)} << 20;
}

Options Read(const Flags& flags) {
  Options options;
  options.store_path = ReadText(flags, "--store", options.store_path);
  // "data/" and "data" are one folder, and have one pepper beside it.
  while (options.store_path.size() > 1 && options.store_path.back() == '/') {
    options.store_path.pop_back();
  }
  options.pepper_path = ReadText(flags, "--pepper-file", "");
  options.create = flags.IsOn("--create");
  options.memory_budget_bytes = ReadBudget(flags, "--memory-budget");
  options.directory_budget_bytes = ReadBudget(flags, "--directory-budget");
  ReadBackups(flags, &options);
  options.listen = ReadEndpoint(flags, "--listen", kListenDefault);
  const std::optional<Given> metrics = flags.Find("--metrics-listen");
  if (!metrics || metrics->value() != "off") {
    options.metrics_listen = ReadEndpoint(flags, "--metrics-listen", kMetricsListenDefault);
  }
  ReadTls(flags, &options);
  options.jwt_secret_path = ReadText(flags, "--jwt-secret-file", "");
  options.issuer = ReadText(flags, "--issuer", options.issuer, kIssuerBytesMax);
  options.accept_untracked_tokens = flags.IsOn("--accept-untracked-tokens");
  if (options.accept_untracked_tokens && options.jwt_secret_path.empty()) {
    Refuse("--accept-untracked-tokens", "their signatures are checked with --jwt-secret-file");
  }
  options.log = ReadLogFormat(flags);
  options.api_version = ReadApiVersion(flags, options.api_version);
  options.guess_burst = ReadWhole(flags, "--guess-burst", 0, 1'000'000, options.guess_burst);
  options.guess_rate_per_s =
      ReadWhole(flags, "--guess-rate", 0, 1'000'000, options.guess_rate_per_s);
  // Nothing comes back at 0 a second: whoever says 0 means no limit, and not one for ever.
  if (options.guess_rate_per_s == 0) options.guess_burst = 0;
  options.trusted_proxies = ReadTrustedProxies(flags);
  options.threads = ReadWhole(flags, "--threads", 1, 256,
                              std::clamp(std::thread::hardware_concurrency(), 1u, 64u));
  options.request_timeout_s =
      ReadWhole(flags, "--request-timeout", 1, 3600, options.request_timeout_s);
  options.drain_s = ReadWhole(flags, "--drain", 0, 3600, options.drain_s);
  options.clock_path = ReadText(flags, "--clock-file", "");
  return options;
}

// An argument that looks like a flag is named, without its value; no other is, as it may be a
// secret.
std::string NameOfUnknown(const std::string& argument) {
  const std::string name = argument.substr(0, argument.find('='));
  const bool shown = name.size() > 2 && name.size() <= 32 && name.starts_with("--") &&
                     name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string::npos;
  return shown ? name : "an argument";
}

}  // namespace

Options ParseOptions(int argc, const char* const* argv) {
  CLI::App app("Serves a latchkey store over REST: issues, verifies, revokes and lists API keys.",
               "latchkeyd");
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  Flags flags(&app);
  Declare(&flags);
  app.set_help_flag("-h,--help", "Print this and exit");
  app.set_version_flag("--version", std::string("latchkeyd ") + LATCHKEY_VERSION,
                       "Print the version and exit");
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  for (const std::string& argument : arguments) {
    // CLI11 takes the next argument for the value of "--flag=".
    if (argument.ends_with('=')) Refuse(NameOfUnknown(argument), "the value is missing");
  }
  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForVersion& version) {
    throw HelpAsked(std::string(version.what()) + "\n");
  } catch (const CLI::Success&) {
    throw HelpAsked(app.help());
  } catch (const CLI::ExtrasError&) {
    Refuse(NameOfUnknown(app.remaining().front()), "not understood");
  } catch (const CLI::ArgumentMismatch& mismatch) {
    Refuse("wrong usage", mismatch.what());  // names a flag and a number, no value
  } catch (const CLI::ParseError&) {
    Refuse("wrong usage", "the command line is not understood");
  }
  Options options = Read(flags);
  options.routes = app.get_option("--routes")->count() > 0;
  return options;
}

}  // namespace latchkey::http
