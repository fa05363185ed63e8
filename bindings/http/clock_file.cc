#include "clock_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace latchkey::http {
namespace {

constexpr auto kPeriod = std::chrono::milliseconds(20);
constexpr size_t kSecondsDigitsMax = 12;  // beyond the year 9999
constexpr size_t kFileBytesMax = 32;      // more than any time has, so that what is longer is seen

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "1795000000" or "1795000000.25", and a line feed or none.
std::optional<int64_t> ParseMs(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  const size_t dot = text.find('.');
  const std::string_view seconds = text.substr(0, dot);
  if (!AllDigits(seconds) || seconds.size() > kSecondsDigitsMax) return std::nullopt;
  std::string digits(seconds);
  if (dot != std::string_view::npos) {
    const std::string_view decimals = text.substr(dot + 1);
    if (!AllDigits(decimals) || decimals.size() > 3) return std::nullopt;
    digits += decimals;
  }
  const size_t given = digits.size() - seconds.size();
  digits.append(3 - given, '0');
  int64_t ms = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), ms);
  return ms;
}

}  // namespace

ClockFile::ClockFile(std::string path) : path_(std::move(path)) {
  if (!Refresh()) {
    throw std::runtime_error("the clock file cannot be read, or does not hold Unix seconds");
  }
  thread_ = std::thread([this] { Run(); });
}

ClockFile::~ClockFile() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_one();
  thread_.join();
}

bool ClockFile::Refresh() {
  const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return false;
  char buffer[kFileBytesMax];
  const ssize_t size = read(fd, buffer, sizeof buffer);
  close(fd);
  if (size <= 0) return false;
  const std::optional<int64_t> ms = ParseMs({buffer, static_cast<size_t>(size)});
  if (ms) now_ms_.store(*ms, std::memory_order_relaxed);
  return ms.has_value();
}

void ClockFile::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, kPeriod, [this] { return stop_; })) Refresh();
}

}  // namespace latchkey::http
