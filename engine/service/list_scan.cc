// Which rows of the name index a page is made of.
#include "service/list_scan.h"

#include <algorithm>

#include "index/directory_block.h"
#include "service/credential_rows.h"

namespace latchkey {
namespace {

constexpr uint64_t kShortRows = 256;  // that may stay in the store's cache

// The page at `offset` of `total` rows in a state, walked to from the end that is nearer.
Result<DirectoryPage> PageInState(const CredentialRows& rows, const DirectoryFilter& filter,
                                  uint64_t total, uint64_t offset, size_t limit) {
  DirectoryPage page;
  page.total = total;
  if (offset >= total || limit == 0) return page;
  const uint64_t count = std::min<uint64_t>(limit, total - offset);
  const uint64_t behind = total - offset - count;
  const bool from_end = behind < offset;
  uint64_t skip = from_end ? behind : offset;
  CredentialRows::Range range;
  range.descending = filter.descending != from_end;
  range.is_short = skip + count <= kShortRows;
  LATCHKEY_TRY(rows.Walk(range, [&](const DirectoryRowView& row) {
    if (row.revoked != filter.revoked) return true;
    if (skip > 0) {
      --skip;
      return true;
    }
    page.rows.push_back(row.Copy());
    return page.rows.size() < count;
  }));
  if (page.rows.size() < count) {
    return Status::Error(Code::kCorruption, "a list has fewer rows than its counter says");
  }
  if (from_end) std::reverse(page.rows.begin(), page.rows.end());
  return page;
}

}  // namespace

Result<DirectoryPage> ScanPage(const LocalAuthority& authority, const DirectoryKey& key,
                               const DirectoryFilter& filter, uint64_t offset, size_t limit) {
  LATCHKEY_TRY_ASSIGN(const auto rows, CredentialRows::Take(authority, key.owner, key.kind));
  const RowQuery query(filter);
  if (query.is_plain() && !filter.name) {
    LATCHKEY_TRY_ASSIGN(const std::optional<uint64_t> total, rows->CountInState(filter.revoked));
    if (total) return PageInState(*rows, filter, *total, offset, limit);
  }
  DirectoryPage page;
  CredentialRows::Range range;
  range.name = filter.name;
  range.descending = filter.descending;
  LATCHKEY_TRY(rows->Walk(range, [&](const DirectoryRowView& row) {
    if (!query.Fits(row)) return true;
    if (page.total++ >= offset && page.rows.size() < limit) page.rows.push_back(row.Copy());
    return true;
  }));
  return page;
}

Result<DirectoryPage> ScanAfter(const LocalAuthority& authority, const DirectoryKey& key,
                                const DirectoryFilter& filter,
                                const std::optional<RowPosition>& after, size_t limit) {
  LATCHKEY_TRY_ASSIGN(const auto rows, CredentialRows::Take(authority, key.owner, key.kind));
  DirectoryPage page;
  if (limit == 0) return page;
  const RowQuery query(filter);
  LATCHKEY_TRY(rows->Walk({filter.name, after, filter.descending, limit <= kShortRows},
                          [&](const DirectoryRowView& row) {
                            if (query.Fits(row)) page.rows.push_back(row.Copy());
                            return page.rows.size() < limit;
                          }));
  return page;
}

}  // namespace latchkey
