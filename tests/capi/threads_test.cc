// What threads may see of each other's changes. Every change of a subject lies between two steps of
// a counter, so a verification that read the counter before and after itself knows every state that
// could have held in between, and its verdict must be that of one of these.
#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

#include "support/fixture.h"

using latchkey_test::IsLongRun;
using latchkey_test::Issued;
using latchkey_test::Sized;
using latchkey_test::TestStore;

namespace {

std::chrono::milliseconds RunTime() {
  return IsLongRun() ? std::chrono::milliseconds(20000) : std::chrono::milliseconds(1500);
}

// Steps once before a change begins and once after it has returned: even = nothing under way.
class Steps {
 public:
  void Begin() { steps_.fetch_add(1); }
  void End() { steps_.fetch_add(1); }
  uint64_t now() const { return steps_.load(); }

 private:
  std::atomic<uint64_t> steps_{0};
};

// The states that could have held: those of the changes finished before it began, up to those begun
// before it ended. States are numbered by changes: 0, 1, 2, ...
struct Span {
  uint64_t first;
  uint64_t last;
  Span(uint64_t before, uint64_t after) : first(before / 2), last((after + 1) / 2) {}
};

// A user and his keys. One thread changes them, and writes down each state before it begins the
// change that leads to it.
struct Subject {
  static constexpr size_t kKeys = 4;
  static constexpr size_t kChangesMax = 40;

  struct State {
    bool locked = false;
    bool revoked[kKeys] = {};
    const char* VerdictOf(size_t key) const {
      return revoked[key] ? "revoked" : locked ? "locked" : "allowed";
    }
  };

  latchkey_uuid user{};
  Issued keys[kKeys];
  Steps steps;
  State states[kChangesMax + 1];

  bool Admits(size_t key, const Span& span, std::string_view verdict) const {
    for (uint64_t i = span.first; i <= span.last; ++i) {
      if (verdict == states[i].VerdictOf(key)) return true;
    }
    return false;
  }
};

class Stage {
 public:
  explicit Stage(size_t size) : subjects_(size) {}
  void Put(size_t place, std::shared_ptr<Subject> subject) {
    const std::lock_guard lock(mutex_);
    subjects_[place] = std::move(subject);
  }
  std::shared_ptr<Subject> Take(size_t place) {
    const std::lock_guard lock(mutex_);
    return subjects_[place];
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Subject>> subjects_;
};

class Threads : public testing::Test {
 protected:
  std::shared_ptr<Subject> MakeSubject(const std::string& name) {
    auto subject = std::make_shared<Subject>();
    subject->user = store_.CreateUser(name);
    for (Issued& key : subject->keys) {
      key = store_.CreateKey(subject->user, LATCHKEY_KIND_USER_KEY, "key");
    }
    return subject;
  }

  // One writer: subjects come, are locked and unlocked, lose their keys, and make room for others.
  void Write(size_t place, Stage* stage) {
    std::mt19937_64 random(seed_ + place);
    for (int round = 0; !stop_.load(); ++round) {
      const auto subject =
          MakeSubject("writer " + std::to_string(place) + " " + std::to_string(round));
      stage->Put(place, subject);
      size_t change = 0;
      while (change < Subject::kChangesMax && !stop_.load()) {
        const Subject::State& now = subject->states[change];
        Subject::State& next = subject->states[++change];
        next = now;
        Change(subject.get(), random(), &next);
        changes_.fetch_add(1);
        if (std::all_of(std::begin(next.revoked), std::end(next.revoked), [](bool r) { return r; }))
          break;
      }
    }
  }
  // Draws a change, writes down what it leads to in `next`, and makes it.
  void Change(Subject* subject, uint64_t choice, Subject::State* next) {
    const size_t key = choice / 16 % Subject::kKeys;
    choice %= 16;
    if (choice == 0) {
      std::fill(std::begin(next->revoked), std::end(next->revoked), true);
      auto options = Sized<latchkey_sweep_options>();
      options.owner = subject->user;
      subject->steps.Begin();
      EXPECT_CODE(LATCHKEY_OK, latchkey_revoke_all(store_, &options, nullptr));
    } else if (choice < 4 && !next->revoked[key]) {
      next->revoked[key] = true;
      subject->steps.Begin();
      store_.Revoke(subject->keys[key].uuid);
    } else {
      next->locked = !next->locked;
      subject->steps.Begin();
      store_.SetLocked(subject->user, next->locked);
    }
    subject->steps.End();
  }

