// The one source of randomness. Buffered, each byte handed out once and wiped behind the reader.
// Fails closed: a source that fails or repeats itself makes every later draw fail, so that a key is
// refused rather than guessable.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>

#include "base/bytes.h"
#include "base/status.h"
#include "crypto/secret.h"

namespace latchkey {

// Fills `out`; false on failure. The default reads the operating system's generator; a test may
// replace it by one that fails or repeats.
using EntropySource = bool (*)(uint8_t* out, size_t size);
EntropySource SystemEntropy();

// Thread-safe. A fork is noticed (by process id) and the buffer drawn anew.
class Random {
 public:
  explicit Random(EntropySource source = SystemEntropy());

  // INTERNAL when the source failed, now or ever before in this object.
  Status Fill(std::span<uint8_t> out);
  // `out.size()` characters of `alphabet` (2..256 of them), each drawn without bias by rejection.
  Status FillFromAlphabet(ByteView alphabet, std::span<uint8_t> out);

 private:
  // The caller holds mutex_.
  Status FillLocked(std::span<uint8_t> out);
  Status FillFromAlphabetLocked(ByteView alphabet, std::span<uint8_t> out);
  Status Refill();
  Status DrawBlock();  // self-test: a block equal to the one before, or of one repeated byte, fails
  Status Fail();       // from now on for good

  std::mutex mutex_;
  EntropySource source_;
  SecretBytes buffer_;
  size_t next_ = 0;
  uint64_t previous_check_ = 0;
  int64_t pid_ = 0;
  bool failed_ = false;
};

}  // namespace latchkey
