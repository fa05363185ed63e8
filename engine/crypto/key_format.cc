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

// Sixteen bytes that the compiler works on at once, by the processor's vectors where it has them.
using Lanes = uint8_t __attribute__((vector_size(16)));

Lanes LoadLanes(const char* p) {
  Lanes lanes;
  std::memcpy(&lanes, p, sizeof lanes);
  return lanes;
}

// 0xff for each byte that is a digit or a letter, 0 for the others.
Lanes Base62Lanes(Lanes bytes) {
  const auto digits = bytes - '0' < 10;  // unsigned: what is below '0' is far above
  const auto letters = (bytes | 0x20) - 'a' < 26;
  return reinterpret_cast<Lanes>(digits | letters);
}

// All ones where `value` is at least `limit`, else zero; both below 2^31.
constexpr unsigned AtLeast(unsigned value, unsigned limit) { return ((value - limit) >> 31) - 1; }

// By masks: the compiler makes branches of conditions, and their time tells a checksum's digits.
constexpr char Base62Digit(unsigned digit) {
  constexpr unsigned kNineToUpperA = 'A' - '9' - 1;
  constexpr unsigned kUpperZToLowerA = 'a' - 'Z' - 1;
  return static_cast<char>('0' + digit + (AtLeast(digit, 10) & kNineToUpperA) +
                           (AtLeast(digit, 36) & kUpperZToLowerA));
}

// The whole text is looked at, wherever it is wrong, sixteen bytes at a time: this is on the way of
// every verification, and a loop over single bytes takes a quarter of the time of SHA-256.
bool IsAllBase62(ByteView text) {
  assert(text.size() >= sizeof(Lanes));
  const size_t last = text.size() - sizeof(Lanes);  // overlaps the sixteen before
  Lanes good = Base62Lanes(LoadLanes(text.data() + last));
  for (size_t at = 0; at < last; at += sizeof(Lanes)) {
    good &= Base62Lanes(LoadLanes(text.data() + at));
  }
  std::array<uint64_t, 2> halves;
  std::memcpy(halves.data(), &good, sizeof good);
  return (halves[0] & halves[1]) == UINT64_MAX;
}

// CRC-32 is linear: a set bit changes the remainder by a word that depends only on how many bytes
// follow it. So the words of all set bits are added up, under masks, and the time tells nothing of
// the secret. (Crc32() looks a table up by its bytes, which whoever shares the processor's cache
// can watch.) Measured no slower for a key: no step waits for the one before.
using Words = uint32_t __attribute__((vector_size(16)));
constexpr size_t kByteWords = 8 * sizeof(uint32_t) / sizeof(Words);

struct CrcWords {
  // By the number of bytes that follow, for the bits from the lowest up.
  std::array<std::array<uint32_t, 8>, kGeneratedSecretBytesMax> of_bits;
  std::array<uint32_t, kGeneratedSecretBytesMax + 1>
      of_zeros;  // the CRC-32 of that many zero bytes
};

constexpr uint32_t AfterByte(uint32_t remainder) {
  for (int bit = 0; bit < 8; ++bit) {
    remainder = (remainder & 1) != 0 ? (remainder >> 1) ^ 0xEDB88320u : remainder >> 1;
  }
  return remainder;
}

consteval CrcWords MakeCrcWords() {
  CrcWords words{};
  for (size_t bit = 0; bit < 8; ++bit) {
    uint32_t remainder = uint32_t{1} << bit;
    for (auto& of_byte : words.of_bits) of_byte[bit] = remainder = AfterByte(remainder);
  }
  uint32_t remainder = 0xFFFFFFFFu;
  for (uint32_t& word : words.of_zeros) {
    word = ~remainder;
    remainder = AfterByte(remainder);
  }
  return words;
}

alignas(sizeof(Words)) constexpr CrcWords kCrcWords = MakeCrcWords();

uint32_t SecretCrc32(ByteView text) {
  assert(text.size() <= kGeneratedSecretBytesMax);
  constexpr Words kBits[kByteWords] = {{1, 2, 4, 8}, {16, 32, 64, 128}};
  Words sum{};
  for (size_t i = 0; i < text.size(); ++i) {
    const uint32_t byte = static_cast<uint8_t>(text[i]);
    const auto& of_byte = kCrcWords.of_bits[text.size() - 1 - i];
    for (size_t half = 0; half < kByteWords; ++half) {
      Words words;
      std::memcpy(&words, of_byte.data() + 4 * half, sizeof words);
      const Words is_set = reinterpret_cast<Words>((byte & kBits[half]) == kBits[half]);
      sum ^= words & is_set;
    }
  }
  return sum[0] ^ sum[1] ^ sum[2] ^ sum[3] ^ kCrcWords.of_zeros[text.size()];
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

size_t SecretSize(SecretFormat format, ByteView prefix) {
  const Shape shape = ShapeOf(format);
  return shape.body_size == 0 ? 0 : prefix.size() + shape.body_size + shape.checksum_size;
}

bool HasShape(SecretFormat format, ByteView prefix, ByteView secret) {
  const size_t size = SecretSize(format, prefix);
  return size != 0 && secret.size() == size && secret.starts_with(prefix) &&
         HasBody(format, prefix.size(), secret);
}

bool HasBody(SecretFormat format, size_t prefix_size, ByteView secret) {
  const Shape shape = ShapeOf(format);
  const bool good_alphabet = IsAllBase62(secret.substr(prefix_size));
  if (shape.checksum_size == 0) return good_alphabet;
  const size_t covered_size = secret.size() - shape.checksum_size;
  const bool good_checksum =
      HasChecksum(secret.substr(0, covered_size), secret.substr(covered_size));
  return good_alphabet & good_checksum;
}

void ChecksumBase62(ByteView text, char* out6) {
  uint32_t rest = SecretCrc32(text);
  for (size_t i = kChecksumSize; i > 0; --i) {
    out6[i - 1] = Base62Digit(rest % 62);
    rest /= 62;
  }
}

}  // namespace latchkey
