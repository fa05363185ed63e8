#include "log.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

namespace latchkey::http {
namespace {

constexpr size_t kMessageBytesMax = 2048;

constexpr std::string_view kMethods[] = {"GET",    "HEAD",    "POST",    "PUT",  "PATCH",
                                         "DELETE", "OPTIONS", "CONNECT", "TRACE"};

// RFC 3339 with milliseconds, UTC.
std::string TimeText() {
  using std::chrono::milliseconds;
  const auto since_epoch =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const std::time_t seconds = static_cast<std::time_t>(since_epoch.count() / 1000);
  std::tm utc = {};
  gmtime_r(&seconds, &utc);
  char day[32];
  const size_t size = std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ",
                static_cast<int>(std::max<int64_t>(since_epoch.count() % 1000, 0)));
  return std::string(day, size) + fraction;
}

std::string UuidText(const latchkey_uuid& uuid) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < sizeof uuid.bytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[uuid.bytes[i] >> 4];
    text += kDigits[uuid.bytes[i] & 15];
  }
  return text;
}

bool IsNil(const latchkey_uuid& uuid) {
  return std::all_of(std::begin(uuid.bytes), std::end(uuid.bytes),
                     [](uint8_t byte) { return byte == 0; });
}

std::string_view LevelWord(Log::Level level) {
  switch (level) {
    case Log::Level::kError:
      return "error";
    case Log::Level::kWarning:
      return "warning";
    case Log::Level::kInfo:
      break;
  }
  return "info";
}

// For either format: what could end a line, leave a JSON text, or steer a terminal becomes \u00XX,
// and so does what is not ASCII, since nobody has checked that it is UTF-8.
std::string Escaped(std::string_view text, bool json) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string escaped;
  for (char c : text.substr(0, kMessageBytesMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      escaped.append("\\u00").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    } else {
      if (json && (c == '"' || c == '\\')) escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

// Members of one line, in either format.
class Line {
 public:
  explicit Line(bool json) : json_(json) {}

  void Text(std::string_view name, std::string_view value) {
    Name(name);
    if (json_) {
      text_.append("\"").append(value).append("\"");
    } else {
      text_ += value;
    }
  }
  void Number(std::string_view name, int64_t value) {
    Name(name);
    text_ += std::to_string(value);
  }
  void TextOrNone(std::string_view name, std::string_view value) {
    if (!value.empty()) return Text(name, value);
    Name(name);
    text_ += json_ ? "null" : "-";
  }
  std::string Finish() && {
    text_ += json_ ? "}\n" : "\n";
    return std::move(text_);
  }

 private:
  // For people the first members need no names: "2026-11-21T21:39:50.123Z info ...".
  void Name(std::string_view name) {
    if (json_) {
      text_.append(text_.empty() ? "{\"" : ",\"").append(name).append("\":");
    } else {
      if (!text_.empty()) text_ += ' ';
      if (name != "time" && name != "level" && name != "message") text_.append(name).append("=");
    }
  }

  const bool json_;
  std::string text_;
};

}  // namespace

Word ReasonWord(uint32_t reason) {
  switch (reason) {
    case LATCHKEY_REASON_ALLOWED:
      return "allowed";
    case LATCHKEY_REASON_MALFORMED:
      return "malformed";
    case LATCHKEY_REASON_UNKNOWN:
      return "unknown";
    case LATCHKEY_REASON_REVOKED:
      return "revoked";
    case LATCHKEY_REASON_EXPIRED:
      return "expired";
    case LATCHKEY_REASON_NOT_YET:
      return "not_yet";
    case LATCHKEY_REASON_LOCKED:
      return "locked";
    case LATCHKEY_REASON_DELETED:
      return "deleted";
    case LATCHKEY_REASON_SCOPE:
      return "scope";
    default:
      return "other";
  }
}

Log::Log(Format format, std::vector<RouteName> routes, int fd)
    : format_(format), routes_(std::move(routes)), fd_(fd) {}

void Log::Access(const AccessEntry& entry) const {
  if (!access()) return;
  const bool known =
      std::find(std::begin(kMethods), std::end(kMethods), entry.method) != std::end(kMethods);
  Line line(format_ == Format::kJson);
  line.Text("time", TimeText());
  line.Text("level", "info");
  line.Text("request_id", UuidText(entry.request_id));
  line.Text("method", known ? entry.method : "?");
  line.TextOrNone("route",
                  entry.route < routes_.size() ? routes_[entry.route].path : std::string_view());
  line.Number("status", entry.status);
  line.Number("bytes", static_cast<int64_t>(std::min<uint64_t>(entry.bytes, INT64_MAX)));
  line.Number("duration_us", entry.duration_us);
  line.Text("client", entry.client.ToText());
  line.TextOrNone("caller", IsNil(entry.caller) ? std::string() : UuidText(entry.caller));
  line.TextOrNone("reason", entry.reason.text());
  Write(std::move(line).Finish());
}

void Log::Say(Level level, std::string_view message) const {
  const bool json = format_ == Format::kJson;
  Line line(json);
  line.Text("time", TimeText());
  line.Text("level", LevelWord(level));
  line.Text("message", Escaped(message, json));
  Write(std::move(line).Finish());
}

void Log::Sink(void* log, uint32_t level, const char* text) {
  const uint32_t bounded = std::min(level, static_cast<uint32_t>(Level::kInfo));
  static_cast<const Log*>(log)->Say(static_cast<Level>(bounded), text);
}

void Log::Write(std::string line) const {
  std::string_view rest = line;
  // The first write(2) takes all of it, unless a pipe is full or a signal came in between. A log
  // that cannot be written is no reason to refuse a request.
  while (!rest.empty()) {
    const ssize_t put = write(fd_, rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    rest.remove_prefix(static_cast<size_t>(put));
  }
}

}  // namespace latchkey::http
