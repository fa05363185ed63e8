// Which rows a page is made of, and how a change becomes visible at once.
#include "index/directory.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "index/directory_block.h"
#include "index/directory_root.h"

namespace latchkey {

Directory::Directory(std::shared_ptr<const DirectoryRoot> root) : root_(std::move(root)) {}

Directory::~Directory() = default;

std::shared_ptr<const DirectoryRoot> Directory::root() const {
  const std::lock_guard lock(mutex_);
  return root_;
}

void Directory::Publish(std::shared_ptr<const DirectoryRoot> root) {
  const std::lock_guard lock(mutex_);
  root_.swap(root);
  // `root`, a parameter, ends after the lock does: freeing the old blocks delays nobody.
}

void Directory::Insert(DirectoryRow row) {
  auto next = std::make_shared<DirectoryRoot>(*root());
  next->Put(row);
  Publish(std::move(next));
}

bool Directory::Rename(const RowPosition& before, ByteView name) {
  const auto old = root();
  const auto at = old->LowerBound(before);
  if (!old->IsAt(at, before)) return false;
  DirectoryRow row = old->Row(at);
  row.position.name = name;
  auto next = std::make_shared<DirectoryRoot>(*old);
  next->Remove(at);
  next->Put(row);
  Publish(std::move(next));
  return true;
}

bool Directory::Update(const RowPosition& position, ByteView slug, bool revoked, ByteView payload) {
  const auto old = root();
  if (!old->IsAt(old->LowerBound(position), position)) return false;
  auto next = std::make_shared<DirectoryRoot>(*old);
  next->Put({position, Bytes(slug), revoked, Bytes(payload)});
  Publish(std::move(next));
  return true;
}

std::optional<DirectoryRow> Directory::Find(const RowPosition& position) const {
  const auto root = this->root();
  const auto at = root->LowerBound(position);
  if (!root->IsAt(at, position)) return std::nullopt;
  return root->Row(at);
}

DirectoryLook Directory::Look(const DirectoryFilter& filter, uint64_t offset, size_t limit) const {
  DirectoryLook look;
  look.root_ = this->root();
  const DirectoryRoot& root = *look.root_;
  const RowQuery query(filter);
  DirectoryRoot::Range range = root.WithName(filter.name);
  if (!query.is_plain()) {
    root.Collect(range, query, filter.descending, offset, limit, &look.rows_, &look.total_);
    return look;
  }
  const uint64_t begin = root.RankOf(range.begin, filter.revoked);
  const uint64_t end = root.RankOf(range.end, filter.revoked);
  look.total_ = end - begin;
  if (offset >= look.total_) return look;
  look.rows_.reserve(static_cast<size_t>(std::min<uint64_t>(limit, look.total_ - offset)));
  if (filter.descending) {
    range.end = root.AtRank(end - 1 - offset, filter.revoked);
    ++range.end.row;
  } else {
    range.begin = root.AtRank(begin + offset, filter.revoked);
  }
  root.Collect(range, query, filter.descending, 0, limit, &look.rows_, nullptr);
  return look;
}

DirectoryLook Directory::LookAfter(const DirectoryFilter& filter,
                                   const std::optional<RowPosition>& after, size_t limit) const {
  DirectoryLook look;
  look.root_ = this->root();
  const DirectoryRoot& root = *look.root_;
  DirectoryRoot::Range range = root.WithName(filter.name);
  if (after && filter.descending) range.end = std::min(range.end, root.LowerBound(*after));
  if (after && !filter.descending) range.begin = std::max(range.begin, root.UpperBound(*after));
  root.Collect(range, RowQuery(filter), filter.descending, 0, limit, &look.rows_, nullptr);
  return look;
}

DirectoryRowView DirectoryLook::row(size_t i) const { return rows_[i].block->View(rows_[i].row); }

namespace {

DirectoryPage Copy(const DirectoryLook& look) {
  DirectoryPage page;
  page.total = look.total();
  page.rows.reserve(look.size());
  for (size_t i = 0; i < look.size(); ++i) page.rows.push_back(look.row(i).Copy());
  return page;
}

}  // namespace

DirectoryPage Directory::Page(const DirectoryFilter& filter, uint64_t offset, size_t limit) const {
  return Copy(Look(filter, offset, limit));
}

DirectoryPage Directory::After(const DirectoryFilter& filter,
                               const std::optional<RowPosition>& after, size_t limit) const {
  return Copy(LookAfter(filter, after, limit));
}

size_t Directory::size() const { return static_cast<size_t>(root()->size()); }

size_t Directory::memory_bytes() const { return sizeof *this + root()->memory_bytes(); }

DirectoryBuilder::DirectoryBuilder() = default;
DirectoryBuilder::~DirectoryBuilder() = default;

void DirectoryBuilder::Add(DirectoryRow row) {
  if (rows_.size() == Directory::kBlockRows) EndBlock();
  assert(rows_.empty() || rows_.back().position < row.position);
  rows_.push_back(std::move(row));
}

void DirectoryBuilder::EndBlock() {
  assert(blocks_.empty() ||
         blocks_.back()->Compare(blocks_.back()->size() - 1, rows_.front().position) < 0);
  blocks_.push_back(std::make_shared<const DirectoryBlock>(rows_));
  memory_bytes_ += blocks_.back()->memory_bytes();
  rows_.clear();
}

size_t DirectoryBuilder::memory_bytes() const { return memory_bytes_; }

std::shared_ptr<Directory> DirectoryBuilder::Finish() {
  if (!rows_.empty()) EndBlock();
  return std::shared_ptr<Directory>(new Directory(std::make_shared<const DirectoryRoot>(blocks_)));
}

}  // namespace latchkey
