// Stores that must not open, each with the code that says what to do, and not a byte of it changed;
// and handles that stay good through errors.
#include <condition_variable>
#include <mutex>
#include <thread>

#include "support/fixture.h"

using latchkey_test::CodeName;
using latchkey_test::Issued;
using latchkey_test::ReadFile;
using latchkey_test::Sized;
using latchkey_test::Snapshot;
using latchkey_test::TestStore;
using latchkey_test::WriteFile;
namespace fs = std::filesystem;

namespace {

// The marker as a much later build would write it.
std::string NewerMarker(std::string marker) {
  const size_t begin = marker.find("format ");
  const size_t end = marker.find('\n', begin);
  return marker.replace(begin, end - begin, "format 1000 1000");
}

class Errors : public testing::Test {
 protected:
  void SetUp() override {
    user_ = store_.CreateUser("Courage");
    key_ = store_.CreateKey(user_, LATCHKEY_KIND_USER_KEY, "key");
  }

  fs::path pepper() const { return store_.path() + ".pepper"; }

  // Tries to open the closed store and expects it, its pepper and their folder to be as before.
  void ExpectRefused(latchkey_code expected, uint32_t mode = LATCHKEY_OPEN_EXISTING) {
    ExpectRefusedAt(store_.path(), expected, mode);
  }
  void ExpectRefusedAt(const std::string& path, latchkey_code expected, uint32_t mode) {
    const auto before = Snapshot(store_.folder());
    const auto options = store_.options(path, mode);
    int nothing = 0;
    auto* opened = reinterpret_cast<latchkey_store*>(&nothing);  // must become NULL
    const latchkey_code code = latchkey_store_open(&options, &opened);
    EXPECT_EQ(CodeName(expected), CodeName(code)) << latchkey_error_text();
    EXPECT_STRNE("", latchkey_error_text());
    EXPECT_EQ(nullptr, opened);
    const auto after = Snapshot(store_.folder());
    EXPECT_TRUE(before == after) << Difference(before, after);
  }
  void ExpectStillGood() {
    store_.Open();
    EXPECT_EQ("allowed", store_.Verify(key_.secret));
    store_.Check();
  }

  static std::string Difference(const std::map<std::string, std::string>& before,
                                const std::map<std::string, std::string>& after) {
    std::string out = "changed:";
    for (const auto& [path, content] : before) {
      const auto found = after.find(path);
      if (found == after.end() || found->second != content) out += " " + path;
    }
    for (const auto& [path, content] : after) {
      if (before.find(path) == before.end()) out += " +" + path;
    }
    return out;
  }

