// The stream of an import: lines gathered into groups small enough that nothing else waits long.
// Another thread reads the lines of the next group for their form while one is being committed.
#include "service/import.h"

#include <algorithm>
#include <chrono>
#include <future>

#include "base/limits.h"
#include "service/import_line.h"

namespace latchkey {
namespace {

using std::chrono::steady_clock;

constexpr size_t kReadBytes = 64 * 1024;
constexpr auto kProgressEvery = std::chrono::seconds(1);

// Some lines as they came.
struct RawLines {
  explicit RawLines(size_t bytes_max) {
    text.reserve(bytes_max);  // so that it never leaves a copy behind by growing
  }
  // A line may hold a token.
  ~RawLines() { Wipe(text.data(), text.capacity()); }
  RawLines(const RawLines&) = delete;
  RawLines& operator=(const RawLines&) = delete;

  struct Line {
    uint64_t number;
    size_t begin;
    size_t size;
    bool too_long;  // and not kept
  };
  Bytes text;
  std::vector<Line> lines;
};

// What became of them: a command, or a refusal.
struct ReadLines {
  struct Line {
    uint64_t number;
    Status status;
  };
  std::vector<Line> lines;
  std::vector<Command> commands;  // of the lines that are OK, in order
};

ReadLines ReadAll(Engine& engine, const Uuid& actor, const RawLines& raw) {
  JsonObjectReader json;
  ReadLines read;
  read.lines.reserve(raw.lines.size());
  read.commands.reserve(raw.lines.size());
  for (const RawLines::Line& line : raw.lines) {
    Status status = Status::Error(Code::kInvalidArgument, "the line has more than 65536 bytes");
    if (!line.too_long) {
      Result<Command> command =
          ReadImportLine(engine, actor, ByteView(raw.text).substr(line.begin, line.size), &json);
      status = command.status();
      if (command.ok()) read.commands.push_back(std::move(*command));
    }
    read.lines.push_back({line.number, status});
  }
  return read;
}

class Importer {
 public:
  Importer(Engine& engine, const Uuid& actor, const ImportHooks& hooks, ImportReport* report)
      : engine_(engine),
        actor_(actor),
        hooks_(hooks),
        report_(*report),
        buffer_(kReadBytes, '\0') {}
  ~Importer() { Wipe(buffer_.data(), buffer_.size()); }
  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  Status Run(bool dry_run) {
    if (dry_run) {
      LATCHKEY_TRY_ASSIGN(dry_run_, engine_.authority().StartDryRun());
    } else {
      bulk_load_ = engine_.authority().StartBulkLoad();
    }
    lines_max_ = bulk_load_ == nullptr ? limits::kImportStepLines : limits::kBulkStepLinesMin;
    raw_ = std::make_unique<RawLines>(bytes_max());
    Status status = ReadStream();
    // Also when reading failed or was stopped: what was gathered, and then what was being read.
    for (int groups = 2; groups > 0 && !ended_; --groups) {
      const Status flushed = NextGroup();
      if (status.ok()) status = flushed;
    }
    Progress(/*now=*/true);
    return status;
  }

 private:
  size_t bytes_max() const {
    return bulk_load_ == nullptr ? limits::kImportStepBytes : limits::kBulkStepBytes;
  }

  Status ReadStream() {
    while (true) {
      const std::optional<size_t> size = hooks_.read(buffer_.data(), buffer_.size());
      if (!size.has_value() || *size > buffer_.size()) {
        return Status::Error(Code::kIo, "the import file could not be read");
      }
      if (*size == 0) break;
      bytes_ += *size;
      LATCHKEY_TRY(Take(ByteView(buffer_).substr(0, *size)));
      if (!Progress(/*now=*/false)) {
        return Status::Error(Code::kBusy, "the import was stopped; what was done stands");
      }
    }
    return line_size() == 0 && !too_long_ ? Status::Ok() : EndLine();
  }

  Status Take(ByteView part) {
    while (!part.empty()) {
      const size_t end = part.find('\n');
      Append(part.substr(0, end));
      if (end == ByteView::npos) return Status::Ok();
      LATCHKEY_TRY(EndLine());
      part.remove_prefix(end + 1);
    }
    return Status::Ok();
  }

  // Of the line that has not ended: it stands at the end of the text.
  size_t line_size() const { return raw_->text.size() - line_begin_; }

  // What is over the limit is counted, not kept: a line of any length costs no memory.
  void Append(ByteView part) {
    too_long_ = too_long_ || line_size() + part.size() > limits::kImportLineBytesMax;
    if (too_long_) {
      raw_->text.resize(line_begin_);
    } else {
      raw_->text += part;
    }
  }

