// Recorded histories. Several threads change and ask about few keys at once; each call is stamped
// before and after by one counter. Then an order is looked for that explains every answer: for each
// user with his key by himself, and for each sort of question by itself beside all changes.
//
// At some of the points that a verification passes (base/declassify.h) the thread stops for a
// while, so that changes come between its steps far more often than by chance.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <ostream>
#include <random>
#include <thread>

#include "base/bytes.h"
#include "base/declassify.h"
#include "crypto/digest.h"
#include "histories/history.h"
#include "support/fixture.h"

namespace latchkey {
extern uint64_t memory_budget_bytes_min;

namespace {
// Of the thread; 0 = it does not stop.
thread_local uint32_t stops_one_in = 0;
thread_local uint32_t stops_drawn = 1;
}  // namespace

void OnDeclassify(const void*, size_t) {
  if (stops_one_in == 0) return;
  stops_drawn = stops_drawn * 1664525 + 1013904223;
  if ((stops_drawn >> 8) % stops_one_in == 0) {
    std::this_thread::sleep_for(std::chrono::microseconds((stops_drawn >> 20) % 1024));
  }
}

}  // namespace latchkey

namespace latchkey_histories {
namespace {

using latchkey_test::Sized;
using latchkey_test::TestStore;

constexpr size_t kThreads = 4;
constexpr size_t kThings = 2;
constexpr size_t kEventsOfAThread = 14;
static_assert(1 + kThreads * kEventsOfAThread <= kEventsMax);
constexpr uint32_t kStopsOneIn = 6;
// What one thread makes of the first thing, in a row: it would be rare by chance, and no
// verification that begins after the first and ends after the last allows. Another thread only
// verifies.
constexpr Call kTurn[] = {Call::kLock, Call::kRevoke, Call::kUnlock};

// A user, and the key he has or will have.
struct Thing {
  latchkey_uuid owner{};
  latchkey_uuid key{};
  std::string secret;
  std::string line;  // of the import that makes the key
};

struct Store {
  const char* name;
  uint64_t directory_budget_bytes;
  latchkey_test::LoadChoice load;
};
constexpr Store kStores[] = {
    {"InMemory", 0, {LATCHKEY_LOAD_FIRST, 0}},
    {"VerifiedFromTheStore", 0, {LATCHKEY_LOAD_FIRST, 64 * 4096}},
    {"ListedFromTheStore", 1, {LATCHKEY_LOAD_FIRST, 0}},
};

void PrintTo(const Store& store, std::ostream* out) { *out << store.name; }

std::string NameOf(uint32_t number) { return "name " + std::to_string(number); }
uint32_t NumberOf(std::string_view name) {
  return static_cast<uint32_t>(std::stoul(std::string(name.substr(name.rfind(' ') + 1))));
}

class Round {
 public:
  Round(TestStore* store, std::mt19937_64* random) : store_(*store), random_(*random) {
    for (Thing& thing : things_) Prepare(&thing);
    // The key of the first is there from the beginning.
    Event event;
    event.begun = clock_.fetch_add(1);
    Make(things_[0], &event);
    event.done = clock_.fetch_add(1);
    events_.emplace_back(0, event);
  }

  void Play() {
    std::barrier start(kThreads);
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([this, &start, i, seed = random_()] {
        start.arrive_and_wait();
        PlayOne(i, seed);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  // The histories of one thing and one sort of question that nothing explains; how many there were.
  size_t Judge(std::string* wrong) const {
    static const std::vector<std::vector<Call>> kQuestions = {
        {Call::kVerify}, {Call::kGet}, {Call::kListActive, Call::kListRevoked}, {Call::kGetOwner}};
    for (size_t thing = 0; thing < kThings; ++thing) {
      for (const std::vector<Call>& questions : kQuestions) {
        std::vector<Event> events;
        for (const auto& [of, event] : events_) {
          const bool is_asked =
              std::find(questions.begin(), questions.end(), event.call) != questions.end();
          if (of == thing && (IsChange(event.call) || is_asked)) events.push_back(event);
        }
        if (IsExplained(events)) continue;
        *wrong += "nothing explains:\n" + Describe(Minimised(std::move(events)));
      }
    }
    return kThings * kQuestions.size();
  }

 private:
  void Prepare(Thing* thing) {
    thing->owner = store_.CreateUser("a user");
    for (uint8_t& byte : thing->key.bytes) byte = static_cast<uint8_t>(random_());
    thing->secret = "bencher_user_";
    for (int i = 0; i < 30; ++i) thing->secret += static_cast<char>('a' + random_() % 26);
    const std::string digits =
        latchkey::HexEncode(latchkey::View(latchkey::Sha256BySodium(thing->secret).bytes));
    thing->line = R"({"type":"user_key","uuid":")" + latchkey_test::Text(thing->key) +
                  R"(","user":")" + latchkey_test::Text(thing->owner) + R"(","name":")" +
                  NameOf(0) + R"(","sha256":")" + digits +
                  R"(","creation":1769070818,"expiration":4000000000,"revoked":null})" + "\n";
  }

