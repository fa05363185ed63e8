// A main() for fuzz targets where the compiler brings none: runs files, and mutations of them for
// a bounded time.
//
//   fuzz_X [--seconds N] FILE-OR-FOLDER...
//
// LATCHKEY_TEST_SEED makes a run the same again. The input that ended the process is left in
// fuzz-failure in the current folder; give it as FILE to see it again.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// There in sanitizer builds only.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

constexpr size_t kInputBytesMax = 16384;
// What a byte at a time would take long to find.
constexpr const char* kWords[] = {"%00",
                                  "%2F",
                                  "%2e%2e",
                                  "%ff",
                                  "%",
                                  "..",
                                  "//",
                                  "\\u0000",
                                  "\\ud800",
                                  "null",
                                  "\"",
                                  "{",
                                  "}",
                                  "[",
                                  "]",
                                  ",",
                                  ":",
                                  "?",
                                  "&",
                                  "=",
                                  "+",
                                  "/v0/",
                                  "-1",
                                  "0",
                                  "255",
                                  "256",
                                  "1e9",
                                  "true",
                                  "false",
                                  "1.5",
                                  "\n",
                                  "\r\n",
                                  "\xff",
                                  "\xc3",
                                  "\xe2\x80\xae",
                                  "$ADMIN",
                                  "$SESSION",
                                  "$ME",
                                  "$KEY",
                                  "$THING",
                                  "$USER",
                                  "4294967295",
                                  "4294967296",
                                  "18446744073709551616",
                                  "c4n4ry",
                                  "$RUN",
                                  "$ACME",
                                  "$SIG"};

std::string g_input;

// Only what may be called from a signal handler.
void SaveInput() {
  const int fd = open("fuzz-failure", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const ssize_t put = write(fd, g_input.data(), g_input.size());
  close(fd);
  constexpr char kSaved[] = "the input is in fuzz-failure\n";
  if (put < 0 || write(2, kSaved, sizeof kSaved - 1) < 0) return;
}

void OnSignal(int number) {
  SaveInput();
  signal(number, SIG_DFL);
  raise(number);
}

void SaveInputOnDeath() {
  signal(SIGABRT, OnSignal);
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(SaveInput);  // it has handlers of its own for the others
    return;
  }
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) signal(number, OnSignal);
}

void Run(const std::string& input) {
  g_input = input;
  // A copy of exactly this size, so that a read past its end is seen.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::vector<std::string> ReadInputs(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());  // the same run from the same seed
  std::vector<std::string> inputs;
  for (const std::string& file : files) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw std::runtime_error("cannot read " + file);
    inputs.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  if (inputs.empty()) throw std::runtime_error("no inputs");
  return inputs;
}

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  std::string Mutate(const std::vector<std::string>& inputs) {
    std::string input = inputs[Below(inputs.size())];
    for (size_t n = 1 + Below(6); n > 0; --n) Step(&input, inputs[Below(inputs.size())]);
    if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
    return input;
  }

 private:
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void Step(std::string* input, const std::string& other) {
    const size_t at = Below(input->size() + 1);
    const size_t span = std::min(input->size() - at, 1 + Below(16));
    switch (Below(8)) {
      case 0:
        if (at < input->size()) (*input)[at] ^= static_cast<char>(1 << Below(8));
        break;
      case 1:
        if (at < input->size()) (*input)[at] = static_cast<char>(random_());
        break;
      case 2:
        input->erase(at, span);
        break;
      case 3:
        input->insert(at, kWords[Below(std::size(kWords))]);
        break;
      case 4:
        input->replace(at, span, kWords[Below(std::size(kWords))]);
        break;
      case 5:  // the same again, sometimes many times
        for (size_t n = Below(8) == 0 ? Below(200) : 1; n > 0; --n) {
          input->insert(at, input->substr(at, span));
        }
        break;
      case 6:  // a piece of another
        input->insert(at, other.substr(Below(other.size() + 1), 1 + Below(40)));
        break;
      default:  // the beginning of this, the end of another
        input->resize(at);
        input->append(other.substr(Below(other.size() + 1)));
    }
  }

  std::mt19937_64 random_;
};

int Main(int argc, char** argv) {
  std::vector<std::string> paths(argv + 1, argv + argc);
  long seconds = 0;
  if (paths.size() > 1 && paths[0] == "--seconds") {
    seconds = std::strtol(paths[1].c_str(), nullptr, 10);
    paths.erase(paths.begin(), paths.begin() + 2);
  }
  const std::vector<std::string> inputs = ReadInputs(paths);
  SaveInputOnDeath();
  for (const std::string& input : inputs) Run(input);

  const char* given = std::getenv("LATCHKEY_TEST_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::printf("LATCHKEY_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  Mutator mutator(seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  uint64_t runs = 0;
  for (; std::chrono::steady_clock::now() < end; ++runs) Run(mutator.Mutate(inputs));
  std::printf("fuzz: tried %zu inputs and %llu mutations, wrong 0\n", inputs.size(),
              static_cast<unsigned long long>(runs));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz: %s\n", error.what());
    return 1;
  }
}
