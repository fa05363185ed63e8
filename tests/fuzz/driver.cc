// A main() for fuzz targets where the compiler brings none: runs files, and mutations of them for
// a bounded time.
//
//   fuzz_X [--seconds N] [--words DICTIONARY] FILE-OR-FOLDER...
//
// LATCHKEY_FUZZ_SECONDS in the environment stands for N. LATCHKEY_TEST_SEED makes a run the same
// again. The input that ended the process is left in fuzz-failure in the current folder; give it as
// FILE to see it again.
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
#include <utility>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// There in sanitizer builds only.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

constexpr size_t kInputBytesMax = 16384;
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

// The words of a dictionary of libFuzzer: one a line, in quotes; \\, \" and \xAB stand for a byte.
std::vector<std::string> ReadWords(const std::string& path) {
  std::ifstream stream(path);
  std::vector<std::string> words;
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::string word;
    for (size_t i = 1; i + 1 < line.size(); ++i) {
      if (line[i] == '\\' && line[i + 1] == 'x') {
        word += static_cast<char>(std::stoul(line.substr(i + 2, 2), nullptr, 16));
        i += 3;
      } else {
        i += line[i] == '\\' ? 1 : 0;
        word += line[i];
      }
    }
    words.push_back(word);
  }
  if (words.empty()) throw std::runtime_error("no words in " + path);
  return words;
}

class Mutator {
 public:
  Mutator(uint64_t seed, std::vector<std::string> words)
      : random_(seed), words_(std::move(words)) {}

  std::string Mutate(const std::vector<std::string>& inputs) {
    std::string input = inputs[Below(inputs.size())];
    for (size_t n = 1 + Below(6); n > 0; --n) Step(&input, inputs[Below(inputs.size())]);
    if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
    return input;
  }

 private:
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  std::string Word() { return words_.empty() ? "" : words_[Below(words_.size())]; }

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
        input->insert(at, Word());
        break;
      case 4:
        input->replace(at, span, Word());
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
  std::vector<std::string> words_;
};

// Takes `name VALUE` out of the arguments; empty when it is not among them.
std::string Option(const std::string& name, std::vector<std::string>* arguments) {
  const auto at = std::find(arguments->begin(), arguments->end(), name);
  if (at == arguments->end() || at + 1 == arguments->end()) return {};
  const std::string value = at[1];
  arguments->erase(at, at + 2);
  return value;
}

int Main(int argc, char** argv) {
  std::vector<std::string> paths(argv + 1, argv + argc);
  std::string seconds_text = Option("--seconds", &paths);
  if (const char* longer = std::getenv("LATCHKEY_FUZZ_SECONDS")) seconds_text = longer;
  const long seconds = std::strtol(seconds_text.c_str(), nullptr, 10);
  const std::string dictionary = Option("--words", &paths);
  const std::vector<std::string> inputs = ReadInputs(paths);
  SaveInputOnDeath();
  for (const std::string& input : inputs) Run(input);

  const char* given = std::getenv("LATCHKEY_TEST_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::printf("LATCHKEY_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  Mutator mutator(seed, dictionary.empty() ? std::vector<std::string>() : ReadWords(dictionary));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  uint64_t runs = 0;
  for (; std::chrono::steady_clock::now() < end; ++runs) Run(mutator.Mutate(inputs));
  const std::string target = std::filesystem::path(argv[0]).filename().string();
  std::printf(
      "fuzz %s: tried %llu, wrong 0, mutations %llu\n", target.substr(target.find('_') + 1).c_str(),
      static_cast<unsigned long long>(inputs.size() + runs), static_cast<unsigned long long>(runs));
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
