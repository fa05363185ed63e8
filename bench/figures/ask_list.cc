// What does a page of eight with its exact total cost, wherever it is, and a search? SQLite is
// asked for the same rows without the total, which it would count one by one.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "bench_store.h"
#include "figures/ask.h"
#include "figures/emit.h"
#include "figures/engines.h"
#include "figures/stores.h"

namespace latchkey_bench {
namespace {

constexpr uint32_t kPageSize = 8;

class Lister {
 public:
  explicit Lister(latchkey_store* store) : store_(store) {}

  // Mean of `count` lists in nanoseconds.
  double List(uint32_t page, const std::string& search, size_t count) {
    auto options = Sized<latchkey_list_options>();
    options.owner = ProjectUuid();
    options.kind = LATCHKEY_KIND_PROJECT_KEY;
    options.page = page;
    options.page_size = kPageSize;
    options.search = search.data();
    options.search_size = search.size();
    const int64_t start = ProcessorNs();
    for (size_t i = 0; i < count; ++i) {
      Require(latchkey_credential_list(store_, &options, rows_.data(), rows_.size(), &rows_filled,
                                       &total),
              "list");
    }
    return static_cast<double>(ProcessorNs() - start) / static_cast<double>(count);
  }

  size_t rows_filled = 0;
  uint64_t total = 0;

 private:
  latchkey_store* const store_;
  std::vector<latchkey_credential> rows_ =
      std::vector<latchkey_credential>(kPageSize, Sized<latchkey_credential>());
};

void Demand(bool truth, const std::string& what) {
  if (truth) return;
  Progress(what);
  std::exit(1);
}

void AskPages(Lister* lister, const Arguments& arguments) {
  const auto size = static_cast<int64_t>(arguments.population);
  lister->List(1, "", 1);
  const auto last = static_cast<uint32_t>(lister->total / kPageSize);  // that is full
  const bool with_peer = arguments.population <= 100'000;
  std::unique_ptr<SqliteList> peer;
  if (with_peer) peer = MakeSqliteList(arguments.scratch, lister->total);
  std::vector<Contestant> contestants;
  struct Place {
    const char* name;
    uint32_t page;
    size_t peer_count;
  };
  for (const Place& place : {Place{"page_first", 1, 300}, Place{"page_quarter", last / 4, 2},
                             Place{"page_middle", last / 2, 2}, Place{"page_last", last, 2}}) {
    contestants.push_back({{place.name, "latchkey", size, "ns"}, [=] {
                             const double ns = lister->List(place.page, "", 1000);
                             Demand(lister->rows_filled == kPageSize, "a page was not full");
                             return ns;
                           }});
    if (!with_peer) continue;
    contestants.push_back({{place.name, "sqlite", size, "ns"}, [=, &peer] {
                             const int64_t start = ProcessorNs();
                             for (size_t i = 0; i < place.peer_count; ++i) {
                               Demand(peer->Page(int64_t{place.page - 1} * kPageSize) > 0,
                                      "sqlite: an empty page");
                             }
                             return static_cast<double>(ProcessorNs() - start) /
                                    static_cast<double>(place.peer_count);
                           }});
  }
  TakeTurns(arguments.rounds, contestants);
}

void AskSearches(Lister* lister, const Arguments& arguments) {
  const auto size = static_cast<int64_t>(arguments.population);
  struct Term {
    const char* name;
    const char* text;
    bool found;
  };
  std::vector<Contestant> contestants;
  for (const Term& term : {Term{"search_common", "depl", true}, Term{"search_rare", "quux", true},
                           Term{"search_absent", "zyxw", false}, Term{"search_hex", "cafe", true},
                           Term{"search_one_letter", "q", true}}) {
    contestants.push_back({{term.name, "latchkey", size, "ns"}, [=] {
                             const double ns = lister->List(1, term.text, 3);
                             Demand((lister->total > 0) == term.found,
                                    std::string(term.name) + ": not what was asked for");
                             return ns;
                           }});
  }
  TakeTurns(arguments.rounds, contestants);
  lister->List(1, "depl", 1);
  Emit({"search_common_rows", "latchkey", size, "rows"}, {static_cast<double>(lister->total)});
}

}  // namespace

void AskList(const Arguments& arguments) {
  latchkey_store* store = OpenStore(arguments.store, LATCHKEY_OPEN_EXISTING);
  Lister lister(store);
  Progress("pages");
  AskPages(&lister, arguments);
  Progress("searches");
  AskSearches(&lister, arguments);
  auto stats = Sized<latchkey_stats>();
  Require(latchkey_store_stats(store, &stats), "stats");
  Emit({"directory_bytes", "latchkey", static_cast<int64_t>(arguments.population), "bytes a row"},
       {static_cast<double>(stats.directory_bytes) / static_cast<double>(arguments.population)});
  Require(latchkey_store_close(store), "close");
}

}  // namespace latchkey_bench
