// A folder whose file calls are seen: kept as a list that a power cut can be made of, or failed.
// The calls of the whole process come by here, RocksDB's as well (file_calls.cc).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latchkey_test {

// One call that changed the folder, or made a change last. Paths are relative to it.
struct Operation {
  enum class Kind : uint8_t {
    kCreate,        // path, file
    kWrite,         // file, offset, data
    kTruncate,      // file, offset = the size
    kSync,          // file
    kSyncFolder,    // path
    kRename,        // path, new_path
    kLink,          // path, new_path
    kUnlink,        // path
    kMakeFolder,    // path
    kRemoveFolder,  // path
  };
  Kind kind{};
  uint32_t file = 0;  // numbered as they are made: a name that is taken again is another file
  uint64_t offset = 0;
  std::string path{};
  std::string new_path{};
  std::string data{};
  bool is_chosen = true;  // of those that may be made to fail
};

// What a call is to the one who fails it.
enum class Call : uint8_t { kOpen, kRead, kWrite, kSync, kRename };
inline constexpr std::array kCalls = {Call::kOpen, Call::kRead, Call::kWrite, Call::kSync,
                                      Call::kRename};
const char* NameOf(Call call);

// The calls on everything below `root` while it lives. Syncs do not reach the device: what would
// have been lost is worked out from the list. Any thread.
class Disk {
 public:
  explicit Disk(const std::filesystem::path& root);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // ---- What happened; off until Record().
  void Record();
  size_t count() const;
  std::vector<Operation> operations() const;

  // ---- Failing. The `nth` call from now on (1 = the next) of this sort fails with `error`, and
  // with `lasting` every one after it, until Mend().
  void Fail(Call call, uint64_t nth, int error, bool lasting);
  // What can still be written: so many bytes, and then ENOSPC until Mend(). What is removed gives
  // nothing back, but for the file `reserve`, which gives its size.
  void Fill(uint64_t bytes, const std::string& reserve);
  void Mend();
  // Only the calls of threads, and on paths, for which it says so fail; before there are any calls.
  void Choose(std::function<bool(const std::string& path)> is_chosen);
  // Called before each sync of a file with its path; before there are any calls.
  void BeforeSync(std::function<void(const std::string&)> wait);
  uint64_t failed() const;      // calls that were made to fail
  uint64_t free_bytes() const;  // by Fill(); UINT64_MAX = as the file system says
  // Files that were synced again after a sync of theirs had failed.
  std::vector<std::string> synced_again() const;

  // ---- Watching. Told of each call before it is made, and again when it has changed something: it
  // may end the process there. Set before the first call.
  using Watch = std::function<void(Call call, const std::string& path, bool done)>;
  void set_watch(Watch watch) { watch_ = std::move(watch); }

  // ---- For file_calls.cc, which holds mutex() from before the call until it is noted.
  std::recursive_mutex& mutex() { return mutex_; }
  bool Holds(std::string_view path) const;  // absolute
  std::string Relative(std::string_view path) const;
  int Error(Call call, const std::string& path);  // 0, or what the call fails with
  int Room(size_t* size);                         // as much of `size` as fits; ENOSPC: nothing does
  uint32_t FileOf(const std::string& path);
  void Opened(const std::string& path, bool made, bool emptied);
  void Note(Operation operation);
  void Renamed(const std::string& from, const std::string& to, bool is_link);
  void Removed(const std::string& path, uint64_t size, bool is_folder);
  void AwaitSync(const std::string& path) const;  // without mutex()
  int Syncing(uint32_t file, const std::string& path, bool is_folder);

 private:
  struct Fault {
    uint64_t nth = 0;  // 0 = none
    int error = 0;
    bool lasting = false;
  };

  const std::string root_;  // ends without a slash
  mutable std::recursive_mutex mutex_;
  bool recording_ = false;
  std::vector<Operation> operations_;
  std::map<std::string, uint32_t> files_;
  uint32_t next_file_ = 1;
  std::array<Fault, kCalls.size()> faults_{};
  std::function<bool(const std::string&)> is_chosen_;
  std::function<void(const std::string&)> before_sync_;
  uint64_t failed_ = 0;
  bool is_full_ = false;
  uint64_t room_ = 0;
  std::string reserve_;
  Watch watch_;
  std::set<uint32_t> sync_failed_;
  std::vector<std::string> synced_again_;
};

}  // namespace latchkey_test
