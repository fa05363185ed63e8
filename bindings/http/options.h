// latchkeyd's command line and environment.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "address.h"
#include "limits.h"
#include "log.h"

namespace latchkey::http {

struct Options {
  std::string store_path = "./latchkey-data";
  std::string pepper_path = {};         // empty = the store's default
  bool create = false;                  // make the store when there is none
  uint64_t memory_budget_bytes = 0;     // 0 = what the table of credentials needs
  uint64_t directory_budget_bytes = 0;  // 0 = the library's default

  std::string backup_path = {};  // empty = no backups are made
  uint32_t backup_every_s = 24 * 60 * 60;
  uint32_t backup_keep = 7;

  Endpoint listen = {};
  std::optional<Endpoint> metrics_listen = {};  // none = off

  std::string tls_cert_path = {};  // empty = plain HTTP; then tls_key_path is empty as well
  std::string tls_key_path = {};
  bool require_tls = false;

  std::string jwt_secret_path = {};  // empty = no JWT can be checked
  std::string issuer = "http://localhost:3000/";
  bool accept_untracked_tokens = false;

  Log::Format log = Log::Format::kText;
  std::string api_version = "0.6.12";

  uint32_t guess_burst = 200;  // 0 = guesses are not throttled
  uint32_t guess_rate_per_s = 10;
  AddressSet trusted_proxies = {};

  uint32_t threads = 0;  // never 0 as parsed: one a core unless given
  uint32_t request_timeout_s = limits::kRequestTimeoutS;
  uint32_t drain_s = 30;
  std::string clock_path = {};  // empty = the system's clock

  bool routes = false;  // print the routes and exit

  bool tls() const { return !tls_cert_path.empty(); }
};

// Wrong usage. what() is ready for standard error, a line feed at its end included; exit code 2.
// It never holds what looks like a secret.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// --help or --version was asked for. what() is for standard output; exit code 0.
class HelpAsked : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Flags, then LATCHKEY_<FLAG> from the environment, then the defaults. Throws the two above.
Options ParseOptions(int argc, const char* const* argv);

}  // namespace latchkey::http
