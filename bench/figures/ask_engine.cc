// What only the engine can be asked about verification: batches, classes of keys, threads, what it
// allocates and reads, and the slowest of a hundred while others write.
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "bench_store.h"
#include "figures/ask.h"
#include "figures/counters.h"
#include "figures/emit.h"
#include "figures/engines.h"
#include "figures/stores.h"

namespace latchkey_bench {
namespace {

inline void Separate() {
#if defined(__x86_64__)
  _mm_lfence();
#else
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

void Demand(bool truth, const char* what) {
  if (truth) return;
  Progress(what);
  std::exit(1);
}

double Batch(latchkey_store* store, Presented* keys, size_t count, size_t group) {
  std::vector<latchkey_bytes> secrets(group);
  std::vector<latchkey_code> codes(group);
  size_t wrong = 0;
  const int64_t start = ProcessorNs();
  for (size_t i = 0; i < count; i += group) {
    for (latchkey_bytes& one : secrets) {
      const std::string_view secret = keys->Next();
      one = {secret.data(), secret.size()};
    }
    Require(latchkey_verify_batch(store, secrets.data(), group, nullptr, codes.data(), nullptr),
            "verify a batch");
    for (const latchkey_code code : codes) wrong += code != LATCHKEY_OK;
  }
  const int64_t ns = ProcessorNs() - start;
  Demand(wrong == 0, "a batch: a verdict was wrong");
  return static_cast<double>(ns) / static_cast<double>(count);
}

void AskBatches(latchkey_store* store, const Arguments& arguments) {
  const auto size = static_cast<int64_t>(arguments.population);
  const size_t presented = std::min<size_t>(arguments.population, 400'000);
  Presented keys(Group::kRight, arguments.population, presented);
  std::vector<Contestant> contestants;
  contestants.push_back({{"batch_single", "latchkey", size, "ns"}, [&] {
                           size_t wrong = 0;
                           constexpr size_t kCount = 32'000;
                           const int64_t start = ProcessorNs();
                           for (size_t i = 0; i < kCount; ++i) {
                             const std::string_view secret = keys.Next();
                             wrong += latchkey_verify(store, secret.data(), secret.size(), nullptr,
                                                      nullptr) != LATCHKEY_OK;
                           }
                           const int64_t ns = ProcessorNs() - start;
                           Demand(wrong == 0, "a verdict was wrong");
                           return static_cast<double>(ns) / kCount;
                         }});
  for (const size_t group : {8, 32, 128}) {
    contestants.push_back({{"batch_" + std::to_string(group), "latchkey", size, "ns"},
                           [&, group] { return Batch(store, &keys, 32'000, group); }});
  }
  TakeTurns(arguments.rounds, contestants);
}

struct Class {
  const char* name;
  uint32_t reason;
  Presented keys;
};

void AskClasses(latchkey_store* store, const Arguments& arguments) {
  const size_t n = arguments.population;
  const size_t count =
      n / 20;  // of each class as many, so that all are equally far from the caches
  std::vector<Class> classes;
  classes.push_back({"right", LATCHKEY_REASON_ALLOWED, {Group::kRight, n, count}});
  classes.push_back({"unknown", LATCHKEY_REASON_UNKNOWN, {Group::kUnknown, n, count}});
  classes.push_back({"one_bit_off", LATCHKEY_REASON_UNKNOWN, {Group::kRight, n, count}});
  classes.back().keys.TurnOneBit();
  classes.push_back({"revoked", LATCHKEY_REASON_REVOKED, {Group::kRevoked, count, count}});
  classes.push_back({"expired", LATCHKEY_REASON_EXPIRED, {Group::kExpired, count, count}});
  classes.push_back({"locked", LATCHKEY_REASON_LOCKED, {Group::kLocked, count, count}});
  std::vector<Contestant> contestants;
  for (Class& one : classes) {
    contestants.push_back(
        {{std::string("class_") + one.name, "latchkey", static_cast<int64_t>(n), "ns"},
         [store, &one] {
           constexpr size_t kCount = 10'000;
           auto verdict = Sized<latchkey_verdict>();
           size_t wrong = 0;
           const int64_t start = ProcessorNs();
           for (size_t i = 0; i < kCount; ++i) {
             const std::string_view secret = one.keys.Next();
             const latchkey_code code =
                 latchkey_verify(store, secret.data(), secret.size(), nullptr, &verdict);
             wrong += verdict.reason != one.reason || (code == LATCHKEY_OK) != (one.reason == 0);
             Separate();
           }
           const int64_t ns = ProcessorNs() - start;
           Demand(wrong == 0, "a class: a verdict was wrong");
           return static_cast<double>(ns) / kCount;
         }});
  }
  TakeTurns(2 * arguments.rounds, contestants);
}

void AskThreads(latchkey_store* store, const Arguments& arguments) {
  const auto size = static_cast<int64_t>(arguments.population);
  constexpr size_t kThreads = 2;
  constexpr size_t kCount = 50'000;
  const size_t presented = std::min<size_t>(arguments.population, 200'000);
  std::vector<Presented> keys[2];
  std::vector<std::unique_ptr<Engine>> engines[2];
  const auto floor = std::shared_ptr<Engine>(MakeFloor(arguments.population));
  for (size_t i = 0; i < kThreads; ++i) {
    keys[0].emplace_back(PeerGroup(0), arguments.population, presented);
    keys[1].emplace_back(Group::kRight, arguments.population, presented);
    keys[0].back().Start(i * presented / 2);
    keys[1].back().Start(i * presented / 2);
    engines[1].push_back(MakeLatchkey(store));
  }
  std::vector<Contestant> contestants;
  for (const size_t which : {0, 1}) {
    for (size_t threads = 1; threads <= kThreads; ++threads) {
      contestants.push_back(
          {{"threads_" + std::to_string(threads), which == 0 ? "floor" : "latchkey", size,
            "a second"},
           [&, which, threads] {
             std::atomic<size_t> ready{0};
             std::atomic<int64_t> first{INT64_MAX};
             std::atomic<int64_t> last{0};
             OnThreads(threads, [&](size_t i) {
               Engine* engine = which == 0 ? floor.get() : engines[1][i].get();
               size_t right = 0;
               ++ready;
               while (ready < threads) std::this_thread::yield();
               const int64_t start = WallNs();
               for (size_t k = 0; k < kCount; ++k) right += engine->Verify(keys[which][i].Next());
               const int64_t end = WallNs();
               Demand(right == kCount, "threads: a verdict was wrong");
               for (int64_t old = first; start < old && !first.compare_exchange_weak(old, start);) {
               }
               for (int64_t old = last; end > old && !last.compare_exchange_weak(old, end);) {
               }
             });
             return 1e9 * static_cast<double>(threads * kCount) /
                    static_cast<double>(last.load() - first.load());
           }});
    }
  }
  TakeTurns(2 * arguments.rounds, contestants);
}

void AskCounters(latchkey_store* store, const Arguments& arguments) {
  const auto size = static_cast<int64_t>(arguments.population);
  constexpr size_t kCount = 100'000;
  Presented right(Group::kRight, arguments.population, std::min(arguments.population, kCount));
  Presented unknown(Group::kUnknown, arguments.population, kCount / 10);
  const auto verify = [store](std::string_view secret, latchkey_code due) {
    Demand(latchkey_verify(store, secret.data(), secret.size(), nullptr, nullptr) == due,
           "a verdict was wrong");
  };
  verify(right.Next(), LATCHKEY_OK);  // what a thread sets up once is not counted
  const uint64_t reads = StorageReads();
  const uint64_t allocations = Allocations();
  for (size_t i = 0; i < kCount; ++i) verify(right.Next(), LATCHKEY_OK);
  for (size_t i = 0; i < kCount; ++i) verify(unknown.Next(), LATCHKEY_DENIED);
  const uint64_t allocations_after = Allocations();
  const uint64_t reads_after = StorageReads();
  Emit({"allocations", "latchkey", size, "of 200,000"},
       {static_cast<double>(allocations_after - allocations)});
  Emit({"storage_reads", "latchkey", size, "of 200,000"},
       {static_cast<double>(reads_after - reads)});
  // A counter that cannot count proves nothing.
  const uint64_t before = Allocations();
  Require(CreateKey(store, nullptr, nullptr), "create");
  Demand(Allocations() > before, "the library's allocations are not counted");
}

// The 99th percentile of single verifications for `ms`.
double P99(latchkey_store* store, Presented* keys, int64_t ms) {
  std::vector<double> ns;
  ns.reserve(4'000'000);
  const int64_t end = WallNs() + ms * 1'000'000;
  for (int64_t start = WallNs(); start < end && ns.size() < ns.capacity();) {
    const std::string_view secret = keys->Next();
    Demand(latchkey_verify(store, secret.data(), secret.size(), nullptr, nullptr) == LATCHKEY_OK,
           "a verdict was wrong");
    Separate();
    const int64_t now = WallNs();
    ns.push_back(static_cast<double>(now - start));
    start = now;
  }
  return Percentile(std::move(ns), 0.99);
}

void AskUnderWrites(latchkey_store* store, const Arguments& arguments) {
  const auto size = static_cast<int64_t>(arguments.population);
  constexpr int kWriters = 8;
  constexpr double kCreatesPerS = 2000;
  Presented keys(Group::kRight, arguments.population,
                 std::min<size_t>(arguments.population, 400'000));
  std::vector<double> rates;
  std::atomic<bool> writing{false};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> created{0};
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&] {
      const auto pause = std::chrono::duration<double>(kWriters / kCreatesPerS);
      auto next = std::chrono::steady_clock::now();
      while (!stop) {
        next += std::chrono::duration_cast<std::chrono::steady_clock::duration>(pause);
        std::this_thread::sleep_until(next);
        if (!writing) continue;
        Require(CreateKey(store, nullptr, nullptr), "create");
        ++created;
      }
    });
  }
  TakeTurns(arguments.rounds / 2,
            {{{"p99_idle", "latchkey", size, "ns"}, [&] { return P99(store, &keys, 500); }},
             {{"p99_under_writes", "latchkey", size, "ns"}, [&] {
                writing = true;
                const uint64_t before = created;
                const double p99 = P99(store, &keys, 1000);
                rates.push_back(static_cast<double>(created - before));
                writing = false;
                return p99;
              }}});
  stop = true;
  for (std::thread& writer : writers) writer.join();
  Emit({"creates_beside_verify", "latchkey", size, "a second"}, rates);
}

}  // namespace

void AskEngine(const Arguments& arguments) {
  latchkey_store* store = OpenStore(arguments.store, LATCHKEY_OPEN_EXISTING);
  const auto size = static_cast<int64_t>(arguments.population);
  auto stats = Sized<latchkey_stats>();
  Require(latchkey_store_stats(store, &stats), "stats");
  const auto credentials = static_cast<double>(stats.active + stats.revoked);
  Emit({"table_bytes", "latchkey", size, "bytes a credential"},
       {static_cast<double>(stats.verify_table_bytes) / credentials});
  Emit({"disk_bytes", "latchkey", size, "bytes a credential"},
       {static_cast<double>(stats.disk_bytes) / credentials});
  Progress("batches");
  AskBatches(store, arguments);
  Progress("classes of keys");
  AskClasses(store, arguments);
  Progress("threads");
  AskThreads(store, arguments);
  Progress("allocations and reads");
  AskCounters(store, arguments);
  Progress("verifying while others create");
  AskUnderWrites(store, arguments);
  Require(latchkey_store_close(store), "close");
}

}  // namespace latchkey_bench
