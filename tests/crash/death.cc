// Points of the path to the disk, told by which file a call is about, and which thread makes it.
#include "death.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>
#include <string_view>

namespace latchkey_test {
namespace {

std::atomic<bool> sweep_is_out{false};

// RocksDB flushes and compacts in threads of these names.
constexpr std::string_view kFlushing = "rocksdb:high";
constexpr std::string_view kCompacting = "rocksdb:low";

std::string ThreadName() {
  char name[32] = "";
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

bool IsLog(std::string_view path) { return path.ends_with(".log"); }
bool IsTable(std::string_view path) {
  return path.ends_with(".sst") && path.find("/ingest-") == std::string_view::npos;
}
bool IsIngested(std::string_view path) { return path.find("/ingest-") != std::string_view::npos; }
bool IsManifest(std::string_view path) { return path.find("/MANIFEST-") != std::string_view::npos; }
bool IsAck(std::string_view path) { return path.ends_with("/ack"); }

struct Point {
  const char* name;
  Call call;
  bool done;  // the call has been made
  bool (*is_here)(std::string_view path);
};

bool Anywhere(std::string_view) { return true; }
bool IsRecovered(std::string_view path) {
  const std::string thread = ThreadName();
  return IsTable(path) && thread != kFlushing && thread != kCompacting;
}
bool IsFlushed(std::string_view path) { return IsTable(path) && ThreadName() == kFlushing; }
bool IsCompacted(std::string_view path) { return IsTable(path) && ThreadName() == kCompacting; }
bool IsSweepsLog(std::string_view path) { return sweep_is_out.load() && IsLog(path); }

// The path of a commit in its order, and what goes on beside it. A commit's events are applied
// between `log-synced` and `ack`: nothing of that is on the disk, so a process that is killed
// before it leaves the same as one that is killed at `log-synced`.
constexpr Point kPoints[] = {
    {"log-append", Call::kWrite, false, IsLog},
    {"log-appended", Call::kWrite, true, IsLog},
    {"log-sync", Call::kSync, false, IsLog},
    {"log-synced", Call::kSync, true, IsLog},
    {"ack", Call::kWrite, false, IsAck},
    {"acked", Call::kWrite, true, IsAck},
    {"sweep", Call::kWrite, false, IsSweepsLog},
    {"recovery", Call::kWrite, false, IsRecovered},  // of the logs, by an open
    {"flush", Call::kWrite, false, IsFlushed},
    {"compaction", Call::kWrite, false, IsCompacted},
    {"ingest", Call::kWrite, false, IsIngested},
    {"ingest-link", Call::kRename, false, IsIngested},
    {"ingest-linked", Call::kRename, true, IsIngested},
    {"manifest", Call::kWrite, false, IsManifest},
    {"manifest-sync", Call::kSync, false, IsManifest},
    {"name", Call::kRename, false, Anywhere},  // renamed, linked or removed
    {"write", Call::kWrite, false, Anywhere},
    {"open", Call::kOpen, false, Anywhere},
};

const Point* Find(const std::string& name) {
  const auto* const point = std::find_if(std::begin(kPoints), std::end(kPoints),
                                         [&](const Point& each) { return each.name == name; });
  return point == std::end(kPoints) ? nullptr : point;
}

}  // namespace

bool Death::IsPoint(const std::string& point) { return Find(point) != nullptr; }

Death::Death(const std::filesystem::path& folder, const std::string& name, uint64_t nth) {
  // Never destroyed: it must see the calls of every thread until the process is killed.
  auto* const disk = new Disk(folder);
  const Point* const point = Find(name);
  const auto left = std::make_shared<std::atomic<uint64_t>>(nth);
  disk->set_watch([=](Call call, const std::string& path, bool done) {
    if (call != point->call || done != point->done || !point->is_here(path)) return;
    if (left->fetch_sub(1) != 1) return;
    const std::string line = "dies " + name + "\n";
    static_cast<void>(syscall(SYS_write, STDOUT_FILENO, line.data(), line.size()));
    kill(getpid(), SIGKILL);
    for (;;) pause();  // a signal to another thread takes a moment
  });
}

void SweepIsOut() { sweep_is_out.store(true); }

}  // namespace latchkey_test
