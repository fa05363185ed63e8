#include "figures/stores.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "bench_store.h"
#include "figures/emit.h"
#include "figures/engines.h"

namespace latchkey_bench {
namespace {

std::string Hex(const uint8_t* bytes, size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < size; ++i) {
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 15];
  }
  return out;
}

std::string OwnerLines() {
  return R"({"type":"project","uuid":")" + UuidText(ProjectUuid()) +
         R"(","name":"bench","slug":"bench","visibility":"private","created":1755009411,)"
         R"("deleted":null})"
         "\n"
         R"({"type":"user","uuid":")" +
         UuidText(LockedUserUuid()) +
         R"(","name":"locked","slug":"locked","email":"locked@example.com","admin":false,)"
         R"("locked":true,"created":1755009411})"
         "\n";
}

std::string CredentialLine(Group group, uint64_t index) {
  uint8_t digest[32];
  Sha256(Secret(group, index), digest);
  const bool of_user = group == Group::kLocked;
  return std::string(of_user ? R"({"type":"user_key","user":")"
                             : R"({"type":"project_key","creator":null,"project":")") +
         UuidText(of_user ? LockedUserUuid() : ProjectUuid()) + R"(","uuid":")" +
         UuidText(Uuid(group, index)) + R"(","name":")" + Name(group, index) + R"(","sha256":")" +
         Hex(digest, sizeof digest) + R"(","creation":1755009411,"expiration":)" +
         (group == Group::kExpired ? "1755009412" : "6049976706") + R"(,"revoked":)" +
         (group == Group::kRevoked ? "1755009412" : "null") + "}\n";
}

class Lines {
 public:
  Lines(const std::vector<Part>& parts, size_t first, bool with_owners)
      : parts_(parts), first_(first), line_(with_owners ? OwnerLines() : std::string()) {}

  static size_t Read(void* context, char* buffer, size_t capacity) {
    auto* self = static_cast<Lines*>(context);
    size_t filled = 0;
    while (filled < capacity) {
      if (self->place_ == self->line_.size() && !self->Next()) break;
      const size_t size = self->line_.copy(buffer + filled, capacity - filled, self->place_);
      self->place_ += size;
      filled += size;
    }
    return filled;
  }

 private:
  bool Next() {
    while (part_ < parts_.size() && index_ == parts_[part_].size) {
      ++part_;
      index_ = 0;
    }
    if (part_ == parts_.size()) return false;
    line_ = CredentialLine(parts_[part_].group, first_ + index_++);
    place_ = 0;
    return true;
  }

  const std::vector<Part> parts_;
  const size_t first_;
  size_t part_ = 0;
  size_t index_ = 0;
  std::string line_;
  size_t place_ = 0;
};

}  // namespace

std::vector<Part> PartsOf(size_t population) {
  return {{Group::kRight, population},
          {Group::kRevoked, population / 20},
          {Group::kExpired, population / 20},
          {Group::kLocked, population / 20}};
}

latchkey_store* OpenStore(const std::string& folder, uint32_t mode, uint32_t load) {
  auto options = Sized<latchkey_open_options>();
  options.path = folder.c_str();
  options.mode = mode;
  options.load = load;
  options.directory_budget_bytes = uint64_t{4} << 30;  // holds the list of ten million
  latchkey_store* store = nullptr;
  Require(latchkey_store_open(&options, &store), "open");
  return store;
}

uint64_t ImportParts(latchkey_store* store, const std::vector<Part>& parts, size_t first,
                     bool with_owners) {
  Lines lines(parts, first, with_owners);
  auto options = Sized<latchkey_import_options>();
  options.read = Lines::Read;
  options.refused = [](void*, uint64_t line, latchkey_code, const char* text) {
    Progress("refused line " + std::to_string(line) + ": " + text);
  };
  options.context = &lines;
  auto report = Sized<latchkey_import_report>();
  Require(latchkey_import(store, &options, &report), "import");
  if (report.refused != 0 || report.skipped != 0) {
    Progress("import: some lines were refused");
    std::exit(1);
  }
  return report.imported - (with_owners ? 2 : 0);
}

latchkey_code CreateKey(latchkey_store* store, latchkey_uuid* uuid, std::string* secret) {
  auto options = Sized<latchkey_credential_create_options>();
  options.owner = ProjectUuid();
  options.kind = LATCHKEY_KIND_PROJECT_KEY;
  options.name = "nightly build";
  options.name_size = 13;
  char text[LATCHKEY_NEW_SECRET_BYTES_MAX];
  size_t size = 0;
  auto out = Sized<latchkey_credential>();
  const latchkey_code code =
      latchkey_credential_create(store, &options, text, sizeof text, &size, &out);
  if (uuid != nullptr) *uuid = out.uuid;
  if (secret != nullptr) secret->assign(text, size);
  return code;
}

void OnThreads(size_t threads, const std::function<void(size_t)>& work) {
  std::vector<std::thread> running;
  for (size_t i = 0; i < threads; ++i) running.emplace_back(work, i);
  for (std::thread& thread : running) thread.join();
}

GrowingFile::GrowingFile(const std::string& folder)
    : path_(folder + "/growing"),
      file_(open(path_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600)) {
  if (file_ < 0) Require(LATCHKEY_IO, path_.c_str());
}

GrowingFile::~GrowingFile() {
  close(file_);
  unlink(path_.c_str());
}

double GrowingFile::WriteMs() {
  static const std::string record(600, 'r');
  const int64_t start = WallNs();
  if (write(file_, record.data(), record.size()) != static_cast<ssize_t>(record.size()) ||
      fdatasync(file_) != 0) {
    Require(LATCHKEY_IO, "the device failed");
  }
  return 1e-6 * static_cast<double>(WallNs() - start);
}

}  // namespace latchkey_bench
