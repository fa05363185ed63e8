// What a directory is at one moment: blocks in order, in groups, both counted, so that a change
// copies one block, the pointers of one group and the pointers of the root.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "index/directory.h"
#include "index/directory_block.h"

namespace latchkey {

// Blocks or groups in order, never empty ones, and how many rows of either state lie before each.
template <typename Child>
class Counted {
 public:
  using Pointer = std::shared_ptr<const Child>;

  Counted() : Counted(std::vector<Pointer>()) {}
  explicit Counted(std::vector<Pointer> children);

  size_t size() const { return children_.size(); }
  const Child& at(size_t i) const { return *children_[i]; }
  const std::vector<Pointer>& children() const { return children_; }
  uint64_t CountOf(bool revoked) const { return before_[revoked].back(); }
  size_t memory_bytes() const { return memory_bytes_; }
  // Of the rows in that state: how many lie before child i, and in which child the one lies that
  // has `rank` before it.
  uint64_t CountBefore(size_t i, bool revoked) const { return before_[revoked][i]; }
  size_t ChildOf(uint64_t rank, bool revoked) const;

 private:
  std::vector<Pointer> children_;
  std::array<std::vector<uint64_t>, 2> before_;  // one more than children: the last is the sum
  size_t memory_bytes_;                          // of this and its children
};

class DirectoryRoot {
 public:
  // A row; behind all rows: {number of groups, 0, 0}.
  struct Place {
    size_t group = 0;
    size_t block = 0;
    size_t row = 0;
    auto operator<=>(const Place&) const = default;
  };
  struct Range {
    Place begin;
    Place end;
  };

  using Group = Counted<DirectoryBlock>;
  using BlockPointer = Group::Pointer;

  // `blocks` in order, all but the last one full.
  explicit DirectoryRoot(std::span<const BlockPointer> blocks);

  uint64_t size() const { return groups_.CountOf(false) + groups_.CountOf(true); }
  size_t memory_bytes() const { return groups_.memory_bytes(); }

  // The first row at or after the position, or after it.
  Place LowerBound(const RowPosition& position) const;
  Place UpperBound(const RowPosition& position) const;
  bool IsAt(const Place& place, const RowPosition& position) const;
  Range WithName(const std::optional<ByteView>& name) const;
  DirectoryRow Row(const Place& place) const { return BlockAt(place).View(place.row).Copy(); }

  // Rows in that state before the place, and the row that has `rank` of them before it.
  uint64_t RankOf(const Place& place, bool revoked) const;
  Place AtRank(uint64_t rank, bool revoked) const;

  // Goes through the rows of the range that fit, skips so many of them, and takes up to `limit`.
  // Counts them all if `count` is given, else stops as soon as it has enough.
  void Collect(const Range& range, const RowQuery& query, bool descending, uint64_t skip,
               size_t limit, std::vector<DirectoryLook::Place>* rows, uint64_t* count) const;

  // Changes of a root that nobody else has seen yet.
  void Put(const DirectoryRow& row);  // a row at the same position is replaced
  void Remove(const Place& at);

 private:
  const DirectoryBlock& BlockAt(const Place& place) const {
    return groups_.at(place.group).at(place.block);
  }
  // The first row for which `reached(block, row)`, which holds from some row on, holds.
  template <typename Reached>
  Place First(const Reached& reached) const;
  Place NextBlock(const Place& place) const;
  Place PreviousBlock(const Place& place) const;  // also of the place behind all rows
  // Puts blocks in the place of `removed` ones of a group. What pointed into a block or a group of
  // this root may be gone afterwards.
  void Replace(size_t group, size_t block, size_t removed,
               std::initializer_list<BlockPointer> added);
  void Split(const Place& at, const DirectoryBlock& added);

  Counted<Group> groups_;
};

}  // namespace latchkey
