// A store with a known population in a temporary folder. Populations are made by import, which is
// the fastest honest way in, and are shared by all benchmarks of one run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "latchkey/latchkey.h"

namespace latchkey_bench {

// A zeroed struct of the C API that knows its size.
template <typename T>
T Sized() {
  T out{};
  out.struct_size = sizeof(T);
  return out;
}

// Ends the program: a number from a call that failed would be worse than none.
void Require(latchkey_code code, const char* what);

class BenchStore {
 public:
  // An empty store, and one project.
  BenchStore();
  ~BenchStore();
  BenchStore(const BenchStore&) = delete;
  BenchStore& operator=(const BenchStore&) = delete;

  latchkey_store* get() const { return store_; }
  const latchkey_uuid& project() const { return project_; }

 private:
  std::string folder_;
  latchkey_store* store_ = nullptr;
  latchkey_uuid project_{};
};

// `size` project keys of one project, each tenth of them revoked. Made once for each size.
class Population {
 public:
  static const Population& OfSize(int64_t size);
  explicit Population(int64_t size);

  latchkey_store* store() const { return store_.get(); }
  const latchkey_uuid& project() const { return store_.project(); }
  const std::vector<std::string>& live() const { return live_; }
  const std::vector<std::string>& revoked() const { return revoked_; }
  const std::vector<std::string>& missing() const { return missing_; }

 private:
  BenchStore store_;
  std::vector<std::string> live_;  // secrets
  std::vector<std::string> revoked_;
  std::vector<std::string> missing_;  // well-formed, and nobody's
};

// 10,000, and with LATCHKEY_BENCH_FULL set a million too.
std::vector<int64_t> PopulationSizes();

}  // namespace latchkey_bench