  // One reader: verifies what it finds on the stage and holds every verdict to the counter.
  void Read(size_t number, Stage* stage, size_t places) {
    std::mt19937_64 random(seed_ + 1000 + number);
    uint64_t verdicts = 0;
    while (!stop_.load()) {
      const auto subject = stage->Take(random() % places);
      if (subject == nullptr) continue;
      const size_t key = random() % Subject::kKeys;
      const uint64_t before = subject->steps.now();
      const std::string verdict = store_.Verify(subject->keys[key].secret);
      const Span span(before, subject->steps.now());
      ++verdicts;
      if (!subject->Admits(key, span, verdict)) {
        ADD_FAILURE() << verdict << " at no moment between its start and its end, states "
                      << span.first << ".." << span.last << ", last of them "
                      << subject->states[span.last].VerdictOf(key);
        stop_.store(true);
      }
    }
    verdicts_.fetch_add(verdicts);
  }

  TestStore store_;
  const uint64_t seed_ = latchkey_test::TestSeed();
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> changes_{0};
  std::atomic<uint64_t> verdicts_{0};
};

TEST_F(Threads, NoVerdictContradictsWhatHasReturned) {
  constexpr size_t kWriters = 3;
  constexpr size_t kReaders = 4;
  Stage stage(kWriters);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kWriters; ++i) threads.emplace_back([&, i] { Write(i, &stage); });
  for (size_t i = 0; i < kReaders; ++i) {
    threads.emplace_back([&, i] { Read(i, &stage, kWriters); });
  }
  std::this_thread::sleep_for(RunTime());
  stop_.store(true);
  for (std::thread& thread : threads) thread.join();
  EXPECT_LT(0u, changes_.load());
  EXPECT_LT(0u, verdicts_.load());
  std::cout << changes_ << " changes, " << verdicts_ << " verdicts" << std::endl;
  store_.Check();
}

// The machinery itself: if it admitted everything, every store would pass.
TEST(ThreadsMachinery, AdmitsNoMoreThanItMust) {
  Subject subject;
  subject.states[1].locked = true;
  subject.states[2].locked = true;
  subject.states[2].revoked[0] = true;
  EXPECT_TRUE(subject.Admits(0, Span(0, 0), "allowed"));
  EXPECT_FALSE(subject.Admits(0, Span(0, 0), "locked"));
  EXPECT_FALSE(subject.Admits(0, Span(0, 0), "unknown"));
  EXPECT_TRUE(subject.Admits(0, Span(0, 1), "locked"));   // the change has begun
  EXPECT_TRUE(subject.Admits(0, Span(1, 1), "allowed"));  // and has not returned
  EXPECT_FALSE(subject.Admits(0, Span(2, 2), "allowed"));
  EXPECT_TRUE(subject.Admits(0, Span(0, 2), "allowed"));
  EXPECT_FALSE(subject.Admits(0, Span(1, 2), "revoked"));
  EXPECT_FALSE(subject.Admits(0, Span(4, 4), "locked"));
  EXPECT_TRUE(subject.Admits(1, Span(4, 4), "locked"));
}

// Creates, renames, revocations and lists at once; each thread knows what has become of its own
// keys.
class Mixed : public Threads {
 protected:
  struct Mine {
    Issued key;
    std::string name;
    bool revoked = false;
  };

