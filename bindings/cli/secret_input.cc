#include "secret_input.h"

#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "output.h"

namespace latchkey::cli {
namespace {

// A secret of the longest size and the CRLF behind it.
constexpr size_t kKeptBytesMax = LATCHKEY_SECRET_BYTES_MAX + 2;

}  // namespace

SecretInput::SecretInput() {
  if (!IsInputTerminal()) return;
  std::fputs("Secret (it will not be shown): ", stderr);
  std::fflush(stderr);
}

SecretInput::~SecretInput() { explicit_bzero(buffer_.data(), buffer_.size()); }

bool SecretInput::Fill() {
  if (begin_ > 0) {
    memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  FlushOutput();
  ssize_t got = 0;
  do {
    got = read(STDIN_FILENO, buffer_.data() + end_, buffer_.size() - end_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw Refusal(kFailure, "standard input", strerror(errno));
  end_ += static_cast<size_t>(got);
  return got > 0;
}

latchkey_bytes SecretInput::Take(size_t size, size_t consumed, bool ended_by_newline) {
  const char* data = buffer_.data() + begin_;
  begin_ += consumed;
  if (ended_by_newline && size > 0 && data[size - 1] == '\r') --size;
  if (too_long_ || size > LATCHKEY_SECRET_BYTES_MAX) {
    data = buffer_.data();
    size = LATCHKEY_SECRET_BYTES_MAX + 1;
  }
  too_long_ = false;
  return {data, size};
}

bool SecretInput::ReadLine(latchkey_bytes* line) {
  size_t searched = 0;
  for (;;) {
    const char* data = buffer_.data() + begin_;
    const size_t size = end_ - begin_;
    const void* newline = memchr(data + searched, '\n', size - searched);
    if (newline != nullptr) {
      const size_t line_size = static_cast<size_t>(static_cast<const char*>(newline) - data);
      *line = Take(line_size, line_size + 1, true);
      return true;
    }
    searched = size;
    if (size > kKeptBytesMax) {
      too_long_ = true;
      begin_ = end_ = searched = 0;
    }
    if (!Fill()) {
      if (end_ == begin_ && !too_long_) return false;
      *line = Take(end_ - begin_, end_ - begin_, false);
      return true;
    }
  }
}

latchkey_bytes SecretInput::ReadOne() {
  latchkey_bytes secret = {buffer_.data(), 0};
  if (IsInputTerminal()) {
    ReadLine(&secret);
    return secret;
  }
  while (Fill()) {
    if (end_ > kKeptBytesMax) {
      too_long_ = true;
      end_ = 0;
    }
  }
  const bool newline = end_ > 0 && buffer_[end_ - 1] == '\n';
  return Take(newline ? end_ - 1 : end_, end_, newline);
}

}  // namespace latchkey::cli
