#include "backups.h"

#include <chrono>
#include <cstdio>
#include <ctime>

#include "deadlines.h"
#include "limits.h"

namespace latchkey::http {
namespace {

// Nobody else writes the folder, so whatever else is wrong there is said by the backup itself.
int64_t NewestIn(const std::string& folder) {
  try {
    const std::vector<Backup> backups = Store::list_backups(folder);
    if (!backups.empty()) return backups.back().time_s;
  } catch (const Error&) {
  }
  return 0;
}

std::string Made(const Backup& backup, int64_t took_ms) {
  char text[160];
  std::snprintf(text, sizeof text, "backup %u: %llu bytes in %llu files, in %lld.%03lld s",
                backup.number, static_cast<unsigned long long>(backup.bytes),
                static_cast<unsigned long long>(backup.files),
                static_cast<long long>(took_ms / 1000), static_cast<long long>(took_ms % 1000));
  return text;
}

}  // namespace

Backups::Backups(Host* host) : host_(*host), thread_([this] { Run(); }) {}

Backups::~Backups() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_asked_.notify_all();
  thread_.join();
}

void Backups::Run() {
  const Options& options = host_.options();
  const int64_t newest_s = NewestIn(options.backup_path);
  if (newest_s != 0) host_.metrics().BackupMade(newest_s);
  int64_t wait_s =
      newest_s == 0 ? 0 : SecondsUntilDue(newest_s, std::time(nullptr), options.backup_every_s);
  while (Wait(wait_s)) {
    // A backup would wait until the store is loaded, and who wants to stop the host with it.
    const std::optional<latchkey_stats> stats = host_.Stats();
    if (stats && stats->loading != 0) {
      wait_s = 1;
      continue;
    }
    wait_s = Make() ? options.backup_every_s
                    : std::min<int64_t>(options.backup_every_s, limits::kBackupRetryS);
  }
}

bool Backups::Make() {
  const Options& options = host_.options();
  const int64_t begin_ms = SteadyMs();
  try {
    const Backup made = host_.store().back_up(options.backup_path, options.backup_keep,
                                              [this](uint64_t) { return !stopping(); });
    host_.metrics().BackupMade(made.time_s);
    host_.log().Say(Log::Level::kInfo, Made(made, SteadyMs() - begin_ms));
    return true;
  } catch (const std::exception& error) {
    if (stopping()) return false;
    host_.metrics().CountFailedBackup();
    host_.log().Say(Log::Level::kError, std::string("no backup was made: ") + error.what());
    return false;
  }
}

bool Backups::Wait(int64_t wait_s) {
  std::unique_lock lock(mutex_);
  return !stop_asked_.wait_for(lock, std::chrono::seconds(wait_s), [this] { return stop_; });
}

bool Backups::stopping() {
  const std::lock_guard lock(mutex_);
  return stop_;
}

}  // namespace latchkey::http
