// What does a page of eight with its exact total cost: the first, one in the middle, the last; and
// with a search for something common or absent?
#include <benchmark/benchmark.h>

#include "bench_store.h"

namespace latchkey_bench {
namespace {

constexpr uint32_t kPageSize = 8;

// `place`: in the list, from 0 to 1.
void ListPage(benchmark::State& state, double place, const char* search, bool expects_rows) {
  const Population& population = Population::OfSize(state.range(0));
  const double pages = static_cast<double>(population.live().size()) / kPageSize;
  const std::string term = search;
  auto options = Sized<latchkey_list_options>();
  options.owner = population.project();
  options.kind = LATCHKEY_KIND_PROJECT_KEY;
  options.page = 1 + static_cast<uint32_t>(place * (pages - 1));
  options.page_size = kPageSize;
  options.search = term.data();
  options.search_size = term.size();
  std::vector<latchkey_credential> rows(kPageSize, Sized<latchkey_credential>());
  size_t count = 0;
  uint64_t total = 0;
  const auto list = [&] {
    Require(latchkey_credential_list(population.store(), &options, rows.data(), rows.size(), &count,
                                     &total),
            "list");
  };
  list();  // the first list of an owner reads its index
  for (auto _ : state) list();
  if ((count > 0) != expects_rows) state.SkipWithError("the page was not what was asked for");
  state.counters["total"] = static_cast<double>(total);
}

}  // namespace

void RegisterList() {
  for (const int64_t size : PopulationSizes()) {
    const auto add = [&](const char* name, double place, const char* search, bool expects_rows) {
      benchmark::RegisterBenchmark(name, ListPage, place, search, expects_rows)->Arg(size);
    };
    add("list/first_page", 0, "", true);
    add("list/middle_page", 0.5, "", true);
    add("list/last_page", 1, "", true);
    add("list/search_common", 0, "stag", true);
    add("list/search_absent", 0, "quux", false);
  }
}

}  // namespace latchkey_bench
