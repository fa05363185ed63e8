// No branch and no address depends on a presented secret or on the pepper's keys, up to the answer:
// under valgrind's memcheck, with the bytes of secrets and keys marked as undefined, the tool
// reports each one that does. What base/declassify.h lets through is public: which slots of the
// table a tag leads to (the tag is keyed), whether the tag is there, whether the body has its
// shape.
//
// Not seen so: SHA-256 by the processor's own instructions, which valgrind does not know (the
// engine takes libsodium's there; libcrypto's other code is asked by itself), and what a processor
// does with an instruction of its own accord.
#include <sodium.h>
#include <valgrind/memcheck.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "base/declassify.h"
#include "capi/handles.h"
#include "crypto/jwt.h"
#include "crypto/key_format.h"
#include "support/temp_dir.h"

void latchkey::OnDeclassify(const void* bytes, size_t size) {
  VALGRIND_MAKE_MEM_DEFINED(bytes, size);
}

namespace latchkey {
namespace {

int g_tried = 0;
int g_wrong = 0;

// A text whose bytes from `from` on are secret. On the heap, and of exactly this size.
class Tainted {
 public:
  Tainted(ByteView text, size_t from) : size_(text.size()), bytes_(new char[text.size()]) {
    std::memcpy(bytes_.get(), text.data(), size_);
    VALGRIND_MAKE_MEM_UNDEFINED(bytes_.get() + from, size_ - from);
  }
  ~Tainted() { VALGRIND_MAKE_MEM_DEFINED(bytes_.get(), size_); }
  Tainted(const Tainted&) = delete;
  Tainted& operator=(const Tainted&) = delete;
  ByteView view() const { return {bytes_.get(), size_}; }

 private:
  const size_t size_;
  const std::unique_ptr<char[]> bytes_;
};

// The reports that `body` causes.
template <typename Body>
unsigned long Reports(Body&& body) {
  const auto before = VALGRIND_COUNT_ERRORS;
  body();
  return VALGRIND_COUNT_ERRORS - before;
}

void Expect(const char* what, unsigned long reports, bool answer_is_right) {
  ++g_tried;
  if (reports == 0 && answer_is_right) return;
  ++g_wrong;
  std::printf("memcheck: %s: %lu reports%s\n", what, reports,
              answer_is_right ? "" : ", and the answer is wrong");
}

// A report that must come: else the tool sees nothing.
[[gnu::noinline]] unsigned CompareAndReturnEarly(ByteView a, ByteView b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return 0;
  }
  return 1;
}
void ExpectTheToolToSee() {
  const Tainted secret("a secret", 2);
  unsigned answer = 0;
  const auto reports = Reports([&] { answer = CompareAndReturnEarly(secret.view(), "a secrex"); });
  ++g_tried;
  if (reports > 0 && answer == 0) return;
  ++g_wrong;
  std::printf("memcheck: an early return was not seen\n");
}

template <typename T>
T Sized() {
  T out{};
  out.struct_size = sizeof out;
  return out;
}

void Require(latchkey_code code, const char* what) {
  if (code == LATCHKEY_OK) return;
  std::fprintf(stderr, "cannot go on: %s: %s\n", what, latchkey_error_text());
  std::exit(2);
}

// A store with keys in every state.
class World {
 public:
  World() {
    auto options = Sized<latchkey_open_options>();
    const std::string path = dir_ / "store";
    options.path = path.c_str();
    options.mode = LATCHKEY_OPEN_CREATE;
    options.load = LATCHKEY_LOAD_FIRST;
    Require(latchkey_store_open(&options, &store_), "open");
    user_ = MakeOwner("Muriel Bagge");
    locked_user_ = MakeOwner("Eustace Bagge");
    latchkey_kind kind = Sized<latchkey_kind>();
    kind.kind = LATCHKEY_KIND_HOST_MIN;
    kind.owner_sort = LATCHKEY_OWNER_USER;
    std::strcpy(kind.name, "deploy-key");
    std::strcpy(kind.prefix, "acme_");
    Require(latchkey_kind_register(store_, &kind), "kind");
    right_ = MakeKey(user_, LATCHKEY_KIND_USER_KEY);
    checked_ = MakeKey(user_, LATCHKEY_KIND_HOST_MIN);
    revoked_ = MakeKey(user_, LATCHKEY_KIND_USER_KEY);
    Require(latchkey_credential_revoke(store_, &made_, nullptr, nullptr, 0, nullptr), "revoke");
    locked_ = MakeKey(locked_user_, LATCHKEY_KIND_USER_KEY);
    auto update = Sized<latchkey_owner_update_options>();
    update.uuid = locked_user_;
    update.set = LATCHKEY_OWNER_SET_LOCKED;
    update.locked = 1;
    Require(latchkey_owner_update(store_, &update, nullptr), "lock");
  }
  ~World() { Require(latchkey_store_close(store_), "close"); }

