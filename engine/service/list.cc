// Lists: a page and its total, of one moment, from a directory.
#include "service/credentials.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"

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

// The directory of the query, after its filter and owner were checked.
Result<std::shared_ptr<const Directory>> Open(Engine& engine, const ListQuery& query) {
  LATCHKEY_TRY(CheckFilter(query.filter));
  if (!IsKind(engine.memory().kinds(), query.kind)) {
    return Status::Error(Code::kUnsupported, "the kind of credential has not been registered");
  }
  if (engine.memory().owners().IndexOf(query.owner) == OwnerTable::kNone) {
    return Status::Error(Code::kNotFound, "there is no such owner");
  }
  return engine.memory().directories().Get(DirectoryKey{query.owner, query.kind});
}

Result<CredentialPage> Show(const Engine& engine, DirectoryLook&& look) {
  CredentialPage page;
  page.look = std::move(look);
  page.total = page.look.total();
  page.rows.resize(page.look.size());
  const VerifyTable& table = engine.memory().table();
  for (size_t i = 0; i < page.rows.size(); ++i) {
    ListedCredential& listed = page.rows[i];
    listed.row = page.look.row(i);
    LATCHKEY_TRY_ASSIGN(listed.shown, ListRowView::Decode(listed.row.payload));
    table.Prefetch(listed.shown.tag);
  }
  for (ListedCredential& listed : page.rows) {
    TableEntry entry;
    if (table.Find(listed.shown.tag, &entry)) listed.last_used_s = entry.last_used_s;
  }
  return page;
}

}  // namespace

Result<CredentialPage> ListCredentials(Engine& engine, const ListQuery& query, uint64_t offset,
                                       size_t limit) {
  LATCHKEY_TRY_ASSIGN(const auto directory, Open(engine, query));
  return Show(engine, directory->Look(query.filter, offset, limit));
}

Result<CredentialPage> ListCredentialsAfter(Engine& engine, const ListQuery& query,
                                            const std::optional<RowPosition>& after, size_t limit) {
  LATCHKEY_TRY_ASSIGN(const auto directory, Open(engine, query));
  return Show(engine, directory->LookAfter(query.filter, after, limit));
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
