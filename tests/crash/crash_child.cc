// The process that kill_test.py kills, and the one that looks at what is left.
//
//   crash_child init STORE OWNER...   makes the store and one user for each UUID
//   crash_child work STORE SEED OWNER...
//                                     one thread for each user changes what is his, until killed
//   crash_child die STORE SEED POINT NTH OWNER...
//                                     one thread does so for all users, opens the store anew at
//                                     times, and kills itself at a point of death.h, or at the end
//   crash_child check STORE           reads what must be there from standard input, and compares
//   crash_child open STORE POINT NTH  opens and closes the store, and kills itself as `die` does
//   crash_child import STORE [POINT NTH]
//                                     imports the lines on standard input; kills itself at a point
//   crash_child scan DIR              reads needles in hex from standard input, and looks for them
//                                     in every byte of every file below DIR
//
// `work` writes a line before each change and one after it has been acknowledged, in one write()
// each:
//
//   begin create UUID OWNER NAME   done create UUID SECRET    (secrets in hex)
//   begin rename UUID NAME         done rename UUID
//   begin revoke UUID              done revoke UUID
//   begin lock OWNER 0|1           done lock OWNER
//   begin sweep OWNER              done sweep OWNER
//
// `die` says `dies POINT` last of all when it has come to the point.
//
// `check` reads `owner UUID LOCKED` and `key UUID OWNER STATE NAME NAME SECRET`, where LOCKED is 0,
// 1 or ?, STATE is active, revoked, either or maybe-absent, two names are one more than is known
// for certain, and SECRET is - when it was never acknowledged. It prints what it found of each, and
// exits with 1 after a line that begins with `wrong`.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "death.h"
#include "latchkey/latchkey.h"

namespace {

template <typename T>
T Sized() {
  T out{};
  out.struct_size = sizeof(T);
  return out;
}

[[noreturn]] void Die(const std::string& what) {
  std::cout << "wrong " << what << ": " << latchkey_error_text() << std::endl;
  std::_Exit(1);
}

latchkey_uuid ParseUuid(const std::string& text) {
  latchkey_uuid out{};
  if (latchkey_uuid_parse(text.data(), text.size(), &out) != LATCHKEY_OK) Die("UUID " + text);
  return out;
}

std::string Text(const latchkey_uuid& uuid) {
  char text[LATCHKEY_UUID_TEXT_SIZE];
  latchkey_uuid_format(&uuid, text);
  return text;
}

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string Unhex(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoul(hex.substr(i, 2), nullptr, 16));
  }
  return out;
}

latchkey_store* Open(const std::string& path, uint32_t mode) {
  auto options = Sized<latchkey_open_options>();
  options.path = path.c_str();
  options.mode = mode;
  latchkey_store* store = nullptr;
  if (latchkey_store_open(&options, &store) != LATCHKEY_OK) Die("open");
  return store;
}

void Close(latchkey_store* store) {
  if (latchkey_store_close(store) != LATCHKEY_OK) Die("close");
}

int Init(const std::string& path, const std::vector<std::string>& owners) {
  latchkey_store* store = Open(path, LATCHKEY_OPEN_CREATE);
  for (const std::string& owner : owners) {
    auto options = Sized<latchkey_owner_create_options>();
    options.sort = LATCHKEY_OWNER_USER;
    options.uuid = ParseUuid(owner);
    options.name = owner.data();
    options.name_size = owner.size();
    if (latchkey_owner_create(store, &options, nullptr) != LATCHKEY_OK) Die("create owner");
  }
  Close(store);
  return 0;
}

// ---- work
// ----------------------------------------------------------------------------------------

// One write, so that the lines of several threads do not mix, and what is written is out even if we
// are killed right after.
void Say(std::string line) {
  line += '\n';
  if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    std::_Exit(3);
  }
}

class Worker {
 public:
  Worker(latchkey_store* store, const std::string& owner, uint64_t seed)
      : store_(store), owner_text_(owner), owner_(ParseUuid(owner)), random_(seed) {
    ReadWhatIsThere();
  }

  [[noreturn]] void Run() {
    for (;;) Step();
  }
  void Step() {
    const uint64_t choice = random_() % 100;
    if (active_.empty() || choice < 50) {
      Create();
    } else if (choice < 70) {
      Rename();
    } else if (choice < 88) {
      Revoke();
    } else if (choice < 98) {
      Lock();
    } else {
      Sweep();
    }
  }