  void ExpectVerdicts() {
    constexpr size_t kUserPrefix = 13;
    constexpr size_t kAcmePrefix = 5;
    std::string unknown = right_;
    unknown.back() = unknown.back() == 'a' ? 'b' : 'a';
    std::string foreign = right_;
    foreign.back() = '-';
    std::string wrong_sum = checked_;
    wrong_sum.back() = wrong_sum.back() == 'a' ? 'b' : 'a';
    ExpectVerdict("right", right_, kUserPrefix, LATCHKEY_REASON_ALLOWED);
    ExpectVerdict("unknown", unknown, kUserPrefix, LATCHKEY_REASON_UNKNOWN);
    ExpectVerdict("revoked", revoked_, kUserPrefix, LATCHKEY_REASON_REVOKED);
    ExpectVerdict("locked", locked_, kUserPrefix, LATCHKEY_REASON_LOCKED);
    ExpectVerdict("malformed", foreign, kUserPrefix, LATCHKEY_REASON_MALFORMED);
    ExpectVerdict("right, with a checksum", checked_, kAcmePrefix, LATCHKEY_REASON_ALLOWED);
    ExpectVerdict("a wrong checksum", wrong_sum, kAcmePrefix, LATCHKEY_REASON_MALFORMED);
  }

 private:
  latchkey_uuid MakeOwner(const char* name) {
    auto options = Sized<latchkey_owner_create_options>();
    options.sort = LATCHKEY_OWNER_USER;
    options.name = name;
    options.name_size = std::strlen(name);
    auto owner = Sized<latchkey_owner>();
    Require(latchkey_owner_create(store_, &options, &owner), "owner");
    return owner.uuid;
  }
  std::string MakeKey(const latchkey_uuid& owner, uint32_t kind) {
    auto options = Sized<latchkey_credential_create_options>();
    options.owner = owner;
    options.kind = kind;
    options.name = "memcheck";
    options.name_size = 8;
    char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
    size_t size = 0;
    auto credential = Sized<latchkey_credential>();
    Require(latchkey_credential_create(store_, &options, secret, sizeof secret, &size, &credential),
            "key");
    made_ = credential.uuid;
    return {secret, size};
  }
  // By one secret and by a batch of two.
  void ExpectVerdict(const char* what, const std::string& text, size_t prefix_size,
                     uint32_t reason) {
    const PepperRing& ring = store_->engine->authority().ring();
    const TagKey& key = ring.tag_key(ring.newest_version());
    const Tainted secret(text, prefix_size);
    auto verdict = Sized<latchkey_verdict>();
    latchkey_verdict both[2] = {Sized<latchkey_verdict>(), Sized<latchkey_verdict>()};
    latchkey_code code = 0;
    latchkey_code codes[2] = {};
    const latchkey_bytes item = {secret.view().data(), secret.view().size()};
    const latchkey_bytes items[2] = {item, item};
    VALGRIND_MAKE_MEM_UNDEFINED(&key, sizeof key);
    const auto reports = Reports([&] {
      code = latchkey_verify(store_, item.data, item.size, nullptr, &verdict);
      Require(latchkey_verify_batch(store_, items, 2, nullptr, codes, both), "batch");
    });
    VALGRIND_MAKE_MEM_DEFINED(&key, sizeof key);
    const bool allowed = reason == LATCHKEY_REASON_ALLOWED;
    Expect(what, reports,
           verdict.reason == reason && both[0].reason == reason && both[1].reason == reason &&
               code == codes[0] && (code == LATCHKEY_OK) == allowed);
  }