  void PlayOne(uint32_t thread, uint64_t seed) {
    std::mt19937_64 random(seed);
    latchkey::stops_one_in = kStopsOneIn;
    latchkey::stops_drawn = static_cast<uint32_t>(seed);
    std::vector<std::pair<size_t, Event>> mine;
    const size_t turn = random() % (kEventsOfAThread - std::size(kTurn));
    for (size_t i = 0; i < kEventsOfAThread; ++i) {
      size_t thing = random() % kThings;
      Event event;
      event.call = Draw(&random, /*asks=*/thread % 2 == 0);
      if (thing == 0 && event.call == Call::kRevoke) continue;
      if (thread == 2) {
        thing = 0;
        event.call = Call::kVerify;
      }
      if (thread == 1 && i >= turn && i < turn + std::size(kTurn)) {
        thing = 0;
        event.call = kTurn[i - turn];
      }
      event.thread = thread;
      if (event.call == Call::kRename) event.name = 1 + (thread * kEventsOfAThread + i) % 200;
      event.begun = clock_.fetch_add(1);
      Make(things_[thing], &event);
      event.done = clock_.fetch_add(1);
      mine.emplace_back(thing, event);
    }
    latchkey::stops_one_in = 0;
    const std::lock_guard lock(mutex_);
    events_.insert(events_.end(), mine.begin(), mine.end());
  }

  static Call Draw(std::mt19937_64* random, bool asks) {
    static constexpr Call kAsking[] = {Call::kVerify,   Call::kVerify,     Call::kVerify,
                                       Call::kVerify,   Call::kVerify,     Call::kGet,
                                       Call::kGet,      Call::kListActive, Call::kListRevoked,
                                       Call::kGetOwner, Call::kRename};
    static constexpr Call kChanging[] = {
        Call::kCreate, Call::kCreate, Call::kCreate, Call::kRevoke, Call::kRename,    Call::kRename,
        Call::kLock,   Call::kUnlock, Call::kUnlock, Call::kVerify, Call::kListActive};
    return asks ? kAsking[(*random)() % std::size(kAsking)]
                : kChanging[(*random)() % std::size(kChanging)];
  }

  void Make(const Thing& thing, Event* event) {
    switch (event->call) {
      case Call::kCreate:
        event->answer =
            static_cast<uint32_t>(latchkey_test::Import(store_, thing.line).report.imported);
        break;
      case Call::kRevoke:
        event->answer =
            latchkey_credential_revoke(store_, &thing.key, nullptr, nullptr, 0, nullptr);
        break;
      case Call::kRename: {
        const std::string name = NameOf(event->name);
        event->answer = latchkey_credential_rename(store_, &thing.key, name.data(), name.size(),
                                                   nullptr, nullptr);
        break;
      }
      case Call::kLock:
      case Call::kUnlock: {
        auto options = Sized<latchkey_owner_update_options>();
        options.uuid = thing.owner;
        options.set = LATCHKEY_OWNER_SET_LOCKED;
        options.locked = event->call == Call::kLock ? 1 : 0;
        event->answer = latchkey_owner_update(store_, &options, nullptr);
        break;
      }
      default:
        Ask(thing, event);
    }
  }

  void Ask(const Thing& thing, Event* event) {
    auto row = Sized<latchkey_credential>();
    auto verdict = Sized<latchkey_verdict>();
    switch (event->call) {
      case Call::kVerify:
        // The code says the same, or why there is no answer.
        event->answer = latchkey_verify(store_, thing.secret.data(), thing.secret.size(), nullptr,
                                        &verdict) <= LATCHKEY_DENIED
                            ? verdict.reason
                            : UINT32_MAX;
        return;
      case Call::kGet:
        event->answer = latchkey_credential_get(store_, &thing.key, &row);
        break;
      case Call::kListActive:
      case Call::kListRevoked: {
        auto options = Sized<latchkey_list_options>();
        options.owner = thing.owner;
        options.kind = LATCHKEY_KIND_USER_KEY;
        options.revoked = event->call == Call::kListRevoked ? 1 : 0;
        options.page_size = 1;
        size_t count = 0;
        uint64_t total = 0;
        const latchkey_code code =
            latchkey_credential_list(store_, &options, &row, 1, &count, &total);
        event->answer =
            code == LATCHKEY_OK && count == total ? static_cast<uint32_t>(count) : UINT32_MAX;
        break;
      }
      case Call::kGetOwner:
        event->answer =
            store_.GetOwner(LATCHKEY_OWNER_USER, latchkey_test::Text(thing.owner)).locked;
        return;
      default:
        return;
    }
    if (row.name_size != 0) event->name = NumberOf(latchkey_test::NameOf(row));
    event->revoked = row.revoked_s != 0;
  }

