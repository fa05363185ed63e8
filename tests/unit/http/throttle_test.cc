// Buckets of guesses: what is spent, what comes back, and that nobody gains by coming from
// everywhere.
#include "bindings/http/throttle.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

namespace latchkey::http {
namespace {

Address V4(uint32_t n) {
  std::array<uint8_t, 16> bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  for (size_t i = 0; i < 4; ++i) bytes[15 - i] = static_cast<uint8_t>(n >> 8 * i);
  return Address::FromBytes(bytes);
}

int SpendAll(GuessThrottle* throttle, const Address& client, int64_t now_ms) {
  int spent = 0;
  while (spent < 100'000 && throttle->Spend(client, now_ms).allowed) ++spent;
  return spent;
}

TEST(GuessThrottle, ABurstAndThenARate) {
  GuessThrottle throttle(5, 2);
  EXPECT_EQ(SpendAll(&throttle, V4(1), 1000), 5);
  EXPECT_EQ(throttle.Spend(V4(1), 1000).retry_after_s, 1);
  EXPECT_FALSE(throttle.Spend(V4(1), 1499).allowed);
  EXPECT_TRUE(throttle.Spend(V4(1), 1500).allowed);
  EXPECT_FALSE(throttle.Spend(V4(1), 1500).allowed);
  EXPECT_EQ(SpendAll(&throttle, V4(1), 3500), 4);
  EXPECT_EQ(SpendAll(&throttle, V4(1), 1'000'000), 5);  // never more than the burst
}

TEST(GuessThrottle, SaysWhenToComeBack) {
  GuessThrottle slow(1, 0.1);
  EXPECT_TRUE(slow.Spend(V4(1), 0).allowed);
  const GuessThrottle::Answer answer = slow.Spend(V4(1), 500);
  EXPECT_FALSE(answer.allowed);
  EXPECT_EQ(answer.retry_after_s, 10);
  EXPECT_FALSE(slow.Spend(V4(1), 9'900).allowed);
  EXPECT_TRUE(slow.Spend(V4(1), 500 + answer.retry_after_s * 1000).allowed);

  GuessThrottle never(1, 0);
  EXPECT_TRUE(never.Spend(V4(1), 0).allowed);
  EXPECT_EQ(never.Spend(V4(1), 1'000'000'000).retry_after_s, 3600);
}

TEST(GuessThrottle, AddressesDoNotShare) {
  GuessThrottle throttle(3, 1);
  EXPECT_EQ(SpendAll(&throttle, V4(1), 0), 3);
  EXPECT_EQ(SpendAll(&throttle, V4(2), 0), 3);
  EXPECT_EQ(throttle.Addresses(), 2u);
  // One /64 is one client; the next is another.
  EXPECT_EQ(SpendAll(&throttle, *Address::Parse("2001:db8::1"), 0), 3);
  EXPECT_EQ(SpendAll(&throttle, *Address::Parse("2001:db8::ffff:1"), 0), 0);
  EXPECT_EQ(SpendAll(&throttle, *Address::Parse("2001:db8:0:1::1"), 0), 3);
  EXPECT_EQ(throttle.Addresses(), 4u);
}

TEST(GuessThrottle, ZeroIsOff) {
  GuessThrottle off(0, 10);
  EXPECT_EQ(SpendAll(&off, V4(1), 0), 100'000);
  EXPECT_EQ(off.Addresses(), 0u);
}

TEST(GuessThrottle, AClockThatRunsBackGivesNothing) {
  GuessThrottle throttle(3, 1);
  EXPECT_EQ(SpendAll(&throttle, V4(1), 1'000'000), 3);
  EXPECT_EQ(SpendAll(&throttle, V4(1), 0), 0);
  EXPECT_EQ(throttle.Spend(V4(1), 0).retry_after_s, 1);  // and it takes nothing either
  EXPECT_EQ(SpendAll(&throttle, V4(1), 1'000'000), 0);   // back where it was: still nothing
  EXPECT_EQ(SpendAll(&throttle, V4(1), 1'001'000), 1);
  EXPECT_EQ(SpendAll(&throttle, V4(1), std::numeric_limits<int64_t>::min()), 0);
  EXPECT_EQ(SpendAll(&throttle, V4(1), std::numeric_limits<int64_t>::max()), 3);
}

TEST(GuessThrottle, TheTableIsBounded) {
  GuessThrottle throttle(2, 1, 100);
  for (uint32_t i = 0; i < 10'000; ++i) {
    throttle.Spend(V4(i), i);
    ASSERT_LE(throttle.Addresses(), 100u);
  }
  EXPECT_EQ(throttle.Addresses(), 100u);
}

TEST(GuessThrottle, TheLeastRecentlyUsedGoesFirst) {
  GuessThrottle throttle(2, 0, 2);
  EXPECT_EQ(SpendAll(&throttle, V4(1), 0), 2);
  EXPECT_TRUE(throttle.Spend(V4(2), 0).allowed);
  EXPECT_FALSE(throttle.Spend(V4(1), 0).allowed);  // now 2 is the oldest, with one token
  EXPECT_EQ(SpendAll(&throttle, V4(3), 0), 1);
  EXPECT_EQ(throttle.Addresses(), 2u);
  EXPECT_EQ(SpendAll(&throttle, V4(1), 0), 0);
}

TEST(GuessThrottle, ABucketThatHasFilledUpAgainIsAsGoodAsNew) {
  GuessThrottle throttle(2, 1, 1);
  EXPECT_EQ(SpendAll(&throttle, V4(1), 0), 2);
  EXPECT_EQ(SpendAll(&throttle, V4(2), 2000), 2);
}

TEST(GuessThrottle, PushingBucketsOutGainsNothing) {
  // At one moment, all addresses together have what the table holds when it is full, and no more.
  GuessThrottle throttle(2, 1, 10);
  int spent = 0;
  for (uint32_t round = 0; round < 50; ++round) {
    for (uint32_t i = 0; i < 37; ++i) spent += throttle.Spend(V4(i), 0).allowed ? 1 : 0;
  }
  EXPECT_EQ(spent, 20);
}

TEST(GuessThrottle, ThreadsSpendNoTokenTwice) {
  constexpr int kTokens = 100'000;
  GuessThrottle throttle(kTokens, 1, 4);
  std::atomic<int> spent = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTokens / 2; ++i) spent += throttle.Spend(V4(7), 0).allowed ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(spent.load(), kTokens);
}

}  // namespace
}  // namespace latchkey::http
