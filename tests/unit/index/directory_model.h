// A directory as a sorted map that is searched row by row.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "index/directory.h"

namespace latchkey::test {

inline bool Same(const DirectoryRow& a, const DirectoryRow& b) {
  return a.position == b.position && a.slug == b.slug && a.revoked == b.revoked &&
         a.payload == b.payload;
}

// In ascending order.
inline std::shared_ptr<Directory> MakeDirectory(const std::vector<DirectoryRow>& rows) {
  DirectoryBuilder builder;
  for (const DirectoryRow& row : rows) builder.Add(row);
  return builder.Finish();
}

class DirectoryModel {
 public:
  void Insert(const DirectoryRow& row) { rows_[row.position] = row; }

  bool Rename(const RowPosition& before, ByteView name) {
    const auto at = rows_.find(before);
    if (at == rows_.end()) return false;
    DirectoryRow row = at->second;
    rows_.erase(at);
    row.position.name = name;
    Insert(row);
    return true;
  }

  bool Update(const RowPosition& position, ByteView slug, bool revoked, ByteView payload) {
    if (rows_.count(position) == 0) return false;
    rows_[position] = {position, Bytes(slug), revoked, Bytes(payload)};
    return true;
  }

  std::vector<DirectoryRow> Fitting(const DirectoryFilter& filter) const {
    std::vector<DirectoryRow> rows;
    for (const auto& [position, row] : rows_) {
      if (Fits(row, filter)) rows.push_back(row);
    }
    if (filter.descending) std::reverse(rows.begin(), rows.end());
    return rows;
  }

  DirectoryPage Page(const DirectoryFilter& filter, uint64_t offset, size_t limit) const {
    const std::vector<DirectoryRow> rows = Fitting(filter);
    DirectoryPage page;
    page.total = rows.size();
    for (uint64_t i = offset; i < rows.size() && page.rows.size() < limit; ++i) {
      page.rows.push_back(rows[i]);
    }
    return page;
  }

  DirectoryPage After(const DirectoryFilter& filter, const std::optional<RowPosition>& after,
                      size_t limit) const {
    DirectoryPage page;
    for (const DirectoryRow& row : Fitting(filter)) {
      if (page.rows.size() == limit) break;
      const bool is_behind =
          !after || (filter.descending ? row.position < *after : row.position > *after);
      if (is_behind) page.rows.push_back(row);
    }
    return page;
  }

  const std::map<RowPosition, DirectoryRow>& rows() const { return rows_; }
  const DirectoryRow& Any(std::mt19937_64& random) const {
    auto at = rows_.begin();
    std::advance(at, random() % rows_.size());
    return at->second;
  }
  std::vector<DirectoryRow> Sorted() const {
    std::vector<DirectoryRow> rows;
    for (const auto& [position, row] : rows_) rows.push_back(row);
    return rows;
  }

 private:
  static bool Holds(Bytes text, Bytes term) {
    const auto fold = [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
    std::transform(text.begin(), text.end(), text.begin(), fold);
    std::transform(term.begin(), term.end(), term.begin(), fold);
    return text.find(term) != Bytes::npos;
  }
  static bool Fits(const DirectoryRow& row, const DirectoryFilter& filter) {
    const Bytes term(filter.search);
    return row.revoked == filter.revoked && (!filter.name || row.position.name == *filter.name) &&
           (!filter.slug || row.slug == *filter.slug) &&
           (Holds(row.position.name, term) || Holds(FormatUuid(row.position.uuid), term) ||
            (filter.search_slug && Holds(row.slug, term)));
  }
  std::map<RowPosition, DirectoryRow> rows_;
};

// Few different texts, so that names are equal or beginnings of one another.
inline Bytes ShortText(std::mt19937_64& random) {
  constexpr ByteView kAlphabet("aAbf0-\x00\xFF", 8);
  Bytes text(random() % 4, '\0');
  for (char& c : text) c = kAlphabet[random() % kAlphabet.size()];
  return text;
}

inline DirectoryRow RandomRow(std::mt19937_64& random) {
  DirectoryRow row;
  row.position.name = ShortText(random);
  row.position.creation_s = static_cast<int64_t>(random() % 3) - 1;
  for (uint8_t& byte : row.position.uuid.bytes) byte = static_cast<uint8_t>(random());
  row.slug = ShortText(random);
  row.revoked = random() % 3 == 0;
  row.payload = Bytes(random() % 20, static_cast<char>(random()));
  return row;
}

// A filter, and the bytes that it borrows.
struct OwnedFilter {
  DirectoryFilter filter;
  Bytes name;
  Bytes slug;
  Bytes search;
};

inline void Randomise(std::mt19937_64& random, const DirectoryModel& model, OwnedFilter* owned) {
  DirectoryFilter& filter = owned->filter;
  filter = {};
  filter.revoked = random() % 3 == 0;
  filter.descending = random() % 2 == 0;
  filter.search_slug = random() % 2 == 0;
  if (random() % 4 == 0) {
    owned->name = ShortText(random);
    filter.name = owned->name;
  }
  if (random() % 6 == 0) {
    owned->slug = ShortText(random);
    filter.slug = owned->slug;
  }
  if (random() % 3 == 0) {
    owned->search = ShortText(random);
    if (!model.rows().empty() && random() % 3 == 0) {
      owned->search =
          FormatUuid(model.Any(random).position.uuid).substr(random() % 36, random() % 8);
    }
    filter.search = owned->search;
  }
}

}  // namespace latchkey::test
