// What the host counts, and how Prometheus reads it.
#pragma once

#include <latchkey/latchkey.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "log.h"

namespace latchkey::http {

// What others know at the moment of a scrape.
struct MetricsMoment {
  const latchkey_stats* stats = nullptr;  // NULL while the store is opening
  bool ready = false;                     // as /readyz answers
  size_t throttled_addresses = 0;         // GuessThrottle::Addresses()
};

// Methods may be called from any thread; those that count take no lock and allocate nothing.
class Metrics {
 public:
  explicit Metrics(std::vector<RouteName> routes);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `route` is a place in the routes, or kNoRoute; `status` 0 = there was no reply.
  void CountRequest(size_t route, int status, int64_t duration_us);
  // LATCHKEY_KIND_* (0 = not known), LATCHKEY_REASON_*.
  void CountVerdict(uint32_t kind, uint32_t reason);
  void CountThrottledGuess() { Add(&throttled_guesses_); }
  void CountFailedBackup() { Add(&failed_backups_); }
  void BackupMade(int64_t time_s) { backup_s_.store(time_s, std::memory_order_relaxed); }
  void ConnectionOpened() { connections_.fetch_add(1, std::memory_order_relaxed); }
  void ConnectionClosed() { connections_.fetch_sub(1, std::memory_order_relaxed); }

  // Prometheus text format 0.0.4.
  std::string Render(const MetricsMoment& moment) const;

 private:
  using Counter = std::atomic<uint64_t>;
  static constexpr size_t kCodes = 18;    // those of the table in metrics.cc, and "other"
  static constexpr size_t kBuckets = 18;  // likewise, and +Inf
  static constexpr size_t kKinds = 5;     // none, the three built in, other
  static constexpr size_t kReasons = 10;  // LATCHKEY_REASON_*, other

  // Routes are served by all threads at once: neighbours do not share a line.
  struct alignas(64) Route {
    std::array<Counter, kCodes> codes = {};
    std::array<Counter, kBuckets> buckets = {};
    Counter total_us = 0;
  };

  static void Add(Counter* counter, uint64_t n = 1) {
    counter->fetch_add(n, std::memory_order_relaxed);
  }
  void RenderRequests(std::string* out) const;
  void RenderDurations(std::string* out) const;
  void RenderVerdicts(std::string* out) const;

  const std::vector<RouteName> names_;  // of routes_, which has one more: kNoRoute
  std::vector<Route> routes_;
  std::array<std::array<Counter, kReasons>, kKinds> verdicts_ = {};
  Counter throttled_guesses_ = 0;
  Counter failed_backups_ = 0;
  std::atomic<int64_t> backup_s_ = 0;
  std::atomic<int64_t> connections_ = 0;
};

}  // namespace latchkey::http
