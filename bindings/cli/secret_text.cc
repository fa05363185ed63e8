#include "secret_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "refusal.h"

namespace latchkey::cli {
namespace {

class File {
 public:
  explicit File(const std::string& path) : number_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (number_ >= 0) close(number_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

SecretText ReadSecretFile(const std::string& path, const char* flag, const char* noun,
                          size_t size_max, bool owner_only) {
  const std::string thing = "file " + Quoted(path);
  const auto fail = [&] {
    throw Refusal(kFailure, thing, strerror(errno),
                  std::string("Name a readable file with ") + flag + ".");
  };
  const File file(path);
  struct stat status = {};
  if (file.number() < 0 || fstat(file.number(), &status) != 0) fail();
  if (owner_only && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Refusal(kFailure, thing, "others than its owner can read or change it",
                  "Give it mode 0600 (chmod 600), and replace what was in it if it was secret.");
  }
  SecretText text(size_max + 3, '\0');  // a CRLF, and one byte to see that it is too long
  size_t size = 0;
  for (ssize_t got = 1; got != 0 && size < text.size();) {
    got = read(file.number(), text.data() + size, text.size() - size);
    if (got < 0 && errno != EINTR) fail();
    if (got > 0) size += static_cast<size_t>(got);
  }
  if (size > 0 && text[size - 1] == '\n') {
    --size;
    if (size > 0 && text[size - 1] == '\r') --size;
  }
  if (size == 0 || size > size_max) {
    RefuseUsage(thing, std::string(noun) + " has 1 to " + std::to_string(size_max) + " bytes",
                std::string("Name the file that holds it, and nothing else, with ") + flag + ".");
  }
  text.resize(size);
  return text;
}

}  // namespace latchkey::cli
