// Lists: a page and its total, of one moment, from a directory; from the store when the directory
// would be too large.
#include "service/credentials.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "service/list_scan.h"

namespace latchkey {
namespace {

Status CheckFilter(const DirectoryFilter& filter) {
  if (filter.name) LATCHKEY_TRY(CheckName(*filter.name));
  if (filter.slug) LATCHKEY_TRY(CheckSlug(*filter.slug));
  if (filter.search.size() > limits::kSearchBytesMax) {
    return Status::Error(Code::kInvalidArgument, "a search term has at most 1024 bytes");
  }
  return Status::Ok();
}

// No lock: by the kinds that a presented secret is recognised by, which lack user_token alone.
bool IsKind(const KindSet& kinds, uint16_t kind) {
  return kind == kind::kUserToken ||
         std::any_of(kinds.shapes.begin(), kinds.shapes.end(),
                     [kind](const KindSet::Shape& shape) { return shape.kind == kind; });
}

Status CheckQuery(const Engine& engine, const ListQuery& query) {
  LATCHKEY_TRY(CheckFilter(query.filter));
  if (!IsKind(engine.memory().kinds(), query.kind)) {
    return Status::Error(Code::kUnsupported, "the kind of credential has not been registered");
  }
  if (engine.memory().owners().IndexOf(query.owner) == OwnerTable::kNone) {
    return Status::Error(Code::kNotFound, "there is no such owner");
  }
  return Status::Ok();
}

// For a table that does not hold every credential.
Status ShowStoredUses(const Engine& engine, CredentialPage* page) {
  LATCHKEY_TRY_ASSIGN(const auto view, engine.authority().Look());
  for (ListedCredential& listed : page->rows) {
    listed.last_used_s =
        engine.memory().LastUsed(listed.shown.tag, listed.row.uuid, view->storage());
  }
  return Status::Ok();
}

// Reads what the rows of the page show beyond their places.
Result<CredentialPage> Show(const Engine& engine, CredentialPage page) {
  const VerifyTable& table = engine.memory().table();
  for (ListedCredential& listed : page.rows) {
    LATCHKEY_TRY(ListRowView::Decode(listed.row.payload, &listed.shown));
    table.Prefetch(listed.shown.tag, VerifyTable::kLinesOfOne);
  }
  if (!engine.memory().knows_uses()) {
    LATCHKEY_TRY(ShowStoredUses(engine, &page));
    return page;
  }
  for (ListedCredential& listed : page.rows) {
    const VerifyTable::Sight sight = table.Look(listed.shown.tag);
    if (sight.is_found) listed.last_used_s = sight.words.last_used_s;
  }
  return page;
}

Result<CredentialPage> Show(const Engine& engine, DirectoryLook&& look) {
  CredentialPage page;
  page.look = std::move(look);
  page.total = page.look.total();
  page.rows.resize(page.look.size());
  for (size_t i = 0; i < page.rows.size(); ++i) page.rows[i].row = page.look.row(i);
  return Show(engine, std::move(page));
}

Result<CredentialPage> Show(const Engine& engine, DirectoryPage&& read) {
  CredentialPage page;
  page.read = std::move(read.rows);
  page.total = read.total;
  page.rows.resize(page.read.size());
  for (size_t i = 0; i < page.rows.size(); ++i) page.rows[i].row = page.read[i].View();
  return Show(engine, std::move(page));
}

}  // namespace

Result<CredentialPage> ListCredentials(Engine& engine, const ListQuery& query, uint64_t offset,
                                       size_t limit) {
  LATCHKEY_TRY(CheckQuery(engine, query));
  const DirectoryKey key{query.owner, query.kind};
  LATCHKEY_TRY_ASSIGN(const auto directory, engine.memory().directories().Get(key));
  if (directory != nullptr) return Show(engine, directory->Look(query.filter, offset, limit));
  LATCHKEY_TRY_ASSIGN(DirectoryPage read,
                      ScanPage(engine.authority(), key, query.filter, offset, limit));
  return Show(engine, std::move(read));
}

Result<CredentialPage> ListCredentialsAfter(Engine& engine, const ListQuery& query,
                                            const std::optional<RowPosition>& after, size_t limit) {
  LATCHKEY_TRY(CheckQuery(engine, query));
  const DirectoryKey key{query.owner, query.kind};
  LATCHKEY_TRY_ASSIGN(const auto directory, engine.memory().directories().Get(key));
  if (directory != nullptr) return Show(engine, directory->LookAfter(query.filter, after, limit));
  LATCHKEY_TRY_ASSIGN(DirectoryPage read,
                      ScanAfter(engine.authority(), key, query.filter, after, limit));
  return Show(engine, std::move(read));
}

Result<OwnerPage> ListOwners(Engine& engine, OwnerSort sort, const DirectoryFilter& filter,
                             uint64_t offset, size_t limit) {
  LATCHKEY_TRY(CheckFilter(filter));
  const DirectoryKey key{Uuid{}, static_cast<uint16_t>(sort)};
  LATCHKEY_TRY_ASSIGN(const auto directory, engine.memory().directories().Get(key));
  DirectoryPage found = directory->Page(filter, offset, limit);
  OwnerPage page;
  page.total = found.total;
  for (const DirectoryRow& row : found.rows) {
    LATCHKEY_TRY_ASSIGN(OwnerRecord owner, OwnerRecord::Decode(row.position.uuid, row.payload));
    page.rows.push_back(std::move(owner));
  }
  return page;
}

}  // namespace latchkey
