// Lists: a page and its total, of one moment, from a directory.
#include "service/credentials.h"

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

Result<CredentialView> Show(const Engine& engine, const ListQuery& query, DirectoryRow&& row) {
  LATCHKEY_TRY_ASSIGN(ListRow shown, ListRow::Decode(row.payload));
  CredentialView view;
  CredentialRecord& record = view.record;
  record.uuid = row.position.uuid;
  record.owner = query.owner;
  record.kind = query.kind;
  record.creator = shown.creator;
  record.minted_by = shown.minted_by;
  record.name = std::move(row.position.name);
  record.slug = std::move(row.slug);
  record.creation_s = row.position.creation_s;
  record.not_before_s = shown.not_before_s;
  record.expires_s = shown.expires_s;
  record.scopes = shown.scopes;
  view.revocation = Revocation{shown.revoked_s, shown.revoked_by};
  view.metadata_size = shown.metadata_size;
  TableEntry entry;
  if (engine.memory().table().Find(shown.tag, &entry)) view.last_used_s = entry.last_used_s;
  return view;
}

// The directory of the query, after its filter and owner were checked.
Result<std::shared_ptr<const Directory>> Open(Engine& engine, const ListQuery& query) {
  LATCHKEY_TRY(CheckFilter(query.filter));
  const AuthorityState state = engine.authority().state();
  if (FindKindIn(state.host_kinds, query.kind) == nullptr) {
    return Status::Error(Code::kUnsupported, "the kind of credential has not been registered");
  }
  if (engine.memory().owners().IndexOf(query.owner) == OwnerTable::kNone) {
    return Status::Error(Code::kNotFound, "there is no such owner");
  }
  return engine.memory().directories().Get(DirectoryKey{query.owner, query.kind});
}

Result<CredentialPage> ShowAll(const Engine& engine, const ListQuery& query,
                               DirectoryPage&& found) {
  CredentialPage page;
  page.total = found.total;
  page.rows.reserve(found.rows.size());
  for (DirectoryRow& row : found.rows) {
    LATCHKEY_TRY_ASSIGN(CredentialView view, Show(engine, query, std::move(row)));
    page.rows.push_back(std::move(view));
  }
  return page;
}

}  // namespace

Result<CredentialPage> ListCredentials(Engine& engine, const ListQuery& query, uint64_t offset,
                                       size_t limit) {
  LATCHKEY_TRY_ASSIGN(const auto directory, Open(engine, query));
  return ShowAll(engine, query, directory->Page(query.filter, offset, limit));
}

Result<CredentialPage> ListCredentialsAfter(Engine& engine, const ListQuery& query,
                                            const std::optional<RowPosition>& after, size_t limit) {
  LATCHKEY_TRY_ASSIGN(const auto directory, Open(engine, query));
  return ShowAll(engine, query, directory->After(query.filter, after, limit));
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
