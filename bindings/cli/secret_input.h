// Secrets on standard input. They live in one buffer of fixed size, however much is sent, and the
// buffer is wiped at the end; none is ever copied into a string.
#pragma once

#include <latchkey/latchkey.h>

#include <array>
#include <cstddef>

#include "terminal.h"

namespace latchkey::cli {

class SecretInput {
 public:
  // On a terminal, says so and turns the echo off.
  SecretInput();
  ~SecretInput();
  SecretInput(const SecretInput&) = delete;
  SecretInput& operator=(const SecretInput&) = delete;

  // All of standard input as one secret, less one final LF or CRLF; on a terminal one line.
  // Borrowed until the next call. What is longer than LATCHKEY_SECRET_BYTES_MAX is read to its end
  // and comes back as that many bytes and one more, which no engine takes for a secret.
  latchkey_bytes ReadOne();

  // The next line, likewise; false at the end. Flushes standard output before it waits for more, so
  // that whoever sends a line can wait for its answer.
  bool ReadLine(latchkey_bytes* line);

 private:
  // Reads more behind what there is; false at the end of the input.
  bool Fill();
  latchkey_bytes Take(size_t size, size_t consumed, bool ended_by_newline);

  static constexpr size_t kBufferSize = 64 * 1024;
  EchoOff echo_off_;
  std::array<char, kBufferSize> buffer_;
  size_t begin_ = 0;  // what has been read and not yet taken: [begin_, end_)
  size_t end_ = 0;
  bool too_long_ = false;  // the secret being read, whose first bytes have been thrown away
};

}  // namespace latchkey::cli
