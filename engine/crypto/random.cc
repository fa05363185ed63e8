// Buffered randomness that fails closed.
#include "crypto/random.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "crypto/digest.h"

namespace latchkey {
namespace {

constexpr size_t kBufferSize = 4096;
// Drawn at a time for characters of an alphabet: a key of 43 characters mostly takes one draw.
constexpr size_t kCharacterDrawSize = 64;

// Not libsodium's randombytes_buf(): that ends the process when the system has no entropy to give.
bool ReadSystemEntropy(uint8_t* out, size_t size) {
  while (size > 0) {
    const ssize_t got = getrandom(out, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool IsOneByteRepeated(std::span<const uint8_t> bytes) {
  return std::ranges::all_of(bytes, [&](uint8_t b) { return b == bytes.front(); });
}

}  // namespace

EntropySource SystemEntropy() { return &ReadSystemEntropy; }

Random::Random(EntropySource source) : source_(source) { assert(source != nullptr); }

Status Random::Fail() {
  failed_ = true;
  Wipe(buffer_.ExposeForWriting().data(), buffer_.size());
  return Status::Error(Code::kInternal, "the random source failed or repeated itself");
}

Status Random::DrawBlock() {
  const std::span<uint8_t> block = buffer_.ExposeForWriting();
  if (!source_(block.data(), block.size()) || IsOneByteRepeated(block)) return Fail();
  // A digest is kept in place of the block, so that bytes already handed out stay wiped.
  const ByteView text(reinterpret_cast<const char*>(block.data()), block.size());
  const uint64_t check = LoadLe64(Blake2b128({}, text).data());
  if (check == previous_check_) return Fail();
  previous_check_ = check;
  return Status::Ok();
}

Status Random::Refill() {
  if (buffer_.empty()) {
    LATCHKEY_TRY_ASSIGN(buffer_, SecretBytes::Make(kBufferSize));
    // A block that nobody is given: with it, a source that repeats itself is found out before its
    // first byte is handed out, not after.
    LATCHKEY_TRY(DrawBlock());
  }
  LATCHKEY_TRY(DrawBlock());
  next_ = 0;
  pid_ = getpid();
  return Status::Ok();
}

Status Random::FillLocked(std::span<uint8_t> out) {
  if (failed_) return Fail();
  while (!out.empty()) {
    // After a fork, parent and child hold the same buffer; only the process that drew it uses it.
    if (buffer_.empty() || next_ == kBufferSize || pid_ != getpid()) LATCHKEY_TRY(Refill());
    const size_t size = std::min(out.size(), kBufferSize - next_);
    uint8_t* from = buffer_.ExposeForWriting().data() + next_;
    std::memcpy(out.data(), from, size);
    Wipe(from, size);
    next_ += size;
    out = out.subspan(size);
  }
  return Status::Ok();
}

Status Random::Fill(std::span<uint8_t> out) {
  const std::lock_guard lock(mutex_);
  const Status status = FillLocked(out);
  if (!status.ok()) Wipe(out.data(), out.size());  // no half of a key
  return status;
}

Status Random::FillFromAlphabet(ByteView alphabet, std::span<uint8_t> out) {
  if (alphabet.size() < 2 || alphabet.size() > 256) {
    return Status::Error(Code::kInvalidArgument, "an alphabet has 2 to 256 characters");
  }
  const std::lock_guard lock(mutex_);
  const Status status = FillFromAlphabetLocked(alphabet, out);
  if (!status.ok()) Wipe(out.data(), out.size());
  return status;
}

Status Random::FillFromAlphabetLocked(ByteView alphabet, std::span<uint8_t> out) {
  // A mask in place of a remainder: no bias, and no division whose time depends on the key. Less
  // than half of what the mask leaves is rejected, so running out of draws means a broken source.
  const size_t mask = std::bit_ceil(alphabet.size()) - 1;
  const size_t draws_max = 16 + out.size();
  SecretBuffer<kCharacterDrawSize> drawn;
  size_t done = 0;
  for (size_t draw = 0; draw < draws_max && done < out.size(); ++draw) {
    LATCHKEY_TRY(FillLocked(drawn.ExposeForWriting()));
    for (uint8_t byte : drawn.ExposeForWriting()) {
      const size_t index = byte & mask;
      if (index >= alphabet.size()) continue;
      if (done == out.size()) break;
      out[done++] = static_cast<uint8_t>(alphabet[index]);
    }
  }
  return done == out.size() ? Status::Ok() : Fail();
}

}  // namespace latchkey
