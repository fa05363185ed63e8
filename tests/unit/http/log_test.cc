// What the log writes, and that no line can be forged or hold what it must not.
#include "bindings/http/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace latchkey::http {
namespace {

const std::vector<RouteName> kRoutes = {{"GET", "/v0/users/{user}/keys"}, {"POST", "/v0/verify"}};

// A pipe in place of standard error.
class Captured {
 public:
  Captured() {
    EXPECT_EQ(pipe2(fds_, O_CLOEXEC | O_NONBLOCK), 0);
    fcntl(fds_[1], F_SETPIPE_SZ, 1 << 20);
  }
  ~Captured() {
    close(fds_[0]);
    close(fds_[1]);
  }
  int fd() const { return fds_[1]; }
  std::string Take() const {
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = read(fds_[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<size_t>(got));
    }
    return text;
  }

 private:
  int fds_[2] = {-1, -1};
};

AccessEntry Entry() {
  AccessEntry entry;
  for (uint8_t i = 0; i < 16; ++i) entry.request_id.bytes[i] = static_cast<uint8_t>(i * 17);
  entry.method = "GET";
  entry.route = 0;
  entry.status = 200;
  entry.bytes = 1234;
  entry.duration_us = 567;
  entry.client = *Address::Parse("192.0.2.1");
  return entry;
}

// `line` with its time, which must look like one, replaced by TIME.
std::string WithoutTime(std::string line) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd.dddZ";
  const size_t begin = std::min(line.find_first_of("0123456789"), line.size());
  std::string shape = line.substr(begin, kShape.size());
  for (char& c : shape) c = c >= '0' && c <= '9' ? 'd' : c;
  EXPECT_EQ(shape, kShape) << line;
  return line.replace(begin, shape.size(), "TIME");
}

TEST(Log, TextLines) {
  const Captured captured;
  const Log log(Log::Format::kText, kRoutes, captured.fd());
  AccessEntry entry = Entry();
  log.Access(entry);
  EXPECT_EQ(WithoutTime(captured.Take()),
            "TIME info request_id=00112233-4455-6677-8899-aabbccddeeff method=GET "
            "route=/v0/users/{user}/keys status=200 bytes=1234 duration_us=567 client=192.0.2.1 "
            "caller=- reason=-\n");
  entry.caller = entry.request_id;
  entry.reason = ReasonWord(LATCHKEY_REASON_REVOKED);
  entry.route = kNoRoute;
  log.Access(entry);
  const std::string line = captured.Take();
  EXPECT_NE(line.find(" route=- "), std::string::npos) << line;
  EXPECT_NE(line.find(" caller=00112233-4455-6677-8899-aabbccddeeff reason=revoked\n"),
            std::string::npos)
      << line;
}

TEST(Log, JsonLines) {
  const Captured captured;
  const Log log(Log::Format::kJson, kRoutes, captured.fd());
  AccessEntry entry = Entry();
  log.Access(entry);
  EXPECT_EQ(WithoutTime(captured.Take()),
            R"({"time":"TIME","level":"info",)"
            R"("request_id":"00112233-4455-6677-8899-aabbccddeeff","method":"GET",)"
            R"("route":"/v0/users/{user}/keys","status":200,"bytes":1234,"duration_us":567,)"
            R"("client":"192.0.2.1","caller":null,"reason":null})"
            "\n");
  entry.caller = entry.request_id;
  entry.reason = "expired";
  entry.route = 99;
  log.Access(entry);
  const std::string line = captured.Take();
  EXPECT_NE(line.find(R"("route":null,)"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("caller":"00112233-4455-6677-8899-aabbccddeeff","reason":"expired"})"),
            std::string::npos)
      << line;
}