  const test::TempDir dir_;
  latchkey_store* store_ = nullptr;
  latchkey_uuid user_ = {};
  latchkey_uuid locked_user_ = {};
  latchkey_uuid made_ = {};
  std::string right_;
  std::string checked_;
  std::string revoked_;
  std::string locked_;
};

// Both SHA-256, on the bytes of a secret.
void ExpectDigests() {
  const Tainted secret("bencher_user_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh", 0);
  InnerDigest digests[2];
  const auto reports = Reports([&] {
    digests[0] = Sha256BySodium(secret.view());
    digests[1] = Sha256ByLibcrypto(secret.view());
  });
  VALGRIND_MAKE_MEM_DEFINED(digests, sizeof digests);
  Expect("SHA-256", reports, digests[0].bytes == digests[1].bytes);
}

// The pepper, from the bytes of its file's digits on, to the keys of a store.
void ExpectPepper() {
  const test::TempDir dir;
  Random random;
  Result<PepperFile> file = PepperFile::Create(dir / "pepper", random);
  if (!file.ok()) std::exit(2);
  const std::span<const uint8_t> pepper = file->entries().front().pepper.Expose();
  VALGRIND_MAKE_MEM_UNDEFINED(pepper.data(), pepper.size());
  bool made = false;
  const auto reports = Reports([&] {
    const Result<PepperRing> ring = PepperRing::Make(*file, Uuid{});
    made = ring.ok();
    if (made) VALGRIND_MAKE_MEM_DEFINED(ring->mac_key(1).data(), ring->mac_key(1).size());
  });
  VALGRIND_MAKE_MEM_DEFINED(pepper.data(), pepper.size());
  Expect("the keys of a pepper", reports, made);
}

// The secret that signs sessions; not the JWT, which whoever presents it knows to its last bit but
// for whether the signature is right.
void ExpectSignatures() {
  JwtClaims claims;
  claims.audience = "client";
  claims.issuer = "latchkey";
  const Tainted key("only this test signs with it", 0);
  const std::span<const uint8_t> secret(reinterpret_cast<const uint8_t*>(key.view().data()),
                                        key.view().size());
  JwtBuffer jwt;
  bool is_signed = false;
  bool is_valid = false;
  bool is_valid_when_changed = true;
  const auto reports = Reports([&] {
    is_signed = SignJwt(claims, secret, &jwt).ok();
    const std::span<uint8_t> text = jwt.ExposeForWriting();
    VALGRIND_MAKE_MEM_DEFINED(text.data(), text.size());  // it is given away
    is_valid = Declassify(HasValidSignature(jwt.Expose(), secret));
    text[jwt.size() - 5] ^= text[jwt.size() - 5] == 'a' ? 3 : 'a' ^ text[jwt.size() - 5];
    is_valid_when_changed = Declassify(HasValidSignature(jwt.Expose(), secret));
  });
  Expect("the signature of a session", reports, is_signed && is_valid && !is_valid_when_changed);
}

int Main() {
  if (RUNNING_ON_VALGRIND == 0) {
    std::fprintf(stderr, "memcheck_test: run it as: valgrind --quiet memcheck_test\n");
    return 2;
  }
  if (!InitCrypto().ok()) return 2;
  ExpectTheToolToSee();
  ExpectDigests();
  ExpectPepper();
  ExpectSignatures();
  World world;
  world.ExpectVerdicts();
  std::printf("timing memcheck: tried %d, wrong %d\n", g_tried, g_wrong);
  return g_wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace latchkey

int main() { return latchkey::Main(); }
