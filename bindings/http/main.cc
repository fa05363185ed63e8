// latchkeyd: the host. Opens a store, serves it over HTTP, and closes it cleanly.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include <cstdio>
#include <exception>

#include "backups.h"
#include "clock_file.h"
#include "limits.h"
#include "listen.h"
#include "metrics_site.h"
#include "options.h"
#include "signals.h"
#include "site.h"

namespace latchkey::http {
namespace {

enum ExitCode { kDone = 0, kRefused = 1, kUsage = 2, kFailure = 3 };

void Say(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

// What is in memory is secret: no core dump, and no other process of the same user looks into it.
void KeepMemoryPrivate() {
  prctl(PR_SET_DUMPABLE, 0);
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

void Reload(Host* host, Tls* tls) {
  try {
    host->LoadJwtSecret();
    if (tls != nullptr) tls->Reload();
    host->log().Say(Log::Level::kInfo, "reloaded the certificate and the JWT secret");
  } catch (const std::exception& error) {
    host->log().Say(Log::Level::kError, std::string(error.what()) + "; the old one stays");
  }
}

void WarnOfPlainHttp(const Options& options, const Endpoint& endpoint, const Log& log) {
  if (options.tls() || endpoint.address.IsLoopback()) return;
  if (options.require_tls) {
    throw std::runtime_error(
        "--require-tls: plain HTTP beyond loopback is refused; give --tls-cert and --tls-key");
  }
  log.Say(Log::Level::kWarning,
          "plain HTTP beyond loopback: keys travel in the clear; give --tls-cert and --tls-key, or "
          "put a proxy with TLS before it");
}

latchkey_open_options OpenOptions(const Options& options, Log* log, ClockFile* clock) {
  auto open = sized<latchkey_open_options>();
  open.path = options.store_path.c_str();
  open.pepper_path = options.pepper_path.empty() ? nullptr : options.pepper_path.c_str();
  open.mode = options.create ? LATCHKEY_OPEN_OR_CREATE : LATCHKEY_OPEN_EXISTING;
  open.memory_budget_bytes = options.memory_budget_bytes;
  open.directory_budget_bytes = options.directory_budget_bytes;
  open.log = Log::Sink;
  open.log_context = log;
  if (clock != nullptr) {
    open.clock = ClockFile::Read;
    open.clock_context = clock;
  }
  return open;
}

const char* RemedyOf(latchkey_code code) {
  switch (code) {
    case LATCHKEY_NOT_FOUND:
      return "; make one with latchkey init or --create, or name another with --store";
    case LATCHKEY_BUSY:
      return "; another process holds the store: stop it first";
    case LATCHKEY_WRONG_PEPPER:
      return "; give the pepper that was made with this store (--pepper-file), mode 0600";
    default:
      return "";
  }
}

int Serve(const Options& options, Signals* signals) {
  Log log(options.log, RouteNames());
  Metrics metrics(RouteNames());
  Host host(&options, &log, &metrics);
  std::unique_ptr<ClockFile> clock;
  if (!options.clock_path.empty()) clock = std::make_unique<ClockFile>(options.clock_path);
  std::unique_ptr<Tls> tls;
  if (options.tls()) tls = std::make_unique<Tls>(options.tls_cert_path, options.tls_key_path);
  host.LoadJwtSecret();

  Site site(&host);
  ServerSettings settings;
  settings.listen_fd = ListenOrTakeOver(options.listen);
  settings.threads = options.threads;
  settings.workers = limits::kWorkers;
  settings.request_timeout_s = options.request_timeout_s;
  settings.limit_per_address = options.trusted_proxies.empty();
  settings.tls = tls.get();
  settings.trusted_proxies = options.trusted_proxies;
  const Endpoint endpoint = LocalEndpoint(settings.listen_fd);
  WarnOfPlainHttp(options, endpoint, log);
  auto server = std::make_unique<Server>(settings, &site, &log);

  MetricsSite metrics_site(&host);
  std::unique_ptr<Server> metrics_server;
  Endpoint metrics_endpoint;
  if (options.metrics_listen) {
    ServerSettings plain;
    plain.listen_fd = Listen(*options.metrics_listen);
    plain.request_timeout_s = options.request_timeout_s;
    metrics_endpoint = LocalEndpoint(plain.listen_fd);
    metrics_server = std::make_unique<Server>(plain, &metrics_site, &log);
  }

  // From here on whoever asks is told to come again; a large store takes seconds to open.
  host.Open(OpenOptions(options, &log, clock.get()));
  std::optional<Backups> backups;
  if (!options.backup_path.empty()) backups.emplace(&host);
  signals->OnHangup([&] { Reload(&host, tls.get()); });
  if (!signals->end_asked()) {
    Say(std::string("latchkeyd ready on ") + (tls ? "https://" : "http://") + endpoint.ToText() +
        "\n");
    if (metrics_server) {
      Say("latchkeyd metrics on http://" + metrics_endpoint.ToText() + "/metrics\n");
    }
    sd_notify(/*unset_environment=*/0, "READY=1");
  }
  signals->WaitForEnd();

  sd_notify(/*unset_environment=*/0, "STOPPING=1");
  signals->OnHangup(nullptr);
  host.Drain();
  if (!server->Drain(options.drain_s)) {
    log.Say(Log::Level::kWarning, "some requests were not finished in time, and are cut");
  }
  server.reset();
  metrics_server.reset();
  backups.reset();
  host.Close();
  return kDone;
}

int Main(int argc, char** argv) {
  try {
    const Options options = ParseOptions(argc, argv);
    if (options.routes) {
      for (const Route& route : Routes()) {
        Say(std::string(route.method) + " " + route.path + "\n");
      }
      return kDone;
    }
    KeepMemoryPrivate();
    Signals signals;
    return Serve(options, &signals);
  } catch (const HelpAsked& help) {
    Say(help.what());
    return kDone;
  } catch (const UsageError& error) {
    std::fputs(error.what(), stderr);
    return kUsage;
  } catch (const Error& error) {
    std::fprintf(stderr, "latchkeyd: store: %s%s\n", error.what(), RemedyOf(error.code()));
    return error.code() == LATCHKEY_NOT_FOUND ? kRefused : kFailure;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "latchkeyd: %s\n", error.what());
    return kFailure;
  }
}

}  // namespace
}  // namespace latchkey::http

int main(int argc, char** argv) { return latchkey::http::Main(argc, argv); }
