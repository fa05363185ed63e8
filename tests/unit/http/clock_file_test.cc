// A clock that a file moves.
#include "bindings/http/clock_file.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/temp_dir.h"

namespace latchkey::http {
namespace {

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new") << text;
  std::filesystem::rename(path + ".new", path);
}

// Waits for the clock's thread as long as the machine needs, and not for ever.
bool Becomes(ClockFile* clock, int64_t ms) {
  for (int i = 0; i < 10'000; ++i) {
    if (ClockFile::Read(clock) == ms) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

TEST(ClockFile, ReadsSecondsAndMilliseconds) {
  const test::TempDir dir;
  const std::pair<const char*, int64_t> kCases[] = {
      {"1795000000", 1'795'000'000'000},     {"1795000000\n", 1'795'000'000'000},
      {"1795000000.5", 1'795'000'000'500},   {"1795000000.25\n", 1'795'000'000'250},
      {"1795000000.999", 1'795'000'000'999}, {"0", 0},
      {"253402300799", 253'402'300'799'000}};
  for (const auto& [text, ms] : kCases) {
    Write(dir / "clock", text);
    ClockFile clock(dir / "clock");
    EXPECT_EQ(ClockFile::Read(&clock), ms) << text;
  }
}

TEST(ClockFile, RefusesToStartWithoutATime) {
  const test::TempDir dir;
  EXPECT_THROW(ClockFile(dir / "missing"), std::runtime_error);
  EXPECT_THROW(ClockFile(dir.path()), std::runtime_error);
  for (const char* text :
       {"", "\n", "now", "-1", "+1", " 1", "1 ", "1\n\n", "1.", ".5", "1.2345", "1.5.5", "0x10",
        "1e9", "1795000000\r\n", "99999999999999", "1795000000 and what follows it here"}) {
    Write(dir / "clock", text);
    EXPECT_THROW(ClockFile(dir / "clock"), std::runtime_error) << text;
  }
}

TEST(ClockFile, FollowsTheFileAndKeepsTheLastGoodTime) {
  const test::TempDir dir;
  Write(dir / "clock", "1000");
  ClockFile clock(dir / "clock");
  Write(dir / "clock", "2000.5");
  EXPECT_TRUE(Becomes(&clock, 2'000'500));
  Write(dir / "clock", "1500");  // backwards, too
  EXPECT_TRUE(Becomes(&clock, 1'500'000));
  Write(dir / "clock", "soon");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(clock.NowMs(), 1'500'000);
  std::filesystem::remove(dir / "clock");
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(clock.NowMs(), 1'500'000);
  Write(dir / "clock", "3000");
  EXPECT_TRUE(Becomes(&clock, 3'000'000));
}

}  // namespace
}  // namespace latchkey::http