 private:
  void ReadWhatIsThere() {
    auto options = Sized<latchkey_list_options>();
    options.owner = owner_;
    options.kind = LATCHKEY_KIND_USER_KEY;
    options.page_size = 200;
    auto cursor = Sized<latchkey_cursor>();
    std::vector<latchkey_credential> rows(options.page_size, Sized<latchkey_credential>());
    size_t count = 0;
    do {
      if (latchkey_credential_list_next(store_, &options, &cursor, rows.data(), rows.size(),
                                        &count) != LATCHKEY_OK) {
        Die("list");
      }
      for (size_t i = 0; i < count; ++i) active_.push_back(rows[i].uuid);
    } while (count > 0);
    auto owner = Sized<latchkey_owner>();
    if (latchkey_owner_get(store_, LATCHKEY_OWNER_USER, owner_text_.data(), owner_text_.size(),
                           &owner) != LATCHKEY_OK) {
      Die("get owner");
    }
    locked_ = owner.locked != 0;
  }

  std::string RandomName() { return "name-" + std::to_string(random_() % 1000); }

  void Create() {
    auto options = Sized<latchkey_credential_create_options>();
    for (uint8_t& byte : options.uuid.bytes) byte = static_cast<uint8_t>(random_());
    options.owner = owner_;
    options.kind = LATCHKEY_KIND_USER_KEY;
    const std::string name = RandomName();
    options.name = name.data();
    options.name_size = name.size();
    const std::string uuid = Text(options.uuid);
    Say("begin create " + uuid + " " + owner_text_ + " " + name);
    char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
    size_t size = 0;
    if (latchkey_credential_create(store_, &options, secret, sizeof secret, &size, nullptr) !=
        LATCHKEY_OK) {
      Die("create");
    }
    Say("done create " + uuid + " " + Hex({secret, size}));
    active_.push_back(options.uuid);
  }
  void Rename() {
    const latchkey_uuid& uuid = active_[random_() % active_.size()];
    const std::string name = RandomName();
    Say("begin rename " + Text(uuid) + " " + name);
    if (latchkey_credential_rename(store_, &uuid, name.data(), name.size(), nullptr, nullptr) !=
        LATCHKEY_OK) {
      Die("rename");
    }
    Say("done rename " + Text(uuid));
  }
  void Revoke() {
    const size_t place = random_() % active_.size();
    std::swap(active_[place], active_.back());
    const latchkey_uuid uuid = active_.back();
    active_.pop_back();
    Say("begin revoke " + Text(uuid));
    if (latchkey_credential_revoke(store_, &uuid, nullptr, nullptr, 0, nullptr) != LATCHKEY_OK) {
      Die("revoke");
    }
    Say("done revoke " + Text(uuid));
  }
  void Lock() {
    locked_ = !locked_;
    auto options = Sized<latchkey_owner_update_options>();
    options.uuid = owner_;
    options.set = LATCHKEY_OWNER_SET_LOCKED;
    options.locked = locked_ ? 1 : 0;
    Say("begin lock " + owner_text_ + (locked_ ? " 1" : " 0"));
    if (latchkey_owner_update(store_, &options, nullptr) != LATCHKEY_OK) Die("lock");
    Say("done lock " + owner_text_);
  }
  void Sweep() {
    auto options = Sized<latchkey_sweep_options>();
    options.owner = owner_;
    Say("begin sweep " + owner_text_);
    if (latchkey_revoke_all(store_, &options, nullptr) != LATCHKEY_OK) Die("sweep");
    latchkey_test::SweepIsOut();
    Say("done sweep " + owner_text_);
    active_.clear();
  }

  latchkey_store* store_;
  std::string owner_text_;
  latchkey_uuid owner_;
  std::mt19937_64 random_;
  std::vector<latchkey_uuid> active_;
  bool locked_ = false;
};

int Work(const std::string& path, uint64_t seed, const std::vector<std::string>& owners) {
  latchkey_store* store = Open(path, LATCHKEY_OPEN_EXISTING);
  Say("open");
  std::vector<std::thread> threads;
  for (size_t i = 0; i < owners.size(); ++i) {
    threads.emplace_back([&, i] { Worker(store, owners[i], seed + i).Run(); });
  }
  for (std::thread& thread : threads) thread.join();
  return 1;
}

std::filesystem::path FolderOf(const std::string& store) {
  return std::filesystem::absolute(store).parent_path();
}

