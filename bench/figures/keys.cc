#include "figures/keys.h"

#include <cstring>

namespace latchkey_bench {
namespace {

constexpr uint64_t kSeed = 20261121;

// splitmix64: a step of the state, and a good mixture of it.
uint64_t Mix(uint64_t* state) {
  *state += 0x9e3779b97f4a7c15;
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// `use` keeps secrets, UUIDs and names of one index apart.
uint64_t Start(Group group, uint64_t index, uint64_t use) {
  uint64_t state = kSeed + (static_cast<uint64_t>(group) << 8) + use;
  state = Mix(&state) ^ index;
  return Mix(&state);
}

}  // namespace

void WriteSecret(Group group, uint64_t index, char* out) {
  static constexpr char kAlphabet[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::memcpy(out, "bencher_run_", 12);
  uint64_t state = Start(group, index, 0);
  for (size_t i = 0; i < 30; i += 10) {
    uint64_t draw = Mix(&state);
    for (size_t j = 0; j < 10; ++j, draw /= 62) out[12 + i + j] = kAlphabet[draw % 62];
  }
}

std::string Secret(Group group, uint64_t index) {
  std::string secret(kSecretSize, '\0');
  WriteSecret(group, index, secret.data());
  return secret;
}

latchkey_uuid Uuid(Group group, uint64_t index) {
  uint64_t state = Start(group, index, 1);
  const uint64_t words[2] = {Mix(&state), Mix(&state)};
  latchkey_uuid uuid;
  std::memcpy(uuid.bytes, words, sizeof words);
  return uuid;
}

std::string Name(Group group, uint64_t index) {
  static constexpr const char* kWords[] = {"staging", "production", "laptop", "nightly",
                                           "build",   "release",    "mirror", "backup",
                                           "report",  "canary",     "worker", "gateway"};
  uint64_t state = Start(group, index, 2);
  const char* first = kWords[Mix(&state) % std::size(kWords)];
  const char* second = kWords[Mix(&state) % std::size(kWords)];
  if (index % 10 == 0) second = "deploy";
  if (index % 10000 == 5) second = "quux";
  return std::string(first) + " " + second + " " + std::to_string(Mix(&state) % 100000);
}

std::string UuidText(const latchkey_uuid& uuid) {
  char text[LATCHKEY_UUID_TEXT_SIZE];
  latchkey_uuid_format(&uuid, text);
  return text;
}

latchkey_uuid ProjectUuid() { return Uuid(static_cast<Group>(100), 0); }
latchkey_uuid LockedUserUuid() { return Uuid(static_cast<Group>(101), 0); }

Presented::Presented(Group group, size_t population, size_t count) : bytes_(count * kSecretSize) {
  constexpr uint64_t kStride = 2654435761;  // a prime, so every index comes before any comes again
  for (size_t i = 0; i < count; ++i) {
    WriteSecret(group, (i + 1) * kStride % population, &bytes_[i * kSecretSize]);
  }
}

void Presented::TurnOneBit() {
  // Under their last bit all letters and digits pair up but A, Z, a and z.
  for (size_t at = 0; at < bytes_.size(); at += kSecretSize) {
    for (size_t i = kSecretSize - 1; i > 12; --i) {
      const char byte = bytes_[at + i];
      if ((byte | 0x20) == 'a' || (byte | 0x20) == 'z') continue;
      bytes_[at + i] = static_cast<char>(byte ^ 1);
      break;
    }
  }
}

}  // namespace latchkey_bench
