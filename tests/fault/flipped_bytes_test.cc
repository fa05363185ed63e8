// One bit is changed, or one file cut short, in a store that was closed and in one that was killed:
// it opens with all that it had acknowledged, or is refused, or what was changed is noticed when it
// is read. No verdict is ever wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include "power_cut.h"
#include "workload.h"

namespace latchkey_test {
namespace {

struct Base {
  Image closed;
  Image killed;  // with a log, by all that was written
  Facts facts;
  uint64_t seed = 0;
};

const Base& TheBase() {
  static const Base base = [] {
    Base made;
    made.seed = TestSeed();
    const TempFolder folder;
    Disk disk(folder.path());
    disk.Record();
    Workload workload(&disk, folder.path(), made.seed);
    workload.Run(3);
    made.closed = ReadImage(folder.path());
    made.facts = workload.facts();
    // Before the last change, which closes it.
    const size_t operations = workload.moments()[workload.moments().size() - 2].done;
    const std::vector<Operation> all = disk.operations();
    std::mt19937_64 unused;
    made.killed = AfterPowerCut(std::span(all).first(operations), Unsynced::kKept, unused);
    return made;
  }();
  return base;
}

struct Counts {
  size_t faults = 0;
  size_t wrong = 0;
  size_t opened = 0;
  size_t noticed = 0;                     // opened, and latchkey_store_check() says CORRUPTION
  std::map<std::string, size_t> refused;  // by code and text
};

bool IsRefusal(const std::string& refused) {
  for (const char* code : {"CORRUPTION: ", "ROLLED_BACK: ", "WRONG_PEPPER: ", "INVALID_ARGUMENT: ",
                           "UNSUPPORTED: ", "NOT_FOUND: "}) {
    if (refused.starts_with(code) && refused.size() > std::string(code).size()) return true;
  }
  return false;
}

std::string JudgeAll(latchkey_store* store, const Facts& facts) {
  for (size_t i = 0; i < facts.keys.size(); ++i) {
    const std::string verdict = Judge(store, facts.keys[i].secret);
    if (verdict == DueVerdict(facts, facts.keys[i]) || verdict == "CORRUPTION") continue;
    return "key " + std::to_string(i) + " is judged " + verdict + ", not " +
           DueVerdict(facts, facts.keys[i]);
  }
  return {};
}

std::string JudgeDamaged(const std::filesystem::path& folder, const Facts& facts, Counts* counts) {
  latchkey_store* store = nullptr;
  std::atomic<size_t> complaints = 0;
  const std::string refused = OpenWhole(folder, LATCHKEY_OPEN_EXISTING, &store, &complaints);
  if (!refused.empty()) {
    ++counts->refused[refused];
    return IsRefusal(refused) ? "" : "refused as " + refused;
  }
  std::string wrong = JudgeAll(store, facts);
  if (wrong.empty()) {
    const std::string differences = Differences(store, facts, facts, false, &complaints);
    if (differences.empty()) {
      ++counts->opened;
    } else if (differences.find("check: CORRUPTION\n") != std::string::npos) {
      ++counts->noticed;
    } else {
      wrong = differences;
    }
  }
  if (wrong.empty()) wrong = JudgeAll(store, facts);
  static_cast<void>(latchkey_store_close(store));  // what is damaged need not close well
  return wrong;
}

// One fault in so many bytes of a file: LATCHKEY_FAULT_EVERY=1 tries every byte and length (hours).
size_t Every(size_t bytes) {
  if (const char* given = std::getenv("LATCHKEY_FAULT_EVERY")) {
    return std::max<size_t>(1, std::strtoull(given, nullptr, 10));
  }
  return std::max<size_t>(1, bytes / (IsNightRun() ? 200 : IsLongRun() ? 20 : 1));
}

enum class Damage : uint8_t { kBit, kCut };

class FlippedBytes : public testing::TestWithParam<Damage> {
 protected:
  void Walk(const char* state, const Image& image, Counts* counts) {
    const Base& base = TheBase();
    const TempFolder folder;
    const Disk disk(folder.path());
    std::mt19937_64 random(base.seed);
    for (const auto& [path, content] : image) {
      const size_t every = Every(content.size());
      for (size_t at = random() % every; at < content.size(); at += every) {
        Image damaged = image;
        const unsigned bit = static_cast<unsigned>(random() % 8);
        if (GetParam() == Damage::kBit) {
          damaged[path][at] = static_cast<char>(damaged[path][at] ^ (1u << bit));
        } else {
          damaged[path].resize(at);
        }
        WriteImage(damaged, folder.path());
        ++counts->faults;
        const std::string wrong = JudgeDamaged(folder.path(), base.facts, counts);
        if (IsLongRun() && counts->faults % 1000 == 0) {
          std::cout << state << ", " << path << ": " << counts->faults << " faults" << std::endl;
        }
        if (wrong.empty() || ++counts->wrong > 10) continue;
        ADD_FAILURE() << state << " store, " << path << " of " << content.size() << " bytes, "
                      << (GetParam() == Damage::kBit ? "bit " + std::to_string(bit) + " of byte "
                                                     : std::string("cut to "))
                      << at << ": " << wrong;
      }
    }
  }
};

TEST_P(FlippedBytes, AreRefusedOrDoNotMatter) {
  Counts counts;
  Walk("closed", TheBase().closed, &counts);
  Walk("killed", TheBase().killed, &counts);
  std::printf("%s: faults %zu, wrong %zu, opened %zu, noticed by a check %zu",
              GetParam() == Damage::kBit ? "flipped bytes" : "cut files", counts.faults,
              counts.wrong, counts.opened, counts.noticed);
  for (const auto& [why, count] : counts.refused) std::printf("\n  %zu %s", count, why.c_str());
  std::printf("\n");
}

INSTANTIATE_TEST_SUITE_P(Each, FlippedBytes, testing::Values(Damage::kBit, Damage::kCut),
                         [](const auto& damage) {
                           return damage.param == Damage::kBit ? "Bit" : "Cut";
                         });

}  // namespace
}  // namespace latchkey_test