  void Work(size_t number, std::vector<Mine>* mine) {
    std::mt19937_64 random(seed_ + number);
    while (!stop_.load()) {
      const uint64_t choice = random() % 10;
      if (mine->empty() || choice < 5) {
        const std::string name = "name " + std::to_string(random() % 20);
        mine->push_back({store_.CreateKey(project_, LATCHKEY_KIND_PROJECT_KEY, name), name});
        EXPECT_EQ("allowed", store_.Verify(mine->back().key.secret));
      } else if (choice < 8) {
        Mine& one = (*mine)[random() % mine->size()];
        one.name = "renamed " + std::to_string(random() % 20);
        EXPECT_CODE(LATCHKEY_OK, latchkey_credential_rename(store_, &one.key.uuid, one.name.data(),
                                                            one.name.size(), nullptr, nullptr));
      } else {
        Mine& one = (*mine)[random() % mine->size()];
        EXPECT_CODE(
            one.revoked ? LATCHKEY_CONFLICT : LATCHKEY_OK,
            latchkey_credential_revoke(store_, &one.key.uuid, nullptr, nullptr, 0, nullptr));
        one.revoked = true;
        EXPECT_EQ("revoked", store_.Verify(one.key.secret));
      }
    }
  }

  // Every page is in order, and page and total are of one moment.
  void List(size_t number) {
    std::mt19937_64 random(seed_ + 100 + number);
    std::vector<latchkey_credential> rows(4096, Sized<latchkey_credential>());
    while (!stop_.load()) {
      auto options = Sized<latchkey_list_options>();
      options.owner = project_;
      options.kind = LATCHKEY_KIND_PROJECT_KEY;
      options.revoked = random() % 2;
      options.page_size = static_cast<uint32_t>(rows.size());
      size_t count = 0;
      uint64_t total = 0;
      ASSERT_CODE(LATCHKEY_OK, latchkey_credential_list(store_, &options, rows.data(), rows.size(),
                                                        &count, &total));
      EXPECT_EQ(std::min<uint64_t>(total, rows.size()), count);
      for (size_t i = 0; i < count; ++i) {
        EXPECT_EQ(options.revoked != 0, rows[i].revoked_s != 0);
        if (i > 0) {
          EXPECT_LE(latchkey_test::NameOf(rows[i - 1]), latchkey_test::NameOf(rows[i]));
        }
      }
    }
  }

  latchkey_uuid project_ = store_.CreateProject("The Computer");
};

TEST_F(Mixed, EndsConsistent) {
  constexpr size_t kWorkers = 4;
  std::vector<std::vector<Mine>> mine(kWorkers);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kWorkers; ++i) threads.emplace_back([&, i] { Work(i, &mine[i]); });
  for (size_t i = 0; i < 2; ++i) threads.emplace_back([&, i] { List(i); });
  std::this_thread::sleep_for(RunTime() / 2);
  store_.Check();  // also while all of this goes on
  std::this_thread::sleep_for(RunTime() / 2);
  stop_.store(true);
  for (std::thread& thread : threads) thread.join();

  for (int reopened = 0; reopened < 2; ++reopened) {
    uint64_t active = 0;
    uint64_t revoked = 0;
    for (const auto& all : mine) {
      for (const Mine& one : all) {
        const latchkey_credential credential = store_.Get(one.key.uuid);
        EXPECT_EQ(one.name, latchkey_test::NameOf(credential));
        EXPECT_EQ(one.revoked, credential.revoked_s != 0);
        EXPECT_EQ(one.revoked ? "revoked" : "allowed", store_.Verify(one.key.secret));
        ++(one.revoked ? revoked : active);
      }
    }
    EXPECT_EQ(active, store_.Stats().active);
    EXPECT_EQ(revoked, store_.Stats().revoked);
    store_.Check();
    store_.Reopen();
  }
}

}  // namespace
