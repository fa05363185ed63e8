// The counted root over the blocks, what writers do to it, and how a page is found.
#include "index/directory.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <compare>
#include <span>
#include <utility>

#include "index/directory_block.h"

namespace latchkey {
namespace {

using BlockPointer = std::shared_ptr<const DirectoryBlock>;
using Filters = DirectoryBlock::Filters;

BlockPointer Join(std::initializer_list<DirectoryBlock::Piece> pieces, Filters filters) {
  return std::make_shared<const DirectoryBlock>(pieces, filters);
}

}  // namespace

// A row by its block; behind all rows: {number of blocks, 0}.
struct Directory::Place {
  size_t block = 0;
  size_t row = 0;
  auto operator<=>(const Place&) const = default;
};

struct Directory::Root {
  struct Range {
    Place begin;
    Place end;
  };

  std::vector<BlockPointer> blocks;
  // counts_before[revoked][i]: rows in that state in all blocks before block i.
  std::array<std::vector<uint64_t>, 2> counts_before;

  void Count();
  uint64_t size() const { return counts_before[0].back() + counts_before[1].back(); }

  // The first row for which `reached(block, row)`, which holds from some row on, holds.
  template <typename Reached>
  Place First(const Reached& reached) const;
  Place LowerBound(const RowPosition& position) const;
  Place UpperBound(const RowPosition& position) const;
  bool IsAt(const Place& place, const RowPosition& position) const;
  Range WithName(const std::optional<ByteView>& name) const;

  // Rows in that state before the place, and the row that has so many before it.
  uint64_t RankOf(const Place& place, bool revoked) const;
  Place AtRank(uint64_t rank, bool revoked) const;

  void Put(const DirectoryRow& row);
  void Split(const Place& at, const DirectoryBlock& added);
  void Remove(const Place& at);
  void MergeWithNeighbour(size_t block);

