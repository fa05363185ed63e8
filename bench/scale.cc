// Question: does everything still work, and how long does it take, at 100,000 credentials of one
// owner and at 1,000,000 of 1,000 owners?
//
//   latchkey_scale FOLDER OWNERS KEYS_PER_OWNER [THREADS]
//
// A child process makes a store in FOLDER, creates the keys through the C API on THREADS threads
// (64), each create durable, and kills itself with SIGKILL. The parent then times the open after
// that kill, verification, first and last pages, searches, and mass revocations, and runs the
// self-check.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench_store.h"

namespace latchkey_bench {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

template <typename Work>
void Time(const char* what, Work&& work) {
  const auto start = Clock::now();
  work();
  std::printf("%-52s %12.6f s\n", what, Seconds(start));
  std::fflush(stdout);
}

latchkey_store* Open(const std::string& folder, uint32_t mode) {
  auto options = Sized<latchkey_open_options>();
  options.path = folder.c_str();
  options.mode = mode;
  latchkey_store* store = nullptr;
  Require(latchkey_store_open(&options, &store), "open");
  return store;
}

struct Sizes {
  size_t owners;
  size_t keys_per_owner;
  size_t threads;
};

// A secret of fixed size and its owner, as the child hands them to the parent.
struct Issued {
  char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
  latchkey_uuid owner;
};
constexpr size_t kSample = 100;  // one of so many is kept

void CreateKeys(latchkey_store* store, const std::vector<latchkey_uuid>& owners, size_t count,
                std::atomic<size_t>* next, std::FILE* samples, std::mutex* samples_mutex) {
  for (size_t i = (*next)++; i < count; i = (*next)++) {
    const std::string name = "key " + std::to_string(i * 2654435761u % 1000000007u) +
                             (i % 100 == 0 ? " staging" : " build");
    auto wish = Sized<latchkey_credential_create_options>();
    wish.owner = owners[i % owners.size()];
    wish.kind = LATCHKEY_KIND_PROJECT_KEY;
    wish.name = name.data();
    wish.name_size = name.size();
    Issued issued{};
    issued.owner = wish.owner;
    Require(latchkey_credential_create(store, &wish, issued.secret, sizeof issued.secret, nullptr,
                                       nullptr),
            "create");
    if (i % kSample != 0) continue;
    const std::lock_guard lock(*samples_mutex);
    std::fwrite(&issued, sizeof issued, 1, samples);
  }
}

[[noreturn]] void RunChild(const std::string& folder, const std::string& samples_path,
                           Sizes sizes) {
  latchkey_store* store = Open(folder, LATCHKEY_OPEN_CREATE);
  std::vector<latchkey_uuid> owners;
  for (size_t i = 0; i < sizes.owners; ++i) {
    const std::string name = "project " + std::to_string(i);
    auto wish = Sized<latchkey_owner_create_options>();
    wish.sort = LATCHKEY_OWNER_PROJECT;
    wish.name = name.data();
    wish.name_size = name.size();
    auto owner = Sized<latchkey_owner>();
    Require(latchkey_owner_create(store, &wish, &owner), "create owner");
    owners.push_back(owner.uuid);
  }
  std::FILE* samples = std::fopen(samples_path.c_str(), "wb");
  if (samples == nullptr) std::abort();
  std::mutex samples_mutex;
  std::atomic<size_t> next{0};
  const size_t count = sizes.owners * sizes.keys_per_owner;
  const auto start = Clock::now();
  std::vector<std::thread> threads;
  for (size_t i = 0; i < sizes.threads; ++i) {
    threads.emplace_back(CreateKeys, store, std::cref(owners), count, &next, samples,
                         &samples_mutex);
  }
  for (std::thread& thread : threads) thread.join();
  std::fflush(samples);
  const double seconds = Seconds(start);
  std::printf("create %zu on %zu threads: %.1f s, %.0f a second\n", count, sizes.threads, seconds,
              static_cast<double>(count) / seconds);
  std::fflush(stdout);
  kill(getpid(), SIGKILL);
  std::abort();
}

void ListPage(latchkey_store* store, const latchkey_uuid& owner, uint32_t page, const char* search,
              uint64_t* total) {
  auto options = Sized<latchkey_list_options>();
  options.owner = owner;
  options.kind = LATCHKEY_KIND_PROJECT_KEY;
  options.page = page;
  options.page_size = 8;
  options.search = search;
  options.search_size = search == nullptr ? 0 : std::char_traits<char>::length(search);
  std::vector<latchkey_credential> rows(8, Sized<latchkey_credential>());
  size_t count = 0;
  Require(latchkey_credential_list(store, &options, rows.data(), rows.size(), &count, total),
          "list");
}

void RunParent(const std::string& folder, const std::vector<Issued>& samples, Sizes sizes) {
  latchkey_store* store = nullptr;
  Time("open after kill -9", [&] { store = Open(folder, LATCHKEY_OPEN_EXISTING); });

  constexpr size_t kRounds = 200'000;
  std::mt19937_64 random(1);
  const auto start = Clock::now();
  for (size_t i = 0; i < kRounds; ++i) {
    const Issued& issued = samples[random() % samples.size()];
    Require(latchkey_verify(store, issued.secret, std::char_traits<char>::length(issued.secret),
                            nullptr, nullptr),
            "verify");
  }
  std::printf("%-52s %12.0f ns\n", "verify, a random sample, each", 1e9 * Seconds(start) / kRounds);

  const latchkey_uuid owner = samples.front().owner;
  uint64_t total = 0;
  Time("first list of the owner (builds its directory)",
       [&] { ListPage(store, owner, 1, nullptr, &total); });
  const auto last = static_cast<uint32_t>((total + 7) / 8);
  Time("first page", [&] { ListPage(store, owner, 1, nullptr, &total); });
  Time("last page", [&] { ListPage(store, owner, last, nullptr, &total); });
  Time("search 'stag', page and total", [&] { ListPage(store, owner, 1, "stag", &total); });
  std::printf("  %llu hits\n", static_cast<unsigned long long>(total));
  Time("search 'zzzz', page and total", [&] { ListPage(store, owner, 1, "zzzz", &total); });

  uint64_t covered = 0;
  auto sweep = Sized<latchkey_sweep_options>();
  sweep.owner = owner;
  Time("revoke_all of one owner",
       [&] { Require(latchkey_revoke_all(store, &sweep, &covered), "sweep"); });
  std::printf("  %llu revoked\n", static_cast<unsigned long long>(covered));
  if (latchkey_verify(store, samples.front().secret,
                      std::char_traits<char>::length(samples.front().secret), nullptr,
                      nullptr) != LATCHKEY_DENIED) {
    std::abort();
  }
  if (sizes.owners > 1) {
    sweep.owner = latchkey_uuid{};
    sweep.everything = 1;
    Time("revoke_all of everything",
         [&] { Require(latchkey_revoke_all(store, &sweep, &covered), "sweep"); });
    std::printf("  %llu revoked\n", static_cast<unsigned long long>(covered));
  }
  Time("until every tombstone is written", [&] {
    auto stats = Sized<latchkey_stats>();
    do {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      Require(latchkey_store_stats(store, &stats), "stats");
    } while (stats.sweeps_pending != 0);
  });
  auto stats = Sized<latchkey_stats>();
  Require(latchkey_store_stats(store, &stats), "stats");
  std::printf(
      "  table %.1f bytes a credential, store %.0f bytes a credential on disk\n",
      static_cast<double>(stats.verify_table_bytes) /
          static_cast<double>(stats.active + stats.revoked),
      static_cast<double>(stats.disk_bytes) / static_cast<double>(stats.active + stats.revoked));
  Time("self-check of the whole store",
       [&] { Require(latchkey_store_check(store, nullptr, nullptr), "check"); });
  Time("close", [&] { Require(latchkey_store_close(store), "close"); });
  Time("open after a clean close", [&] { store = Open(folder, LATCHKEY_OPEN_EXISTING); });
  Require(latchkey_store_close(store), "close");
}

int Main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: latchkey_scale FOLDER OWNERS KEYS_PER_OWNER [THREADS]\n");
    return 2;
  }
  const std::string folder = argv[1];
  const std::string samples_path = folder + ".samples";
  const Sizes sizes{std::strtoul(argv[2], nullptr, 10), std::strtoul(argv[3], nullptr, 10),
                    argc > 4 ? std::strtoul(argv[4], nullptr, 10) : 64};
  const pid_t child = fork();
  if (child == 0) RunChild(folder, samples_path, sizes);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFSIGNALED(status) ||
      WTERMSIG(status) != SIGKILL) {
    std::fprintf(stderr, "the child did not end as it should\n");
    return 1;
  }
  std::vector<Issued> samples;
  std::FILE* file = std::fopen(samples_path.c_str(), "rb");
  Issued issued;
  while (file != nullptr && std::fread(&issued, sizeof issued, 1, file) == 1) {
    samples.push_back(issued);
  }
  if (file != nullptr) std::fclose(file);
  unlink(samples_path.c_str());
  RunParent(folder, samples, sizes);
  return 0;
}

}  // namespace
}  // namespace latchkey_bench

int main(int argc, char** argv) { return latchkey_bench::Main(argc, argv); }
