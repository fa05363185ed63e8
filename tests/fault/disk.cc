// What file_calls.cc tells of one folder.
#include "disk.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "file_calls.h"

namespace latchkey_test {

namespace {

Call CallOf(Operation::Kind kind) {
  using Kind = Operation::Kind;
  switch (kind) {
    case Kind::kCreate:
    case Kind::kMakeFolder:
      return Call::kOpen;
    case Kind::kWrite:
    case Kind::kTruncate:
      return Call::kWrite;
    case Kind::kSync:
    case Kind::kSyncFolder:
      return Call::kSync;
    case Kind::kRename:
    case Kind::kLink:
    case Kind::kUnlink:
    case Kind::kRemoveFolder:
      break;
  }
  return Call::kRename;
}

}  // namespace

const char* NameOf(Call call) {
  static constexpr const char* kNames[] = {"open", "read", "write", "sync", "rename"};
  return kNames[static_cast<size_t>(call)];
}

Disk::Disk(const std::filesystem::path& root) : root_(root.string()) { AddDisk(this); }
Disk::~Disk() { RemoveDisk(this); }

void Disk::Record() {
  const std::lock_guard lock(mutex_);
  recording_ = true;
}

size_t Disk::count() const {
  const std::lock_guard lock(mutex_);
  return operations_.size();
}

std::vector<Operation> Disk::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

void Disk::Fail(Call call, uint64_t nth, int error, bool lasting) {
  const std::lock_guard lock(mutex_);
  faults_[static_cast<size_t>(call)] = {nth, error, lasting};
}

void Disk::Fill(uint64_t bytes, const std::string& reserve) {
  const std::lock_guard lock(mutex_);
  is_full_ = true;
  room_ = bytes;
  reserve_ = reserve;
}

void Disk::Mend() {
  const std::lock_guard lock(mutex_);
  faults_ = {};
  is_full_ = false;
}

void Disk::Choose(std::function<bool(const std::string& path)> is_chosen) {
  is_chosen_ = std::move(is_chosen);
}

void Disk::BeforeSync(std::function<void(const std::string&)> wait) {
  before_sync_ = std::move(wait);
}

uint64_t Disk::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

uint64_t Disk::free_bytes() const {
  const std::lock_guard lock(mutex_);
  return is_full_ ? room_ : UINT64_MAX;
}

std::vector<std::string> Disk::synced_again() const {
  const std::lock_guard lock(mutex_);
  return synced_again_;
}

bool Disk::Holds(std::string_view path) const {
  return path.starts_with(root_) && (path.size() == root_.size() || path[root_.size()] == '/');
}

std::string Disk::Relative(std::string_view path) const {
  while (path.ends_with('/')) path.remove_suffix(1);  // a folder may be named with it
  return std::filesystem::path(path).lexically_normal().lexically_relative(root_).string();
}

int Disk::Error(Call call, const std::string& path) {
  if (watch_) watch_(call, path, false);
  if (is_chosen_ && !is_chosen_(path)) return 0;
  Fault& fault = faults_[static_cast<size_t>(call)];
  if (fault.nth == 0 || (fault.nth > 1 && fault.nth--)) return 0;
  if (!fault.lasting) fault.nth = 0;
  ++failed_;
  return fault.error;
}

int Disk::Room(size_t* size) {
  if (!is_full_) return 0;
  if (room_ == 0 && *size > 0) {
    ++failed_;
    return ENOSPC;
  }
  *size = std::min<uint64_t>(*size, room_);
  room_ -= *size;
  return 0;
}

uint32_t Disk::FileOf(const std::string& path) {
  const auto [place, is_new] = files_.try_emplace(path, next_file_);
  if (is_new) ++next_file_;
  return place->second;
}

void Disk::Opened(const std::string& path, bool made, bool emptied) {
  if (made) files_.erase(path);
  const uint32_t file = FileOf(path);
  if (made) Note({.kind = Operation::Kind::kCreate, .file = file, .path = path});
  if (emptied) Note({.kind = Operation::Kind::kTruncate, .file = file});
}

void Disk::Note(Operation operation) {
  if (watch_) watch_(CallOf(operation.kind), operation.path, true);
  if (!recording_) return;
  operation.is_chosen = !is_chosen_ || is_chosen_(operation.path);
  operations_.push_back(std::move(operation));
}

void Disk::Renamed(const std::string& from, const std::string& to, bool is_link) {
  files_[to] = FileOf(from);
  if (!is_link) files_.erase(from);
  Note({.kind = is_link ? Operation::Kind::kLink : Operation::Kind::kRename,
        .path = from,
        .new_path = to});
}

void Disk::Removed(const std::string& path, uint64_t size, bool is_folder) {
  files_.erase(path);
  if (is_full_ && path == reserve_) room_ += size;
  Note({.kind = is_folder ? Operation::Kind::kRemoveFolder : Operation::Kind::kUnlink,
        .path = path});
}

void Disk::AwaitSync(const std::string& path) const {
  if (before_sync_) before_sync_(path);
}

int Disk::Syncing(uint32_t file, const std::string& path, bool is_folder) {
  if (!is_folder && sync_failed_.contains(file)) synced_again_.push_back(path);
  const int error = Error(Call::kSync, path);
  if (error != 0 && !is_folder) sync_failed_.insert(file);
  if (error == 0) {
    Note({.kind = is_folder ? Operation::Kind::kSyncFolder : Operation::Kind::kSync,
          .file = file,
          .path = path});
  }
  return error;
}

}  // namespace latchkey_test
