// A block of a directory: up to Directory::kBlockRows rows, column by column, so that a scan runs
// over contiguous bytes. Immutable once made.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "index/directory.h"
#include "index/row_set.h"
#include "index/text_search.h"

namespace latchkey {

// What a row must be to fit a filter beyond having its name, prepared once for a whole call.
// Borrows from the filter.
struct RowQuery {
  explicit RowQuery(const DirectoryFilter& filter);
  // Of a single row, what DirectoryBlock::Match() finds of many.
  bool Fits(const DirectoryRowView& row) const;
  // Does it ask for nothing but a state, so that the counts of a block answer it?
  bool is_plain() const { return !slug && search.empty(); }

  bool revoked;
  std::optional<ByteView> slug;
  SearchTerm search;
  bool search_slug;
};

// The texts of one column, back to back.
class TextColumn {
 public:
  void Reserve(size_t texts, size_t bytes);
  void Append(ByteView text);
  void Append(const TextColumn& from, size_t begin, size_t end);

  ByteView At(size_t row) const {
    const size_t begin = BeginOf(row);
    return ByteView(bytes_).substr(begin, ends_[row] - begin);
  }
  // Bytes of the texts begin..end-1.
  size_t BytesOf(size_t begin, size_t end) const { return BeginOf(end) - BeginOf(begin); }
  void Search(const SearchTerm& term, RowSet* hits) const;
  size_t memory_bytes() const { return bytes_.capacity() + ends_.capacity() * sizeof(uint32_t); }

 private:
  size_t BeginOf(size_t row) const { return row == 0 ? 0 : ends_[row - 1]; }
  Bytes bytes_;
  std::vector<uint32_t> ends_;
};

class DirectoryBlock {
 public:
  // Rows of another block.
  struct Piece {
    const DirectoryBlock* block;
    size_t begin;
    size_t end;
  };

  explicit DirectoryBlock(std::span<const DirectoryRow> rows);
  // The rows of the pieces, one after another. To take over the filters of their blocks is fast,
  // and good as long as all but a few of their rows are in a piece: a filter may hold what is gone.
  enum class Filters { kMakeAnew, kTakeOver };
  DirectoryBlock(std::initializer_list<Piece> pieces, Filters filters);

  size_t size() const { return uuids_.size(); }
  Piece All() const { return {this, 0, size()}; }
  DirectoryRowView View(size_t row) const {
    return {names_.At(row), creations_s_[row], uuids_[row],
            slugs_.At(row), revoked_.Has(row), payloads_.At(row)};
  }
  ByteView name(size_t row) const { return names_.At(row); }
  // How the row's position compares to `position`.
  std::strong_ordering Compare(size_t row, const RowPosition& position) const;

  size_t CountOf(bool revoked) const { return revoked ? revoked_count_ : size() - revoked_count_; }
  RowSet InState(bool revoked) const;
  // The rows that fit.
  RowSet Match(const RowQuery& query) const;
  size_t memory_bytes() const { return memory_bytes_; }

 private:
  size_t CountBytes() const;
  void Reserve(size_t rows, size_t name_bytes, size_t slug_bytes, size_t payload_bytes);
  void Append(const Piece& piece);
  void FilterTexts(size_t begin, size_t end);

  TextColumn names_;
  std::vector<int64_t> creations_s_;
  std::vector<Uuid> uuids_;
  TextColumn slugs_;
  TextColumn payloads_;
  RowSet revoked_;
  size_t revoked_count_ = 0;
  size_t memory_bytes_ = 0;
  TrigramFilter filter_;  // of names and slugs
};

}  // namespace latchkey
