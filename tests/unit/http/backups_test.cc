#include "bindings/http/backups.h"

#include <gtest/gtest.h>

namespace latchkey::http {
namespace {

constexpr int64_t kNowS = 1'795'000'000;
constexpr int64_t kDayS = 24 * 60 * 60;

TEST(SecondsUntilDue, CountsFromTheNewest) {
  EXPECT_EQ(SecondsUntilDue(kNowS, kNowS, kDayS), kDayS);
  EXPECT_EQ(SecondsUntilDue(kNowS - 60, kNowS, kDayS), kDayS - 60);
  EXPECT_EQ(SecondsUntilDue(kNowS - kDayS, kNowS, kDayS), 0);
  EXPECT_EQ(SecondsUntilDue(kNowS - 30 * kDayS, kNowS, kDayS), 0);
}

// The clock was set back since, or was wrong then.
TEST(SecondsUntilDue, AClockThatRanAheadPutsNothingOff) {
  EXPECT_EQ(SecondsUntilDue(kNowS + 3650 * kDayS, kNowS, kDayS), kDayS);
}

}  // namespace
}  // namespace latchkey::http