TEST(Log, OffSilencesRequestsAndNothingElse) {
  const Captured captured;
  const Log log(Log::Format::kOff, kRoutes, captured.fd());
  log.Access(Entry());
  EXPECT_EQ(captured.Take(), "");
  log.Say(Log::Level::kWarning, "plain HTTP");
  EXPECT_EQ(WithoutTime(captured.Take()), "TIME warning plain HTTP\n");
}

TEST(Log, OnlyKnownMethodsAreRepeated) {
  const Captured captured;
  const Log log(Log::Format::kText, kRoutes, captured.fd());
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    AccessEntry entry = Entry();
    entry.method = method;
    log.Access(entry);
    EXPECT_NE(captured.Take().find(std::string(" method=") + method + " "), std::string::npos);
  }
  for (const char* method : {"", "get", "GET\n", "bencher_user_secret", "GETX"}) {
    AccessEntry entry = Entry();
    entry.method = method;
    log.Access(entry);
    EXPECT_NE(captured.Take().find(" method=? "), std::string::npos) << method;
  }
}

TEST(Log, MessagesCannotForgeLinesOrSteerTerminals) {
  const Captured captured;
  const std::string message("a\nb\r\x1b[31m\x7f\0\"\\\xc2\x9b", 15);
  Log(Log::Format::kText, {}, captured.fd()).Say(Log::Level::kError, message);
  std::string line = captured.Take();
  EXPECT_EQ(line.substr(24),
            " error a\\u000ab\\u000d\\u001b[31m\\u007f\\u0000\"\\\\u00c2\\u009b\n");
  Log(Log::Format::kJson, {}, captured.fd()).Say(Log::Level::kError, message);
  line = captured.Take();
  EXPECT_EQ(line.substr(line.find(",\"level\"")),
            ",\"level\":\"error\",\"message\":\"a\\u000ab\\u000d\\u001b[31m\\u007f\\u0000\\\"\\\\"
            "\\u00c2\\u009b\"}\n");
  Log(Log::Format::kText, {}, captured.fd()).Say(Log::Level::kInfo, std::string(1 << 16, 'x'));
  EXPECT_EQ(captured.Take().size(), 24 + 6 + 2048 + 1);
}

TEST(Log, TakesTheStoresMessages) {
  const Captured captured;
  Log log(Log::Format::kText, {}, captured.fd());
  Log::Sink(&log, LATCHKEY_LOG_ERROR, "one");
  Log::Sink(&log, LATCHKEY_LOG_WARNING, "two");
  Log::Sink(&log, LATCHKEY_LOG_INFO, "three");
  Log::Sink(&log, 77, "four");
  const std::string text = captured.Take();
  for (const char* line : {" error one\n", " warning two\n", " info three\n", " info four\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

TEST(Log, LinesOfThreadsStayWhole) {
  const Captured captured;
  const Log log(Log::Format::kText, kRoutes, captured.fd());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) log.Access(Entry());
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = captured.Take();
  size_t lines = 0;
  for (size_t begin = 0; begin < text.size(); ++lines) {
    const size_t end = text.find('\n', begin);
    ASSERT_NE(end, std::string::npos);
    ASSERT_EQ(text.substr(begin + 24, 17), " info request_id=");
    ASSERT_EQ(text.substr(end - 9, 9), " reason=-");
    begin = end + 1;
  }
  EXPECT_EQ(lines, 800u);
}

TEST(Log, AClosedPipeIsNoReasonToStop) { Log(Log::Format::kText, kRoutes, -1).Access(Entry()); }

TEST(ReasonWord, NamesEveryReason) {
  const char* kWords[] = {"allowed", "malformed", "unknown", "revoked", "expired",
                          "not_yet", "locked",    "deleted", "scope",   "other"};
  for (uint32_t reason = 0; reason < std::size(kWords); ++reason) {
    EXPECT_EQ(ReasonWord(reason).text(), kWords[reason]);
  }
  EXPECT_EQ(ReasonWord(UINT32_MAX).text(), "other");
}

}  // namespace
}  // namespace latchkey::http
