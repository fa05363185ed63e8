// A directory: the rows of one list (an owner's credentials of one kind, all users, all projects)
// in the order of their names, so that any page and its exact total come from one moment.
//
// Immutable blocks of at most kBlockRows rows under an immutable, counted root. A writer copies one
// block and the way to it from the root, and publishes; a reader takes the root and works on it, so
// no reader delays a writer, and a page and its total agree.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/status.h"
#include "base/uuid.h"

namespace latchkey {

// Where a row stands: bytewise by name, then creation, then UUID.
struct RowPosition {
  Bytes name;
  int64_t creation_s = 0;
  Uuid uuid;
  auto operator<=>(const RowPosition&) const = default;  // Bytes compares as unsigned bytes
};

struct DirectoryRowView;

struct DirectoryRow {
  RowPosition position;
  Bytes slug;
  bool revoked = false;  // owners: deleted
  Bytes payload;         // what the list shows beyond that; opaque here
  DirectoryRowView View() const;
};

// A row where it lies: borrowed.
struct DirectoryRowView {
  ByteView name;
  int64_t creation_s = 0;
  Uuid uuid;
  ByteView slug;
  bool revoked = false;
  ByteView payload;
  DirectoryRow Copy() const {
    return {{Bytes(name), creation_s, uuid}, Bytes(slug), revoked, Bytes(payload)};
  }
};
inline DirectoryRowView DirectoryRow::View() const {
  return {position.name, position.creation_s, position.uuid, slug, revoked, payload};
}

struct DirectoryFilter {
  bool revoked = false;          // only such rows, or only the others
  std::optional<ByteView> name;  // exact
  std::optional<ByteView> slug;  // exact
  ByteView search;               // literal substring, ASCII case ignored; empty matches all
  bool search_slug = false;      // search the slug too, not only name and UUID text
  bool descending = false;       // exactly the reverse order
};

struct DirectoryPage {
  std::vector<DirectoryRow> rows;
  uint64_t total = 0;  // rows that fit the filter, of the same moment
};

class DirectoryBlock;
class DirectoryRoot;

// A page whose rows are not copied. It holds their moment, and they live as long as it does.
class DirectoryLook {
 public:
  size_t size() const { return rows_.size(); }
  uint64_t total() const { return total_; }  // rows that fit the filter, of the same moment
  DirectoryRowView row(size_t i) const;

 private:
  friend class Directory;
  friend class DirectoryRoot;
  struct Place {
    const DirectoryBlock* block;
    size_t row;
  };
  std::shared_ptr<const DirectoryRoot> root_;
  std::vector<Place> rows_;
  uint64_t total_ = 0;
};

class Directory {
 public:
  static constexpr size_t kBlockRows = 512;

  ~Directory();  // DirectoryBuilder makes them

  // Writers: one at a time. Each copies one block and a few pointers. They allocate; when there is
  // no memory they throw std::bad_alloc and leave the directory as it was (the caller drops it).
  void Insert(DirectoryRow row);                          // a row at the same position is replaced
  bool Rename(const RowPosition& before, ByteView name);  // false: no such row
  bool Update(const RowPosition& position, ByteView slug, bool revoked, ByteView payload);

  // Readers: any thread, at once with a writer. Rows offset..offset+limit of those that fit, and
  // how many fit. Without search and slug: O(log n) plus the page. With them: a scan, page in order
  // and total exact.
  DirectoryLook Look(const DirectoryFilter& filter, uint64_t offset, size_t limit) const;
  // The row at this position; nullopt when there is none.
  std::optional<DirectoryRow> Find(const RowPosition& position) const;
  // The first `limit` rows strictly after `after` in the order of the filter; total is not counted
  // (0).
  DirectoryLook LookAfter(const DirectoryFilter& filter, const std::optional<RowPosition>& after,
                          size_t limit) const;
  // As Look() and LookAfter(), copied.
  DirectoryPage Page(const DirectoryFilter& filter, uint64_t offset, size_t limit) const;
  DirectoryPage After(const DirectoryFilter& filter, const std::optional<RowPosition>& after,
                      size_t limit) const;

  size_t size() const;
  size_t memory_bytes() const;  // O(1)

 private:
  friend class DirectoryBuilder;
  explicit Directory(std::shared_ptr<const DirectoryRoot> root);
  std::shared_ptr<const DirectoryRoot> root() const;
  void Publish(std::shared_ptr<const DirectoryRoot> root);
  mutable std::mutex mutex_;  // held only to copy or swap root_
  std::shared_ptr<const DirectoryRoot> root_;
};

// Makes a directory of rows as they come, a block at a time, so that it needs little more memory
// than the directory will.
class DirectoryBuilder {
 public:
  DirectoryBuilder();
  ~DirectoryBuilder();
  // In ascending order of their positions, no two equal (asserted).
  void Add(DirectoryRow row);
  size_t memory_bytes() const;  // of the blocks so far
  // Once, and nothing after it.
  std::shared_ptr<Directory> Finish();

 private:
  void EndBlock();
  std::vector<DirectoryRow> rows_;  // of the block that is not full yet
  std::vector<std::shared_ptr<const DirectoryBlock>> blocks_;
  size_t memory_bytes_ = 0;
};

}  // namespace latchkey
