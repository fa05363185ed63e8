// libc's file calls, in front of libc's own: a symbol of the program is found before that of a
// library, by RocksDB too. A call on a Disk is failed or noted there; every other goes through.
//
// These are the calls that RocksDB 7.8 and the engine make, with their 64-bit twins; `nm -D` of
// librocksdb lists them, and recorder_test.cc compares what was noted with what is in the folder.
// What they do not use is not here: mmap for writing, dup, O_TMPFILE, io_uring.
#include "file_calls.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "disk.h"

namespace latchkey_test {
namespace {

struct OpenFile {
  Disk* disk = nullptr;
  std::string path;  // relative to the disk
  uint32_t file = 0;
  bool is_folder = false;
};

struct Registry {
  std::mutex mutex;
  std::vector<Disk*> disks;
  std::map<int, OpenFile> open;
};

// Never destroyed: files are closed until the very end of the process.
Registry& TheRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

template <typename Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}
#define NEXT(name)                                           \
  (*[] {                                                     \
    static const auto next = Next<decltype(&::name)>(#name); \
    return next;                                             \
  }())

Disk* DiskOf(std::string_view path) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  const auto disk = std::find_if(registry.disks.begin(), registry.disks.end(),
                                 [&](const Disk* each) { return each->Holds(path); });
  return disk == registry.disks.end() ? nullptr : *disk;
}

OpenFile FileOf(int fd) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  const auto file = registry.open.find(fd);
  return file == registry.open.end() ? OpenFile{} : file->second;
}

// A name as openat() and its like mean it.
std::string PathAt(int folder, const char* name) {
  if (name[0] == '/' || folder == AT_FDCWD) return name;
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  const ssize_t size = readlink(link, path, sizeof path);
  if (size <= 0) return name;
  return std::filesystem::path(std::string(path, static_cast<size_t>(size)) + "/" + name)
      .lexically_normal()
      .string();
}

int Failed(int error) {
  errno = error;
  return -1;
}

// `open_it` makes the call. What it opened takes the place of what had its number before.
template <typename OpenIt>
int Open(int folder, const char* name, int flags, OpenIt open_it) {
  std::string path = PathAt(folder, name);
  if (path.ends_with("/.")) path.resize(path.size() - 2);
  Disk* disk = DiskOf(path);
  std::unique_lock<std::recursive_mutex> lock;
  struct stat info {};
  bool existed = false;
  std::string relative;
  if (disk != nullptr) {
    lock = std::unique_lock(disk->mutex());
    relative = disk->Relative(path);
    if (const int error = disk->Error(Call::kOpen, relative)) return Failed(error);
    existed = stat(path.c_str(), &info) == 0;
  }
  const int fd = open_it();
  if (fd < 0) return fd;
  Registry& registry = TheRegistry();
  if (disk == nullptr) {
    const std::lock_guard registry_lock(registry.mutex);
    registry.open.erase(fd);
    return fd;
  }
  const int saved = errno;
  OpenFile file{disk, relative, 0, existed && S_ISDIR(info.st_mode)};
  if (!file.is_folder) {
    disk->Opened(relative, !existed, existed && (flags & O_TRUNC) != 0 && info.st_size > 0);
    file.file = disk->FileOf(relative);
  }
  {
    const std::lock_guard registry_lock(registry.mutex);
    registry.open.insert_or_assign(fd, std::move(file));
  }
  errno = saved;
  return fd;
}

void Forget(int fd) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  registry.open.erase(fd);
}

// `write_it(size)` writes at most `size` bytes.
template <typename WriteIt>
ssize_t Write(int fd, const void* data, size_t size, std::optional<off_t> offset,
              WriteIt write_it) {
  const OpenFile file = FileOf(fd);
  if (file.disk == nullptr) return write_it(size);
  const std::lock_guard lock(file.disk->mutex());
  if (const int error = file.disk->Error(Call::kWrite, file.path)) return Failed(error);
  if (const int error = file.disk->Room(&size)) return Failed(error);
  const ssize_t written = write_it(size);
  if (written <= 0) return written;
  const off_t place = offset ? *offset : lseek(fd, 0, SEEK_CUR) - written;
  file.disk->Note(
      {.kind = Operation::Kind::kWrite,
       .file = file.file,
       .offset = static_cast<uint64_t>(place),
       .path = file.path,
       .data = std::string(static_cast<const char*>(data), static_cast<size_t>(written))});
  return written;
}

template <typename ReadIt>
ssize_t Read(int fd, ReadIt read_it) {
  const OpenFile file = FileOf(fd);
  if (file.disk != nullptr) {
    const std::lock_guard lock(file.disk->mutex());
    if (const int error = file.disk->Error(Call::kRead, file.path)) return Failed(error);
  }
  return read_it();
}