[[noreturn]] void Kill() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// Closing writes out what the logs hold; opening often enough makes RocksDB compact.
[[noreturn]] void Live(const std::string& path, uint64_t seed,
                       const std::vector<std::string>& owners) {
  constexpr size_t kLives = 4;
  constexpr size_t kSteps = 20;  // of a life
  for (size_t life = 0; life < kLives; ++life) {
    latchkey_store* store = Open(path, LATCHKEY_OPEN_EXISTING);
    Say("open");
    std::vector<Worker> workers;
    for (const std::string& owner : owners) {
      workers.emplace_back(store, owner, seed + life * owners.size() + workers.size());
    }
    for (size_t step = 0; step < kSteps; ++step) workers[step % workers.size()].Step();
    if (life + 1 < kLives) Close(store);
  }
  Kill();
}

[[noreturn]] void OpenAndDie(const std::string& path) {
  Close(Open(path, LATCHKEY_OPEN_EXISTING));
  Kill();
}

// ---- check
// ---------------------------------------------------------------------------------------

class Checker {
 public:
  explicit Checker(latchkey_store* store) : store_(store) {}

  void Line(const std::string& text) {
    std::istringstream in(text);
    std::string what;
    in >> what;
    if (what == "owner") {
      std::string uuid;
      std::string locked;
      in >> uuid >> locked;
      Owner(uuid, locked);
    } else {
      Expected key;
      in >> key.uuid >> key.owner >> key.state >> key.name >> key.other_name >> key.secret;
      Key(key);
    }
  }
  bool is_right() const { return is_right_; }

  void Wrong(const std::string& what) {
    std::cout << "wrong " << what << '\n';
    is_right_ = false;
  }

 private:
  struct Expected {
    std::string uuid, owner, state, name, other_name, secret;
  };

  void Owner(const std::string& uuid, const std::string& locked) {
    auto owner = Sized<latchkey_owner>();
    if (latchkey_owner_get(store_, LATCHKEY_OWNER_USER, uuid.data(), uuid.size(), &owner) !=
        LATCHKEY_OK) {
      return Wrong("owner " + uuid + " is gone");
    }
    if (locked != "?" && (locked == "1") != (owner.locked != 0)) {
      Wrong("owner " + uuid + " is locked: " + std::to_string(owner.locked));
    }
    locked_[uuid] = owner.locked != 0;
    std::cout << "owner " << uuid << ' ' << owner.locked << '\n';
  }

  void Key(const Expected& due) {
    const latchkey_uuid uuid = ParseUuid(due.uuid);
    auto key = Sized<latchkey_credential>();
    const latchkey_code code = latchkey_credential_get(store_, &uuid, &key);
    if (code == LATCHKEY_NOT_FOUND && due.state == "maybe-absent") {
      std::cout << "absent " << due.uuid << '\n';
      return;
    }
    if (code != LATCHKEY_OK) return Wrong("key " + due.uuid + " is gone");
    const bool revoked = key.revoked_s != 0;
    if ((due.state == "active" && revoked) || (due.state == "revoked" && !revoked)) {
      Wrong("key " + due.uuid + " should be " + due.state);
    }
    const std::string name(key.name, key.name_size);
    if (Text(key.owner) != due.owner || (name != due.name && name != due.other_name) ||
        key.kind != LATCHKEY_KIND_USER_KEY || key.slug[0] == '\0') {
      Wrong("key " + due.uuid + " is not whole: " + name);
    }
    if (due.secret != "-") Verify(due, Unhex(due.secret), revoked);
    std::cout << "key " << due.uuid << ' ' << (revoked ? "revoked" : "active") << ' ' << name
              << '\n';
  }

  void Verify(const Expected& due, const std::string& secret, bool revoked) {
    auto verdict = Sized<latchkey_verdict>();
    const latchkey_code code =
        latchkey_verify(store_, secret.data(), secret.size(), nullptr, &verdict);
    const uint32_t reason = revoked              ? LATCHKEY_REASON_REVOKED
                            : locked_[due.owner] ? LATCHKEY_REASON_LOCKED
                                                 : LATCHKEY_REASON_ALLOWED;
    if (verdict.reason != reason || (code == LATCHKEY_OK) != (reason == 0) ||
        Text(verdict.uuid) != due.uuid) {
      Wrong("key " + due.uuid + " is judged " + latchkey_reason_text(verdict.reason) + ", not " +
            latchkey_reason_text(reason));
    }
  }

  latchkey_store* store_;
  std::unordered_map<std::string, bool> locked_;
  bool is_right_ = true;
};

