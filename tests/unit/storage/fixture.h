// What the storage tests share: a small catalogue, shorthand for opening, and folders as values.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/storage.h"
#include "support/seed.h"
#include "support/temp_dir.h"

namespace latchkey::test {

inline constexpr uint8_t kPoint = 0;
inline constexpr uint8_t kNames = 1;
inline constexpr uint8_t kEvents = 2;
inline constexpr uint8_t kUsage = 3;
inline constexpr ColumnSpec kCatalogue[] = {
    {kPoint, "default", Access::kPoint},
    {kNames, "names", Access::kPrefixScan},
    {kEvents, "events", Access::kAppend},
    {kUsage, "usage", Access::kMax64},
};

inline Status RefuseTail(const Storage&) {
  return Status::Error(Code::kRolledBack, "the test refuses the shorter history");
}
inline Status AcceptTail(const Storage&) { return Status::Ok(); }

inline StorageOptions Options(const std::string& path, bool create = false) {
  StorageOptions options;
  options.path = path;
  options.columns = kCatalogue;
  options.create = create;
  return options;
}

inline std::unique_ptr<Storage> MustOpen(const StorageOptions& options,
                                         const TailCheck& accept_tail = RefuseTail) {
  Result<std::unique_ptr<Storage>> opened = Storage::Open(options, accept_tail);
  EXPECT_TRUE(opened.ok()) << opened.status().why() << " origin " << opened.status().origin();
  return opened.ok() ? std::move(opened).value() : nullptr;
}

inline void MustPut(Storage* storage, uint8_t column, ByteView key, ByteView value) {
  Batch batch(*storage);
  batch.Put(column, key, value);
  const Status status = storage->Commit(&batch);
  ASSERT_TRUE(status.ok()) << status.why();
}

inline std::map<Bytes, Bytes> ReadAll(const Storage& storage, uint8_t column) {
  std::map<Bytes, Bytes> rows;
  Scan scan = storage.ScanPrefix(column, {});
  for (; scan.Valid(); scan.Next()) rows.emplace(scan.key(), scan.value());
  EXPECT_TRUE(scan.status().ok()) << scan.status().why();
  return rows;
}

inline Bytes ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

inline void WriteFile(const std::filesystem::path& path, ByteView bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(file.good());
}

// A folder as a value: relative name to content, folders with a slash at the end. RocksDB's LOCK is
// listed but not read: closing it would give up the lock of an open store in this very process.
inline std::map<std::string, Bytes> ReadTree(const std::string& root) {
  std::map<std::string, Bytes> tree;
  if (!std::filesystem::exists(root)) return tree;
  tree["/"] = "";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::string name = entry.path().lexically_relative(root).string();
    std::error_code gone;  // RocksDB may remove files meanwhile
    if (entry.is_directory(gone)) {
      tree[name + "/"] = "";
    } else {
      tree[name] = entry.path().filename() == "LOCK" ? "" : ReadFile(entry.path());
    }
  }
  return tree;
}

// What a kill -9 would leave behind of a store that is open. RocksDB writes and removes files in
// the background; as files only grow, two readings that agree show the moment between them.
inline std::map<std::string, Bytes> ReadTreeOfOpenStore(const std::string& root) {
  for (std::map<std::string, Bytes> before;;) {
    std::map<std::string, Bytes> tree = ReadTree(root);
    if (tree == before) return tree;
    before = std::move(tree);
  }
}

// Replaces `root` by what `tree` says.
inline void WriteTree(const std::string& root, const std::map<std::string, Bytes>& tree) {
  std::filesystem::remove_all(root);
  for (const auto& [name, content] : tree) {
    const std::filesystem::path path = std::filesystem::path(root) / name;
    if (name.ends_with('/')) {
      std::filesystem::create_directories(name == "/" ? std::filesystem::path(root) : path);
    } else {
      std::filesystem::create_directories(path.parent_path());
      WriteFile(path, content);
    }
  }
}

// The names in `tree` that begin and end so, in order.
inline std::vector<std::string> NamesLike(const std::map<std::string, Bytes>& tree, ByteView begin,
                                          ByteView end) {
  std::vector<std::string> names;
  for (const auto& [name, content] : tree) {
    if (name.starts_with(begin) && name.ends_with(end)) names.push_back(name);
  }
  return names;
}

}  // namespace latchkey::test
