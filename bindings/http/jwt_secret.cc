#include "jwt_secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace latchkey::http {
namespace {

constexpr size_t kGoodBytesMin = 32;  // RFC 7518, section 3.2: no shorter than the hash of HS256
constexpr std::string_view kPublished = "DO_NOT_USE_THIS_IN_PRODUCTION";

}  // namespace

JwtSecret::JwtSecret(const std::string& path, std::string issuer) : issuer_(std::move(issuer)) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ssize_t got = file < 0 ? -1 : 1;
  while (got > 0 && size_ < bytes_.size()) {
    do {
      got = read(file, bytes_.data() + size_, bytes_.size() - size_);
    } while (got < 0 && errno == EINTR);
    if (got > 0) size_ += static_cast<size_t>(got);
  }
  const int error = errno;
  struct stat status = {};
  others_can_read_ = file >= 0 && fstat(file, &status) == 0 && (status.st_mode & 0044) != 0;
  if (file >= 0) close(file);
  if (got < 0) {
    explicit_bzero(bytes_.data(), bytes_.size());
    throw std::runtime_error("JWT secret file " + path + ": " + strerror(error));
  }
  if (size_ > 0 && bytes_[size_ - 1] == '\n') {
    --size_;
    if (size_ > 0 && bytes_[size_ - 1] == '\r') --size_;
  }
  if (size_ == 0 || size_ > limits::kJwtSecretBytesMax) {
    explicit_bzero(bytes_.data(), bytes_.size());
    throw std::runtime_error("JWT secret file " + path + ": a secret has 1 to 4096 bytes");
  }
}

JwtSecret::~JwtSecret() { explicit_bzero(bytes_.data(), bytes_.size()); }

latchkey_jwt_key JwtSecret::key() const {
  latchkey_jwt_key key = {};
  key.struct_size = sizeof key;
  key.secret = bytes_.data();
  key.secret_size = size_;
  key.issuer = issuer_.data();
  key.issuer_size = issuer_.size();
  return key;
}

std::string JwtSecret::Weakness() const {
  if (std::string_view(bytes_.data(), size_) == kPublished) {
    return "the JWT secret is the published default: whoever reads its documentation can sign in "
           "as anybody";
  }
  if (size_ < kGoodBytesMin) {
    return "the JWT secret has fewer than 32 bytes, and may be guessed: make a longer one";
  }
  if (others_can_read_) return "the JWT secret file can be read by others: make its mode 0600";
  return "";
}

}  // namespace latchkey::http
