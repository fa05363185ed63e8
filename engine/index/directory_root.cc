// Finding rows by their position or their rank, and replacing blocks.
#include "index/directory_root.h"

#include <algorithm>
#include <utility>

namespace latchkey {
namespace {

constexpr size_t kBlockRows = Directory::kBlockRows;
// The pointers of a group and of the root are copied for each change; a million rows have 32
// groups.
constexpr size_t kGroupBlocks = 64;

using Filters = DirectoryBlock::Filters;

std::shared_ptr<const DirectoryBlock> Join(std::initializer_list<DirectoryBlock::Piece> pieces,
                                           Filters filters) {
  return std::make_shared<const DirectoryBlock>(pieces, filters);
}

constexpr ptrdiff_t Signed(size_t i) { return static_cast<ptrdiff_t>(i); }

}  // namespace

template <typename Child>
Counted<Child>::Counted(std::vector<Pointer> children) : children_(std::move(children)) {
  for (const bool revoked : {false, true}) {
    std::vector<uint64_t>& before = before_[revoked];
    before.reserve(children_.size() + 1);
    before.push_back(0);
    for (const Pointer& child : children_) {
      before.push_back(before.back() + child->CountOf(revoked));
    }
  }
  memory_bytes_ = sizeof *this + children_.size() * sizeof(Pointer) +
                  2 * (children_.size() + 1) * sizeof(uint64_t);
  for (const Pointer& child : children_) memory_bytes_ += child->memory_bytes();
}

template <typename Child>
size_t Counted<Child>::ChildOf(uint64_t rank, bool revoked) const {
  const std::vector<uint64_t>& before = before_[revoked];
  return static_cast<size_t>(std::upper_bound(before.begin(), before.end(), rank) -
                             before.begin()) -
         1;
}

DirectoryRoot::DirectoryRoot(std::span<const BlockPointer> blocks) {
  std::vector<Counted<Group>::Pointer> groups;
  while (!blocks.empty()) {
    const auto group = blocks.first(std::min(kGroupBlocks, blocks.size()));
    groups.push_back(std::make_shared<const Group>(std::vector(group.begin(), group.end())));
    blocks = blocks.subspan(group.size());
  }
  groups_ = Counted<Group>(std::move(groups));
}

template <typename Reached>
DirectoryRoot::Place DirectoryRoot::First(const Reached& reached) const {
  const auto in_block = [&](const DirectoryBlock& block) {
    return reached(block, block.size() - 1);
  };
  const auto group = std::partition_point(
      groups_.children().begin(), groups_.children().end(),
      [&](const auto& candidate) { return !in_block(candidate->at(candidate->size() - 1)); });
  if (group == groups_.children().end()) return {groups_.size(), 0, 0};
  const auto block =
      std::partition_point((*group)->children().begin(), (*group)->children().end(),
                           [&](const BlockPointer& candidate) { return !in_block(*candidate); });
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
  return {static_cast<size_t>(group - groups_.children().begin()),
          static_cast<size_t>(block - (*group)->children().begin()), begin};
}

DirectoryRoot::Place DirectoryRoot::LowerBound(const RowPosition& position) const {
  return First(
      [&](const DirectoryBlock& block, size_t row) { return block.Compare(row, position) >= 0; });
}

DirectoryRoot::Place DirectoryRoot::UpperBound(const RowPosition& position) const {
  return First(
      [&](const DirectoryBlock& block, size_t row) { return block.Compare(row, position) > 0; });
}

bool DirectoryRoot::IsAt(const Place& place, const RowPosition& position) const {
  return place.group < groups_.size() && BlockAt(place).Compare(place.row, position) == 0;
}

DirectoryRoot::Range DirectoryRoot::WithName(const std::optional<ByteView>& name) const {
  if (!name) return {{0, 0, 0}, {groups_.size(), 0, 0}};
  return {First([&](const DirectoryBlock& block, size_t row) { return block.name(row) >= *name; }),
          First([&](const DirectoryBlock& block, size_t row) { return block.name(row) > *name; })};
}

uint64_t DirectoryRoot::RankOf(const Place& place, bool revoked) const {
  uint64_t rank = groups_.CountBefore(place.group, revoked);
  if (place.group == groups_.size()) return rank;
  rank += groups_.at(place.group).CountBefore(place.block, revoked);
  return rank + BlockAt(place).InState(revoked).CountBelow(place.row);
}

DirectoryRoot::Place DirectoryRoot::AtRank(uint64_t rank, bool revoked) const {
  const size_t at = groups_.ChildOf(rank, revoked);
  const Group& group = groups_.at(at);
  rank -= groups_.CountBefore(at, revoked);
  const size_t block = group.ChildOf(rank, revoked);
  rank -= group.CountBefore(block, revoked);
  return {at, block, group.at(block).InState(revoked).Nth(rank)};
}

DirectoryRoot::Place DirectoryRoot::NextBlock(const Place& place) const {
  const bool is_last = place.block + 1 == groups_.at(place.group).size();
  return is_last ? Place{place.group + 1, 0, 0} : Place{place.group, place.block + 1, 0};
}

DirectoryRoot::Place DirectoryRoot::PreviousBlock(const Place& place) const {
  if (place.block > 0) return {place.group, place.block - 1, 0};
  return {place.group - 1, groups_.at(place.group - 1).size() - 1, 0};
}

void DirectoryRoot::Collect(const Range& range, const RowQuery& query, bool descending,
                            uint64_t skip, size_t limit, std::vector<DirectoryLook::Place>* rows,
                            uint64_t* count) const {
  if (range.begin >= range.end || (limit == 0 && count == nullptr)) return;
  const Place first{range.begin.group, range.begin.block, 0};
  const Place last =
      range.end.row > 0 ? Place{range.end.group, range.end.block, 0} : PreviousBlock(range.end);
  for (Place at = descending ? last : first;; at = descending ? PreviousBlock(at) : NextBlock(at)) {
    const DirectoryBlock& block = BlockAt(at);
    RowSet fitting = block.Match(query);
    if (at == first) fitting = fitting & RowSet::Range(range.begin.row, kBlockRows);
    if (at == last && range.end.row > 0) fitting = fitting & RowSet::Range(0, range.end.row);
    const size_t found = fitting.Count();
    const auto skipped = static_cast<size_t>(std::min<uint64_t>(skip, found));
    if (skipped < found && rows->size() < limit) {
      size_t row = fitting.Nth(descending ? found - 1 - skipped : skipped);
      while (row < kBlockRows && rows->size() < limit) {
        rows->push_back({&block, row});
        row = descending ? fitting.Before(row) : fitting.AtOrAfter(row + 1);
      }
    }
    skip -= skipped;
    if (count != nullptr) *count += found;
    if (at == (descending ? first : last)) return;
    if (count == nullptr && rows->size() == limit) return;
  }
}

void DirectoryRoot::Replace(size_t group, size_t block, size_t removed,
                            std::initializer_list<BlockPointer> added) {
  std::vector<Counted<Group>::Pointer> groups = groups_.children();
  if (groups.empty()) groups.push_back(std::make_shared<const Group>());
  std::vector<BlockPointer> blocks = groups[group]->children();
  const auto at =
      blocks.erase(blocks.begin() + Signed(block), blocks.begin() + Signed(block + removed));
  blocks.insert(at, added);

  std::vector<Counted<Group>::Pointer> made;
  const auto middle = blocks.begin() + Signed(blocks.size() > kGroupBlocks ? blocks.size() / 2 : 0);
  if (middle != blocks.begin()) {
    made.push_back(std::make_shared<const Group>(std::vector(blocks.begin(), middle)));
  }
  if (middle != blocks.end()) {
    made.push_back(std::make_shared<const Group>(std::vector(middle, blocks.end())));
  }
  const auto gap = groups.erase(groups.begin() + Signed(group));
  groups.insert(gap, made.begin(), made.end());
  groups_ = Counted<Group>(std::move(groups));
}

void DirectoryRoot::Put(const DirectoryRow& row) {
  const DirectoryBlock added(std::span(&row, 1));
  if (groups_.size() == 0) return Replace(0, 0, 0, {Join({added.All()}, Filters::kMakeAnew)});
  Place at = LowerBound(row.position);
  const bool replaces = IsAt(at, row.position);
  if (at.group == groups_.size()) {
    at = PreviousBlock(at);
    at.row = BlockAt(at).size();
    if (at.row == kBlockRows) {
      // Names that come in order fill one block after another instead of splitting each in halves.
      return Replace(at.group, at.block + 1, 0, {Join({added.All()}, Filters::kMakeAnew)});
    }
  }
  const DirectoryBlock& old = BlockAt(at);
  if (!replaces && old.size() == kBlockRows) return Split(at, added);
  Replace(at.group, at.block, 1,
          {Join({{&old, 0, at.row}, added.All(), {&old, at.row + (replaces ? 1 : 0), old.size()}},
                Filters::kTakeOver)});
}

void DirectoryRoot::Split(const Place& at, const DirectoryBlock& added) {
  const DirectoryBlock& old = BlockAt(at);
  const size_t middle = old.size() / 2;
  if (at.row <= middle) {
    Replace(at.group, at.block, 1,
            {Join({{&old, 0, at.row}, added.All(), {&old, at.row, middle}}, Filters::kMakeAnew),
             Join({{&old, middle, old.size()}}, Filters::kMakeAnew)});
  } else {
    Replace(at.group, at.block, 1,
            {Join({{&old, 0, middle}}, Filters::kMakeAnew),
             Join({{&old, middle, at.row}, added.All(), {&old, at.row, old.size()}},
                  Filters::kMakeAnew)});
  }
}

void DirectoryRoot::Remove(const Place& at) {
  const Group& group = groups_.at(at.group);
  const DirectoryBlock& old = group.at(at.block);
  if (old.size() == 1) return Replace(at.group, at.block, 1, {});
  const DirectoryBlock::Piece before{&old, 0, at.row};
  const DirectoryBlock::Piece after{&old, at.row + 1, old.size()};
  // Half full at most, so that the next insert does not split what has just been merged.
  const auto is_mergeable = [&](size_t neighbour) {
    return neighbour < group.size() &&
           old.size() - 1 + group.at(neighbour).size() <= kBlockRows / 2;
  };
  if (is_mergeable(at.block + 1)) {
    return Replace(at.group, at.block, 2,
                   {Join({before, after, group.at(at.block + 1).All()}, Filters::kMakeAnew)});
  }
  if (at.block > 0 && is_mergeable(at.block - 1)) {
    return Replace(at.group, at.block - 1, 2,
                   {Join({group.at(at.block - 1).All(), before, after}, Filters::kMakeAnew)});
  }
  Replace(at.group, at.block, 1, {Join({before, after}, Filters::kMakeAnew)});
}

}  // namespace latchkey
