// Does the time of a comparison tell how much of a guess was right? Two classes of inputs, drawn
// anew and in random order, are timed one call at a time; |t| of Welch's test must stay below 4.5,
// which chance passes once in some 10,000 runs. What is beyond it is measured once more, and is
// wrong only if it is so again: a leak shows every time.
//
//   timing_test [--samples N]    1,000,000 unless given; LATCHKEY_TIMING_SAMPLES does the same
//   timing_test --selftest       the judge itself, on numbers whose answer is known
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "crypto/key_format.h"
#include "index/verify_table.h"
#include "timing/ticks.h"
#include "timing/welch.h"

namespace latchkey::timing {
namespace {

constexpr double kTMax = 4.5;
constexpr size_t kBatch = 1024;  // half of each class, shuffled
constexpr char kBase62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr char kForeign[] = "-_/+ .\x7f\xc3";

using Random = std::mt19937_64;

// What is timed. Every input lies alike in memory and is made by the same steps.
struct alignas(128) Input {
  TagWords tag;
  std::array<char, 96> text;
  unsigned one;  // its class
};

struct Question {
  const char* name;
  std::function<void(unsigned one, Random& random, Input* input)> make;
  unsigned (*ask)(const Input& input);
};

// ---- Tags in the verify table -----------------------------------------------------------------

// Two thousand entries, so that the segments and slots are those of a table in use.
class Table {
 public:
  Table() {
    Random random(1);
    for (size_t i = 0; i < 2000; ++i) {
      TableEntry entry;
      StoreLe64(entry.tag.data(), random());
      StoreLe64(entry.tag.data() + 8, random());
      entry.kind = kind::kUserKey;
      entry.expires_s = kSlotExpiresMax;
      if (!table_.Reserve(entry.tag).ok()) std::abort();
      table_.Insert(entry);
      tags_.push_back(entry.tag);
    }
  }
  TagWords Any(Random& random) const { return tags_[random() % tags_.size()]; }
  const VerifyTable& table() const { return table_; }

