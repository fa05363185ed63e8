// Lists of credentials without a directory, for owners whose directory would exceed the budget: the
// same rows in the same order with the same totals, read from the name index at one moment. Memory:
// the rows of the page. Cost: a few rows beyond the page where the counters tell the total and the
// page lies near either end, or where a cursor says where to begin; otherwise a walk over the
// owner's rows.
#pragma once

#include "index/directory.h"
#include "service/directories.h"

namespace latchkey {

// As Directory::Page() and Directory::After(). BUSY, CORRUPTION, IO.
Result<DirectoryPage> ScanPage(const LocalAuthority& authority, const DirectoryKey& key,
                               const DirectoryFilter& filter, uint64_t offset, size_t limit);
Result<DirectoryPage> ScanAfter(const LocalAuthority& authority, const DirectoryKey& key,
                                const DirectoryFilter& filter,
                                const std::optional<RowPosition>& after, size_t limit);

}  // namespace latchkey