int Check(const std::string& path) {
  latchkey_store* store = Open(path, LATCHKEY_OPEN_EXISTING);
  Checker checker(store);
  for (std::string line; std::getline(std::cin, line);) checker.Line(line);
  const auto found = [](void* context, const char* what, const latchkey_uuid* key) {
    static_cast<Checker*>(context)->Wrong(std::string("check: ") + what + " " + Text(*key));
  };
  if (latchkey_store_check(store, found, &checker) != LATCHKEY_OK) {
    checker.Wrong(std::string("check: ") + latchkey_error_text());
  }
  Close(store);
  std::cout.flush();
  return checker.is_right() ? 0 : 1;
}

// ---- import
// --------------------------------------------------------------------------------------

// Imports what stands on the standard input; says `begun` when it has read that, and the report.
int Import(const std::string& path) {
  std::string text{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  std::string_view rest = text;
  latchkey_store* store = Open(path, LATCHKEY_OPEN_EXISTING);
  Say("begun");
  auto options = Sized<latchkey_import_options>();
  options.context = &rest;
  options.read = [](void* context, char* buffer, size_t capacity) {
    auto* left = static_cast<std::string_view*>(context);
    const size_t size = left->copy(buffer, capacity);
    left->remove_prefix(size);
    return size;
  };
  auto report = Sized<latchkey_import_report>();
  if (latchkey_import(store, &options, &report) != LATCHKEY_OK) Die("import");
  Close(store);
  Say("done " + std::to_string(report.imported) + " " + std::to_string(report.skipped) + " " +
      std::to_string(report.refused));
  return 0;
}

// ---- scan
// ----------------------------------------------------------------------------------------

// Needles of eight bytes and more by their first eight.
using Needles = std::unordered_multimap<uint64_t, std::string>;

uint64_t FirstEight(const char* bytes) {
  uint64_t out = 0;
  std::memcpy(&out, bytes, sizeof out);
  return out;
}

bool ScanFile(const std::filesystem::path& path, const Needles& needles) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  bool is_clean = true;
  for (size_t i = 0; i + 8 <= bytes.size(); ++i) {
    const auto [begin, end] = needles.equal_range(FirstEight(bytes.data() + i));
    for (auto needle = begin; needle != end; ++needle) {
      if (bytes.compare(i, needle->second.size(), needle->second) == 0) {
        std::cout << "wrong " << path.filename().string() << " holds a secret at " << i << '\n';
        is_clean = false;
      }
    }
  }
  return is_clean;
}

int Scan(const std::string& folder) {
  Needles needles;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string needle = Unhex(line);
    if (needle.size() < 8) Die("a needle is too short");
    needles.emplace(FirstEight(needle.data()), needle);
  }
  bool is_clean = true;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) is_clean &= ScanFile(entry.path(), needles);
  }
  return is_clean ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string verb = arguments.size() < 2 ? "" : arguments[0];
  if (verb == "init") return Init(arguments[1], {arguments.begin() + 2, arguments.end()});
  if (verb == "work" && arguments.size() > 3) {
    return Work(arguments[1], std::stoull(arguments[2]), {arguments.begin() + 3, arguments.end()});
  }
  if (verb == "die" && arguments.size() > 5 && latchkey_test::Death::IsPoint(arguments[3])) {
    const latchkey_test::Death death(FolderOf(arguments[1]), arguments[3],
                                     std::stoull(arguments[4]));
    Live(arguments[1], std::stoull(arguments[2]), {arguments.begin() + 5, arguments.end()});
  }
  if (verb == "open" && arguments.size() == 4 && latchkey_test::Death::IsPoint(arguments[2])) {
    const latchkey_test::Death death(FolderOf(arguments[1]), arguments[2],
                                     std::stoull(arguments[3]));
    OpenAndDie(arguments[1]);
  }
  if (verb == "check") return Check(arguments[1]);
  if (verb == "import" && arguments.size() == 2) return Import(arguments[1]);
  if (verb == "import" && arguments.size() == 4 && latchkey_test::Death::IsPoint(arguments[2])) {
    const latchkey_test::Death death(FolderOf(arguments[1]), arguments[2],
                                     std::stoull(arguments[3]));
    return Import(arguments[1]);
  }
  if (verb == "scan") return Scan(arguments[1]);
  std::cerr << "usage: crash_child init|work|die|open|check|import|scan FOLDER ...\n";
  return 2;
}