 private:
  VerifyTable table_;
  std::vector<TagBytes> tags_;
};

const Table& OurTable() {
  static const Table table;
  return table;
}

// The bits that choose neither segment nor slot. None of them is right or all but one: in either
// case nothing is found, in the same slots.
constexpr uint64_t kFreeLow = (uint64_t{1} << 40) - 1;
constexpr uint64_t kFreeHigh = (uint64_t{1} << 56) - 1;

unsigned AskTable(const Input& input) {
  return OurTable().table().Look(input.tag).is_found ? 1 : 0;
}

// One bit off at a random place of the free bits, against all of them at random.
void MakeNearOrFar(unsigned one, Random& random, Input* input) {
  const size_t bit = random() % 96;
  const uint64_t low = random() & kFreeLow;
  const uint64_t high = random() & kFreeHigh;
  const uint64_t near_low = bit < 40 ? uint64_t{1} << bit : 0;
  const uint64_t near_high = bit < 40 ? 0 : uint64_t{1} << (bit - 40);
  input->tag = OurTable().Any(random);
  input->tag.low ^= one != 0 ? low : near_low;
  input->tag.high ^= one != 0 ? high : near_high;
}

// The first word right, against the second.
void MakeFirstOrSecond(unsigned one, Random& random, Input* input) {
  const uint64_t low = (random() & kFreeLow) | 1;
  const uint64_t high = (random() & kFreeHigh) | 1;
  input->tag = OurTable().Any(random);
  input->tag.low ^= one != 0 ? low : 0;
  input->tag.high ^= one != 0 ? 0 : high;
}

// ---- The shape of a body ----------------------------------------------------------------------

constexpr ByteView kPrefix = "bencher_user_";
constexpr size_t kShortBody = 30;
constexpr size_t kLongBody = 49;  // with its checksum

void FillBody(Random& random, size_t size, Input* input) {
  std::memcpy(input->text.data(), kPrefix.data(), kPrefix.size());
  for (size_t i = 0; i < size; ++i) input->text[kPrefix.size() + i] = kBase62[random() % 62];
}

char Foreign(Random& random) { return kForeign[random() % (sizeof kForeign - 1)]; }

unsigned AskShortBody(const Input& input) {
  const ByteView text(input.text.data(), kPrefix.size() + kShortBody);
  return HasBody(SecretFormat::kBase62x30, kPrefix.size(), text) ? 1 : 0;
}
unsigned AskLongBody(const Input& input) {
  const ByteView text(input.text.data(), kPrefix.size() + kLongBody);
  return HasBody(SecretFormat::kBase62x43Crc, kPrefix.size(), text) ? 1 : 0;
}

// All of the alphabet, against one byte that is not, anywhere.
void MakeRightOrWrong(unsigned one, Random& random, Input* input) {
  FillBody(random, kShortBody, input);
  const size_t at = kPrefix.size() + random() % kShortBody;
  const char foreign = Foreign(random);
  input->text[at] = one != 0 ? foreign : input->text[at];
}
void MakeWrongFirstOrLast(unsigned one, Random& random, Input* input) {
  FillBody(random, kShortBody, input);
  input->text[kPrefix.size() + (one != 0 ? kShortBody - 1 : 0)] = Foreign(random);
}
// The right checksum, against one that is wrong in one digit.
void MakeChecksum(unsigned one, Random& random, Input* input) {
  constexpr size_t kCovered = 43;
  FillBody(random, kCovered, input);
  char* const checksum = input->text.data() + kPrefix.size() + kCovered;
  ChecksumBase62({input->text.data(), kPrefix.size() + kCovered}, checksum);
  const size_t at = random() % 6;
  const char other = checksum[at] == '7' ? '8' : '7';
  checksum[at] = one != 0 ? other : checksum[at];
}
// The same body always, against any: only the bytes differ, not what is right about them.
void MakeFixedOrRandom(unsigned one, Random& random, Input* input) {
  FillBody(random, kLongBody, input);
  for (size_t i = 0; i < kLongBody; ++i) {
    char& c = input->text[kPrefix.size() + i];
    c = one != 0 ? c : 'a';
  }
}

const Question kQuestions[] = {
    {"tag: one bit off, or all", MakeNearOrFar, AskTable},
    {"tag: first word right, or second", MakeFirstOrSecond, AskTable},
    {"body: right, or a foreign byte", MakeRightOrWrong, AskShortBody},
    {"body: foreign byte first, or last", MakeWrongFirstOrLast, AskShortBody},
    {"body: checksum right, or a digit off", MakeChecksum, AskLongBody},
    {"body: always the same, or any", MakeFixedOrRandom, AskLongBody},
};

// ---- Measuring ----------------------------------------------------------------------------------

Finding Measure(const Question& question, uint64_t samples, Random& random) {
  TwoClasses judge;
  std::vector<Input> inputs(kBatch);
  std::vector<unsigned> classes(kBatch);
  for (size_t i = 0; i < kBatch; ++i) classes[i] = i % 2;
  std::vector<uint64_t> ticks(kBatch);
  for (uint64_t done = 0; done < samples + TwoClasses::kCalibrationCount; done += kBatch) {
    std::shuffle(classes.begin(), classes.end(), random);
    for (size_t i = 0; i < kBatch; ++i) {
      inputs[i].one = classes[i];
      question.make(classes[i], random, &inputs[i]);
    }
    for (size_t i = 0; i < kBatch; ++i) {
      const uint64_t before = TicksBefore();
      unsigned answer = question.ask(inputs[i]);
      ticks[i] = TicksAfter() - before;
      __asm__ __volatile__("" : "+r"(answer));
    }
    for (size_t i = 0; i < kBatch; ++i) judge.Add(inputs[i].one, ticks[i]);
  }
  return judge.Farthest();
}

int RunAll(uint64_t samples) {
  Random random(std::random_device{}());
  const TickRate rate;
  int wrong = 0;
  for (const Question& question : kQuestions) {
    Finding found = Measure(question, samples, random);
    bool is_wrong = std::abs(found.t) >= kTMax;
    if (is_wrong) {
      std::printf("  %-36s |t| %7.2f: once more\n", question.name, std::abs(found.t));
      found = Measure(question, samples, random);
      is_wrong = std::abs(found.t) >= kTMax;
    }
    wrong += is_wrong ? 1 : 0;
    std::printf("  %-36s |t| %7.2f, %+.3f ns%s\n", question.name, std::abs(found.t),
                found.difference_ticks / rate.per_ns(), is_wrong ? "  LEAKS" : "");
    std::fflush(stdout);
  }
  std::printf("timing: tried %zu questions of %llu samples, wrong %d\n", std::size(kQuestions),
              static_cast<unsigned long long>(samples), wrong);
  return wrong == 0 ? 0 : 1;
}

// ---- The judge himself --------------------------------------------------------------------------

// Timings as they look: a floor, a tail, and now and then an interrupt.
Finding JudgeNumbers(double shift, Random& random) {
  std::exponential_distribution<double> tail(0.1);
  TwoClasses judge;
  for (size_t i = 0; i < 400'000; ++i) {
    const unsigned one = random() % 2;
    double ticks = 200 + tail(random) + (one != 0 ? shift : 0);
    if (random() % 500 == 0) ticks += static_cast<double>(random() % 100'000);
    judge.Add(one, static_cast<uint64_t>(ticks));
  }
  return judge.Farthest();
}

int Selftest() {
  Random random(7);  // the same numbers each time
  int wrong = 0;
  const auto expect = [&](const char* what, bool is_so) {
    if (is_so) return;
    ++wrong;
    std::printf("selftest: %s\n", what);
  };
  expect("a difference where there is none", std::abs(JudgeNumbers(0, random).t) < kTMax);
  const Finding found = JudgeNumbers(0.5, random);
  expect("half a tick was not seen behind the interrupts", found.t < -kTMax);
  expect("the difference has the wrong size",
         found.difference_ticks < -0.2 && found.difference_ticks > -1);
  Moments moments;
  for (double x : {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}) moments.Add(x);
  expect("mean", moments.mean() == 5);
  expect("variance", std::abs(moments.variance() - 32.0 / 7) < 1e-12);
  std::printf("timing selftest: tried 5, wrong %d\n", wrong);
  return wrong == 0 ? 0 : 1;
}

int Main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments == std::vector<std::string>{"--selftest"}) return Selftest();
  const char* given = std::getenv("LATCHKEY_TIMING_SAMPLES");
  uint64_t samples = given != nullptr ? std::strtoull(given, nullptr, 10) : 1'000'000;
  if (arguments.size() == 2 && arguments[0] == "--samples") {
    samples = std::strtoull(arguments[1].c_str(), nullptr, 10);
  } else if (!arguments.empty()) {
    std::fprintf(stderr, "timing_test [--samples N | --selftest]\n");
    return 2;
  }
  return InitCrypto().ok() ? RunAll(samples) : 2;
}

}  // namespace
}  // namespace latchkey::timing

int main(int argc, char** argv) { return latchkey::timing::Main(argc, argv); }
