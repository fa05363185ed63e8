// What every question needs: clocks, one line of JSON a series, and rounds in which all that is to
// be compared takes its turn.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace latchkey_bench {

int64_t WallNs();
// Of this thread. What other processes do to the machine is in it only as far as they share caches.
int64_t ProcessorNs();

// Where a series belongs. `what` is what was done, `engine` who did it.
struct Series {
  std::string what;
  std::string engine;
  int64_t population = 0;
  std::string unit;
};

// {"what":...,"engine":...,"population":...,"unit":...,"samples":[...]} on standard output. The
// samples of one round have the same place in every series, so that ratios are taken by round.
void Emit(const Series& series, const std::vector<double>& samples);

// One line for whoever watches.
void Progress(const std::string& text);

struct Contestant {
  Series series;
  std::function<double()> run;  // one round; returns its sample
};

// Runs all of them `rounds` times, each round beginning with another one, after one round that does
// not count; then emits a series for each.
void TakeTurns(int rounds, const std::vector<Contestant>& contestants);

double Percentile(std::vector<double> values, double fraction);

}  // namespace latchkey_bench
