// latchkey import: owners, grants and issued credentials from NDJSON.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "arguments.h"
#include "commands.h"
#include "store.h"
#include "terminal.h"

namespace latchkey::cli {
namespace {

struct RefusedLine {
  uint64_t line;
  latchkey_code code;
  const char* text;  // in static memory
};

// What the callbacks of one import share.
struct ImportRun {
  int file = -1;
  int read_error = 0;
  bool json = false;
  bool progress_shown = false;
  std::vector<RefusedLine> refused;  // filled for JSON only; a table tells each at once

  ~ImportRun() {
    if (file > STDIN_FILENO) close(file);
  }
};

size_t ReadMore(void* context, char* buffer, size_t capacity) {
  auto* run = static_cast<ImportRun*>(context);
  ssize_t got = 0;
  do {
    got = read(run->file, buffer, capacity);
  } while (got < 0 && errno == EINTR);
  if (got >= 0) return static_cast<size_t>(got);
  run->read_error = errno;
  return SIZE_MAX;
}

void ClearProgress(ImportRun* run) {
  if (run->progress_shown) std::fputs("\r\033[K", stderr);
  run->progress_shown = false;
}

void TellRefused(void* context, uint64_t line, latchkey_code code, const char* text) {
  auto* run = static_cast<ImportRun*>(context);
  if (run->json) {
    run->refused.push_back({line, code, text});
    return;
  }
  ClearProgress(run);
  std::fprintf(stderr, "line %llu: %s\n", static_cast<unsigned long long>(line), text);
}

int ShowProgress(void* context, uint64_t lines, uint64_t bytes) {
  auto* run = static_cast<ImportRun*>(context);
  if (!IsErrorTerminal()) return 0;
  std::fprintf(stderr, "\r\033[K%llu lines, %llu MB", static_cast<unsigned long long>(lines),
               static_cast<unsigned long long>(bytes / 1'000'000));
  std::fflush(stderr);
  run->progress_shown = true;
  return 0;
}

void OpenInput(const std::string& path, ImportRun* run) {
  if (path == "-") {
    run->file = STDIN_FILENO;
    return;
  }
  run->file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (run->file < 0) {
    throw Refusal(kFailure, "file " + Quoted(path), strerror(errno),
                  "Name a file of NDJSON, or - for standard input.");
  }
}

void PrintReport(const Globals& globals, const ImportRun& run, bool dry_run,
                 const latchkey_import_report& report) {
  if (globals.json()) {
    Json json;
    json["imported"] = report.imported;
    json["skipped"] = report.skipped;
    json["refused"] = Json::array();
    for (const RefusedLine& refused : run.refused) {
      Json line;
      line["line"] = refused.line;
      line["code"] = CodeWord(refused.code);
      line["text"] = refused.text;
      json["refused"].push_back(std::move(line));
    }
    PrintJson(json);
    return;
  }
  PrintText(std::string(dry_run ? "would import " : "imported ") + std::to_string(report.imported) +
            ", skipped " + std::to_string(report.skipped) + ", refused " +
            std::to_string(report.refused) + "\n");
}

int Import(const Globals& globals, const std::string& path, bool dry_run) {
  RequireStore(globals, "import");
  ImportRun run;
  run.json = globals.json();
  OpenInput(path, &run);
  const Store store(globals);
  auto options = Sized<latchkey_import_options>();
  options.read = ReadMore;
  options.refused = TellRefused;
  options.progress = ShowProgress;
  options.context = &run;
  options.dry_run = dry_run ? 1 : 0;
  auto report = Sized<latchkey_import_report>();
  const latchkey_code code = latchkey_import(store.get(), &options, &report);
  ClearProgress(&run);
  if (code != LATCHKEY_OK && run.read_error != 0) {
    throw Refusal(kFailure, "file " + Quoted(path), strerror(run.read_error),
                  "The " + std::to_string(report.imported) +
                      " lines imported so far stand; run it again to go on.");
  }
  Require(code, "import of " + Quoted(path) + ", after line " + std::to_string(report.lines));
  PrintReport(globals, run, dry_run, report);
  if (report.refused == 0) return kDone;
  if (!globals.json()) Complain("lines were refused; the rest stands. Mend them and run it again.");
  return kRefused;
}

}  // namespace

void AddImportVerb(CLI::App* parent, Globals* globals) {
  auto path = std::make_shared<std::string>();
  auto dry_run = std::make_shared<bool>(false);
  CLI::App* verb =
      AddVerb(parent, "import", "",
              "Take over users, projects, roles and issued keys from NDJSON; again, it "
              "skips what is there",
              "latchkey import --dry-run export.ndjson");
  AddPositional(verb, "FILE", path.get(), "One JSON object a line; - is standard input");
  AddFlag(verb, "--dry-run", dry_run.get(), "Judge every line, change nothing");
  OnRun(verb, globals, [=] { return Import(*globals, *path, *dry_run); });
}

}  // namespace latchkey::cli