  TestStore& store_;
  std::mt19937_64& random_;
  std::array<Thing, kThings> things_;
  std::atomic<uint64_t> clock_{0};
  std::mutex mutex_;
  std::vector<std::pair<size_t, Event>> events_;
};

class Linearizable : public testing::TestWithParam<Store> {};

TEST_P(Linearizable, EveryAnswerWasTrueAtSomeMomentOfItsCall) {
  latchkey::memory_budget_bytes_min = 0;
  latchkey_test::load_choice = GetParam().load;
  std::mt19937_64 random(latchkey_test::TestSeed());
  TestStore store(GetParam().directory_budget_bytes);
  store.CreateKey(store.CreateUser("somebody"), LATCHKEY_KIND_USER_KEY, "so that there is one");
  const size_t rounds = latchkey_test::IsLongRun() ? 5'000 : 200;
  size_t histories = 0;
  size_t wrong = 0;
  for (size_t i = 0; i < rounds && wrong < 3; ++i) {
    Round round(&store, &random);
    round.Play();
    std::string findings;
    histories += round.Judge(&findings);
    if (findings.empty()) continue;
    ++wrong;
    ADD_FAILURE() << "round " << i << ": " << findings;
  }
  std::printf(
      "histories of real threads: tried %zu, wrong %zu, rounds of %zu calls on %zu threads\n",
      histories, wrong, kThreads * kEventsOfAThread, kThreads);
}

INSTANTIATE_TEST_SUITE_P(Each, Linearizable, testing::ValuesIn(kStores),
                         [](const auto& store) { return std::string(store.param.name); });

// ---- The search itself --------------------------------------------------------------------------

Event Make(Call call, uint64_t begun, uint64_t done, uint32_t answer, uint32_t name = 0) {
  Event event;
  event.call = call;
  event.begun = begun;
  event.done = done;
  event.answer = answer;
  event.name = name;
  return event;
}

TEST(Search, FindsAnOrderOfWhatOverlaps) {
  EXPECT_TRUE(IsExplained({Make(Call::kCreate, 0, 1, 1), Make(Call::kRevoke, 2, 9, LATCHKEY_OK),
                           Make(Call::kVerify, 3, 4, LATCHKEY_REASON_REVOKED),
                           Make(Call::kLock, 5, 6, LATCHKEY_OK),
                           Make(Call::kVerify, 7, 8, LATCHKEY_REASON_REVOKED)}));
  EXPECT_TRUE(IsExplained({Make(Call::kCreate, 0, 1, 1), Make(Call::kRevoke, 2, 9, LATCHKEY_OK),
                           Make(Call::kVerify, 3, 10, LATCHKEY_REASON_ALLOWED)}));
}

TEST(Search, FindsNoneWhereThereIsNone) {
  const std::vector<Event> revoked_and_allowed = {
      Make(Call::kCreate, 0, 1, 1), Make(Call::kRevoke, 2, 3, LATCHKEY_OK),
      Make(Call::kVerify, 4, 5, LATCHKEY_REASON_REVOKED),
      Make(Call::kVerify, 6, 7, LATCHKEY_REASON_ALLOWED)};
  EXPECT_FALSE(IsExplained(revoked_and_allowed));
  EXPECT_EQ(3u, Minimised(revoked_and_allowed).size());
  // Seen, and then not yet so.
  EXPECT_FALSE(
      IsExplained({Make(Call::kCreate, 0, 1, 1), Make(Call::kRename, 2, 9, 0, 7),
                   Make(Call::kListActive, 3, 4, 1, 7), Make(Call::kListActive, 5, 6, 1, 0)}));
  // Locked when it was revoked, and unlocked after that.
  EXPECT_FALSE(IsExplained({Make(Call::kCreate, 0, 1, 1), Make(Call::kLock, 2, 3, LATCHKEY_OK),
                            Make(Call::kVerify, 4, 9, LATCHKEY_REASON_ALLOWED),
                            Make(Call::kRevoke, 5, 6, LATCHKEY_OK),
                            Make(Call::kUnlock, 7, 8, LATCHKEY_OK)}));
}

}  // namespace
}  // namespace latchkey_histories