  // Goes through the rows of the range that fit, skips so many of them, and takes up to `limit`.
  // Counts them all if `count` is given, else stops as soon as it has enough.
  void Collect(Range range, const RowQuery& query, bool descending, uint64_t skip, size_t limit,
               std::vector<DirectoryRow>* rows, uint64_t* count) const;
};

void Directory::Root::Count() {
  for (const bool revoked : {false, true}) {
    std::vector<uint64_t>& before = counts_before[revoked];
    before.resize(blocks.size() + 1);
    before[0] = 0;
    for (size_t i = 0; i < blocks.size(); ++i) before[i + 1] = before[i] + blocks[i]->CountOf(revoked);
  }
}

template <typename Reached>
Directory::Place Directory::Root::First(const Reached& reached) const {
  const auto block = std::partition_point(
      blocks.begin(), blocks.end(),
      [&](const BlockPointer& candidate) { return !reached(*candidate, candidate->size() - 1); });
  if (block == blocks.end()) return {blocks.size(), 0};
  size_t begin = 0;
  size_t end = (*block)->size() - 1;  // for which it holds
  while (begin < end) {
    const size_t middle = (begin + end) / 2;
    if (reached(**block, middle)) {
      end = middle;
    } else {
      begin = middle + 1;
    }
  }
  return {static_cast<size_t>(block - blocks.begin()), begin};
}

Directory::Place Directory::Root::LowerBound(const RowPosition& position) const {
  return First([&](const DirectoryBlock& block, size_t row) {
    return block.Compare(row, position) >= 0;
  });
}

Directory::Place Directory::Root::UpperBound(const RowPosition& position) const {
  return First([&](const DirectoryBlock& block, size_t row) {
    return block.Compare(row, position) > 0;
  });
}

bool Directory::Root::IsAt(const Place& place, const RowPosition& position) const {
  return place.block < blocks.size() && blocks[place.block]->Compare(place.row, position) == 0;
}

Directory::Root::Range Directory::Root::WithName(const std::optional<ByteView>& name) const {
  if (!name) return {{0, 0}, {blocks.size(), 0}};
  return {First([&](const DirectoryBlock& block, size_t row) { return block.name(row) >= *name; }),
          First([&](const DirectoryBlock& block, size_t row) { return block.name(row) > *name; })};
}

uint64_t Directory::Root::RankOf(const Place& place, bool revoked) const {
  const uint64_t before = counts_before[revoked][place.block];
  if (place.row == 0) return before;
  return before + blocks[place.block]->InState(revoked).CountBelow(place.row);
}

Directory::Place Directory::Root::AtRank(uint64_t rank, bool revoked) const {
  const std::vector<uint64_t>& before = counts_before[revoked];
  const auto block =
      static_cast<size_t>(std::upper_bound(before.begin(), before.end(), rank) - before.begin()) - 1;
  return {block, blocks[block]->InState(revoked).Nth(rank - before[block])};
}

void Directory::Root::Put(const DirectoryRow& row) {
  const DirectoryBlock added(std::span(&row, 1));
  Place at = LowerBound(row.position);
  const bool replaces = IsAt(at, row.position);
  if (at.block == blocks.size()) {
    // Names that come in order fill one block after another instead of splitting each in halves.
    if (blocks.empty() || blocks.back()->size() == kBlockRows) {
      blocks.push_back(Join({added.All()}, Filters::kMakeAnew));
      return;
    }
    at = {blocks.size() - 1, blocks.back()->size()};
  }
  const BlockPointer old = blocks[at.block];
  if (!replaces && old->size() == kBlockRows) return Split(at, added);
  const bool is_filtered = !replaces || old->slug(at.row) == row.slug;
  blocks[at.block] = Join({{old.get(), 0, at.row},
                           added.All(),
                           {old.get(), at.row + (replaces ? 1 : 0), old->size()}},
                          is_filtered ? Filters::kTakeOver : Filters::kMakeAnew);
}

void Directory::Root::Split(const Place& at, const DirectoryBlock& added) {
  const BlockPointer old = blocks[at.block];
  const size_t size = old->size();
  const size_t middle = size / 2;
  BlockPointer left;
  BlockPointer right;
  if (at.row <= middle) {
    left = Join({{old.get(), 0, at.row}, added.All(), {old.get(), at.row, middle}},
                Filters::kMakeAnew);
    right = Join({{old.get(), middle, size}}, Filters::kMakeAnew);
  } else {
    left = Join({{old.get(), 0, middle}}, Filters::kMakeAnew);
    right = Join({{old.get(), middle, at.row}, added.All(), {old.get(), at.row, size}},
                 Filters::kMakeAnew);
  }
  blocks[at.block] = std::move(left);
  blocks.insert(blocks.begin() + static_cast<ptrdiff_t>(at.block) + 1, std::move(right));
}

void Directory::Root::Remove(const Place& at) {
  const BlockPointer old = blocks[at.block];
  if (old->size() == 1) {
    blocks.erase(blocks.begin() + static_cast<ptrdiff_t>(at.block));
    return;
  }
  blocks[at.block] = Join({{old.get(), 0, at.row}, {old.get(), at.row + 1, old->size()}},
                          Filters::kMakeAnew);
  if (at.block + 1 < blocks.size()) MergeWithNeighbour(at.block);
  if (at.block > 0 && at.block < blocks.size()) MergeWithNeighbour(at.block - 1);
}

void Directory::Root::MergeWithNeighbour(size_t block) {
  const BlockPointer left = blocks[block];
  const BlockPointer right = blocks[block + 1];
  // Half full at most, so that the next insert does not split what has just been merged.
  if (left->size() + right->size() > kBlockRows / 2) return;
  blocks[block] = Join({left->All(), right->All()}, Filters::kTakeOver);
  blocks.erase(blocks.begin() + static_cast<ptrdiff_t>(block) + 1);
}

void Directory::Root::Collect(Range range, const RowQuery& query, bool descending, uint64_t skip,
                              size_t limit, std::vector<DirectoryRow>* rows,
                              uint64_t* count) const {
  if (range.begin >= range.end || (limit == 0 && count == nullptr)) return;
  const size_t last = range.end.row > 0 ? range.end.block : range.end.block - 1;
  for (size_t i = 0; i <= last - range.begin.block; ++i) {
    const size_t at = descending ? last - i : range.begin.block + i;
    const DirectoryBlock& block = *blocks[at];
    RowSet fitting = block.Match(query);
    if (at == range.begin.block) fitting = fitting & RowSet::Range(range.begin.row, kBlockRows);
    if (at == range.end.block) fitting = fitting & RowSet::Range(0, range.end.row);
    const size_t found = fitting.Count();
    if (count != nullptr) *count += found;
    if (skip >= found) {
      skip -= found;
      continue;
    }
    for (auto k = static_cast<size_t>(skip); k < found && rows->size() < limit; ++k) {
      rows->push_back(block.Row(fitting.Nth(descending ? found - 1 - k : k)));
    }
    skip = 0;
    if (count == nullptr && rows->size() == limit) return;
  }
}

Directory::Directory(std::vector<DirectoryRow> rows) {
  assert(std::adjacent_find(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
           return a.position >= b.position;
         }) == rows.end());
  auto root = std::make_shared<Root>();
  root->blocks.reserve((rows.size() + kBlockRows - 1) / kBlockRows);
  for (size_t begin = 0; begin < rows.size(); begin += kBlockRows) {
    const size_t size = std::min(kBlockRows, rows.size() - begin);
    root->blocks.push_back(
        std::make_shared<const DirectoryBlock>(std::span(rows).subspan(begin, size)));
  }
  root->Count();
  root_ = std::move(root);
}

