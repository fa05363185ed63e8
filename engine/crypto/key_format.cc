// Making secrets and checking their shape.
#include "crypto/key_format.h"

#include <cassert>
#include <cstring>

#include "base/limits.h"

namespace latchkey {
namespace {

constexpr ByteView kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static_assert(kBase62.size() == 62);
constexpr size_t kChecksumSize = 6;

struct Shape {
  size_t body_size = 0;  // 0: not a format that is generated
  size_t checksum_size = 0;
};

constexpr Shape ShapeOf(SecretFormat format) {
  switch (format) {
    case SecretFormat::kJwt:
      return {};
    case SecretFormat::kBase62x30:
      return {30, 0};
    case SecretFormat::kBase62x43Crc:
      return {43, kChecksumSize};
  }
  return {};  // a number from a damaged or newer record
}

static_assert(limits::kKindPrefixBytesMax + 43 + kChecksumSize <= kGeneratedSecretBytesMax);

constexpr uint64_t kOneEach = 0x0101010101010101;
constexpr uint64_t kHighBits = 0x8080808080808080;

// Sets the high bit of each of eight bytes that is at least `least`; for bytes below 0x80.
constexpr uint64_t AtLeast(uint64_t bytes, uint64_t least) {
  return (bytes | kHighBits) - kOneEach * least;  // no byte borrows from the next
}

// The high bit of each byte that is a digit or a letter.
constexpr uint64_t Base62Bytes(uint64_t bytes) {
  const uint64_t lower = bytes | kOneEach * 0x20;
  const uint64_t digits = AtLeast(bytes, '0') & ~AtLeast(bytes, '9' + 1);
  const uint64_t letters = AtLeast(lower, 'a') & ~AtLeast(lower, 'z' + 1);
  return (digits | letters) & ~bytes & kHighBits;
}

constexpr char Base62Digit(unsigned digit) {
  constexpr unsigned kNineToUpperA = 'A' - '9' - 1;
  constexpr unsigned kUpperZToLowerA = 'a' - 'Z' - 1;
  return static_cast<char>('0' + digit + (digit > 9 ? kNineToUpperA : 0) +
                           (digit > 35 ? kUpperZToLowerA : 0));
}

// The whole text is looked at, wherever it is wrong, eight bytes at a time: this is on the way of
// every verification, and a loop over single bytes takes a quarter of the time of SHA-256.
bool IsAllBase62(ByteView text) {
  assert(text.size() >= sizeof(uint64_t));
  const size_t last = text.size() - sizeof(uint64_t);  // overlaps the word before
  uint64_t good = Base62Bytes(LoadLe64(text.data() + last));
  for (size_t at = 0; at < last; at += sizeof(uint64_t)) {
    good &= Base62Bytes(LoadLe64(text.data() + at));
  }
  return good == kHighBits;
}

bool HasChecksum(ByteView text, ByteView checksum) {
  char due[kChecksumSize];
  ChecksumBase62(text, due);
  unsigned difference = 0;
  for (size_t i = 0; i < kChecksumSize; ++i) {
    difference |= static_cast<unsigned char>(due[i]) ^ static_cast<unsigned char>(checksum[i]);
  }
  return difference == 0;
}

}  // namespace

Status CheckKeyPrefix(ByteView prefix) {
  if (prefix.size() < limits::kKindPrefixBytesMin || prefix.size() > limits::kKindPrefixBytesMax) {
    return Status::Error(Code::kInvalidArgument, "a key prefix has 2 to 32 characters");
  }
  for (char c : prefix) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_')) {
      return Status::Error(Code::kInvalidArgument,
                           "a key prefix holds only digits, lower-case letters and underscores");
    }
  }
  if (prefix.front() < 'a' || prefix.front() > 'z') {
    return Status::Error(Code::kInvalidArgument, "a key prefix begins with a letter");
  }
  if (prefix.back() != '_') {
    return Status::Error(Code::kInvalidArgument, "a key prefix ends in an underscore");
  }
  return Status::Ok();
}

Status GenerateSecret(SecretFormat format, ByteView prefix, Random& random, GeneratedSecret* out) {
  out->set_size(0);
  const Shape shape = ShapeOf(format);
  if (shape.body_size == 0) {
    return Status::Error(Code::kUnsupported, "secrets of this format are not generated");
  }
  LATCHKEY_TRY(CheckKeyPrefix(prefix));
  const std::span<uint8_t> bytes = out->ExposeForWriting();
  std::memcpy(bytes.data(), prefix.data(), prefix.size());
  const std::span<uint8_t> body = bytes.subspan(prefix.size(), shape.body_size);
  LATCHKEY_TRY(random.FillFromAlphabet(kBase62, body));
  out->set_size(prefix.size() + shape.body_size);
  if (shape.checksum_size > 0) {
    ChecksumBase62(out->Expose(), reinterpret_cast<char*>(body.data() + body.size()));
    out->set_size(out->size() + shape.checksum_size);
  }
  return Status::Ok();
}

bool HasShape(SecretFormat format, ByteView prefix, ByteView secret) {
  const Shape shape = ShapeOf(format);
  if (shape.body_size == 0) return false;
  if (secret.size() != prefix.size() + shape.body_size + shape.checksum_size) return false;
  if (!secret.starts_with(prefix)) return false;
  const bool good_alphabet = IsAllBase62(secret.substr(prefix.size()));
  if (shape.checksum_size == 0) return good_alphabet;
  const size_t covered_size = secret.size() - shape.checksum_size;
  const bool good_checksum =
      HasChecksum(secret.substr(0, covered_size), secret.substr(covered_size));
  return good_alphabet & good_checksum;
}

void ChecksumBase62(ByteView text, char* out6) {
  uint32_t rest = Crc32(text);
  for (size_t i = kChecksumSize; i > 0; --i) {
    out6[i - 1] = Base62Digit(rest % 62);
    rest /= 62;
  }
}

}  // namespace latchkey
