// The floor, and the hash that all engines share. The low-level calls of OpenSSL 3 are marked as
// old and are its fastest: a floor that fetches its algorithm by name would flatter whatever stands
// on it.
#define OPENSSL_API_COMPAT 10101

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <sys/mman.h>

#include <cstring>

#include "bench_store.h"
#include "figures/emit.h"
#include "figures/engines.h"

namespace latchkey_bench {
namespace {

using Hash = void (*)(std::string_view, uint8_t*);

void LowLevel(std::string_view text, uint8_t* out) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, text.data(), text.size());
  SHA256_Final(out, &context);
}

void Evp(std::string_view text, uint8_t* out) {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_DigestInit_ex2(context, algorithm, nullptr);
  EVP_DigestUpdate(context, text.data(), text.size());
  EVP_DigestFinal_ex(context, out, nullptr);
}

void Sodium(std::string_view text, uint8_t* out) {
  crypto_hash_sha256(out, reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

struct Choice {
  const char* name;
  Hash hash;
};

Choice Fastest() {
  const Choice choices[] = {{"libcrypto, low-level", LowLevel},
                            {"libcrypto, EVP with a fetched algorithm", Evp},
                            {"libsodium", Sodium}};
  Choice best = choices[0];
  int64_t best_ns = INT64_MAX;
  const std::string text(kSecretSize, 'k');
  uint8_t digest[32];
  for (int round = 0; round < 5; ++round) {
    for (const Choice& choice : choices) {
      const int64_t start = ProcessorNs();
      for (int i = 0; i < 2000; ++i) choice.hash(text, digest);
      const int64_t ns = ProcessorNs() - start;
      if (ns >= best_ns) continue;
      best_ns = ns;
      best = choice;
    }
  }
  return best;
}

const Choice& Chosen() {
  static const Choice choice = Fastest();
  return choice;
}

class Floor : public Engine {
 public:
  explicit Floor(size_t population) : lines_(population * 4 / 3 + 1), hash_(Chosen().hash) {
    randombytes_buf(key_, sizeof key_);
    constexpr size_t kHuge = size_t{2} << 20;
    const size_t size = (lines_ * 64 + 2 * kHuge) / kHuge * kHuge;
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) Require(LATCHKEY_INTERNAL, "memory for the floor");
    madvise(memory, size, MADV_HUGEPAGE);
    std::memset(memory, 1, size);
    auto address = reinterpret_cast<uintptr_t>(memory);
    table_ = reinterpret_cast<const uint64_t*>((address + 63) & ~uintptr_t{63});
  }

  bool Verify(std::string_view secret) override {
    uint8_t digest[32];
    uint64_t tag[2];
    hash_(secret, digest);
    crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(tag), digest, sizeof digest, key_);
    __extension__ using Wide = unsigned __int128;
    const auto line = static_cast<size_t>((static_cast<Wide>(tag[0]) * lines_) >> 64);
    return table_[line * 8] != tag[1];
  }

 private:
  const size_t lines_;
  const Hash hash_;
  unsigned char key_[crypto_shorthash_siphashx24_KEYBYTES];
  const uint64_t* table_ = nullptr;  // lives as long as the process
};

class Latchkey : public Engine {
 public:
  explicit Latchkey(latchkey_store* store) : store_(store) {}

  bool Verify(std::string_view secret) override {
    return latchkey_verify(store_, secret.data(), secret.size(), nullptr, &verdict_) == LATCHKEY_OK;
  }

 private:
  latchkey_store* const store_;
  latchkey_verdict verdict_ = Sized<latchkey_verdict>();
};

}  // namespace

void Sha256(std::string_view text, uint8_t* out) { Chosen().hash(text, out); }
const char* Sha256Name() { return Chosen().name; }

std::unique_ptr<Engine> MakeFloor(size_t population) { return std::make_unique<Floor>(population); }

std::unique_ptr<Engine> MakeLatchkey(latchkey_store* store) {
  return std::make_unique<Latchkey>(store);
}

}  // namespace latchkey_bench
