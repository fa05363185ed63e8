// Reading and making pepper files.
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "base/limits.h"
#include "crypto/pepper.h"

namespace latchkey {
namespace {

constexpr size_t kPepperSize = 32;
constexpr size_t kFileBytesMax = 4096;
constexpr ByteView kHeader = "latchkey-pepper 1";
constexpr ByteView kFirstEntry = "latchkey-pepper 1\n1 ";  // then the digits and a line feed
constexpr size_t kFirstFileSize = kFirstEntry.size() + 2 * kPepperSize + 1;

// Closes on every way out.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

Status WrongPepper(Literal why) { return Status::Error(Code::kWrongPepper, why); }
Status WrongPepper(Literal why, int error) {
  return Status::Error(Code::kWrongPepper, why, static_cast<uint32_t>(error));
}

Status WriteError(int error) {
  return Status::Error(error == ENOSPC || error == EDQUOT ? Code::kNoSpace : Code::kIo,
                       "the pepper file could not be written", static_cast<uint32_t>(error));
}

Status OpenError(int error) {
  if (error == ENOENT) return WrongPepper("the pepper file is missing", error);
  if (error == ELOOP) return WrongPepper("the pepper file is a symbolic link", error);
  return WrongPepper("the pepper file cannot be opened", error);
}

Status CheckFile(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return WrongPepper("the pepper file cannot be examined", errno);
  if (!S_ISREG(info.st_mode)) return WrongPepper("the pepper file is not a regular file");
  if ((info.st_mode & 077) != 0) {
    return WrongPepper("the pepper file is open to its group or to others: chmod 600 it");
  }
  return Status::Ok();
}

// Reads to the end, or until `out` is full.
Result<size_t> ReadAll(int fd, std::span<uint8_t> out) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = read(fd, out.data() + done, out.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return WrongPepper("the pepper file cannot be read", errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Status WriteAll(int fd, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return WriteError(put < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return Status::Ok();
}

Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const File file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.fd() < 0 || fsync(file.fd()) != 0) return WriteError(errno);
  return Status::Ok();
}

// Up to and without the next line feed; false if there is none.
bool TakeLine(ByteView* rest, ByteView* line) {
  const size_t end = rest->find('\n');
  if (end == ByteView::npos) return false;
  *line = rest->substr(0, end);
  rest->remove_prefix(end + 1);
  return true;
}

// One spelling a number: no sign, no leading zero, and hence no version 0.
bool ParseVersion(ByteView digits, uint32_t* version) {
  if (digits.empty() || digits.front() < '1' || digits.front() > '9') return false;
  const char* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, *version);
  return error == std::errc() && stopped == end;
}

// Without look-ups or branches that depend on a digit.
bool DecodePepper(ByteView digits, std::span<uint8_t> out) {
  constexpr unsigned kLowerCaseBit = 0x20;  // set in every lower-case letter, and in every digit
  if (digits.size() != 2 * out.size()) return false;
  unsigned common_bits = kLowerCaseBit;
  for (char digit : digits) common_bits &= static_cast<unsigned char>(digit);
  size_t size = 0;
  const char* stopped = nullptr;
  const int result = sodium_hex2bin(out.data(), out.size(), digits.data(), digits.size(), nullptr,
                                    &size, &stopped);
  return result == 0 && size == out.size() && common_bits != 0;
}

}  // namespace

Result<PepperFile> PepperFile::Parse(ByteView text) {
  ByteView line;
  if (!TakeLine(&text, &line) || line != kHeader) {
    return WrongPepper("the pepper file does not begin with: latchkey-pepper 1");
  }
  PepperFile file;
  while (!text.empty()) {
    if (!TakeLine(&text, &line)) return WrongPepper("the pepper file is cut short");
    if (file.entries_.size() == limits::kPepperVersionsMax) {
      return WrongPepper("the pepper file holds more than 16 versions");
    }
    const size_t space = line.find(' ');
    Entry entry{};
    if (space == ByteView::npos || !ParseVersion(line.substr(0, space), &entry.version)) {
      return WrongPepper("the pepper file has a line that is not a version and a pepper");
    }
    if (!file.entries_.empty() && entry.version <= file.entries_.back().version) {
      return WrongPepper("the versions in the pepper file do not ascend");
    }
    LATCHKEY_TRY_ASSIGN(entry.pepper, SecretBytes::Make(kPepperSize));
    if (!DecodePepper(line.substr(space + 1), entry.pepper.ExposeForWriting())) {
      return WrongPepper("a pepper in the pepper file is not 64 lower-case hexadecimal digits");
    }
    file.entries_.push_back(std::move(entry));
  }
  if (file.entries_.empty()) return WrongPepper("the pepper file holds no pepper");
  return file;
}

Result<PepperFile> PepperFile::Load(const std::string& path) {
  // O_NONBLOCK: a FIFO in its place is refused below instead of being waited for.
  const File file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.fd() < 0) return OpenError(errno);
  LATCHKEY_TRY(CheckFile(file.fd()));
  LATCHKEY_TRY_ASSIGN(SecretBytes buffer, SecretBytes::Make(kFileBytesMax + 1));
  LATCHKEY_TRY_ASSIGN(const size_t size, ReadAll(file.fd(), buffer.ExposeForWriting()));
  if (size > kFileBytesMax) return WrongPepper("the pepper file is longer than 4 KiB");
  return Parse({reinterpret_cast<const char*>(buffer.Expose().data()), size});
}

Result<PepperFile> PepperFile::Create(const std::string& path, Random& random) {
  LATCHKEY_TRY_ASSIGN(SecretBytes pepper, SecretBytes::Make(kPepperSize));
  LATCHKEY_TRY(random.Fill(pepper.ExposeForWriting()));
  LATCHKEY_TRY_ASSIGN(SecretBytes text, SecretBytes::Make(kFirstFileSize));
  uint8_t* bytes = text.ExposeForWriting().data();
  std::memcpy(bytes, kFirstEntry.data(), kFirstEntry.size());
  sodium_bin2hex(reinterpret_cast<char*>(bytes) + kFirstEntry.size(), 2 * kPepperSize + 1,
                 pepper.Expose().data(), kPepperSize);
  bytes[kFirstFileSize - 1] = '\n';  // over the terminator
  // What is kept is what the text says: a pepper that could not be read back must not be used.
  LATCHKEY_TRY_ASSIGN(PepperFile made, Parse({reinterpret_cast<const char*>(bytes), text.size()}));

  const File file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.fd() < 0) {
    if (errno == EEXIST) return Status::Error(Code::kConflict, "the pepper file exists already");
    return WriteError(errno);
  }
  Status status = WriteAll(file.fd(), text.Expose());
  if (status.ok() && fsync(file.fd()) != 0) status = WriteError(errno);
  if (status.ok()) status = SyncFolderOf(path);
  if (!status.ok()) {
    unlink(path.c_str());  // ours by O_EXCL; half a file would stand in the way of the next attempt
    return status;
  }
  return made;
}

}  // namespace latchkey
