// A batch answers as one verification after another would, whatever is in it, however long it is,
// and also while another thread revokes.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "support/fixture.h"

using latchkey_test::CodeName;
using latchkey_test::Issued;
using latchkey_test::kNowS;
using latchkey_test::Sized;
using latchkey_test::TestStore;

namespace {

constexpr size_t kSizeMax = 200;

class Batch : public testing::Test {
 protected:
  Batch() : random_(latchkey_test::TestSeed()) {
    const latchkey_uuid user = store_.CreateUser("user");
    const latchkey_uuid locked = store_.CreateUser("locked");
    const latchkey_uuid deleted = store_.CreateUser("deleted");
    for (int i = 0; i < 30; ++i) {
      Keep(user, [](auto*) {});
      Keep(locked, [](auto*) {});
      Keep(deleted, [](auto*) {});
      Keep(user, [](auto* wish) { wish->scopes = 7; });
      Keep(user, [](auto* wish) { wish->has_ttl = 1, wish->ttl_s = 5; });
      Keep(user, [](auto* wish) { wish->not_before_s = kNowS + 1000; });
      store_.Revoke(Keep(user, [](auto*) {}));
      std::string unknown = secrets_.front();
      std::reverse(unknown.end() - 10, unknown.end() - i % 8);
      unknown.back() = unknown.back() == 'x' ? 'y' : 'x';
      secrets_.push_back(unknown);
      secrets_.push_back("bencher_user_short");
    }
    secrets_.emplace_back();
    secrets_.emplace_back(9000, 'x');
    store_.SetLocked(locked, true);
    EXPECT_CODE(LATCHKEY_OK, latchkey_owner_delete(store_, &deleted, nullptr));
    store_.clock().Advance(10);
  }

  template <typename Change>
  latchkey_uuid Keep(const latchkey_uuid& owner, Change&& change) {
    auto wish = TestStore::KeyOptions(owner, LATCHKEY_KIND_USER_KEY, "key");
    change(&wish);
    const Issued issued = store_.Issue(wish);
    secrets_.push_back(issued.secret);
    return issued.uuid;
  }

  // Draws `size` secrets and compares.
  void ExpectAsSingle(size_t size, const latchkey_verify_options* options) {
    std::vector<latchkey_bytes> bytes(size);
    for (latchkey_bytes& one : bytes) {
      const std::string& secret = secrets_[random_() % secrets_.size()];
      one = {secret.data(), secret.size()};
    }
    // One more of each, which must be left alone.
    std::vector<latchkey_code> codes(size + 1, 99);
    std::vector<latchkey_verdict> verdicts(size + 1, Sized<latchkey_verdict>());
    verdicts.back().kind = 99;
    const bool asks_verdicts = size % 3 != 0;
    ASSERT_CODE(LATCHKEY_OK,
                latchkey_verify_batch(store_, bytes.data(), size, options, codes.data(),
                                      asks_verdicts ? verdicts.data() : nullptr));
    for (size_t i = 0; i < size; ++i) {
      auto due = Sized<latchkey_verdict>();
      const latchkey_code code =
          latchkey_verify(store_, bytes[i].data, bytes[i].size, options, &due);
      ++seen_[due.reason];
      ASSERT_EQ(CodeName(code), CodeName(codes[i])) << i << " of " << size;
      if (!asks_verdicts) continue;
      ASSERT_EQ(0, std::memcmp(&due, &verdicts[i], sizeof due))
          << i << " of " << size << ": " << latchkey_reason_text(due.reason) << ", "
          << latchkey_reason_text(verdicts[i].reason);
    }
    ASSERT_EQ(99u, codes.back());
    ASSERT_EQ(99u, verdicts.back().kind);
  }

  TestStore store_;
  std::mt19937_64 random_;
  std::vector<std::string> secrets_;
  std::map<uint32_t, uint64_t> seen_;  // by reason
};

TEST_F(Batch, AnswersAsSingleVerificationsOfEverySize) {
  auto options = Sized<latchkey_verify_options>();
  for (size_t size = 0; size <= kSizeMax; ++size) {
    options.required_scopes = size % 2 != 0 ? 2 : 0;
    options.at_s = size % 5 == 0 ? kNowS + 2000 : 0;
    ExpectAsSingle(size, size % 7 == 0 ? nullptr : &options);
  }
  for (uint32_t reason = LATCHKEY_REASON_ALLOWED; reason <= LATCHKEY_REASON_SCOPE; ++reason) {
    EXPECT_NE(0u, seen_[reason]) << "never given: " << latchkey_reason_text(reason);
  }
}

// Each key is revoked once, in order: what had been revoked before a batch began is denied in it,
// what had not been touched when it ended is allowed.
TEST_F(Batch, NeverContradictsARevocationThatReturned) {
  constexpr size_t kKeys = 400;
  const latchkey_uuid user = store_.CreateUser("many");
  std::vector<Issued> keys;
  for (size_t i = 0; i < kKeys; ++i) {
    keys.push_back(store_.CreateKey(user, LATCHKEY_KIND_USER_KEY, "key"));
  }
  std::atomic<size_t> begun{0};
  std::atomic<size_t> returned{0};
  std::thread revoker([&] {
    for (size_t i = 0; i < kKeys; ++i) {
      begun.store(i + 1);
      store_.Revoke(keys[i].uuid);
      returned.store(i + 1);
    }
  });
  while (returned.load() < kKeys) {
    const size_t size = random_() % (kSizeMax + 1);
    std::vector<size_t> places(size);
    std::vector<latchkey_bytes> bytes(size);
    std::vector<latchkey_code> codes(size);
    const size_t before = returned.load();
    for (size_t i = 0; i < size; ++i) {
      // Mostly about where the revoker is.
      const size_t near = before + random_() % 16 - std::min<size_t>(before, 8);
      places[i] = std::min(random_() % 4 != 0 ? near : random_() % kKeys, kKeys - 1);
      bytes[i] = {keys[places[i]].secret.data(), keys[places[i]].secret.size()};
    }
    const latchkey_code code =
        latchkey_verify_batch(store_, bytes.data(), size, nullptr, codes.data(), nullptr);
    const size_t after = begun.load();
    EXPECT_CODE(LATCHKEY_OK, code);
    for (size_t i = 0; i < size; ++i) {
      if (places[i] < before) {
        EXPECT_CODE(LATCHKEY_DENIED, codes[i]) << places[i];
      } else if (places[i] >= after) {
        EXPECT_CODE(LATCHKEY_OK, codes[i]) << places[i];
      }
    }
    if (HasFailure()) break;
  }
  revoker.join();
}

// What cannot be judged stops the batch; nothing behind it is allowed.
TEST_F(Batch, ABadItemAllowsNothingBehindIt) {
  std::vector<latchkey_bytes> bytes(100, {secrets_.front().data(), secrets_.front().size()});
  bytes[70] = {nullptr, 1};
  std::vector<latchkey_code> codes(bytes.size(), LATCHKEY_OK);
  EXPECT_CODE(LATCHKEY_INVALID_ARGUMENT, latchkey_verify_batch(store_, bytes.data(), bytes.size(),
                                                               nullptr, codes.data(), nullptr));
  for (size_t i = 70; i < codes.size(); ++i) EXPECT_CODE(LATCHKEY_DENIED, codes[i]) << i;
}

}  // namespace
