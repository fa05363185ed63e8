// The stream of an import: lines gathered into groups small enough that nothing else waits long.
#include "service/import.h"

#include <chrono>

#include "base/limits.h"
#include "service/import_line.h"

namespace latchkey {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr auto kProgressEvery = std::chrono::seconds(1);

class Importer {
 public:
  Importer(Engine& engine, const Uuid& actor, const ImportHooks& hooks, ImportReport* report)
      : engine_(engine), actor_(actor), hooks_(hooks), report_(*report), buffer_(kReadBytes, '\0') {
    line_.reserve(limits::kImportLineBytesMax);  // so that it never leaves a copy behind by growing
  }
  // A line may hold a token.
  ~Importer() {
    Wipe(line_.data(), line_.capacity());
    Wipe(buffer_.data(), buffer_.size());
  }
  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  Status Run(bool dry_run) {
    if (dry_run) {
      LATCHKEY_TRY_ASSIGN(dry_run_, engine_.authority().StartDryRun());
    }
    Status status = ReadAll();
    const Status flushed = Flush();
    if (status.ok()) status = flushed;
    Progress(/*now=*/true);
    return status;
  }

 private:
  Status ReadAll() {
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
    return line_.empty() && !too_long_ ? Status::Ok() : EndLine();
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

  // What is over the limit is counted, not kept: a line of any length costs no memory.
  void Append(ByteView part) {
    too_long_ = too_long_ || line_.size() + part.size() > limits::kImportLineBytesMax;
    if (!too_long_) line_ += part;
  }

  Status EndLine() {
    ++report_.lines;
    const bool is_blank = !too_long_ && line_.find_first_not_of(" \t\r") == Bytes::npos;
    if (too_long_) {
      Refuse(report_.lines,
             Status::Error(Code::kInvalidArgument, "the line has more than 65536 bytes"));
    } else if (!is_blank) {
      Result<Command> command = ReadImportLine(engine_, actor_, line_, &json_);
      if (command.ok()) {
        commands_.push_back(std::move(*command));
        numbers_.push_back(report_.lines);
      } else {
        // In the order of the lines, as far as reports go.
        LATCHKEY_TRY(Flush());
        Refuse(report_.lines, command.status());
      }
    }
    line_.clear();
    too_long_ = false;
    return commands_.size() < limits::kImportStepLines ? Status::Ok() : Flush();
  }

  Status Flush() {
    if (commands_.empty()) return Status::Ok();
    std::vector<Outcome> outcomes;
    if (dry_run_ != nullptr) {
      for (const Command& command : commands_) outcomes.push_back(dry_run_->Run(command));
    } else {
      outcomes = engine_.authority().SubmitAll(commands_);
    }
    Status fatal = Status::Ok();
    for (size_t i = 0; i < outcomes.size(); ++i) {
      const Status& status = outcomes[i].status;
      if (!status.ok()) {
        Refuse(numbers_[i], status);
        if (EndsImport(status.code())) fatal = status;
      } else {
        ++(outcomes[i].events.empty() ? report_.skipped : report_.imported);
      }
    }
    commands_.clear();
    numbers_.clear();
    return fatal;
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
    const auto time = std::chrono::steady_clock::now();
    if (!hooks_.progress || (!now && time - progress_ < kProgressEvery)) return true;
    progress_ = time;
    return hooks_.progress(report_.lines, bytes_);
  }

  Engine& engine_;
  const Uuid actor_;
  const ImportHooks& hooks_;
  ImportReport& report_;
  JsonObjectReader json_;
  std::unique_ptr<LocalAuthority::DryRun> dry_run_;
  Bytes buffer_;
  Bytes line_;
  bool too_long_ = false;
  uint64_t bytes_ = 0;
  std::vector<Command> commands_;
  std::vector<uint64_t> numbers_;  // of the lines that commands_ came from
  std::chrono::steady_clock::time_point progress_ = std::chrono::steady_clock::now();
};

}  // namespace

Status Import(Engine& engine, const Uuid& actor, bool dry_run, const ImportHooks& hooks,
              ImportReport* report) {
  return Importer(engine, actor, hooks, report).Run(dry_run);
}

}  // namespace latchkey
