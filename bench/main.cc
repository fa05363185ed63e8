// Registers every benchmark at run time, since the sizes of the populations depend on the
// environment.
#include <benchmark/benchmark.h>

namespace latchkey_bench {
void RegisterVerify();
void RegisterCreate();
void RegisterList();
}  // namespace latchkey_bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  latchkey_bench::RegisterVerify();
  latchkey_bench::RegisterCreate();
  latchkey_bench::RegisterList();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
