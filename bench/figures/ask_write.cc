// What does a durable change cost, next to the write and fdatasync that it cannot do without, and
// what do many callers at once gain? And how fast is an import into an empty store?
#include <cstdlib>
#include <vector>

#include "bench_store.h"
#include "figures/ask.h"
#include "figures/emit.h"
#include "figures/stores.h"

namespace latchkey_bench {
namespace {

double CreatesPerS(latchkey_store* store, size_t threads, size_t count) {
  const int64_t start = WallNs();
  OnThreads(threads, [&](size_t) {
    for (size_t i = 0; i < count / threads; ++i)
      Require(CreateKey(store, nullptr, nullptr), "create");
  });
  return 1e9 * static_cast<double>(count) / static_cast<double>(WallNs() - start);
}

}  // namespace

void AskWrite(const Arguments& arguments) {
  const auto size = static_cast<int64_t>(arguments.population);
  latchkey_store* store = OpenStore(arguments.store, LATCHKEY_OPEN_EXISTING);
  GrowingFile file(arguments.scratch);
  Progress("durable changes, one by one in turns with the device alone");
  // One round holds the median of fifty of each, one after the other, so that all meet the same
  // device.
  std::vector<double> floor_ms;
  std::vector<double> create_ms;
  std::vector<double> revoke_ms;
  for (int round = 0; round < arguments.rounds; ++round) {
    std::vector<double> ms[3];
    for (int i = 0; i < 50; ++i) {
      ms[0].push_back(file.WriteMs());
      latchkey_uuid uuid;
      int64_t start = WallNs();
      Require(CreateKey(store, &uuid, nullptr), "create");
      ms[1].push_back(1e-6 * static_cast<double>(WallNs() - start));
      start = WallNs();
      Require(latchkey_credential_revoke(store, &uuid, nullptr, nullptr, 0, nullptr), "revoke");
      ms[2].push_back(1e-6 * static_cast<double>(WallNs() - start));
    }
    floor_ms.push_back(Percentile(ms[0], 0.5));
    create_ms.push_back(Percentile(ms[1], 0.5));
    revoke_ms.push_back(Percentile(ms[2], 0.5));
  }
  Emit({"durable_write", "floor", size, "ms"}, floor_ms);
  Emit({"durable_create", "latchkey", size, "ms"}, create_ms);
  Emit({"durable_revoke", "latchkey", size, "ms"}, revoke_ms);
  Progress("creating on many threads");
  std::vector<Contestant> contestants;
  for (const size_t threads : {1, 8, 64}) {
    contestants.push_back({{"creates_" + std::to_string(threads), "latchkey", size, "a second"},
                           [=] { return CreatesPerS(store, threads, threads == 1 ? 640 : 3200); }});
  }
  TakeTurns(arguments.rounds / 3, contestants);
  Require(latchkey_store_close(store), "close");
}

void AskBuild(const Arguments& arguments) {
  const auto size = static_cast<int64_t>(arguments.population);
  Progress("importing " + std::to_string(arguments.population) + " keys into an empty store");
  latchkey_store* store = OpenStore(arguments.store, LATCHKEY_OPEN_CREATE);
  const int64_t start = WallNs();
  const uint64_t imported = ImportParts(store, PartsOf(arguments.population), 0, true);
  const double seconds = 1e-9 * static_cast<double>(WallNs() - start);
  Emit({"import_empty", "latchkey", size, "a second"}, {static_cast<double>(imported) / seconds});
  Require(latchkey_store_close(store), "close");
}

}  // namespace latchkey_bench
