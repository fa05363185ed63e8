// Where secrets lie in memory. After each call of the C API that takes or gives one, the writable
// memory of the whole process is searched: for the secret, its digest and signatures, which may be
// nowhere but in the caller's buffers; for the pepper and the keys made from it, which may be in
// guarded pages and nowhere else. A forked child has none of them, nor has a core dump.
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "latchkey/latchkey.h"
#include "memory/scan.h"
#include "support/temp_dir.h"

namespace latchkey_memory {
namespace {

constexpr size_t kPrefixSize = 13;  // bencher_user_
constexpr size_t kPepperSize = 32;
constexpr size_t kHexAt = 20;  // in a pepper file, after "latchkey-pepper 1\n1 "

// All that belongs to the caller, and is left out of the search.
struct Caller {
  char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
  uint8_t digest[32];
  char jwt_key[32];
  char jwt[LATCHKEY_JWT_BYTES_MAX];
  size_t jwt_size;
  char import[4096];
  size_t import_size;
  size_t import_given;
  uint8_t scratch[256];
} caller;

Range CallersRange() {
  const auto begin = reinterpret_cast<uintptr_t>(&caller);
  return {begin, begin + sizeof caller};
}

int tried = 0;
int wrong = 0;

void Require(bool is_so, const char* what) {
  if (!is_so) throw std::runtime_error(std::string(what) + ": " + latchkey_error_text());
}

template <typename T>
T Sized() {
  T out{};
  out.struct_size = sizeof out;
  return out;
}

// ---- What is looked for -------------------------------------------------------------------------

// The pepper, as bytes and as the digits of its file, and every key that is made from it.
std::vector<Needle> PepperNeedles(const std::string& pepper_path, const latchkey_uuid& store_id) {
  uint8_t* const scratch = caller.scratch;
  const int fd = open(pepper_path.c_str(), O_RDONLY | O_CLOEXEC);
  Require(fd >= 0 && read(fd, scratch, kHexAt + 2 * kPepperSize) > 0 && close(fd) == 0, "pepper");
  std::vector<Needle> needles;
  needles.emplace_back("the pepper's digits", scratch + kHexAt, 2 * kPepperSize, true);
  uint8_t* const pepper = scratch + 128;
  Require(sodium_hex2bin(pepper, kPepperSize, reinterpret_cast<char*>(scratch + kHexAt),
                         2 * kPepperSize, nullptr, nullptr, nullptr) == 0,
          "hex");
  needles.emplace_back("the pepper", pepper, kPepperSize, true);
  // engine/FORMAT.md: store key and sub-keys.
  uint8_t message[20];
  std::memcpy(message, store_id.bytes, 16);
  const uint8_t version_1[4] = {0, 0, 0, 1};
  std::memcpy(message + 16, version_1, 4);
  uint8_t* const store_key = scratch + 160;
  crypto_generichash_blake2b(store_key, 32, message, sizeof message, pepper, kPepperSize);
  needles.emplace_back("the store key", store_key, 32, true);
  constexpr struct {
    const char* name;
    size_t size;
  } kSubKeys[] = {{"the tag key", 16}, {"the seal key", 32}, {"the MAC key", 32}};
  uint8_t* const sub_key = scratch + 192;
  for (uint64_t id = 1; id <= 3; ++id) {
    const auto& [name, size] = kSubKeys[id - 1];
    crypto_kdf_derive_from_key(sub_key, size, id, "latchkey", store_key);
    needles.emplace_back(name, sub_key, size, true);
  }
  sodium_memzero(scratch, sizeof caller.scratch);
  return needles;
}

void AddSecret(std::vector<Needle>* needles) {
  const size_t size = std::strlen(caller.secret);
  needles->emplace_back("the secret", caller.secret + kPrefixSize, size - kPrefixSize, false);
  crypto_hash_sha256(caller.digest, reinterpret_cast<uint8_t*>(caller.secret), size);
  needles->emplace_back("the digest of the secret", caller.digest, 32, false);
}

// The signature of the JWT in the caller's buffer, as text and as bytes.
void AddSignature(const char* jwt, size_t size, std::vector<Needle>* needles) {
  constexpr size_t kTextSize = 43;
  const char* const text = jwt + size - kTextSize;
  needles->emplace_back("the signature of a JWT", text, kTextSize, false);
  Require(sodium_base642bin(caller.scratch, 32, text, kTextSize, nullptr, nullptr, nullptr,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0,
          "base64");
  needles->emplace_back("the bytes of a signature", caller.scratch, 32, false);
  sodium_memzero(caller.scratch, sizeof caller.scratch);
}

// ---- Searches -----------------------------------------------------------------------------------

enum class Guarded : uint8_t { kMayHoldKeys, kMustHoldKeys, kHoldsNothing };

void Judge(const char* after, const std::vector<Hit>& hits, const std::vector<Needle>& needles,
           Guarded guarded) {
  ++tried;
  size_t bad = 0;
  size_t in_guarded = 0;
  for (const Hit& hit : hits) {
    bool is_key = false;
    for (const Needle& needle : needles) {
      is_key = is_key || (needle.name() == hit.needle && needle.may_be_guarded());
    }
    if (is_key && hit.guarded && guarded != Guarded::kHoldsNothing) {
      ++in_guarded;
    } else if (++bad < 10) {
      std::printf("memory: after %s: %s\n", after, Describe(hit).c_str());
    }
  }
  if (guarded == Guarded::kMustHoldKeys && in_guarded == 0) {
    ++bad;
    std::printf("memory: after %s: not even the guarded pages hold a key\n", after);
  }
  wrong += bad == 0 ? 0 : 1;
}

void ExpectClean(const char* after, const std::vector<Needle>& needles) {
  Judge(after, Scan(getpid(), needles, {CallersRange()}), needles, Guarded::kMustHoldKeys);
}

// Copies that lie about must be found, each once, wherever in the room: else the search does not
// see what there is. The room is longer than what the search reads at once.
void ExpectToBeSeen(const std::vector<Needle>& needles) {
  constexpr size_t kRoom = 3 << 20;
  constexpr size_t kEvery = 4096 + Needle::kRun;
  std::vector<char> room(kRoom);
  size_t copies = 0;
  for (size_t at = 0; at + Needle::kRun <= kRoom; at += kEvery, ++copies) {
    std::memcpy(room.data() + at, caller.secret + kPrefixSize + 3, Needle::kRun);
  }
  size_t seen = 0;
  for (const Hit& hit : Scan(getpid(), needles, {CallersRange()})) {
    const auto begin = reinterpret_cast<uintptr_t>(room.data());
    seen += hit.address >= begin && hit.address < begin + kRoom ? 1 : 0;
  }
  sodium_memzero(room.data(), kRoom);
  ++tried;
  if (seen == copies) return;
  ++wrong;
  std::printf("memory: of %zu copies %zu were seen\n", copies, seen);
}

// ---- A store and its calls ----------------------------------------------------------------------

latchkey_store* OpenStore(const std::string& path) {
  auto options = Sized<latchkey_open_options>();
  options.path = path.c_str();
  options.mode = LATCHKEY_OPEN_CREATE;
  latchkey_store* store = nullptr;
  Require(latchkey_store_open(&options, &store) == LATCHKEY_OK, "open");
  return store;
}

latchkey_uuid MakeUser(latchkey_store* store) {
  auto options = Sized<latchkey_owner_create_options>();
  options.sort = LATCHKEY_OWNER_USER;
  options.name = "Muriel Bagge";
  options.name_size = 12;
  options.email = "m@farm.example";
  options.email_size = 14;
  auto owner = Sized<latchkey_owner>();
  Require(latchkey_owner_create(store, &options, &owner) == LATCHKEY_OK, "owner");
  return owner.uuid;
}

void MakeKey(latchkey_store* store, const latchkey_uuid& user) {
  auto options = Sized<latchkey_credential_create_options>();
  options.owner = user;
  options.kind = LATCHKEY_KIND_USER_KEY;
  options.name = "laptop";
  options.name_size = 6;
  Require(latchkey_credential_create(store, &options, caller.secret, sizeof caller.secret, nullptr,
                                     nullptr) == LATCHKEY_OK,
          "create");
}

latchkey_uuid StoreId(latchkey_store* store) {
  auto stats = Sized<latchkey_stats>();
  Require(latchkey_store_stats(store, &stats) == LATCHKEY_OK, "stats");
  return stats.store_id;
}

void TryKeys(latchkey_store* store, const std::vector<Needle>& needles) {
  const size_t size = std::strlen(caller.secret);
  Require(latchkey_verify(store, caller.secret, size, nullptr, nullptr) == LATCHKEY_OK, "verify");
  ExpectClean("verify", needles);
  std::vector<latchkey_bytes> items(40, latchkey_bytes{caller.secret, size});
  items[7].size -= 1;  // malformed
  std::vector<latchkey_code> codes(items.size());
  Require(latchkey_verify_batch(store, items.data(), items.size(), nullptr, codes.data(),
                                nullptr) == LATCHKEY_OK &&
              codes[0] == LATCHKEY_OK && codes[7] == LATCHKEY_DENIED,
          "batch");
  ExpectClean("a batch", needles);
  auto row = Sized<latchkey_credential>();
  Require(latchkey_identify_secret(store, caller.secret, size, &row) == LATCHKEY_OK, "identify");
  ExpectClean("identify by the secret", needles);
  Require(latchkey_identify_sha256(store, caller.digest, &row) == LATCHKEY_OK, "identify");
  ExpectClean("identify by the digest", needles);
}

latchkey_jwt_key JwtKey() {
  auto key = Sized<latchkey_jwt_key>();
  key.secret = caller.jwt_key;
  key.secret_size = sizeof caller.jwt_key;
  key.issuer = "latchkey";
  key.issuer_size = 8;
  return key;
}

void TrySessions(latchkey_store* store, std::vector<Needle> needles) {
  randombytes_buf(caller.jwt_key, sizeof caller.jwt_key);
  needles.emplace_back("the key of sessions", caller.jwt_key, sizeof caller.jwt_key, false);
  const latchkey_jwt_key key = JwtKey();
  auto options = Sized<latchkey_session_options>();
  options.subject = "m@farm.example";
  options.subject_size = 14;
  options.ttl_s = 1000;
  Require(latchkey_session_issue(&options, &key, caller.jwt, sizeof caller.jwt, &caller.jwt_size,
                                 nullptr) == LATCHKEY_OK,
          "session");
  AddSignature(caller.jwt, caller.jwt_size, &needles);
  ExpectClean("a session's issue", needles);
  Require(
      latchkey_session_check(store, caller.jwt, caller.jwt_size, &key, 0, nullptr) == LATCHKEY_OK,
      "check");
  ExpectClean("a session's check", needles);
}

size_t GiveImport(void*, char* buffer, size_t capacity) {
  const size_t size = std::min(capacity, caller.import_size - caller.import_given);
  std::memcpy(buffer, caller.import + caller.import_given, size);
  caller.import_given += size;
  return size;
}

// A token that the store is to know by its digest: the JWT stands in the line.
void TryImport(latchkey_store* store, const latchkey_uuid& user, std::vector<Needle> needles) {
  char owner[LATCHKEY_UUID_TEXT_SIZE];
  latchkey_uuid_format(&user, owner);
  const int size = std::snprintf(
      caller.import, sizeof caller.import,
      R"({"type":"user_token","uuid":"018c5eb0-a966-7c9a-944a-268ea5cbabca","user":"%s",)"
      R"("name":"legacy","jwt":"%s","creation":1790000000,"expiration":1890000000,"revoked":null})"
      "\n",
      owner, caller.jwt);
  Require(size > 0 && static_cast<size_t>(size) < sizeof caller.import, "line");
  caller.import_size = static_cast<size_t>(size);
  caller.import_given = 0;
  AddSignature(caller.jwt, caller.jwt_size, &needles);
  auto options = Sized<latchkey_import_options>();
  options.read = GiveImport;
  auto report = Sized<latchkey_import_report>();
  Require(latchkey_import(store, &options, &report) == LATCHKEY_OK && report.imported == 1,
          "import");
  ExpectClean("an import", needles);
  Require(latchkey_verify(store, caller.jwt, caller.jwt_size, nullptr, nullptr) == LATCHKEY_OK,
          "verify the token");
  ExpectClean("the verification of a token", needles);
}

void TryFork(const std::vector<Needle>& needles) {
  const pid_t child = fork();
  Require(child >= 0, "fork");
  if (child == 0) {
    wrong = 0;
    Judge("a fork", Scan(getpid(), needles, {CallersRange()}), needles, Guarded::kHoldsNothing);
    std::fflush(stdout);
    _exit(wrong);
  }
  int status = 0;
  Require(waitpid(child, &status, 0) == child, "wait");
  ++tried;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  ++wrong;
  std::printf("memory: the forked child ended with status %d\n", status);
}

// ---- A core dump --------------------------------------------------------------------------------

constexpr int kChildPipe = 3;

// In a process of its own: makes a key, tells it, forgets it, stops, and dies when it goes on.
int DumpingChild(const std::string& folder) {
  const rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &all);  // where that is refused there is no file, which the parent says
  Require(chdir(folder.c_str()) == 0, "folder");
  latchkey_store* const store = OpenStore(folder + "/store");
  MakeKey(store, MakeUser(store));
  Require(latchkey_verify(store, caller.secret, std::strlen(caller.secret), nullptr, nullptr) ==
              LATCHKEY_OK,
          "verify");
  const latchkey_uuid id = StoreId(store);
  Require(write(kChildPipe, &id, sizeof id) == sizeof id &&
              write(kChildPipe, caller.secret, sizeof caller.secret) == sizeof caller.secret,
          "pipe");
  sodium_memzero(&caller, sizeof caller);
  raise(SIGSTOP);
  std::abort();
}

pid_t StartChild(const std::string& folder, int* pipe_end) {
  int ends[2];
  Require(pipe2(ends, O_CLOEXEC) == 0, "pipe");
  const pid_t child = fork();
  Require(child >= 0, "fork");
  if (child == 0) {
    if (dup2(ends[1], kChildPipe) < 0) _exit(2);
    execl("/proc/self/exe", "memory_test", "--child", folder.c_str(), nullptr);
    _exit(2);
  }
  close(ends[1]);
  *pipe_end = ends[0];
  return child;
}

void TryCore() {
  const latchkey::test::TempDir dir;
  int pipe_end = -1;
  const pid_t child = StartChild(dir.path(), &pipe_end);
  latchkey_uuid id;
  int status = 0;
  Require(read(pipe_end, &id, sizeof id) == sizeof id &&
              read(pipe_end, caller.secret, sizeof caller.secret) == sizeof caller.secret &&
              close(pipe_end) == 0 && waitpid(child, &status, WUNTRACED) == child &&
              WIFSTOPPED(status),
          "child");
  std::vector<Needle> needles = PepperNeedles(dir / "store.pepper", id);
  AddSecret(&needles);
  // What a dump would hold: all mappings but the guarded ones, which must hold the keys.
  Judge("the child's work", Scan(child, needles, {}), needles, Guarded::kMustHoldKeys);
  kill(child, SIGCONT);
  Require(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "child");
  bool is_there = false;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    if (!entry.path().filename().string().starts_with("core")) continue;
    is_there = true;
    Judge("its death, in the core", ScanFile(entry.path().string(), needles), needles,
          Guarded::kHoldsNothing);
  }
  if (!is_there) std::printf("memory: this system writes no core file beside a process\n");
}

int Main() {
  Require(sodium_init() >= 0, "libsodium");
  const latchkey::test::TempDir dir;
  latchkey_store* const store = OpenStore(dir / "store");
  const latchkey_uuid user = MakeUser(store);
  MakeKey(store, user);
  std::vector<Needle> needles = PepperNeedles(dir / "store.pepper", StoreId(store));
  AddSecret(&needles);
  ExpectClean("create", needles);
  ExpectToBeSeen(needles);
  TryKeys(store, needles);
  TrySessions(store, needles);
  TryImport(store, user, needles);
  TryFork(needles);
  Require(latchkey_store_close(store) == LATCHKEY_OK, "close");
  Judge("close", Scan(getpid(), needles, {CallersRange()}), needles, Guarded::kHoldsNothing);
  TryCore();
  std::printf("memory: tried %d, wrong %d\n", tried, wrong);
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace latchkey_memory

int main(int argc, char** argv) {
  try {
    if (argc == 3 && std::strcmp(argv[1], "--child") == 0) {
      return latchkey_memory::DumpingChild(argv[2]);
    }
    return latchkey_memory::Main();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "memory: cannot go on: %s\n", error.what());
    return 2;
  }
}