template <typename SyncIt>
int Sync(int fd, SyncIt sync_it) {
  const OpenFile file = FileOf(fd);
  if (file.disk == nullptr) return sync_it();
  file.disk->AwaitSync(file.path);
  const std::lock_guard lock(file.disk->mutex());
  const int error = file.disk->Syncing(file.file, file.path, file.is_folder);
  return error == 0 ? 0 : Failed(error);
}

template <typename TruncateIt>
int Truncate(int fd, off_t size, TruncateIt truncate_it) {
  const OpenFile file = FileOf(fd);
  if (file.disk == nullptr) return truncate_it();
  const std::lock_guard lock(file.disk->mutex());
  if (const int error = file.disk->Error(Call::kWrite, file.path)) return Failed(error);
  const int result = truncate_it();
  if (result == 0) {
    file.disk->Note({.kind = Operation::Kind::kTruncate,
                     .file = file.file,
                     .offset = static_cast<uint64_t>(size),
                     .path = file.path});
  }
  return result;
}

// With mode 0 the file grows to `end`.
template <typename AllocateIt>
int Allocate(int fd, int mode, off_t size, off_t end, AllocateIt allocate_it) {
  const OpenFile file = FileOf(fd);
  if (file.disk == nullptr) return allocate_it();
  const std::lock_guard lock(file.disk->mutex());
  // Room set aside beyond the end of a file is not counted: it is taken when it is written to.
  if (mode == 0 && file.disk->free_bytes() < static_cast<uint64_t>(size)) return Failed(ENOSPC);
  const int result = allocate_it();
  struct stat info {};
  if (result == 0 && mode == 0 && fstat(fd, &info) == 0 && info.st_size == end) {
    file.disk->Note({.kind = Operation::Kind::kTruncate,
                     .file = file.file,
                     .offset = static_cast<uint64_t>(end),
                     .path = file.path});
  }
  return result;
}

template <typename RenameIt>
int Rename(const std::string& from, const std::string& to, bool is_link, RenameIt rename_it) {
  Disk* disk = DiskOf(from);
  if (disk == nullptr) return rename_it();
  const std::lock_guard lock(disk->mutex());
  if (const int error = disk->Error(Call::kRename, disk->Relative(from))) return Failed(error);
  const int result = rename_it();
  if (result == 0) disk->Renamed(disk->Relative(from), disk->Relative(to), is_link);
  return result;
}

template <typename RemoveIt>
int Remove(const std::string& path, bool is_folder, RemoveIt remove_it) {
  Disk* disk = DiskOf(path);
  if (disk == nullptr) return remove_it();
  const std::lock_guard lock(disk->mutex());
  if (const int error = disk->Error(Call::kRename, disk->Relative(path))) return Failed(error);
  struct stat info {};
  const bool known = stat(path.c_str(), &info) == 0;
  const int result = remove_it();
  if (result == 0) {
    disk->Removed(disk->Relative(path), known ? static_cast<uint64_t>(info.st_size) : 0, is_folder);
  }
  return result;
}

}  // namespace

void AddDisk(Disk* disk) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  registry.disks.push_back(disk);
}

void RemoveDisk(Disk* disk) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  std::erase(registry.disks, disk);
  std::erase_if(registry.open, [&](const auto& entry) { return entry.second.disk == disk; });
}

// ---- The calls themselves. With C linkage a name is the same function in every namespace.

#define SEEN extern "C" __attribute__((visibility("default")))

// The mode is there only when a file may be made.
#define MODE_OF(flags)                             \
  mode_t mode = 0;                                 \
  if (((flags) & (O_CREAT | __O_TMPFILE)) != 0) {  \
    va_list rest;                                  \
    va_start(rest, flags);                         \
    mode = static_cast<mode_t>(va_arg(rest, int)); \
    va_end(rest);                                  \
  }

SEEN int open(const char* path, int flags, ...) {
  MODE_OF(flags)
  return Open(AT_FDCWD, path, flags, [&] { return NEXT(open)(path, flags, mode); });
}
SEEN int open64(const char* path, int flags, ...) {
  MODE_OF(flags)
  return Open(AT_FDCWD, path, flags, [&] { return NEXT(open64)(path, flags, mode); });
}
SEEN int openat(int folder, const char* path, int flags, ...) {
  MODE_OF(flags)
  return Open(folder, path, flags, [&] { return NEXT(openat)(folder, path, flags, mode); });
}
SEEN int openat64(int folder, const char* path, int flags, ...) {
  MODE_OF(flags)
  return Open(folder, path, flags, [&] { return NEXT(openat64)(folder, path, flags, mode); });
}
SEEN DIR* opendir(const char* path) {
  if (Disk* disk = DiskOf(path)) {
    const std::lock_guard lock(disk->mutex());
    if (const int error = disk->Error(Call::kOpen, disk->Relative(path))) {
      errno = error;
      return nullptr;
    }
  }
  return NEXT(opendir)(path);
}