Directory::~Directory() = default;

std::shared_ptr<const Directory::Root> Directory::root() const {
  const std::lock_guard lock(mutex_);
  return root_;
}

void Directory::Publish(std::shared_ptr<const Root> root) {
  const std::lock_guard lock(mutex_);
  root_.swap(root);
  // `root`, a parameter, ends after the lock does: freeing the old blocks delays nobody.
}

void Directory::Insert(DirectoryRow row) {
  auto next = std::make_shared<Root>(*root());
  next->Put(row);
  next->Count();
  Publish(std::move(next));
}

bool Directory::Rename(const RowPosition& before, ByteView name) {
  const auto old = root();
  const Place at = old->LowerBound(before);
  if (!old->IsAt(at, before)) return false;
  DirectoryRow row = old->blocks[at.block]->Row(at.row);
  row.position.name = name;
  auto next = std::make_shared<Root>(*old);
  next->Remove(at);
  next->Put(row);
  next->Count();
  Publish(std::move(next));
  return true;
}

bool Directory::Update(const RowPosition& position, ByteView slug, bool revoked, ByteView payload) {
  const auto old = root();
  if (!old->IsAt(old->LowerBound(position), position)) return false;
  auto next = std::make_shared<Root>(*old);
  next->Put({position, Bytes(slug), revoked, Bytes(payload)});
  next->Count();
  Publish(std::move(next));
  return true;
}

std::optional<DirectoryRow> Directory::Find(const RowPosition& position) const {
  const auto root = this->root();
  const Place at = root->LowerBound(position);
  if (!root->IsAt(at, position)) return std::nullopt;
  return root->blocks[at.block]->Row(at.row);
}

DirectoryPage Directory::Page(const DirectoryFilter& filter, uint64_t offset, size_t limit) const {
  const auto root = this->root();
  const RowQuery query(filter);
  Root::Range range = root->WithName(filter.name);
  DirectoryPage page;
  if (!query.is_plain()) {
    root->Collect(range, query, filter.descending, offset, limit, &page.rows, &page.total);
    return page;
  }
  const uint64_t first = root->RankOf(range.begin, filter.revoked);
  const uint64_t end = root->RankOf(range.end, filter.revoked);
  page.total = end - first;
  if (offset >= page.total) return page;
  if (filter.descending) {
    range.end = root->AtRank(end - 1 - offset, filter.revoked);
    ++range.end.row;
  } else {
    range.begin = root->AtRank(first + offset, filter.revoked);
  }
  root->Collect(range, query, filter.descending, 0, limit, &page.rows, nullptr);
  return page;
}

DirectoryPage Directory::After(const DirectoryFilter& filter,
                               const std::optional<RowPosition>& after, size_t limit) const {
  const auto root = this->root();
  Root::Range range = root->WithName(filter.name);
  if (after && filter.descending) range.end = std::min(range.end, root->LowerBound(*after));
  if (after && !filter.descending) range.begin = std::max(range.begin, root->UpperBound(*after));
  DirectoryPage page;
  root->Collect(range, RowQuery(filter), filter.descending, 0, limit, &page.rows, nullptr);
  return page;
}

size_t Directory::size() const { return static_cast<size_t>(root()->size()); }

size_t Directory::memory_bytes() const {
  const auto root = this->root();
  size_t bytes = sizeof *this + sizeof *root;
  for (const BlockPointer& block : root->blocks) bytes += sizeof block + block->memory_bytes();
  for (const auto& counts : root->counts_before) bytes += counts.capacity() * sizeof(uint64_t);
  return bytes;
}

}  // namespace latchkey
