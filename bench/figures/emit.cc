#include "figures/emit.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace latchkey_bench {
namespace {

int64_t Read(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

int64_t WallNs() { return Read(CLOCK_MONOTONIC); }
int64_t ProcessorNs() { return Read(CLOCK_THREAD_CPUTIME_ID); }

void Emit(const Series& series, const std::vector<double>& samples) {
  std::printf(R"({"what":"%s","engine":"%s","population":%lld,"unit":"%s","samples":[)",
              series.what.c_str(), series.engine.c_str(), static_cast<long long>(series.population),
              series.unit.c_str());
  for (size_t i = 0; i < samples.size(); ++i) std::printf("%s%.6g", i == 0 ? "" : ",", samples[i]);
  std::printf("]}\n");
  std::fflush(stdout);
}

void Progress(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }

void TakeTurns(int rounds, const std::vector<Contestant>& contestants) {
  std::vector<std::vector<double>> samples(contestants.size());
  for (int round = -1; round < rounds; ++round) {
    for (size_t i = 0; i < contestants.size(); ++i) {
      const size_t turn = (i + static_cast<size_t>(round + 1)) % contestants.size();
      const double sample = contestants[turn].run();
      if (round >= 0) samples[turn].push_back(sample);
    }
  }
  for (size_t i = 0; i < contestants.size(); ++i) Emit(contestants[i].series, samples[i]);
}

double Percentile(std::vector<double> values, double fraction) {
  if (values.empty()) return 0;
  const auto place = static_cast<size_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place),
                   values.end());
  return values[place];
}

}  // namespace latchkey_bench
