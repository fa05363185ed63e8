#include "bench_store.h"

#include <openssl/sha.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <random>

namespace latchkey_bench {
namespace {

constexpr uint64_t kSeed = 20261118;  // the same population in every run

std::string Text(const latchkey_uuid& uuid) {
  char text[LATCHKEY_UUID_TEXT_SIZE];
  latchkey_uuid_format(&uuid, text);
  return text;
}

std::string RandomSecret(std::mt19937_64* random) {
  static constexpr char kAlphabet[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string secret = "bencher_run_";
  for (int i = 0; i < 30; ++i) secret += kAlphabet[(*random)() % 62];
  return secret;
}

std::string HexSha256(const std::string& text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string out;
  for (const unsigned char byte : digest) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string RandomName(std::mt19937_64* random) {
  static constexpr const char* kWords[] = {"deploy", "staging", "production", "laptop", "nightly",
                                           "build",  "release", "mirror",     "backup", "report"};
  return std::string(kWords[(*random)() % std::size(kWords)]) + " " +
         kWords[(*random)() % std::size(kWords)] + " " + std::to_string((*random)() % 100000);
}

// Makes the lines of an import as they are read, so that a million of them take no memory.
class Lines {
 public:
  Lines(int64_t size, const latchkey_uuid& project, std::vector<std::string>* live,
        std::vector<std::string>* revoked)
      : left_(size), project_(Text(project)), live_(live), revoked_(revoked) {}

  static size_t Read(void* context, char* buffer, size_t capacity) {
    auto* self = static_cast<Lines*>(context);
    if (self->place_ == self->line_.size()) self->Next();
    const size_t size = self->line_.copy(buffer, capacity, self->place_);
    self->place_ += size;
    return size;
  }

 private:
  void Next() {
    line_.clear();
    place_ = 0;
    if (left_ == 0) return;
    const bool is_revoked = left_-- % 10 == 0;
    const std::string secret = RandomSecret(&random_);
    latchkey_uuid uuid;
    for (uint8_t& byte : uuid.bytes) byte = static_cast<uint8_t>(random_());
    line_ = R"({"type":"project_key","uuid":")" + Text(uuid) + R"(","project":")" + project_ +
            R"(","creator":null,"name":")" + RandomName(&random_) + R"(","sha256":")" +
            HexSha256(secret) + R"(","creation":1755009411,"expiration":6049976706,"revoked":)" +
            (is_revoked ? "1755009412" : "null") + "}\n";
    (is_revoked ? revoked_ : live_)->push_back(secret);
  }

  std::mt19937_64 random_{kSeed};
  int64_t left_;
  std::string project_;
  std::vector<std::string>* live_;
  std::vector<std::string>* revoked_;
  std::string line_;
  size_t place_ = 0;
};

}  // namespace

void Require(latchkey_code code, const char* what) {
  if (code == LATCHKEY_OK) return;
  std::fprintf(stderr, "%s: %s: %s\n", what, latchkey_code_text(code), latchkey_error_text());
  std::exit(1);
}

BenchStore::BenchStore() {
  folder_ = (std::filesystem::temp_directory_path() / "latchkey-bench-XXXXXX").string();
  if (mkdtemp(folder_.data()) == nullptr) {
    std::perror("temporary folder");
    std::exit(1);
  }
  const std::string path = folder_ + "/store";
  auto options = Sized<latchkey_open_options>();
  options.path = path.c_str();
  options.mode = LATCHKEY_OPEN_CREATE;
  options.load = LATCHKEY_LOAD_FIRST;  // nothing is measured beside the load
  Require(latchkey_store_open(&options, &store_), "open");
  auto owner_options = Sized<latchkey_owner_create_options>();
  owner_options.sort = LATCHKEY_OWNER_PROJECT;
  owner_options.name = "bench";
  owner_options.name_size = 5;
  auto owner = Sized<latchkey_owner>();
  Require(latchkey_owner_create(store_, &owner_options, &owner), "create the project");
  project_ = owner.uuid;
}

BenchStore::~BenchStore() {
  latchkey_store_close(store_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Population::Population(int64_t size) {
  Lines lines(size, store_.project(), &live_, &revoked_);
  auto options = Sized<latchkey_import_options>();
  options.read = Lines::Read;
  options.context = &lines;
  auto report = Sized<latchkey_import_report>();
  Require(latchkey_import(store_.get(), &options, &report), "import");
  if (report.imported != static_cast<uint64_t>(size)) {
    std::fprintf(stderr, "import: some lines were refused\n");
    std::exit(1);
  }
  std::mt19937_64 random(kSeed + 1);
  for (size_t i = 0; i < live_.size(); ++i) missing_.push_back(RandomSecret(&random));
  // Looked up in another order than they were made in.
  std::shuffle(live_.begin(), live_.end(), random);
  std::shuffle(revoked_.begin(), revoked_.end(), random);
}

const Population& Population::OfSize(int64_t size) {
  static std::map<int64_t, std::unique_ptr<Population>> populations;
  std::unique_ptr<Population>& population = populations[size];
  if (population == nullptr) population = std::make_unique<Population>(size);
  return *population;
}

std::vector<int64_t> PopulationSizes() {
  if (std::getenv("LATCHKEY_BENCH_FULL") != nullptr) return {10000, 1000000};
  return {10000};
}

}  // namespace latchkey_bench