  TestStore store_;
  latchkey_uuid user_{};
  Issued key_;
};

TEST_F(Errors, HandleStaysGoodAfterEach) {
  latchkey_uuid nobody{};
  nobody.bytes[0] = 1;
  const auto good = TestStore::KeyOptions(user_, LATCHKEY_KIND_USER_KEY, "name");
  char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
  const auto create = [&](auto change) {
    auto options = good;
    change(options);
    return latchkey_credential_create(store_, &options, secret, sizeof secret, nullptr, nullptr);
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_CODE(LATCHKEY_INVALID_ARGUMENT, create([](auto& o) { o.name_size = 0; }));
    EXPECT_CODE(LATCHKEY_NOT_FOUND, create([&](auto& o) { o.owner = nobody; }));
    EXPECT_CODE(LATCHKEY_CONFLICT, create([&](auto& o) { o.uuid = key_.uuid; }));
    EXPECT_CODE(LATCHKEY_UNSUPPORTED, create([](auto& o) { o.kind = LATCHKEY_KIND_USER_TOKEN; }));
    EXPECT_EQ("unknown", store_.Verify("bencher_user_" + std::string(30, 'a')));
    EXPECT_EQ("allowed", store_.Verify(key_.secret));
    EXPECT_CODE(LATCHKEY_OK, create([](auto&) {}));
    EXPECT_STREQ("", latchkey_error_text());
  }
  store_.Check();
}

TEST_F(Errors, ResultsHoldZerosAfterAnError) {
  latchkey_uuid nobody{};
  nobody.bytes[0] = 1;
  latchkey_credential out;
  std::memset(static_cast<void*>(&out), 0x5A, sizeof out);
  out.struct_size = sizeof out;
  EXPECT_CODE(LATCHKEY_NOT_FOUND, latchkey_credential_get(store_, &nobody, &out));
  const auto zeros = Sized<latchkey_credential>();
  EXPECT_EQ(0, std::memcmp(&zeros, &out, sizeof out));
}

TEST_F(Errors, SecondOpenIsBusy) {
  for (const uint32_t mode : {LATCHKEY_OPEN_EXISTING, LATCHKEY_OPEN_OR_CREATE}) {
    const std::string path = store_.path();
    const auto options = store_.options(path, mode);
    latchkey_store* second = nullptr;
    EXPECT_CODE(LATCHKEY_BUSY, latchkey_store_open(&options, &second));
    EXPECT_EQ(nullptr, second);
  }
  EXPECT_EQ("allowed", store_.Verify(key_.secret));
  store_.CreateKey(user_, LATCHKEY_KIND_USER_KEY, "after");
  store_.Check();
  store_.Close();
  ExpectStillGood();
}

TEST_F(Errors, NothingThere) {
  store_.Close();
  const std::string none = (store_.folder() / "none").string();
  ExpectRefusedAt(none, LATCHKEY_NOT_FOUND, LATCHKEY_OPEN_EXISTING);
  const std::string deep = (store_.folder() / "none" / "none").string();
  ExpectRefusedAt(deep, LATCHKEY_NOT_FOUND, LATCHKEY_OPEN_EXISTING);
  ExpectRefusedAt("", LATCHKEY_INVALID_ARGUMENT, LATCHKEY_OPEN_EXISTING);
  ExpectRefusedAt(none, LATCHKEY_INVALID_ARGUMENT, 3);
}

TEST_F(Errors, CreateOverAStore) {
  store_.Close();
  ExpectRefused(LATCHKEY_CONFLICT, LATCHKEY_OPEN_CREATE);
  ExpectStillGood();
}

TEST_F(Errors, ForeignFolder) {
  store_.Close();
  const fs::path foreign = store_.folder() / "foreign";
  fs::create_directory(foreign);
  WriteFile(foreign / "letter.txt", "Dear Muriel,\n");
  ExpectRefusedAt(foreign.string(), LATCHKEY_INVALID_ARGUMENT, LATCHKEY_OPEN_EXISTING);
  ExpectRefusedAt(foreign.string(), LATCHKEY_INVALID_ARGUMENT, LATCHKEY_OPEN_OR_CREATE);
  ExpectRefusedAt(foreign.string(), LATCHKEY_CONFLICT, LATCHKEY_OPEN_CREATE);
  const std::string file = (foreign / "letter.txt").string();
  const auto options = store_.options(file, LATCHKEY_OPEN_EXISTING);
  latchkey_store* opened = nullptr;
  EXPECT_NE(LATCHKEY_OK, latchkey_store_open(&options, &opened));
  EXPECT_EQ("Dear Muriel,\n", ReadFile(file));
}

TEST_F(Errors, UnreadableMarker) {
  store_.Close();
  const std::string marker = ReadFile(fs::path(store_.path()) / "LATCHKEY");
  WriteFile(fs::path(store_.path()) / "LATCHKEY", "nonsense\n");
  ExpectRefused(LATCHKEY_INVALID_ARGUMENT);
  std::string damaged = marker;
  damaged[damaged.find("id ") + 3] ^= 1;
  WriteFile(fs::path(store_.path()) / "LATCHKEY", damaged);
  ExpectRefused(LATCHKEY_CORRUPTION);
  WriteFile(fs::path(store_.path()) / "LATCHKEY", marker);
  ExpectStillGood();
}

TEST_F(Errors, NewerFormat) {
  store_.Close();
  const fs::path place = fs::path(store_.path()) / "LATCHKEY";
  const std::string marker = ReadFile(place);
  const std::string newer = NewerMarker(marker);
  ASSERT_NE(marker, newer) << "the marker no longer names its format as this test expects";
  WriteFile(place, newer);
  ExpectRefused(LATCHKEY_UNSUPPORTED);
  ExpectRefused(LATCHKEY_UNSUPPORTED, LATCHKEY_OPEN_OR_CREATE);
  WriteFile(place, marker);
  ExpectStillGood();
}

TEST_F(Errors, MissingPepper) {
  store_.Close();
  const std::string bytes = ReadFile(pepper());
  fs::rename(pepper(), store_.folder() / "elsewhere");
  ExpectRefused(LATCHKEY_WRONG_PEPPER);
  ExpectRefused(LATCHKEY_WRONG_PEPPER, LATCHKEY_OPEN_OR_CREATE);
  EXPECT_FALSE(fs::exists(pepper()));
  fs::rename(store_.folder() / "elsewhere", pepper());
  ExpectStillGood();
}

TEST_F(Errors, WrongPepper) {
  store_.Close();
  TestStore other;
  other.Close();
  const std::string mine = ReadFile(pepper());
  WriteFile(pepper(), ReadFile(other.path() + ".pepper"));
  ExpectRefused(LATCHKEY_WRONG_PEPPER);
  WriteFile(pepper(), mine.substr(0, mine.size() / 2));
  ExpectRefused(LATCHKEY_WRONG_PEPPER);
  WriteFile(pepper(), "");
  ExpectRefused(LATCHKEY_WRONG_PEPPER);
  WriteFile(pepper(), mine);
  ExpectStillGood();
}

TEST_F(Errors, PepperThatOthersMayRead) {
  store_.Close();
  const auto good = fs::status(pepper()).permissions();
  EXPECT_EQ(fs::perms::owner_read | fs::perms::owner_write, good);
  for (const fs::perms more : {fs::perms::group_read, fs::perms::others_read}) {
    fs::permissions(pepper(), good | more);
    ExpectRefused(LATCHKEY_WRONG_PEPPER);
  }
  fs::permissions(pepper(), good);
  ExpectStillGood();
}

// The files of yesterday under the acknowledgements of today: a backup put back by hand.
TEST_F(Errors, RolledBackStore) {
  store_.Close();
  const fs::path rocks = fs::path(store_.path()) / "rocks";
  const fs::path older = store_.folder() / "older";
  fs::copy(rocks, older, fs::copy_options::recursive);
  store_.Open();
  store_.Revoke(key_.uuid);
  store_.Close();
  const fs::path newer = store_.folder() / "newer";
  fs::rename(rocks, newer);
  fs::copy(older, rocks, fs::copy_options::recursive);
  // Not byte for byte: RocksDB has to be opened to see how far it goes.
  const std::string path = store_.path();
  const auto options = store_.options(path, LATCHKEY_OPEN_EXISTING);
  latchkey_store* opened = nullptr;
  EXPECT_CODE(LATCHKEY_ROLLED_BACK, latchkey_store_open(&options, &opened));
  EXPECT_EQ(nullptr, opened);
  fs::remove_all(rocks);
  fs::rename(newer, rocks);
  store_.Open();
  EXPECT_EQ("revoked", store_.Verify(key_.secret));
}

TEST_F(Errors, PepperElsewhere) {
  store_.Close();
  const std::string moved = (store_.folder() / "safe.pepper").string();
  fs::rename(pepper(), moved);
  const std::string path = store_.path();
  auto options = store_.options(path, LATCHKEY_OPEN_EXISTING);
  options.pepper_path = moved.c_str();
  latchkey_store* opened = nullptr;
  ASSERT_CODE(LATCHKEY_OK, latchkey_store_open(&options, &opened));
  EXPECT_CODE(LATCHKEY_OK,
              latchkey_verify(opened, key_.secret.data(), key_.secret.size(), nullptr, nullptr));
  EXPECT_CODE(LATCHKEY_OK, latchkey_store_close(opened));
}

// An import that stands still in its read callback keeps one call inside for as long as the test
// needs.
struct StandingImport {
  std::mutex mutex;
  std::condition_variable changed;
  bool inside = false;
  bool released = false;

