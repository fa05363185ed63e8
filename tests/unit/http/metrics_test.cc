// What Prometheus reads: the format, and that every count arrives where it belongs.
#include "bindings/http/metrics.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace latchkey::http {
namespace {

std::vector<RouteName> Routes() {
  return {{"GET", "/v0/users/{user}/keys"}, {"POST", "/v0/verify"}};
}

using Samples = std::map<std::string, std::string>;

constexpr std::string_view kNameBytes = "abcdefghijklmnopqrstuvwxyz_";

// Whether `text` is a="x",b="y" with no character that had to be escaped.
bool AreLabels(std::string_view text) {
  while (true) {
    const size_t name = text.find_first_not_of(kNameBytes);
    if (name == 0 || name == std::string_view::npos || !text.substr(name).starts_with("=\"")) {
      return false;
    }
    text.remove_prefix(name + 2);
    const size_t value = text.find_first_of("\"\\\n");
    if (value == std::string_view::npos || text[value] != '"') return false;
    text.remove_prefix(value + 1);
    if (text.empty()) return true;
    if (text.front() != ',') return false;
    text.remove_prefix(1);
  }
}

// Adds "name{labels} number" to the samples; false when it is not that, or there already.
bool AddSample(std::string_view line, std::string_view family, Samples* samples) {
  const size_t space = line.rfind(' ');
  if (space == std::string_view::npos || space + 1 == line.size()) return false;
  const std::string_view key = line.substr(0, space);
  const std::string_view number = line.substr(space + 1);
  if (number.find_first_not_of("-0123456789.") != std::string_view::npos) return false;
  const size_t brace = key.find('{');
  const std::string_view name = key.substr(0, brace);
  if (!name.starts_with(family)) return false;
  if (name.find_first_not_of(kNameBytes) != std::string_view::npos) return false;
  if (brace != std::string_view::npos) {
    if (key.back() != '}') return false;
    if (!AreLabels(key.substr(brace + 1, key.size() - brace - 2))) return false;
  }
  return samples->emplace(key, number).second;
}

// Checks the text against the rules of format 0.0.4, and returns its samples.
Samples Parse(const std::string& text) {
  Samples samples;
  std::set<std::string> families;
  std::string family;
  std::istringstream lines(text);
  EXPECT_TRUE(text.ends_with('\n'));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# HELP ")) {
      EXPECT_TRUE(AddSample(line, family, &samples)) << line << " under " << family;
      continue;
    }
    family = line.substr(7, line.find(' ', 7) - 7);
    EXPECT_TRUE(families.insert(family).second) << "a family twice: " << family;
    EXPECT_TRUE(std::getline(lines, line));
    EXPECT_TRUE(line.starts_with("# TYPE " + family + " ")) << line;
    const std::string type = line.substr(line.rfind(' ') + 1);
    EXPECT_TRUE(type == "counter" || type == "gauge" || type == "histogram") << line;
    EXPECT_EQ(type == "counter", family.ends_with("_total")) << line;
  }
  return samples;
}

std::string At(const Samples& samples, const std::string& name) {
  const auto found = samples.find(name);
  return found == samples.end() ? "(missing)" : found->second;
}

TEST(Metrics, CountsRequestsByOperationAndCode) {
  Metrics metrics(Routes());
  metrics.CountRequest(0, 200, 10);
  metrics.CountRequest(0, 200, 10);
  metrics.CountRequest(0, 401, 10);
  metrics.CountRequest(1, 200, 10);
  metrics.CountRequest(1, 418, 10);
  metrics.CountRequest(kNoRoute, 404, 10);
  metrics.CountRequest(2, 404, 10);
  const Samples samples = Parse(metrics.Render({}));
  const std::string name = "latchkey_http_requests_total";
  const std::string keys = R"({route="/v0/users/{user}/keys",method="GET",code=)";
  const std::string verify = R"({route="/v0/verify",method="POST",code=)";
  EXPECT_EQ(At(samples, name + keys + "\"200\"}"), "2");
  EXPECT_EQ(At(samples, name + keys + "\"401\"}"), "1");
  EXPECT_EQ(At(samples, name + keys + "\"404\"}"), "(missing)");
  EXPECT_EQ(At(samples, name + verify + "\"200\"}"), "1");
  EXPECT_EQ(At(samples, name + verify + "\"other\"}"), "1");
  EXPECT_EQ(At(samples, name + R"({route="other",method="other",code="404"})"), "2");
}

