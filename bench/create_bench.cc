// What does a durable change cost? The floor is one write and fdatasync that grows a file on the
// same device, which is the least that any change that survives a power cut can cost.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "bench_store.h"

namespace latchkey_bench {
namespace {

latchkey_uuid Create(const BenchStore& store) {
  auto options = Sized<latchkey_credential_create_options>();
  options.owner = store.project();
  options.kind = LATCHKEY_KIND_PROJECT_KEY;
  options.name = "nightly build";
  options.name_size = 13;
  char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
  auto out = Sized<latchkey_credential>();
  Require(latchkey_credential_create(store.get(), &options, secret, sizeof secret, nullptr, &out),
          "create");
  return out.uuid;
}

void CreateKey(benchmark::State& state) {
  static const BenchStore store;  // shared by the threads
  for (auto _ : state) Create(store);
}

void RevokeKey(benchmark::State& state) {
  static const BenchStore store;
  for (auto _ : state) {
    state.PauseTiming();
    const latchkey_uuid uuid = Create(store);
    state.ResumeTiming();
    Require(latchkey_credential_revoke(store.get(), &uuid, nullptr, nullptr, 0, nullptr), "revoke");
  }
}

void FsyncFloor(benchmark::State& state) {
  std::string path = (std::filesystem::temp_directory_path() / "latchkey-floor-XXXXXX").string();
  const int file = mkstemp(path.data());
  const std::string record(512, 'r');
  for (auto _ : state) {
    if (write(file, record.data(), record.size()) != static_cast<ssize_t>(record.size()) ||
        fdatasync(file) != 0) {
      state.SkipWithError("the device failed");
      break;
    }
  }
  close(file);
  unlink(path.c_str());
}

}  // namespace

void RegisterCreate() {
  benchmark::RegisterBenchmark("create/floor_fdatasync", FsyncFloor)->UseRealTime();
  for (const int threads : {1, 8, 64}) {
    benchmark::RegisterBenchmark("create/key", CreateKey)->Threads(threads)->UseRealTime();
  }
  benchmark::RegisterBenchmark("create/revoke", RevokeKey)->UseRealTime();
}

}  // namespace latchkey_bench