SEEN int close(int fd) {
  Forget(fd);
  return NEXT(close)(fd);
}
SEEN int fclose(FILE* file) {
  if (const int fd = fileno(file); fd >= 0) Forget(fd);
  return NEXT(fclose)(file);
}
SEEN int closedir(DIR* folder) {
  Forget(dirfd(folder));
  return NEXT(closedir)(folder);
}

SEEN ssize_t write(int fd, const void* data, size_t size) {
  return Write(fd, data, size, std::nullopt, [&](size_t n) { return NEXT(write)(fd, data, n); });
}
SEEN ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  return Write(fd, data, size, offset, [&](size_t n) { return NEXT(pwrite)(fd, data, n, offset); });
}
SEEN ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  return Write(fd, data, size, offset,
               [&](size_t n) { return NEXT(pwrite64)(fd, data, n, offset); });
}

SEEN ssize_t read(int fd, void* data, size_t size) {
  return Read(fd, [&] { return NEXT(read)(fd, data, size); });
}
SEEN ssize_t pread(int fd, void* data, size_t size, off_t offset) {
  return Read(fd, [&] { return NEXT(pread)(fd, data, size, offset); });
}
SEEN ssize_t pread64(int fd, void* data, size_t size, off64_t offset) {
  return Read(fd, [&] { return NEXT(pread64)(fd, data, size, offset); });
}
#undef fread_unlocked
SEEN size_t fread_unlocked(void* data, size_t size, size_t count, FILE* file) {
  // Less than was asked for, and not the end of the file: RocksDB takes that for an error.
  if (Read(fileno(file), [] { return ssize_t{0}; }) < 0) return 0;
  return NEXT(fread_unlocked)(data, size, count, file);
}

SEEN int fsync(int fd) {
  return Sync(fd, [&] { return NEXT(fsync)(fd); });
}
SEEN int fdatasync(int fd) {
  return Sync(fd, [&] { return NEXT(fdatasync)(fd); });
}

SEEN int ftruncate(int fd, off_t size) noexcept {
  return Truncate(fd, size, [&] { return NEXT(ftruncate)(fd, size); });
}
SEEN int ftruncate64(int fd, off64_t size) noexcept {
  return Truncate(fd, size, [&] { return NEXT(ftruncate64)(fd, size); });
}
SEEN int fallocate(int fd, int mode, off_t offset, off_t size) {
  return Allocate(fd, mode, size, offset + size,
                  [&] { return NEXT(fallocate)(fd, mode, offset, size); });
}

SEEN int rename(const char* from, const char* to) noexcept {
  return Rename(from, to, false, [&] { return NEXT(rename)(from, to); });
}
SEEN int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return Rename(PathAt(from_folder, from), PathAt(to_folder, to), false,
                [&] { return NEXT(renameat)(from_folder, from, to_folder, to); });
}
SEEN int link(const char* from, const char* to) noexcept {
  return Rename(from, to, true, [&] { return NEXT(link)(from, to); });
}
SEEN int unlink(const char* path) noexcept {
  return Remove(path, false, [&] { return NEXT(unlink)(path); });
}
SEEN int unlinkat(int folder, const char* path, int flags) noexcept {
  return Remove(PathAt(folder, path), (flags & AT_REMOVEDIR) != 0,
                [&] { return NEXT(unlinkat)(folder, path, flags); });
}
SEEN int rmdir(const char* path) noexcept {
  return Remove(path, true, [&] { return NEXT(rmdir)(path); });
}
SEEN int mkdir(const char* path, mode_t mode) noexcept {
  Disk* disk = DiskOf(path);
  if (disk == nullptr) return NEXT(mkdir)(path, mode);
  const std::lock_guard lock(disk->mutex());
  if (const int error = disk->Error(Call::kOpen, disk->Relative(path))) return Failed(error);
  const int result = NEXT(mkdir)(path, mode);
  if (result == 0) {
    disk->Note({.kind = Operation::Kind::kMakeFolder, .path = disk->Relative(path)});
  }
  return result;
}

SEEN int fstatvfs(int fd, struct statvfs* info) noexcept {
  const int result = NEXT(fstatvfs)(fd, info);
  const OpenFile file = FileOf(fd);
  if (result != 0 || file.disk == nullptr) return result;
  const uint64_t free_bytes = file.disk->free_bytes();
  if (free_bytes != UINT64_MAX) info->f_bavail = free_bytes / info->f_frsize;
  return result;
}

}  // namespace latchkey_test
