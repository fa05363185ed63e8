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

struct DirectoryRow {
  RowPosition position;
  Bytes slug;
  bool revoked = false;  // owners: deleted
  Bytes payload;         // what the list shows beyond that; opaque here
};

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

// A row where it lies: borrowed.
struct DirectoryRowView {
  ByteView name;
  int64_t creation_s = 0;
  Uuid uuid;
  ByteView slug;
  bool revoked = false;
  ByteView payload;
};

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

  // `rows` in ascending order of their positions, no two equal (asserted).
  explicit Directory(std::vector<DirectoryRow> rows);
  ~Directory();

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
  size_t memory_bytes() const;

 private:
  std::shared_ptr<const DirectoryRoot> root() const;
  void Publish(std::shared_ptr<const DirectoryRoot> root);
  mutable std::mutex mutex_;  // held only to copy or swap root_
  std::shared_ptr<const DirectoryRoot> root_;
};

}  // namespace latchkey