  static size_t Read(void* context, char*, size_t) {
    auto* self = static_cast<StandingImport*>(context);
    std::unique_lock lock(self->mutex);
    self->inside = true;
    self->changed.notify_all();
    self->changed.wait(lock, [&] { return self->released; });
    return 0;
  }
  void WaitUntilInside() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return inside; });
  }
  void Release() {
    const std::lock_guard lock(mutex);
    released = true;
    changed.notify_all();
  }
};

TEST_F(Errors, CloseWhileACallRuns) {
  StandingImport standing;
  latchkey_code import_code = LATCHKEY_INTERNAL;
  std::thread importer([&] {
    auto options = Sized<latchkey_import_options>();
    options.read = StandingImport::Read;
    options.context = &standing;
    import_code = latchkey_import(store_, &options, nullptr);
  });
  standing.WaitUntilInside();
  EXPECT_CODE(LATCHKEY_BUSY, latchkey_store_close(store_));
  EXPECT_CODE(LATCHKEY_BUSY, latchkey_store_close(store_));
  // The handle stays good, for others too.
  EXPECT_EQ("allowed", store_.Verify(key_.secret));
  store_.CreateKey(user_, LATCHKEY_KIND_USER_KEY, "meanwhile");
  standing.Release();
  importer.join();
  EXPECT_CODE(LATCHKEY_OK, import_code);
  store_.Close();
  ExpectStillGood();
}

// More threads than the library counts apart, and more of them over time: one call that is inside
// holds the door open, whichever thread's it is.
TEST_F(Errors, CloseSeesTheCallOfEveryThread) {
  constexpr size_t kThreads = 100;
  for (int round = 0; round < 2; ++round) {
    std::vector<StandingImport> standing(kThreads);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        EXPECT_EQ("allowed", store_.Verify(key_.secret));
        auto options = Sized<latchkey_import_options>();
        options.read = StandingImport::Read;
        options.context = &standing[i];
        EXPECT_CODE(LATCHKEY_OK, latchkey_import(store_, &options, nullptr));
      });
    }
    for (StandingImport& one : standing) one.WaitUntilInside();
    for (size_t i = 0; i < kThreads; ++i) {
      EXPECT_CODE(LATCHKEY_BUSY, latchkey_store_close(store_)) << "thread " << i;
      standing[i].Release();
      threads[i].join();
    }
    store_.Close();
    ExpectStillGood();
  }
}

TEST_F(Errors, ReadThatFailsStopsAnImport) {
  auto options = Sized<latchkey_import_options>();
  options.read = [](void*, char*, size_t) { return SIZE_MAX; };
  auto report = Sized<latchkey_import_report>();
  EXPECT_CODE(LATCHKEY_IO, latchkey_import(store_, &options, &report));
  EXPECT_EQ(0u, report.lines);
  store_.Check();
}

}  // namespace
