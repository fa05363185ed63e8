#include "metrics.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <utility>

namespace latchkey::http {
namespace {

// The codes that the host answers with, and 0 for clients that were gone before; any other is
// counted as "other".
constexpr int kCodeNumbers[] = {0,   200, 201, 204, 400, 401, 403, 404, 405,
                                409, 413, 414, 429, 431, 500, 503, 507};

// Upper bounds. A verification takes some ten microseconds, a change one fsync.
struct Bound {
  int64_t us;
  const char* seconds;
};
constexpr Bound kBounds[] = {
    {25, "0.000025"}, {50, "0.00005"},   {100, "0.0001"},   {250, "0.00025"}, {500, "0.0005"},
    {1'000, "0.001"}, {2'500, "0.0025"}, {5'000, "0.005"},  {10'000, "0.01"}, {25'000, "0.025"},
    {50'000, "0.05"}, {100'000, "0.1"},  {250'000, "0.25"}, {500'000, "0.5"}, {1'000'000, "1"},
    {5'000'000, "5"}, {30'000'000, "30"}};

// Requests that no operation answered: unknown paths and methods, and OPTIONS.
constexpr RouteName kOtherRoute = {"other", "other"};

constexpr const char* kKindWords[] = {"none", "user_token", "user_key", "project_key", "other"};

void Head(std::string* out, const char* name, const char* type, const char* help) {
  out->append("# HELP ").append(name).append(" ").append(help);
  out->append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

// One sample; `labels` is empty or what stands between the braces.
template <typename Number>
void Sample(std::string* out, const char* name, std::string_view labels, Number value) {
  out->append(name);
  if (!labels.empty()) out->append("{").append(labels).append("}");
  out->append(" ").append(std::to_string(value)).append("\n");
}

template <typename Number>
void Single(std::string* out, const char* name, const char* type, const char* help, Number value) {
  Head(out, name, type, help);
  Sample(out, name, "", value);
}

// Seconds, exact to the microsecond, which a double in text would not be for long.
std::string SecondsText(uint64_t us) {
  char text[48];
  std::snprintf(text, sizeof text, "%" PRIu64 ".%06" PRIu64, us / 1'000'000, us % 1'000'000);
  return text;
}

// Paths and methods are literals of the host and hold nothing that had to be escaped.
std::string RouteLabels(const RouteName& name) {
  std::string labels = "route=\"";
  return labels.append(name.path).append("\",method=\"").append(name.method).append("\"");
}

void RenderStats(std::string* out, const latchkey_stats& stats) {
  Single(out, "latchkey_commits_total", "counter", "Groups of changes written, one fsync each.",
         stats.commits);
  Single(out, "latchkey_commands_total", "counter", "Changes asked for.", stats.commands);
  Single(out, "latchkey_event_number", "gauge", "Number of the latest committed change.",
         stats.event_number);
  Single(out, "latchkey_users", "gauge", "Users that are not deleted.", stats.users);
  Single(out, "latchkey_projects", "gauge", "Projects that are not deleted.", stats.projects);
  Head(out, "latchkey_credentials", "gauge", "Credentials; expired ones count as active.");
  Sample(out, "latchkey_credentials", "state=\"active\"", stats.active);
  Sample(out, "latchkey_credentials", "state=\"revoked\"", stats.revoked);
  Single(out, "latchkey_sweeps_pending", "gauge",
         "Mass revocations in force that are still being written out.", stats.sweeps_pending);
  Single(out, "latchkey_verify_table_bytes", "gauge", "Memory of the table that verifies.",
         stats.verify_table_bytes);
  Single(out, "latchkey_verify_table_missing", "gauge",
         "Credentials that are answered from the store.", stats.verify_table_missing);
  Single(out, "latchkey_loading", "gauge", "1 while the store is being loaded.", stats.loading);
  Single(out, "latchkey_directory_bytes", "gauge", "Memory of the lists in use.",
         stats.directory_bytes);
  Single(out, "latchkey_disk_bytes", "gauge", "Size of the store on the device.", stats.disk_bytes);
  Single(out, "latchkey_log_bytes", "gauge", "Size of the store's log files.", stats.log_bytes);
  Single(out, "latchkey_time_seconds", "gauge", "The Unix time that verdicts use.", stats.time_s);
  Single(out, "latchkey_clock_jump_pending", "gauge",
         "1 while the clock has jumped ahead and nobody has said that it is right.",
         stats.clock_jump_pending);
}

}  // namespace

Metrics::Metrics(std::vector<RouteName> routes)
    : names_(std::move(routes)), routes_(names_.size() + 1) {
  static_assert(std::size(kCodeNumbers) + 1 == kCodes);
  static_assert(std::size(kBounds) + 1 == kBuckets);
  static_assert(std::size(kKindWords) == kKinds);
  static_assert(LATCHKEY_REASON_SCOPE + 2 == kReasons);
}

void Metrics::CountRequest(size_t route, int status, int64_t duration_us) {
  Route& counted = routes_[std::min(route, names_.size())];
  const auto code = std::find(std::begin(kCodeNumbers), std::end(kCodeNumbers), status);
  Add(&counted.codes[static_cast<size_t>(code - std::begin(kCodeNumbers))]);
  const int64_t us = std::max<int64_t>(duration_us, 0);
  const auto bound = std::lower_bound(std::begin(kBounds), std::end(kBounds), us,
                                      [](const Bound& b, int64_t value) { return b.us < value; });
  Add(&counted.buckets[static_cast<size_t>(bound - std::begin(kBounds))]);
  Add(&counted.total_us, static_cast<uint64_t>(us));
}

void Metrics::CountVerdict(uint32_t kind, uint32_t reason) {
  Add(&verdicts_[std::min<size_t>(kind, kKinds - 1)][std::min<size_t>(reason, kReasons - 1)]);
}

std::string Metrics::Render(const MetricsMoment& moment) const {
  std::string out;
  Single(&out, "latchkey_ready", "gauge", "1 while requests are served, as /readyz says.",
         moment.ready ? 1 : 0);
  Head(&out, "latchkey_build_info", "gauge", "Always 1; the version is in the label.");
  Sample(&out, "latchkey_build_info", "version=\"" LATCHKEY_VERSION "\"", 1);
  RenderRequests(&out);
  RenderDurations(&out);
  Single(&out, "latchkey_connections", "gauge", "Open connections.",
         connections_.load(std::memory_order_relaxed));
  RenderVerdicts(&out);
  Single(&out, "latchkey_guesses_throttled_total", "counter",
         "Failed guesses that were answered 429.",
         throttled_guesses_.load(std::memory_order_relaxed));
  Single(&out, "latchkey_guess_addresses", "gauge", "Addresses with a bucket of guesses.",
         moment.throttled_addresses);
  Single(&out, "latchkey_backup_timestamp_seconds", "gauge",
         "The Unix time of the newest backup that --backup-dir has; 0 = there is none.",
         backup_s_.load(std::memory_order_relaxed));
  Single(&out, "latchkey_backup_failures_total", "counter", "Backups that could not be made.",
         failed_backups_.load(std::memory_order_relaxed));
  if (moment.stats != nullptr) RenderStats(&out, *moment.stats);
  return out;
}

void Metrics::RenderRequests(std::string* out) const {
  constexpr const char* kName = "latchkey_http_requests_total";
  Head(out, kName, "counter",
       "Requests by operation and status code; 0 = the client was gone before the reply.");
  for (size_t r = 0; r < routes_.size(); ++r) {
    const std::string route = RouteLabels(r < names_.size() ? names_[r] : kOtherRoute);
    for (size_t c = 0; c < kCodes; ++c) {
      const uint64_t n = routes_[r].codes[c].load(std::memory_order_relaxed);
      if (n == 0) continue;  // most operations never answer with most codes
      const std::string code =
          c < std::size(kCodeNumbers) ? std::to_string(kCodeNumbers[c]) : "other";
      Sample(out, kName, route + ",code=\"" + code + "\"", n);
    }
  }
}

void Metrics::RenderDurations(std::string* out) const {
  Head(out, "latchkey_http_request_duration_seconds", "histogram",
       "From the first line of a request until its reply is sent.");
  for (size_t r = 0; r < routes_.size(); ++r) {
    // Each counter once, so that the buckets, their +Inf and the count agree with one another.
    std::array<uint64_t, kBuckets> upto = {};
    uint64_t n = 0;
    for (size_t b = 0; b < kBuckets; ++b) {
      n += routes_[r].buckets[b].load(std::memory_order_relaxed);
      upto[b] = n;
    }
    if (n == 0) continue;
    const std::string route = RouteLabels(r < names_.size() ? names_[r] : kOtherRoute);
    for (size_t b = 0; b < kBuckets; ++b) {
      const std::string bound = b < std::size(kBounds) ? kBounds[b].seconds : "+Inf";
      Sample(out, "latchkey_http_request_duration_seconds_bucket", route + ",le=\"" + bound + "\"",
             upto[b]);
    }
    const std::string total = SecondsText(routes_[r].total_us.load(std::memory_order_relaxed));
    out->append("latchkey_http_request_duration_seconds_sum{")
        .append(route)
        .append("} ")
        .append(total)
        .append("\n");
    Sample(out, "latchkey_http_request_duration_seconds_count", route, n);
  }
}

void Metrics::RenderVerdicts(std::string* out) const {
  constexpr const char* kName = "latchkey_verdicts_total";
  Head(out, kName, "counter", "Credentials judged, by kind and reason.");
  for (size_t k = 0; k < kKinds; ++k) {
    for (size_t r = 0; r < kReasons; ++r) {
      const uint64_t n = verdicts_[k][r].load(std::memory_order_relaxed);
      if (n == 0) continue;
      std::string labels = std::string("kind=\"") + kKindWords[k] + "\",reason=\"";
      labels.append(ReasonWord(static_cast<uint32_t>(r)).text()).append("\"");
      Sample(out, kName, labels, n);
    }
  }
}

}  // namespace latchkey::http
