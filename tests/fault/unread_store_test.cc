// Reads that fail while nothing of the store is in memory: a verdict, and what is shown of a
// credential, is right, or the answer is that it could not be read.
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <thread>

#include "trial.h"

namespace latchkey {
extern uint64_t memory_budget_bytes_min;
}

namespace latchkey_test {
namespace {

constexpr size_t kOfEachFate = 2;
constexpr uint64_t kTableBytes = 4096;  // one segment of many

// Allowed, revoked, revoked with all of their owner's, and of a locked owner.
const Base& OneOfEachFate() {
  static const Base base = MakeBase([](Workload* workload) {
    for (size_t i = 0; i < kOfEachFate; ++i) {
      for (const size_t owner : {0, 0, 1, 2}) workload->CreateKey(owner);
      workload->Revoke(4 * i);
    }
    workload->RevokeAll(1);
    workload->SetLocked(2, true);
  });
  return base;
}

// A store that was just opened, and of which the table holds next to nothing.
class UnreadStore {
 public:
  UnreadStore() : disk_(folder_.path()) {
    disk_.Choose([self = std::this_thread::get_id()](const std::string&) {
      return std::this_thread::get_id() == self;
    });
    WriteImage(OneOfEachFate().image, folder_.path());
    latchkey::memory_budget_bytes_min = 0;
    const std::string path = folder_.path() / "store";
    auto options = Sized<latchkey_open_options>();
    options.path = path.c_str();
    options.mode = LATCHKEY_OPEN_EXISTING;
    options.load = LATCHKEY_LOAD_FIRST;  // past RocksDB's cache
    options.memory_budget_bytes = kTableBytes;
    options.clock = TestClock::Read;
    options.clock_context = &clock_;
    EXPECT_EQ(LATCHKEY_OK, latchkey_store_open(&options, &store_)) << latchkey_error_text();
  }
  ~UnreadStore() { EXPECT_EQ(LATCHKEY_OK, latchkey_store_close(store_)); }
  UnreadStore(const UnreadStore&) = delete;
  UnreadStore& operator=(const UnreadStore&) = delete;

  Disk& disk() { return disk_; }
  latchkey_store* get() const { return store_; }

 private:
  const TempFolder folder_;
  Disk disk_;
  TestClock clock_;
  latchkey_store* store_ = nullptr;
};

std::string Verified(latchkey_store* store, const Facts::Key& key) {
  auto verdict = Sized<latchkey_verdict>();
  const latchkey_code code =
      latchkey_verify(store, key.secret.data(), key.secret.size(), nullptr, &verdict);
  const bool is_allowed = verdict.reason == LATCHKEY_REASON_ALLOWED;
  if (is_allowed != (code == LATCHKEY_OK)) return "allowed, and " + CodeName(code);
  return is_allowed || code == LATCHKEY_DENIED ? latchkey_reason_text(verdict.reason)
                                               : CodeName(code);
}

std::string Shown(latchkey_store* store, const Facts::Key& key) {
  auto row = Sized<latchkey_credential>();
  const latchkey_code code = latchkey_credential_get(store, &key.uuid, &row);
  if (code != LATCHKEY_OK) return CodeName(code);
  return std::string(NameOf(row)) + (row.revoked_s != 0 ? ", revoked" : "");
}

using Question = std::function<std::string(latchkey_store*, const Facts::Key&)>;

// Each read that the question comes to fails in turn. What it found wrong.
void Ask(const Question& question, const Facts::Key& key, const std::string& due, bool lasting,
         Counts* counts) {
  for (uint64_t nth = 1;; ++nth) {
    UnreadStore store;
    store.disk().Fail(Call::kRead, nth, EIO, lasting);
    const std::string answer = question(store.get(), key);
    const bool hit = store.disk().failed() != 0;
    store.disk().Mend();
    const std::string then = question(store.get(), key);
    const bool is_right =
        (answer == due || (hit && answer == CodeName(LATCHKEY_IO))) && then == due;
    if (!is_right) {
      ++counts->wrong;
      ADD_FAILURE() << "read " << nth << (lasting ? " and on" : "") << " fails: " << answer
                    << ", then " << then << ", not " << due;
    }
    if (!hit) return;
    ++counts->faults;
    ++counts->codes[answer];
  }
}

TEST(UnreadStoreTest, IsNotAnsweredFromWrongly) {
  const Facts& facts = OneOfEachFate().facts;
  Counts counts;
  for (const bool lasting : {false, true}) {
    for (const Facts::Key& key : facts.keys) {
      Ask(Verified, key, DueVerdict(facts, key), lasting, &counts);
      Ask(Shown, key, key.name + (key.revoked ? ", revoked" : ""), lasting, &counts);
    }
  }
  EXPECT_GE(counts.faults, 2 * facts.keys.size());
  Print("failing reads of an unread store", counts);
}

}  // namespace
}  // namespace latchkey_test
