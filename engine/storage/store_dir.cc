// The folder of a store: lock, marker, ack.
#include "storage/store_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "storage/store_marker.h"

namespace latchkey {
namespace {

constexpr char kMarkerFile[] = "LATCHKEY";
constexpr char kMarkerTemporary[] = "LATCHKEY.tmp";
constexpr char kAckFile[] = "ack";
constexpr char kAckTemporary[] = "ack.tmp";
constexpr char kReserveFile[] = "reserve";

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Status FromErrno(int error) {
  const auto origin = static_cast<uint32_t>(error);
  if (error == ENOSPC || error == EDQUOT) {
    return Status::Error(Code::kNoSpace, "no space left for the store", origin);
  }
  return Status::Error(Code::kIo, "the folder of the store could not be read or written", origin);
}

template <typename Call>
auto Retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

int OpenAt(int dir_fd, const char* name, int flags) {
  return Retry([&] { return openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600); });
}

// Two handles of one process have open files of their own, so they conflict like two processes.
Status Lock(int dir_fd) {
  if (Retry([&] { return flock(dir_fd, LOCK_EX | LOCK_NB); }) == 0) return Status::Ok();
  if (errno == EWOULDBLOCK) {
    return Status::Error(Code::kBusy, "the store is open elsewhere", EWOULDBLOCK);
  }
  return FromErrno(errno);
}

Result<bool> IsEmpty(int dir_fd) {
  Fd fd(Retry([&] { return openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd.ok()) return FromErrno(errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(fdopendir(fd.get()), closedir);
  if (listing == nullptr) return FromErrno(errno);
  fd.Release();  // closedir() has it now
  errno = 0;
  while (const dirent* entry = readdir(listing.get())) {
    const ByteView name = entry->d_name;
    if (name != "." && name != "..") return false;
  }
  if (errno != 0) return FromErrno(errno);
  return true;
}

Status WriteAll(int fd, ByteView bytes, off_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = Retry([&] { return pwrite(fd, bytes.data(), bytes.size(), offset); });
    if (written < 0) return FromErrno(errno);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += written;
  }
  return Status::Ok();
}

// At most `size` bytes from `offset`; fewer at the end of the file.
Result<Bytes> ReadUpTo(int fd, size_t size, off_t offset) {
  Bytes bytes(size, '\0');
  size_t got = 0;
  while (got < size) {
    const ssize_t n = Retry([&] {
      return pread(fd, bytes.data() + got, size - got, offset + static_cast<off_t>(got));
    });
    if (n < 0) return FromErrno(errno);
    if (n == 0) break;
    got += static_cast<size_t>(n);
  }
  bytes.resize(got);
  return bytes;
}

// Replaces `name` as a whole: a crash leaves the old file or the new one. Returns its descriptor.
Result<int> ReplaceFile(int dir_fd, const char* temporary, const char* name, ByteView bytes) {
  Fd fd(OpenAt(dir_fd, temporary, O_RDWR | O_CREAT | O_TRUNC));
  if (!fd.ok()) return FromErrno(errno);
  Status status = WriteAll(fd.get(), bytes, 0);
  if (status.ok() && fsync(fd.get()) != 0) status = FromErrno(errno);
  if (status.ok() && renameat(dir_fd, temporary, dir_fd, name) != 0) status = FromErrno(errno);
  if (!status.ok()) {
    unlinkat(dir_fd, temporary, 0);  // what is left otherwise is overwritten by the next attempt
    return status;
  }
  if (fsync(dir_fd) != 0) return FromErrno(errno);
  return fd.Release();
}

Result<Marker> ReadMarker(int dir_fd, uint32_t format) {
  const Fd fd(OpenAt(dir_fd, kMarkerFile, O_RDONLY));
  if (!fd.ok() && errno == ENOENT) {
    LATCHKEY_TRY_ASSIGN(const bool empty, IsEmpty(dir_fd));
    if (empty) return Status::Error(Code::kNotFound, "there is no store", ENOENT);
    return Status::Error(Code::kInvalidArgument, "the folder is not a latchkey store", ENOENT);
  }
  if (!fd.ok()) return FromErrno(errno);
  LATCHKEY_TRY_ASSIGN(const Bytes text, ReadUpTo(fd.get(), kMarkerBytesMax + 1, 0));
  if (text.size() > kMarkerBytesMax) {
    return Status::Error(Code::kInvalidArgument, "the marker of the store does not parse");
  }
  return ParseMarker(text, format);
}

// The newer of the whole slots, and which it is.
struct NewestSlot {
  AckSlot slot;
  uint32_t index;
};
Result<NewestSlot> ReadNewestSlot(int ack_fd) {
  std::optional<NewestSlot> newest;
  for (uint32_t index = 0; index < 2; ++index) {
    LATCHKEY_TRY_ASSIGN(const Bytes bytes, ReadUpTo(ack_fd, kAckSlotSize, index * kAckSlotStride));
    const std::optional<AckSlot> slot = ParseAckSlot(bytes);
    if (slot && (!newest || slot->sequence > newest->slot.sequence)) newest = {*slot, index};
  }
  if (!newest) return Status::Error(Code::kCorruption, "the ack file of the store is damaged");
  return *newest;
}

}  // namespace

Result<std::unique_ptr<StoreDir>> StoreDir::Open(const std::string& path, uint32_t format) {
  std::unique_ptr<StoreDir> dir(new StoreDir(path));
  dir->dir_fd_ = Retry([&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (dir->dir_fd_ < 0 && errno == ENOENT) {
    return Status::Error(Code::kNotFound, "there is no store", ENOENT);
  }
  if (dir->dir_fd_ < 0 && errno == ENOTDIR) {
    return Status::Error(Code::kInvalidArgument, "the store is not a folder", ENOTDIR);
  }
  if (dir->dir_fd_ < 0) return FromErrno(errno);
  LATCHKEY_TRY(dir->TakeLock());
  LATCHKEY_TRY_ASSIGN(dir->marker_, ReadMarker(dir->dir_fd_, format));
  dir->ack_fd_ = OpenAt(dir->dir_fd_, kAckFile, O_RDWR);
  if (dir->ack_fd_ < 0 && errno != ENOENT) return FromErrno(errno);
  if (dir->ack_fd_ >= 0) {
    const Result<NewestSlot> newest = ReadNewestSlot(dir->ack_fd_);
    if (!newest.ok() && newest.code() != Code::kCorruption) return newest.status();
    if (newest.ok()) {
      dir->ack_slot_ = newest.value().index;
      dir->ack_sequence_ = newest.value().slot.sequence;
    }
  }
  // One whose making was cut off does not count, and is made again.
  struct stat reserve;
  dir->has_reserve_ = fstatat(dir->dir_fd_, kReserveFile, &reserve, AT_SYMLINK_NOFOLLOW) == 0 &&
                      reserve.st_size == static_cast<off_t>(kReserveBytes);
  return dir;
}

Result<std::unique_ptr<StoreDir>> StoreDir::Create(const std::string& path) {
  const bool made = mkdir(path.c_str(), 0700) == 0;
  if (!made && errno == ENOENT) {
    return Status::Error(Code::kNotFound, "the folder above the store does not exist", ENOENT);
  }
  if (!made && errno != EEXIST) return FromErrno(errno);
  std::unique_ptr<StoreDir> dir(new StoreDir(path));
  dir->dir_fd_ = Retry([&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (dir->dir_fd_ < 0 && errno == ENOTDIR) {
    return Status::Error(Code::kConflict, "there is something else in the store's place", ENOTDIR);
  }
  if (dir->dir_fd_ < 0) return FromErrno(errno);
  LATCHKEY_TRY(dir->TakeLock());
  LATCHKEY_TRY_ASSIGN(const bool empty, IsEmpty(dir->dir_fd_));
  if (!empty) return Status::Error(Code::kConflict, "the folder of the store is not empty");
  if (fchmod(dir->dir_fd_, 0700) != 0) return FromErrno(errno);
  // Also if the folder was there: whoever has made it need not have synced its name. Where we may
  // not look, it was not we who made it, a moment ago, and failed.
  const Fd parent(
      Retry([&] { return openat(dir->dir_fd_, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!parent.ok() && (made || errno != EACCES)) return FromErrno(errno);
  if (parent.ok() && fsync(parent.get()) != 0) return FromErrno(errno);
  return dir;
}

StoreDir::~StoreDir() {
  if (ack_fd_ >= 0) close(ack_fd_);
  if (dir_fd_ < 0) return;
  // A forked child shares the lock and may outlive us: unlocking frees the store all the same. In
  // the child itself, unlocking would take the store from its parent.
  if (owner_pid_ == getpid()) flock(dir_fd_, LOCK_UN);
  close(dir_fd_);
}

Status StoreDir::TakeLock() {
  LATCHKEY_TRY(Lock(dir_fd_));
  owner_pid_ = getpid();
  return Status::Ok();
}

Status StoreDir::WriteMarker(const Marker& marker) {
  const Bytes text = FormatMarker(marker);
  // What could not be read back would lose the store.
  if (!ParseMarker(text, marker.format_reader_min).ok() || text.size() > kMarkerBytesMax) {
    return Status::Error(Code::kInternal, "the marker to write would not parse");
  }
  LATCHKEY_TRY_ASSIGN(const int fd, ReplaceFile(dir_fd_, kMarkerTemporary, kMarkerFile, text));
  close(fd);
  marker_ = marker;
  return Status::Ok();
}

Result<Ack> StoreDir::ReadAck() const {
  if (ack_fd_ < 0) {
    return Status::Error(Code::kCorruption, "the ack file of the store is missing");
  }
  LATCHKEY_TRY_ASSIGN(const NewestSlot newest, ReadNewestSlot(ack_fd_));
  return newest.slot.ack;
}

Status StoreDir::CreateAck(const Ack& ack) {
  // Both slots: were one empty, a torn write of the other could leave none before the first sync.
  const auto older = FormatAckSlot({.sequence = 1, .ack = ack});
  const auto newer = FormatAckSlot({.sequence = 2, .ack = ack});
  Bytes file(newer.data(), newer.size());
  file.resize(kAckSlotStride, '\0');
  file.append(older.data(), older.size());
  LATCHKEY_TRY_ASSIGN(const int fd, ReplaceFile(dir_fd_, kAckTemporary, kAckFile, file));
  if (ack_fd_ >= 0) close(ack_fd_);
  ack_fd_ = fd;
  ack_slot_ = 0;
  ack_sequence_ = 2;
  return Status::Ok();
}

Status StoreDir::WriteAck(const Ack& ack) {
  if (ack_sequence_ == 0) {
    return Status::Error(Code::kIo, "the ack file of the store is missing or damaged");
  }
  // Never over the newest whole slot, also after a write that failed.
  const uint32_t next = ack_slot_ ^ 1;
  const auto slot = FormatAckSlot({.sequence = ack_sequence_ + 1, .ack = ack});
  LATCHKEY_TRY(WriteAll(ack_fd_, {slot.data(), slot.size()}, next * kAckSlotStride));
  ack_slot_ = next;
  ++ack_sequence_;
  return Status::Ok();
}

Status StoreDir::SyncAck() {
  if (ack_fd_ < 0) return Status::Error(Code::kIo, "the ack file of the store is missing");
  return fdatasync(ack_fd_) == 0 ? Status::Ok() : FromErrno(errno);
}

Status StoreDir::MakeReserve() {
  const Fd fd(OpenAt(dir_fd_, kReserveFile, O_RDWR | O_CREAT));
  if (!fd.ok()) return FromErrno(errno);
  if (Retry([&] { return fallocate(fd.get(), 0, 0, kReserveBytes); }) != 0) {
    const Status failed = FromErrno(errno);
    unlinkat(dir_fd_, kReserveFile, 0);
    return failed;
  }
  has_reserve_ = true;
  return Status::Ok();
}

bool StoreDir::ReleaseReserve() {
  if (!has_reserve_ || unlinkat(dir_fd_, kReserveFile, 0) != 0) return false;
  has_reserve_ = false;
  return true;
}

uint64_t StoreDir::free_bytes() const {
  struct statvfs info;
  if (fstatvfs(dir_fd_, &info) != 0) return UINT64_MAX;
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace latchkey