TEST(Metrics, EveryCodeOfTheHostHasItsOwn) {
  for (int code :
       {0, 200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 414, 429, 431, 500, 503, 507}) {
    Metrics metrics(Routes());
    metrics.CountRequest(1, code, 0);
    EXPECT_EQ(At(Parse(metrics.Render({})),
                 R"(latchkey_http_requests_total{route="/v0/verify",method="POST",code=")" +
                     std::to_string(code) + "\"}"),
              "1");
  }
}

TEST(Metrics, HistogramsAreCumulative) {
  Metrics metrics(Routes());
  for (int64_t us : {-5, 0, 25, 26, 1'000, 1'001, 30'000'000, 30'000'001, 90'000'000}) {
    metrics.CountRequest(1, 200, us);
  }
  const Samples samples = Parse(metrics.Render({}));
  const std::string name = "latchkey_http_request_duration_seconds";
  const std::string route = R"(route="/v0/verify",method="POST")";
  const auto bucket = [&](const char* bound) {
    return At(samples, name + "_bucket{" + route + ",le=\"" + bound + "\"}");
  };
  EXPECT_EQ(bucket("0.000025"), "3");  // a bound is in its own bucket
  EXPECT_EQ(bucket("0.00005"), "4");
  EXPECT_EQ(bucket("0.0005"), "4");
  EXPECT_EQ(bucket("0.001"), "5");
  EXPECT_EQ(bucket("0.0025"), "6");
  EXPECT_EQ(bucket("5"), "6");
  EXPECT_EQ(bucket("30"), "7");
  EXPECT_EQ(bucket("+Inf"), "9");
  EXPECT_EQ(At(samples, name + "_count{" + route + "}"), "9");
  EXPECT_EQ(At(samples, name + "_sum{" + route + "}"), "150.002053");
  // No other operation has been called.
  for (const auto& [sample, value] : samples) {
    EXPECT_EQ(sample.find("/keys"), std::string::npos) << sample;
  }
}

TEST(Metrics, CountsVerdictsByKindAndReason) {
  Metrics metrics(Routes());
  metrics.CountVerdict(LATCHKEY_KIND_USER_KEY, LATCHKEY_REASON_ALLOWED);
  metrics.CountVerdict(LATCHKEY_KIND_USER_KEY, LATCHKEY_REASON_ALLOWED);
  metrics.CountVerdict(LATCHKEY_KIND_PROJECT_KEY, LATCHKEY_REASON_REVOKED);
  metrics.CountVerdict(LATCHKEY_KIND_USER_TOKEN, LATCHKEY_REASON_SCOPE);
  metrics.CountVerdict(0, LATCHKEY_REASON_UNKNOWN);
  metrics.CountVerdict(LATCHKEY_KIND_HOST_MIN, LATCHKEY_REASON_ALLOWED);
  metrics.CountVerdict(LATCHKEY_KIND_HOST_MAX, LATCHKEY_REASON_ALLOWED);
  metrics.CountVerdict(UINT32_MAX, UINT32_MAX);
  const Samples samples = Parse(metrics.Render({}));
  const std::string name = "latchkey_verdicts_total";
  EXPECT_EQ(At(samples, name + R"({kind="user_key",reason="allowed"})"), "2");
  EXPECT_EQ(At(samples, name + R"({kind="project_key",reason="revoked"})"), "1");
  EXPECT_EQ(At(samples, name + R"({kind="user_token",reason="scope"})"), "1");
  EXPECT_EQ(At(samples, name + R"({kind="none",reason="unknown"})"), "1");
  EXPECT_EQ(At(samples, name + R"({kind="other",reason="allowed"})"), "2");
  EXPECT_EQ(At(samples, name + R"({kind="other",reason="other"})"), "1");
}

