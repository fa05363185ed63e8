#include "base/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>

#include "base/result.h"

namespace latchkey {
namespace {

// What a caller types or a secret holds has no way into an error.
static_assert(!std::is_convertible_v<std::string, Literal>);
static_assert(!std::is_constructible_v<Literal, std::string>);
static_assert(std::is_trivially_copyable_v<Status>);

Status Fail(bool fail) {
  return fail ? Status::Error(Code::kBusy, "busy on purpose", 7) : Status::Ok();
}

Status FirstFailure(bool first, bool second, int* reached) {
  LATCHKEY_TRY(Fail(first));
  *reached = 1;
  LATCHKEY_TRY(Fail(second));
  *reached = 2;
  return Status::Ok();
}

Result<std::unique_ptr<int>> Make(bool fail) {
  LATCHKEY_TRY(Fail(fail));
  return std::make_unique<int>(42);
}

Result<int> Twice(bool fail) {
  LATCHKEY_TRY_ASSIGN(const std::unique_ptr<int> made, Make(fail));
  LATCHKEY_TRY_ASSIGN(const std::unique_ptr<int> again, Make(false));
  return *made + *again;
}

TEST(Status, CarriesCodeOriginAndText) {
  const Status error = Fail(true);
  EXPECT_FALSE(error.ok());
  EXPECT_EQ(error.code(), Code::kBusy);
  EXPECT_EQ(error.origin(), 7u);
  EXPECT_STREQ(error.why(), "busy on purpose");
  EXPECT_TRUE(Status::Ok().ok());
  EXPECT_EQ(Status::Ok().code(), Code::kOk);
}

TEST(Status, CodesAreNumberedAsTheCInterfaceHasThem) {
  EXPECT_EQ(static_cast<uint32_t>(Code::kInvalidArgument), 1u);
  EXPECT_EQ(static_cast<uint32_t>(Code::kDenied), 4u);
  EXPECT_EQ(static_cast<uint32_t>(Code::kInternal), 15u);
}

TEST(Status, TryReturnsTheFirstFailure) {
  int reached = 0;
  EXPECT_EQ(FirstFailure(true, true, &reached).code(), Code::kBusy);
  EXPECT_EQ(reached, 0);
  EXPECT_EQ(FirstFailure(false, true, &reached).code(), Code::kBusy);
  EXPECT_EQ(reached, 1);
  EXPECT_TRUE(FirstFailure(false, false, &reached).ok());
  EXPECT_EQ(reached, 2);
}

TEST(Result, HoldsAValueOrTheReasonWhyNot) {
  EXPECT_EQ(*Twice(false), 84);
  EXPECT_TRUE(Twice(false).status().ok());
  const Result<int> failed = Twice(true);
  EXPECT_FALSE(failed.ok());
  EXPECT_EQ(failed.code(), Code::kBusy);
  EXPECT_EQ(failed.status().origin(), 7u);
}

}  // namespace
}  // namespace latchkey
