// Is a revocation ever late? One key after another is revoked while an import runs, and while a
// sweep of the whole store does; and the device is asked for one fdatasync after each, so that what
// it delays can be told apart. Each revoked key is presented at once, and must be denied.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "bench_store.h"
#include "figures/ask.h"
#include "figures/emit.h"
#include "figures/stores.h"

namespace latchkey_bench {
namespace {

// Revokes keys of a group, from `first` on, until it is stopped.
class Revoker {
 public:
  Revoker(latchkey_store* store, GrowingFile* file, Group group, size_t first, size_t count)
      : thread_([=, this] { Run(store, file, group, first, count); }) {}

  size_t Stop() {
    stop_ = true;
    thread_.join();
    return revoke_ms.size();
  }

  std::vector<double> revoke_ms;
  std::vector<double> fsync_ms;

 private:
  void Run(latchkey_store* store, GrowingFile* file, Group group, size_t first, size_t count) {
    for (size_t i = 0; i < count && !stop_; ++i) {
      const latchkey_uuid uuid = Uuid(group, first + i);
      const std::string secret = Secret(group, first + i);
      const int64_t start = WallNs();
      Require(latchkey_credential_revoke(store, &uuid, nullptr, nullptr, 0, nullptr), "revoke");
      revoke_ms.push_back(1e-6 * static_cast<double>(WallNs() - start));
      auto verdict = Sized<latchkey_verdict>();
      if (latchkey_verify(store, secret.data(), secret.size(), nullptr, &verdict) !=
              LATCHKEY_DENIED ||
          verdict.reason != LATCHKEY_REASON_REVOKED) {
        Progress("a revoked key was not denied");
        std::exit(1);
      }
      fsync_ms.push_back(file->WriteMs());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::atomic<bool> stop_{false};
  std::thread thread_;  // last, so that all else is there when it begins
};

double Worst(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

void EmitRevokes(const std::string& during, int64_t size, const std::vector<Revoker*>& revokers) {
  std::vector<double> worst;
  std::vector<double> median;
  std::vector<double> fsync_worst;
  std::vector<double> fsync_median;
  for (const Revoker* revoker : revokers) {
    worst.push_back(Worst(revoker->revoke_ms));
    median.push_back(Percentile(revoker->revoke_ms, 0.5));
    fsync_worst.push_back(Worst(revoker->fsync_ms));
    fsync_median.push_back(Percentile(revoker->fsync_ms, 0.5));
  }
  Emit({"revoke_worst_during_" + during, "latchkey", size, "ms"}, worst);
  Emit({"revoke_median_during_" + during, "latchkey", size, "ms"}, median);
  Emit({"revoke_worst_during_" + during, "floor", size, "ms"}, fsync_worst);
  Emit({"revoke_median_during_" + during, "floor", size, "ms"}, fsync_median);
}

// A size between two steps of growth, where a table that grew by doubling would be half empty.
constexpr size_t kGrownFrom = 10'000'000;
constexpr size_t kGrownTo = 13'000'000;

void GrowTo13M(latchkey_store* store, size_t imported) {
  Progress("growing to 13 million credentials");
  auto stats = Sized<latchkey_stats>();
  Require(latchkey_store_stats(store, &stats), "stats");
  const size_t now = stats.active + stats.revoked;
  if (now < kGrownTo) ImportParts(store, {{Group::kExtra, kGrownTo - now}}, imported, false);
  Require(latchkey_store_stats(store, &stats), "stats");
  Emit({"table_bytes", "latchkey", kGrownTo, "bytes a credential"},
       {static_cast<double>(stats.verify_table_bytes) / kGrownTo});
}

}  // namespace

void AskContend(const Arguments& arguments) {
  const auto size = static_cast<int64_t>(arguments.population);
  latchkey_store* store = OpenStore(arguments.store, LATCHKEY_OPEN_EXISTING);
  GrowingFile file(arguments.scratch);
  Progress("revoking while an import runs");
  constexpr size_t kImported = 40'000;
  std::vector<std::unique_ptr<Revoker>> revokers;
  std::vector<Revoker*> all;
  std::vector<double> rates;
  size_t revoked = 0;
  for (size_t round = 0; round < 5; ++round) {
    revokers.push_back(std::make_unique<Revoker>(store, &file, Group::kRight, revoked,
                                                 arguments.population - revoked));
    const int64_t start = WallNs();
    ImportParts(store, {{Group::kExtra, kImported}}, round * kImported, false);
    rates.push_back(1e9 * kImported / static_cast<double>(WallNs() - start));
    revoked += revokers.back()->Stop();
    all.push_back(revokers.back().get());
  }
  Emit({"import_live", "latchkey", size, "a second"}, rates);
  EmitRevokes("import", size, all);
  if (arguments.population >= kGrownFrom) GrowTo13M(store, 5 * kImported);

  Progress("revoking while a sweep revokes every project key");
  auto sweep = Sized<latchkey_sweep_options>();
  sweep.kind = LATCHKEY_KIND_PROJECT_KEY;
  uint64_t covered = 0;
  Revoker during_sweep(store, &file, Group::kLocked, 0, arguments.population / 20);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const int64_t start = WallNs();
  Require(latchkey_revoke_all(store, &sweep, &covered), "sweep");
  const double seconds = 1e-9 * static_cast<double>(WallNs() - start);
  std::this_thread::sleep_for(std::chrono::seconds(10));  // of the tombstones written behind it
  during_sweep.Stop();
  auto stats = Sized<latchkey_stats>();
  Require(latchkey_store_stats(store, &stats), "stats");
  Emit({"revoke_all", "latchkey", size, "s"}, {seconds});
  Emit({"revoke_all_covered", "latchkey", size, "keys"}, {static_cast<double>(covered)});
  Emit({"revoke_all_pending", "latchkey", size, "sweeps"},
       {static_cast<double>(stats.sweeps_pending)});
  EmitRevokes("sweep", size, {&during_sweep});
  std::_Exit(0);  // the store is thrown away: closing would wait for nothing that is asked here
}

}  // namespace latchkey_bench
