// How long does one verification take: of a live key, an unknown one, a revoked one? And of the
// same text, how long does SHA-256 alone take, which no engine that stores digests can do without?
// The low-level calls of OpenSSL 3 are its fastest by far: a floor that fetches its algorithm by
// name would flatter whatever stands on it.
#define OPENSSL_API_COMPAT 10101

#include <benchmark/benchmark.h>
#include <openssl/sha.h>

#include "bench_store.h"

namespace latchkey_bench {
namespace {

using Secrets = const std::vector<std::string>& (Population::*)() const;

void Verify(benchmark::State& state, Secrets secrets, latchkey_code expected) {
  const Population& population = Population::OfSize(state.range(0));
  const std::vector<std::string>& all = (population.*secrets)();
  size_t next = static_cast<size_t>(state.thread_index()) * 7919;
  uint64_t wrong = 0;
  for (auto _ : state) {
    const std::string& secret = all[next++ % all.size()];
    wrong += latchkey_verify(population.store(), secret.data(), secret.size(), nullptr, nullptr) !=
             expected;
  }
  if (wrong > 0) state.SkipWithError("a verdict was wrong");
}

void VerifyBatch(benchmark::State& state) {
  constexpr size_t kBatch = 32;
  const Population& population = Population::OfSize(state.range(0));
  const std::vector<std::string>& all = population.live();
  std::vector<latchkey_bytes> bytes(kBatch);
  std::vector<latchkey_code> codes(kBatch);
  size_t next = 0;
  for (auto _ : state) {
    for (latchkey_bytes& one : bytes) {
      const std::string& secret = all[next++ % all.size()];
      one = {secret.data(), secret.size()};
    }
    Require(latchkey_verify_batch(population.store(), bytes.data(), kBatch, nullptr, codes.data(),
                                  nullptr),
            "verify a batch");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}

void Sha256Floor(benchmark::State& state) {
  const std::vector<std::string>& all = Population::OfSize(state.range(0)).live();
  size_t next = 0;
  for (auto _ : state) {
    const std::string& secret = all[next++ % all.size()];
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, secret.data(), secret.size());
    SHA256_Final(digest, &context);
    benchmark::DoNotOptimize(digest);
  }
}

}  // namespace

void RegisterVerify() {
  for (const int64_t size : PopulationSizes()) {
    const auto add = [&](const char* name, Secrets secrets, latchkey_code expected, int threads) {
      benchmark::RegisterBenchmark(name, Verify, secrets, expected)->Arg(size)->Threads(threads);
    };
    benchmark::RegisterBenchmark("verify/floor_sha256", Sha256Floor)->Arg(size);
    add("verify/hit", &Population::live, LATCHKEY_OK, 1);
    add("verify/miss", &Population::missing, LATCHKEY_DENIED, 1);
    add("verify/revoked", &Population::revoked, LATCHKEY_DENIED, 1);
    add("verify/hit", &Population::live, LATCHKEY_OK, 2);
    benchmark::RegisterBenchmark("verify/batch_of_32", VerifyBatch)->Arg(size);
  }
}

}  // namespace latchkey_bench
