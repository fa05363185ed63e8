// Making blocks out of rows and of one another, and finding the rows of a block that fit a filter.
#include "index/directory_block.h"

#include <cassert>

namespace latchkey {
namespace {

// Below this a scan costs less than the memory of a filter is worth: most directories hold a few
// rows.
constexpr size_t kFilterRowsMin = 64;

constexpr ptrdiff_t Signed(size_t row) { return static_cast<ptrdiff_t>(row); }

}  // namespace

static_assert(RowSet::kRows == Directory::kBlockRows);

RowQuery::RowQuery(const DirectoryFilter& filter)
    : revoked(filter.revoked),
      slug(filter.slug),
      search(filter.search),
      search_slug(filter.search_slug) {}

bool RowQuery::Fits(const DirectoryRowView& row) const {
  if (row.revoked != revoked || (slug && row.slug != *slug)) return false;
  if (search.empty()) return true;
  return search.FindIn(row.name, 0) != ByteView::npos ||
         (search_slug && search.FindIn(row.slug, 0) != ByteView::npos) ||
         (search.fits_uuid() && search.IsIn(row.uuid));
}

void TextColumn::Reserve(size_t texts, size_t bytes) {
  ends_.reserve(texts);
  bytes_.reserve(bytes);
}

void TextColumn::Append(ByteView text) {
  bytes_.append(text);
  assert(bytes_.size() <= UINT32_MAX);
  ends_.push_back(static_cast<uint32_t>(bytes_.size()));
}

void TextColumn::Append(const TextColumn& from, size_t begin, size_t end) {
  const size_t from_byte = from.BeginOf(begin);
  const size_t to_byte = bytes_.size();
  bytes_.append(from.bytes_, from_byte, from.BeginOf(end) - from_byte);
  assert(bytes_.size() <= UINT32_MAX);
  for (size_t row = begin; row < end; ++row) {
    ends_.push_back(static_cast<uint32_t>(from.ends_[row] - from_byte + to_byte));
  }
}

void TextColumn::Search(const SearchTerm& term, RowSet* hits) const {
  size_t row = 0;
  size_t at = term.FindIn(bytes_, 0);
  while (at != ByteView::npos) {
    while (ends_[row] <= at) ++row;
    size_t next = at + 1;  // this one runs over the end of its text
    if (at + term.size() <= ends_[row]) {
      hits->Add(row);
      next = ends_[row];
    }
    at = term.FindIn(bytes_, next);
  }
}

void DirectoryBlock::Reserve(size_t rows, size_t name_bytes, size_t slug_bytes,
                             size_t payload_bytes) {
  assert(rows <= Directory::kBlockRows);
  names_.Reserve(rows, name_bytes);
  creations_s_.reserve(rows);
  uuids_.reserve(rows);
  slugs_.Reserve(rows, slug_bytes);
  payloads_.Reserve(rows, payload_bytes);
}

DirectoryBlock::DirectoryBlock(std::span<const DirectoryRow> rows) {
  size_t name_bytes = 0;
  size_t slug_bytes = 0;
  size_t payload_bytes = 0;
  for (const DirectoryRow& row : rows) {
    name_bytes += row.position.name.size();
    slug_bytes += row.slug.size();
    payload_bytes += row.payload.size();
  }
  Reserve(rows.size(), name_bytes, slug_bytes, payload_bytes);
  for (const DirectoryRow& row : rows) {
    if (row.revoked) revoked_.Add(size());
    names_.Append(row.position.name);
    creations_s_.push_back(row.position.creation_s);
    uuids_.push_back(row.position.uuid);
    slugs_.Append(row.slug);
    payloads_.Append(row.payload);
  }
  revoked_count_ = revoked_.Count();
  if (size() >= kFilterRowsMin) FilterTexts(0, size());
  memory_bytes_ = CountBytes();
}

DirectoryBlock::DirectoryBlock(std::initializer_list<Piece> pieces, Filters filters) {
  size_t rows = 0;
  size_t name_bytes = 0;
  size_t slug_bytes = 0;
  size_t payload_bytes = 0;
  for (const Piece& piece : pieces) {
    rows += piece.end - piece.begin;
    name_bytes += piece.block->names_.BytesOf(piece.begin, piece.end);
    slug_bytes += piece.block->slugs_.BytesOf(piece.begin, piece.end);
    payload_bytes += piece.block->payloads_.BytesOf(piece.begin, piece.end);
  }
  Reserve(rows, name_bytes, slug_bytes, payload_bytes);
  for (const Piece& piece : pieces) {
    const size_t begin = size();
    Append(piece);
    if (rows < kFilterRowsMin) continue;
    if (filters == Filters::kTakeOver && !piece.block->filter_.empty()) {
      filter_.Add(piece.block->filter_);
    } else {
      FilterTexts(begin, size());
    }
  }
  revoked_count_ = revoked_.Count();
  memory_bytes_ = CountBytes();
}

void DirectoryBlock::Append(const Piece& piece) {
  const DirectoryBlock& from = *piece.block;
  for (size_t row = piece.begin; row < piece.end; ++row) {
    if (from.revoked_.Has(row)) revoked_.Add(size() + row - piece.begin);
  }
  names_.Append(from.names_, piece.begin, piece.end);
  creations_s_.insert(creations_s_.end(), from.creations_s_.begin() + Signed(piece.begin),
                      from.creations_s_.begin() + Signed(piece.end));
  slugs_.Append(from.slugs_, piece.begin, piece.end);
  payloads_.Append(from.payloads_, piece.begin, piece.end);
  uuids_.insert(uuids_.end(), from.uuids_.begin() + Signed(piece.begin),
                from.uuids_.begin() + Signed(piece.end));
}

void DirectoryBlock::FilterTexts(size_t begin, size_t end) {
  for (size_t row = begin; row < end; ++row) {
    filter_.Add(names_.At(row));
    filter_.Add(slugs_.At(row));
  }
}

std::strong_ordering DirectoryBlock::Compare(size_t row, const RowPosition& position) const {
  if (const auto order = names_.At(row) <=> ByteView(position.name); order != 0) return order;
  if (const auto order = creations_s_[row] <=> position.creation_s; order != 0) return order;
  return uuids_[row] <=> position.uuid;
}

RowSet DirectoryBlock::InState(bool revoked) const {
  return revoked ? revoked_ : RowSet::Range(0, size()).Without(revoked_);
}

RowSet DirectoryBlock::Match(const RowQuery& query) const {
  RowSet rows = InState(query.revoked);
  if (query.slug) {
    RowSet same;
    rows.ForEach([&](size_t row) {
      if (slugs_.At(row) == *query.slug) same.Add(row);
    });
    rows = same;
  }
  if (query.search.empty() || rows.empty()) return rows;
  RowSet hits;
  if (query.search.MayBeIn(filter_)) {
    names_.Search(query.search, &hits);
    if (query.search_slug) slugs_.Search(query.search, &hits);
  }
  if (query.search.fits_uuid()) {
    rows.Without(hits).ForEach([&](size_t row) {
      if (query.search.IsIn(uuids_[row])) hits.Add(row);
    });
  }
  return rows & hits;
}

size_t DirectoryBlock::CountBytes() const {
  return sizeof *this + names_.memory_bytes() + creations_s_.capacity() * sizeof(int64_t) +
         uuids_.capacity() * sizeof(Uuid) + slugs_.memory_bytes() + payloads_.memory_bytes() +
         filter_.memory_bytes();
}

}  // namespace latchkey
