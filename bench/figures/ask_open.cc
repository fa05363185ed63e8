// How long is it from the call that opens a store to the first verdict, and until the table is
// full; after a clean close, and after kill -9 in the middle of writing? And how long does the
// first list of a large owner take? The files are in the page cache, as after a crash of the
// process alone.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

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

double Seconds(int64_t since) { return 1e-9 * static_cast<double>(WallNs() - since); }

void RequireAllowed(latchkey_store* store, const std::string& secret) {
  Require(latchkey_verify(store, secret.data(), secret.size(), nullptr, nullptr), "verify");
}

// When the load in the background ended: every credential is in the table then.
double SecondsUntilFull(latchkey_store* store, int64_t start) {
  auto stats = Sized<latchkey_stats>();
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    Require(latchkey_store_stats(store, &stats), "stats");
  } while (stats.loading != 0);
  const double full = Seconds(start);
  if (stats.verify_table_missing != 0) {
    Progress("the table does not hold every credential");
    std::exit(1);
  }
  return full;
}

// A child that opens the store, has eight threads create in it, and dies in the middle of that.
void KillAWriter(const std::string& folder) {
  const pid_t child = fork();
  if (child == 0) {
    latchkey_store* store = OpenStore(folder, LATCHKEY_OPEN_EXISTING);
    std::atomic<int> created{0};
    OnThreads(8, [&](size_t) {
      while (CreateKey(store, nullptr, nullptr) == LATCHKEY_OK) {
        if (++created == 2000) kill(getpid(), SIGKILL);
      }
    });
    _exit(1);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFSIGNALED(status)) {
    Progress("the child did not end as it should");
    std::exit(1);
  }
}

}  // namespace

void AskOpen(const Arguments& arguments) {
  const auto size = static_cast<int64_t>(arguments.population);
  const std::string secret = Secret(Group::kRight, arguments.population / 2);
  std::vector<double> first;
  std::vector<double> full;
  std::vector<double> after_kill;
  std::vector<double> cold_list;
  for (int round = 0; round < 3; ++round) {
    for (const bool killed : {false, true}) {
      Progress(killed ? "killing a writer, then opening" : "opening after a clean close");
      if (killed) KillAWriter(arguments.store);
      const int64_t start = WallNs();
      latchkey_store* store =
          OpenStore(arguments.store, LATCHKEY_OPEN_EXISTING, LATCHKEY_LOAD_BEHIND);
      RequireAllowed(store, secret);
      (killed ? after_kill : first).push_back(Seconds(start));
      if (!killed) {
        full.push_back(SecondsUntilFull(store, start));
        auto options = Sized<latchkey_list_options>();
        options.owner = ProjectUuid();
        options.kind = LATCHKEY_KIND_PROJECT_KEY;
        options.page_size = 8;
        std::vector<latchkey_credential> rows(8, Sized<latchkey_credential>());
        size_t count = 0;
        uint64_t total = 0;
        const int64_t list_start = WallNs();
        Require(latchkey_credential_list(store, &options, rows.data(), rows.size(), &count, &total),
                "list");
        cold_list.push_back(Seconds(list_start));
      }
      Require(latchkey_store_close(store), "close");
    }
  }
  Emit({"open_first_verdict", "latchkey", size, "s"}, first);
  Emit({"open_first_verdict_after_kill", "latchkey", size, "s"}, after_kill);
  Emit({"table_full", "latchkey", size, "s"}, full);
  Emit({"list_cold", "latchkey", size, "s"}, cold_list);
}

}  // namespace latchkey_bench
