// What the tests in C++ share: a temporary folder, a clock in the test's hand, a store in that
// folder and the calls that most tests make before they come to the point.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "latchkey/latchkey.h"

namespace latchkey_test {

inline constexpr int64_t kNowS = 1795000000;

// Compares codes by name and shows the rule that was broken.
#define EXPECT_CODE(expected, call)                                               \
  EXPECT_EQ(::latchkey_test::CodeName(expected), ::latchkey_test::CodeName(call)) \
      << latchkey_error_text()
#define ASSERT_CODE(expected, call)                                               \
  ASSERT_EQ(::latchkey_test::CodeName(expected), ::latchkey_test::CodeName(call)) \
      << latchkey_error_text()

inline std::string CodeName(latchkey_code code) {
  static constexpr const char* kNames[] = {"OK",          "INVALID_ARGUMENT",
                                           "NOT_FOUND",   "CONFLICT",
                                           "DENIED",      "FORBIDDEN",
                                           "BUSY",        "OUTCOME_UNKNOWN",
                                           "IO",          "NO_SPACE",
                                           "CORRUPTION",  "WRONG_PEPPER",
                                           "ROLLED_BACK", "GONE",
                                           "UNSUPPORTED", "INTERNAL"};
  return code < std::size(kNames) ? kNames[code] : "code " + std::to_string(code);
}

// A struct of the C API, zeroed, that knows its size.
template <typename T>
T Sized() {
  T out{};
  out.struct_size = sizeof(T);
  return out;
}

inline bool Same(const latchkey_uuid& a, const latchkey_uuid& b) {
  return std::memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

inline std::string Text(const latchkey_uuid& uuid) {
  char text[LATCHKEY_UUID_TEXT_SIZE];
  latchkey_uuid_format(&uuid, text);
  return text;
}

inline latchkey_uuid ParseUuid(std::string_view text) {
  latchkey_uuid uuid{};
  EXPECT_CODE(LATCHKEY_OK, latchkey_uuid_parse(text.data(), text.size(), &uuid));
  return uuid;
}

inline std::string_view NameOf(const latchkey_credential& row) { return {row.name, row.name_size}; }
inline std::string_view NameOf(const latchkey_owner& row) { return {row.name, row.name_size}; }

// True in the long runs of ./dev check.
inline bool IsLongRun() { return std::getenv("LATCHKEY_CHECK") != nullptr; }
// True in those of ./dev check --long, which have a night.
inline bool IsNightRun() {
  const char* const how = std::getenv("LATCHKEY_CHECK");
  return how != nullptr && std::string_view(how) == "long";
}

// Printed, so that a failure can be had again.
inline uint64_t TestSeed() {
  const char* given = std::getenv("LATCHKEY_TEST_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "LATCHKEY_TEST_SEED=" << seed << std::endl;
  return seed;
}

class TempFolder {
 public:
  TempFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "latchkey-test-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = path;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void WriteFile(const std::filesystem::path& path, std::string_view content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
}

// Every file and folder below `root` with its mode and its bytes: equal before and after means that
// nothing was touched.
inline std::map<std::string, std::string> Snapshot(const std::filesystem::path& root) {
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    struct stat info {};
    if (lstat(entry.path().c_str(), &info) != 0) continue;
    out[entry.path().lexically_relative(root).string()] =
        std::to_string(info.st_mode) + ":" +
        (entry.is_regular_file() ? ReadFile(entry.path()) : std::string());
  }
  return out;
}

// Wall time that moves only when the test says so.
class TestClock {
 public:
  explicit TestClock(int64_t now_s = kNowS) : now_ms_(now_s * 1000) {}
  void Advance(int64_t seconds) { now_ms_ += seconds * 1000; }
  int64_t now_s() const { return now_ms_ / 1000; }
  static int64_t Read(void* clock) { return static_cast<TestClock*>(clock)->now_ms_; }

 private:
  std::atomic<int64_t> now_ms_;
};

struct Issued {
  latchkey_uuid uuid{};
  std::string secret;
};

// How stores are loaded that a TestStore opens; a test, or a file that a suite is linked with, says
// otherwise.
struct LoadChoice {
  uint32_t load = LATCHKEY_LOAD_BEHIND;
  uint64_t memory_budget_bytes = 0;
};
inline LoadChoice load_choice;

// A store in a folder of its own. What fails here fails the test, and throws where going on would
// make no sense.
class TestStore {
 public:
  explicit TestStore(uint64_t directory_budget_bytes = 0)
      : directory_budget_bytes_(directory_budget_bytes),
        own_(std::in_place),
        folder_(own_->path()) {
    Open(LATCHKEY_OPEN_CREATE);
  }
  // In a folder of the caller's, who opens it.
  TestStore(std::filesystem::path folder, uint64_t directory_budget_bytes)
      : directory_budget_bytes_(directory_budget_bytes), folder_(std::move(folder)) {}
  ~TestStore() {
    if (store_ == nullptr) return;
    EXPECT_CODE(LATCHKEY_OK, latchkey_store_close(store_));
  }
  TestStore(const TestStore&) = delete;
  TestStore& operator=(const TestStore&) = delete;

  operator latchkey_store*() const { return store_; }  // NOLINT: what the C API takes
  TestClock& clock() { return clock_; }
  const std::filesystem::path& folder() const { return folder_; }
  std::string path() const { return (folder_ / "store").string(); }
  // What is opened next lies there; closed.
  void MoveTo(std::filesystem::path folder) { folder_ = std::move(folder); }

  latchkey_open_options options(const std::string& path, uint32_t mode) {
    auto out = Sized<latchkey_open_options>();
    out.path = path.c_str();
    out.mode = mode;
    out.clock = TestClock::Read;
    out.clock_context = &clock_;
    out.directory_budget_bytes = directory_budget_bytes_;
    out.load = load_choice.load;
    out.memory_budget_bytes = load_choice.memory_budget_bytes;
    return out;
  }
  latchkey_code TryOpen(uint32_t mode) {
    const std::string place = path();
    const auto how = options(place, mode);
    return latchkey_store_open(&how, &store_);
  }
  void Open(uint32_t mode = LATCHKEY_OPEN_EXISTING) {
    if (TryOpen(mode) != LATCHKEY_OK) {
      throw std::runtime_error(std::string("open: ") + latchkey_error_text());
    }
  }
  void Close() {
    EXPECT_CODE(LATCHKEY_OK, latchkey_store_close(store_));
    store_ = nullptr;
  }
  void Reopen() {
    Close();
    Open();
  }

  latchkey_uuid CreateOwner(uint32_t sort, std::string_view name, std::string_view email = {}) {
    auto options = Sized<latchkey_owner_create_options>();
    options.sort = sort;
    options.name = name.data();
    options.name_size = name.size();
    options.email = email.data();
    options.email_size = email.size();
    auto owner = Sized<latchkey_owner>();
    Require(latchkey_owner_create(store_, &options, &owner), "create owner");
    return owner.uuid;
  }
  latchkey_uuid CreateUser(std::string_view name, std::string_view email = {}) {
    return CreateOwner(LATCHKEY_OWNER_USER, name, email);
  }
  latchkey_uuid CreateProject(std::string_view name) {
    return CreateOwner(LATCHKEY_OWNER_PROJECT, name);
  }

  // Options that can be changed before Issue().
  static latchkey_credential_create_options KeyOptions(const latchkey_uuid& owner, uint32_t kind,
                                                       std::string_view name) {
    auto options = Sized<latchkey_credential_create_options>();
    options.owner = owner;
    options.kind = kind;
    options.name = name.data();
    options.name_size = name.size();
    return options;
  }
  Issued Issue(const latchkey_credential_create_options& options) {
    char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
    size_t size = 0;
    auto credential = Sized<latchkey_credential>();
    Require(latchkey_credential_create(store_, &options, secret, sizeof secret, &size, &credential),
            "create credential");
    return {credential.uuid, std::string(secret, size)};
  }
  Issued CreateKey(const latchkey_uuid& owner, uint32_t kind, std::string_view name) {
    return Issue(KeyOptions(owner, kind, name));
  }

  void SetLocked(const latchkey_uuid& user, bool locked) {
    auto options = Sized<latchkey_owner_update_options>();
    options.uuid = user;
    options.set = LATCHKEY_OWNER_SET_LOCKED;
    options.locked = locked ? 1 : 0;
    Require(latchkey_owner_update(store_, &options, nullptr), "lock");
  }
  void Revoke(const latchkey_uuid& uuid) {
    Require(latchkey_credential_revoke(store_, &uuid, nullptr, nullptr, 0, nullptr), "revoke");
  }

  // The reason as text, and that the code agrees with it.
  std::string Verify(std::string_view secret,
                     const latchkey_verify_options* options = nullptr) const {
    auto verdict = Sized<latchkey_verdict>();
    const latchkey_code code =
        latchkey_verify(store_, secret.data(), secret.size(), options, &verdict);
    const bool allowed = verdict.reason == LATCHKEY_REASON_ALLOWED;
    EXPECT_CODE(allowed ? LATCHKEY_OK : LATCHKEY_DENIED, code);
    return latchkey_reason_text(verdict.reason);
  }
  latchkey_credential Get(const latchkey_uuid& uuid) const {
    auto out = Sized<latchkey_credential>();
    Require(latchkey_credential_get(store_, &uuid, &out), "get");
    return out;
  }
  latchkey_owner GetOwner(uint32_t sort, std::string_view id) const {
    auto out = Sized<latchkey_owner>();
    Require(latchkey_owner_get(store_, sort, id.data(), id.size(), &out), "get owner");
    return out;
  }
  latchkey_stats Stats() const {
    auto out = Sized<latchkey_stats>();
    Require(latchkey_store_stats(store_, &out), "stats");
    return out;
  }

  // A mass revocation is in force at once; its records follow. Bounded, so that one that never ends
  // fails the test.
  void WaitForTombstones() const {
    for (int i = 0; i < 30000 && Stats().sweeps_pending > 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(0u, Stats().sweeps_pending);
  }

  // Fails the test with each finding.
  void Check() const {
    const auto found = [](void*, const char* what, const latchkey_uuid* key) {
      ADD_FAILURE() << "check: " << what << " " << Text(*key);
    };
    EXPECT_CODE(LATCHKEY_OK, latchkey_store_check(store_, found, nullptr));
  }

 private:
  static void Require(latchkey_code code, const char* what) {
    if (code == LATCHKEY_OK) return;
    throw std::runtime_error(std::string(what) + ": " + CodeName(code) + ": " +
                             latchkey_error_text());
  }

  const uint64_t directory_budget_bytes_;
  std::optional<TempFolder> own_;
  std::filesystem::path folder_;
  TestClock clock_;
  latchkey_store* store_ = nullptr;
};

// Feeds a text to latchkey_import() and keeps what it refuses.
class Import {
 public:
  struct Refused {
    uint64_t line;
    latchkey_code code;
    std::string text;
  };

  Import(latchkey_store* store, std::string text, bool dry_run = false) : text_(std::move(text)) {
    auto options = Sized<latchkey_import_options>();
    options.read = Read;
    options.refused = Refuse;
    options.context = this;
    options.dry_run = dry_run ? 1 : 0;
    code = latchkey_import(store, &options, &report);
  }

  latchkey_code code = LATCHKEY_INTERNAL;
  latchkey_import_report report = Sized<latchkey_import_report>();
  std::vector<Refused> refused;

 private:
  static size_t Read(void* context, char* buffer, size_t capacity) {
    auto* self = static_cast<Import*>(context);
    const size_t size = self->text_.copy(buffer, capacity, self->place_);
    self->place_ += size;
    return size;
  }
  static void Refuse(void* context, uint64_t line, latchkey_code code, const char* text) {
    static_cast<Import*>(context)->refused.push_back({line, code, text});
  }

  std::string text_;
  size_t place_ = 0;
};

}  // namespace latchkey_test
