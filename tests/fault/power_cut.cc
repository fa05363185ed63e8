// A disk as a list of operations leaves it, synced or not.
#include "power_cut.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace latchkey_test {
namespace {

using Kind = Operation::Kind;
constexpr uint64_t kSectorBytes = 512;

void Apply(const Operation& operation, std::string* content, uint64_t bytes = UINT64_MAX) {
  if (operation.kind == Kind::kTruncate) return content->resize(operation.offset);
  const std::string_view data = std::string_view(operation.data).substr(0, bytes);
  if (data.empty()) return;
  content->resize(std::max<uint64_t>(content->size(), operation.offset + data.size()));
  content->replace(operation.offset, data.size(), data);
}

using File = DiskState::File;

// The first so many of the writes, and of the next one so many bytes.
std::string Prefix(const File& file, size_t whole, uint64_t bytes) {
  std::string content = file.synced;
  for (size_t i = 0; i < whole; ++i) Apply(*file.unsynced[i], &content);
  if (whole < file.unsynced.size() && file.unsynced[whole]->kind == Kind::kWrite) {
    Apply(*file.unsynced[whole], &content, bytes);
  }
  return content;
}

uint64_t Draw(std::mt19937_64& random, uint64_t below) { return below == 0 ? 0 : random() % below; }

bool OnlyOverwrites(const File& file) {
  return std::all_of(file.unsynced.begin(), file.unsynced.end(), [&](const Operation* operation) {
    return operation->kind == Kind::kWrite &&
           operation->offset + operation->data.size() <= file.synced.size();
  });
}

// Each sector as of a moment of its own, and the one that was being written half of it.
std::string TornInPlace(const File& file, std::mt19937_64& random) {
  std::string content = file.synced;
  const uint64_t torn = Draw(random, content.size()) / kSectorBytes * kSectorBytes;
  for (uint64_t at = 0; at < content.size(); at += kSectorBytes) {
    const size_t whole = Draw(random, file.unsynced.size() + 1);
    const std::string before = Prefix(file, whole, 0);
    const std::string after = Prefix(file, std::min(whole + 1, file.unsynced.size()), 0);
    const uint64_t size = std::min<uint64_t>(kSectorBytes, content.size() - at);
    const uint64_t fresh = at == torn ? Draw(random, size + 1) : 0;
    content.replace(at, fresh, after, at, fresh);
    content.replace(at + fresh, size - fresh, before, at + fresh, size - fresh);
  }
  return content;
}

std::string Content(const File& file, Unsynced unsynced, std::mt19937_64& random) {
  if (unsynced == Unsynced::kLost || file.unsynced.empty()) return file.synced;
  const size_t all = file.unsynced.size();
  if (unsynced == Unsynced::kKept) return Prefix(file, all, 0);
  if (unsynced == Unsynced::kTorn && OnlyOverwrites(file)) return TornInPlace(file, random);
  const size_t whole = Draw(random, all + 1);
  uint64_t bytes = whole < all ? Draw(random, file.unsynced[whole]->data.size() + 1) : 0;
  if (unsynced == Unsynced::kPart && whole < all) {
    const uint64_t end = file.unsynced[whole]->offset + bytes;
    bytes -= std::min(bytes, end % kSectorBytes);
  }
  std::string content = Prefix(file, whole, bytes);
  if (unsynced == Unsynced::kSizeFirst) {
    const size_t size = Prefix(file, all, 0).size();
    if (content.size() < size) content.resize(size, random() % 2 == 0 ? '\0' : '\xa5');
  }
  return content;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

bool IsReachable(const DiskState::Names& names, const std::string& path) {
  const std::string folder = FolderOf(path);
  return names.folders.contains(folder) && (folder.empty() || IsReachable(names, folder));
}

}  // namespace

const char* NameOf(Unsynced unsynced) {
  static constexpr const char* kNames[] = {"lost", "kept", "part", "torn", "size-first"};
  return kNames[static_cast<size_t>(unsynced)];
}

void DiskState::Names::Change(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kCreate:
      files[operation.path] = operation.file;
      break;
    case Kind::kRename:
    case Kind::kLink:
      if (!files.contains(operation.path)) break;  // it was another folder's, and is lost
      files[operation.new_path] = files[operation.path];
      if (operation.kind == Kind::kRename) files.erase(operation.path);
      break;
    case Kind::kUnlink:
      files.erase(operation.path);
      break;
    case Kind::kMakeFolder:
      folders.insert(operation.path);
      break;
    case Kind::kRemoveFolder:
      folders.erase(operation.path);
      break;
    default:
      break;
  }
}

void DiskState::Do(const Operation& operation) {
  File& file = files_[operation.file];
  switch (operation.kind) {
    case Kind::kWrite:
    case Kind::kTruncate:
      file.unsynced.push_back(&operation);
      break;
    case Kind::kSync:
      for (const Operation* write : file.unsynced) Apply(*write, &file.synced);
      file.unsynced.clear();
      break;
    case Kind::kSyncFolder: {
      const std::string folder = operation.path == "." ? "" : operation.path;
      for (const Operation* change : changed_[folder]) names_.Change(*change);
      changed_.erase(folder);
      break;
    }
    default:
      changed_[FolderOf(operation.path)].push_back(&operation);
  }
}

Image DiskState::Cut(Unsynced unsynced, std::mt19937_64& random) const {
  Names names = names_;
  for (const auto& [folder, changes] : changed_) {
    const size_t kept = unsynced == Unsynced::kLost   ? 0
                        : unsynced == Unsynced::kKept ? changes.size()
                                                      : Draw(random, changes.size() + 1);
    for (size_t i = 0; i < kept; ++i) names.Change(*changes[i]);
  }
  Image image;
  for (const std::string& folder : names.folders) {
    if (!folder.empty() && IsReachable(names, folder)) image[folder + "/"];
  }
  std::map<uint32_t, std::string> contents;  // a file with two names is drawn once
  for (const auto& [path, file] : names.files) {
    if (!IsReachable(names, path)) continue;
    const auto [content, is_new] = contents.try_emplace(file);
    if (is_new) content->second = Content(files_.at(file), unsynced, random);
    image[path] = content->second;
  }
  return image;
}

Image AfterPowerCut(std::span<const Operation> operations, Unsynced unsynced,
                    std::mt19937_64& random) {
  DiskState state;
  for (const Operation& operation : operations) state.Do(operation);
  return state.Cut(unsynced, random);
}

void WriteImage(const Image& image, const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  for (const auto& [path, content] : image) {
    const std::string place = (folder / path).string();
    if (path.ends_with('/')) {
      std::filesystem::create_directories(place);
      continue;
    }
    const int fd = ::open(place.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written =
        fd >= 0 && ::write(fd, content.data(), content.size()) == ssize_t(content.size());
    if (fd >= 0) ::close(fd);
    if (!written) throw std::runtime_error("cannot write " + place);
  }
}

Image ReadImage(const std::filesystem::path& folder) {
  Image image;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string path = entry.path().lexically_relative(folder).string();
    if (entry.is_directory()) {
      image[path + "/"];
      continue;
    }
    std::ifstream in(entry.path(), std::ios::binary);
    image[path] = {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  return image;
}

}  // namespace latchkey_test