TEST(Metrics, GaugesAndTheStore) {
  Metrics metrics(Routes());
  metrics.ConnectionOpened();
  metrics.ConnectionOpened();
  metrics.ConnectionClosed();
  metrics.CountThrottledGuess();
  Samples samples = Parse(metrics.Render({}));
  EXPECT_EQ(At(samples, "latchkey_ready"), "0");
  EXPECT_EQ(At(samples, "latchkey_users"), "(missing)");  // the store is still opening
  EXPECT_EQ(At(samples, "latchkey_build_info{version=\"" LATCHKEY_VERSION "\"}"), "1");

  latchkey_stats stats = {};
  stats.event_number = UINT64_MAX;
  stats.users = 1;
  stats.projects = 2;
  stats.active = 3;
  stats.revoked = 4;
  stats.sweeps_pending = 5;
  stats.commits = 6;
  stats.commands = 7;
  stats.verify_table_bytes = 8;
  stats.directory_bytes = 9;
  stats.disk_bytes = 10;
  stats.log_bytes = 11;
  stats.time_s = 1'795'000'000;
  stats.clock_jump_pending = 1;
  stats.verify_table_missing = 13;
  stats.loading = 1;
  metrics.BackupMade(1'795'000'001);
  metrics.CountFailedBackup();
  samples = Parse(metrics.Render({.stats = &stats, .ready = true, .throttled_addresses = 12}));
  const std::pair<const char*, const char*> kExpected[] = {
      {"latchkey_ready", "1"},
      {"latchkey_connections", "1"},
      {"latchkey_guesses_throttled_total", "1"},
      {"latchkey_guess_addresses", "12"},
      {"latchkey_backup_timestamp_seconds", "1795000001"},
      {"latchkey_backup_failures_total", "1"},
      {"latchkey_event_number", "18446744073709551615"},
      {"latchkey_users", "1"},
      {"latchkey_projects", "2"},
      {"latchkey_credentials{state=\"active\"}", "3"},
      {"latchkey_credentials{state=\"revoked\"}", "4"},
      {"latchkey_sweeps_pending", "5"},
      {"latchkey_commits_total", "6"},
      {"latchkey_commands_total", "7"},
      {"latchkey_verify_table_bytes", "8"},
      {"latchkey_directory_bytes", "9"},
      {"latchkey_disk_bytes", "10"},
      {"latchkey_log_bytes", "11"},
      {"latchkey_time_seconds", "1795000000"},
      {"latchkey_clock_jump_pending", "1"},
      {"latchkey_verify_table_missing", "13"},
      {"latchkey_loading", "1"},
  };
  for (const auto& [name, value] : kExpected) EXPECT_EQ(At(samples, name), value) << name;
}

TEST(Metrics, NothingIsLostBetweenThreads) {
  Metrics metrics(Routes());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        metrics.CountRequest(0, 200, i);
        metrics.CountVerdict(LATCHKEY_KIND_USER_KEY, LATCHKEY_REASON_ALLOWED);
        if (i % 1000 == 0) Parse(metrics.Render({}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Samples samples = Parse(metrics.Render({}));
  const std::string route = R"(route="/v0/users/{user}/keys",method="GET")";
  EXPECT_EQ(At(samples, "latchkey_http_requests_total{" + route + ",code=\"200\"}"), "20000");
  EXPECT_EQ(At(samples, "latchkey_http_request_duration_seconds_count{" + route + "}"), "20000");
  EXPECT_EQ(At(samples, R"(latchkey_verdicts_total{kind="user_key",reason="allowed"})"), "20000");
}

}  // namespace
}  // namespace latchkey::http
