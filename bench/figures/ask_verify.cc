// What does one verification cost, beside its floor and its peers, at one population? Each engine
// has keys of its own and is asked about them in an order that is not the stored one.
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstdlib>

#include "bench_store.h"
#include "figures/ask.h"
#include "figures/emit.h"
#include "figures/engines.h"
#include "figures/stores.h"

namespace latchkey_bench {
namespace {

// Nothing of one verification overlaps with the next: a host has work of its own between two.
inline void Separate() {
#if defined(__x86_64__)
  _mm_lfence();
#else
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

void RequireAll(size_t right, size_t count, const std::string& engine) {
  if (right == count) return;
  Progress(engine + ": a verdict was wrong");
  std::exit(1);
}

struct Entrant {
  std::string name;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Presented> keys;
  size_t count;     // verifications a round
  bool in_process;  // else the work is done in another process, and only the wall clock sees it
};

// Mean nanoseconds of one verification of a round. A quarter as many go before, uncounted: whoever
// had the turn before has left his own data in the caches.
double Mean(const Entrant& entrant, bool separate) {
  Engine* const engine = entrant.engine.get();
  Presented* const keys = entrant.keys.get();
  const size_t count = entrant.count;
  const auto now = [&] { return entrant.in_process ? ProcessorNs() : WallNs(); };
  for (size_t i = 0; i < count / 4; ++i) engine->Verify(keys->Next());
  size_t right = 0;
  const int64_t start = now();
  if (separate) {
    for (size_t i = 0; i < count; ++i) {
      right += engine->Verify(keys->Next());
      Separate();
    }
  } else {
    for (size_t i = 0; i < count; ++i) right += engine->Verify(keys->Next());
  }
  const int64_t ns = now() - start;
  RequireAll(right, count, entrant.name);
  return static_cast<double>(ns) / static_cast<double>(count);
}

// The 99 places from 1 % to 99 %, then 99.5, 99.9 and 99.99 %, of single calls by the wall clock.
void EmitDistribution(const Entrant& entrant, size_t count, int64_t population) {
  std::vector<double> ns(count);
  for (double& one : ns) {
    const int64_t start = WallNs();
    entrant.engine->Verify(entrant.keys->Next());
    Separate();
    one = static_cast<double>(WallNs() - start);
  }
  std::sort(ns.begin(), ns.end());
  std::vector<double> places;
  const auto add = [&](double place) {
    places.push_back(ns[static_cast<size_t>(place * static_cast<double>(count - 1))]);
  };
  for (int percent = 1; percent <= 99; ++percent) add(0.01 * percent);
  for (const double place : {0.995, 0.999, 0.9999}) add(place);
  Emit({"distribution", entrant.name, population, "ns"}, places);
}

}  // namespace

void AskVerify(const Arguments& arguments) {
  const size_t population = arguments.population;
  const auto size = static_cast<int64_t>(population);
  const std::string& folder = arguments.scratch;
  latchkey_store* store = OpenStore(arguments.store, LATCHKEY_OPEN_EXISTING);
  Progress("filling the peers with " + std::to_string(population) +
           " keys each; SHA-256: " + Sha256Name());
  const size_t presented = std::min<size_t>(population, 400'000);
  std::vector<Entrant> entrants;
  const auto add = [&](const char* name, std::unique_ptr<Engine> engine, Group group,
                       size_t count) {
    entrants.push_back({name, std::move(engine),
                        std::make_unique<Presented>(group, population, presented), count, true});
  };
  add("floor", MakeFloor(population), PeerGroup(0), 20'000);
  add("latchkey", MakeLatchkey(store), Group::kRight, 20'000);
  add("lmdb", MakeLmdb(folder, PeerGroup(1), population), PeerGroup(1), 10'000);
  add("sqlite", MakeSqliteTuned(folder, PeerGroup(2), population), PeerGroup(2), 5'000);
  add("sqlite_reference", MakeSqliteReference(folder, PeerGroup(3), population), PeerGroup(3),
      3'000);
  if (const char* socket = std::getenv("LATCHKEY_BENCH_REDIS"); socket != nullptr) {
    add("redis", MakeRedis(socket, PeerGroup(4), population), PeerGroup(4), 500);
    entrants.back().in_process = false;
  }
  if (const char* socket = std::getenv("LATCHKEY_BENCH_POSTGRES"); socket != nullptr) {
    add("postgres", MakePostgres(socket, PeerGroup(5), population), PeerGroup(5), 500);
    entrants.back().in_process = false;
  }

  Progress("verifying in turns");
  for (const bool separate : {true, false}) {
    std::vector<Contestant> contestants;
    for (Entrant& entrant : entrants) {
      contestants.push_back({{separate ? "hit" : "hit_overlapped", entrant.name, size, "ns"},
                             [&entrant, separate] { return Mean(entrant, separate); }});
    }
    TakeTurns(arguments.rounds, contestants);
  }
  Progress("latencies one by one");
  for (const Entrant& entrant : entrants) {
    EmitDistribution(
        entrant, entrant.name == "floor" || entrant.name == "latchkey" ? 200'000 : 50'000, size);
  }
  Require(latchkey_store_close(store), "close");
}

}  // namespace latchkey_bench