  Status EndLine() {
    ++report_.lines;
    const ByteView line = ByteView(raw_->text).substr(line_begin_);
    if (too_long_ || line.find_first_not_of(" \t\r") != ByteView::npos) {
      raw_->lines.push_back({report_.lines, line_begin_, line.size(), too_long_});
    }
    line_begin_ = raw_->text.size();
    too_long_ = false;
    const bool has_room = raw_->text.size() + limits::kImportLineBytesMax <= bytes_max();
    return raw_->lines.size() < lines_max_ && has_room ? Status::Ok() : NextGroup();
  }

  // Has the lines that were gathered read, and meanwhile commits those that have been read.
  Status NextGroup() {
    std::future<ReadLines> read = std::move(reading_);
    ReadLines group = read.valid() ? read.get() : ReadLines();
    if (!raw_->lines.empty()) {
      // Where no thread can be had, get() does the reading.
      reading_ =
          std::async([this, raw = std::move(raw_)] { return ReadAll(engine_, actor_, *raw); });
      raw_ = std::make_unique<RawLines>(bytes_max());
      line_begin_ = 0;
    }
    return Commit(group);
  }

  Status Commit(const ReadLines& group) {
    const auto begin = steady_clock::now();
    const std::vector<Outcome> outcomes = Submit(group.commands);
    AdaptTo(steady_clock::now() - begin, group.commands.size());
    Status fatal = Status::Ok();
    auto outcome = outcomes.begin();
    for (const ReadLines::Line& line : group.lines) {
      if (!line.status.ok()) {
        Refuse(line.number, line.status);
        continue;
      }
      if (!outcome->status.ok()) {
        Refuse(line.number, outcome->status);
        if (EndsImport(outcome->status.code())) fatal = outcome->status;
      } else {
        ++(outcome->events.empty() ? report_.skipped : report_.imported);
      }
      ++outcome;
    }
    ended_ = !fatal.ok();
    return fatal;
  }

  std::vector<Outcome> Submit(const std::vector<Command>& commands) {
    if (commands.empty()) return {};
    if (bulk_load_ != nullptr) return bulk_load_->SubmitAll(commands);
    if (dry_run_ == nullptr) return engine_.authority().SubmitAll(commands);
    std::vector<Outcome> outcomes;
    for (const Command& command : commands) outcomes.push_back(dry_run_->Run(command));
    return outcomes;
  }

  // Whoever else wants to change the store waits for a group, so that a slow machine takes smaller
  // ones.
  void AdaptTo(steady_clock::duration took, size_t lines) {
    if (bulk_load_ == nullptr || lines == 0) return;
    const double ms = std::chrono::duration<double, std::milli>(took).count();
    const double fitting = static_cast<double>(lines) * limits::kBulkStepMs / std::max(ms, 0.1);
    lines_max_ = static_cast<size_t>(
        std::clamp(fitting, static_cast<double>(limits::kBulkStepLinesMin),
                   static_cast<double>(std::min(2 * lines_max_, limits::kBulkStepLinesMax))));
  }

  // After these the next line would fare no better.
  static bool EndsImport(Code code) {
    return code == Code::kOutcomeUnknown || code == Code::kIo || code == Code::kNoSpace ||
           code == Code::kCorruption || code == Code::kBusy || code == Code::kInternal;
  }

  void Refuse(uint64_t line, Status why) {
    ++report_.refused;
    if (hooks_.refused) hooks_.refused(line, why);
  }

  bool Progress(bool now) {
    const auto time = steady_clock::now();
    if (!hooks_.progress || (!now && time - progress_ < kProgressEvery)) return true;
    progress_ = time;
    return hooks_.progress(report_.lines, bytes_);
  }

  Engine& engine_;
  const Uuid actor_;
  const ImportHooks& hooks_;
  ImportReport& report_;
  std::unique_ptr<LocalAuthority::DryRun> dry_run_;
  std::unique_ptr<LocalAuthority::BulkLoad> bulk_load_;  // of a store without credentials
  Bytes buffer_;
  std::unique_ptr<RawLines> raw_;   // being gathered
  std::future<ReadLines> reading_;  // gathered before them
  size_t lines_max_ = 0;            // of a group
  size_t line_begin_ = 0;           // in raw_->text
  bool too_long_ = false;
  bool ended_ = false;  // by an outcome after which the next line would fare no better
  uint64_t bytes_ = 0;
  steady_clock::time_point progress_ = steady_clock::now();
};

}  // namespace

Status Import(Engine& engine, const Uuid& actor, bool dry_run, const ImportHooks& hooks,
              ImportReport* report) {
  return Importer(engine, actor, hooks, report).Run(dry_run);
}

}  // namespace latchkey
