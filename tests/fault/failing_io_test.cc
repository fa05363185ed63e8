// The first, second, third ... read, write, sync, rename and open fails, once or until it is
// mended, until there is no such call left to fail: no verdict is ever wrong, what was acknowledged
// lasts, and the store heals behind the engine.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include "trial.h"

namespace latchkey_test {
namespace {

constexpr size_t kThreads = 12;  // they sleep most of the time, waiting for a store to heal

class FailingIo : public testing::TestWithParam<Call> {};

// One fault in so many, unless LATCHKEY_CHECK is set.
size_t Every(Call call) {
  return IsLongRun() ? 1 : call == Call::kRename || call == Call::kSync ? 5 : 17;
}

TEST_P(FailingIo, HealsAndForgetsNothing) {
  TheBase();
  Counts counts;
  for (const bool lasting : {false, true}) {
    std::atomic<uint64_t> next{1};
    std::atomic<bool> beyond{false};
    const auto try_some = [&] {
      while (!beyond.load()) {
        const uint64_t nth = next.fetch_add(Every(GetParam()));
        Fault fault;
        fault.begin = [&](Disk* disk) { disk->Fail(GetParam(), nth, EIO, lasting); };
        fault.lasting = lasting;
        bool hit = false;
        const std::string wrong = Trial(fault, &counts).Run(&hit);
        if (!hit) beyond.store(true);
        const std::lock_guard lock(counts.mutex);
        counts.faults += hit ? 1 : 0;
        if (wrong.empty() || ++counts.wrong > 10) continue;
        ADD_FAILURE() << NameOf(GetParam()) << " " << nth << (lasting ? " and on: " : ": ")
                      << wrong;
      }
    };
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kThreads; ++i) threads.emplace_back(try_some);
    for (std::thread& thread : threads) thread.join();
  }
  Print(std::string("failing ") + NameOf(GetParam()), counts);
}

INSTANTIATE_TEST_SUITE_P(Each, FailingIo, testing::ValuesIn(kCalls),
                         [](const auto& call) { return std::string(NameOf(call.param)); });

}  // namespace
}  // namespace latchkey_test
