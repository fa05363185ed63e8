// Owners and grants.
#include "service/owners.h"
#include "capi/handles.h"
#include "capi/lists.h"
#include "capi/translate.h"

namespace latchkey {
namespace {

Status CheckFlag(uint32_t flag) {
  return flag <= 1 ? Status::Ok()
                   : Status::Error(Code::kInvalidArgument, "a flag is neither 0 nor 1");
}

Status TakeRole(uint32_t role, Role* out) {
  if (role < LATCHKEY_ROLE_VIEWER || role > LATCHKEY_ROLE_MAINTAINER) {
    return Status::Error(Code::kInvalidArgument, "a role is viewer, developer or maintainer");
  }
  *out = static_cast<Role>(role);
  return Status::Ok();
}

Status CheckNotNull(const void* pointer) {
  return pointer != nullptr ? Status::Ok()
                            : Status::Error(Code::kInvalidArgument, "a UUID is NULL");
}

Status TakeUpdate(const latchkey_owner_update_options& in, UpdateOwner* wish) {
  constexpr uint32_t kAll = LATCHKEY_OWNER_SET_NAME | LATCHKEY_OWNER_SET_SLUG |
                            LATCHKEY_OWNER_SET_EMAIL | LATCHKEY_OWNER_SET_ADMIN |
                            LATCHKEY_OWNER_SET_LOCKED | LATCHKEY_OWNER_SET_VISIBILITY;
  if ((in.set & ~kAll) != 0) {
    return Status::Error(Code::kInvalidArgument, "`set` asks for something that there is not");
  }
  LATCHKEY_TRY(CheckFlag(in.admin));
  LATCHKEY_TRY(CheckFlag(in.locked));
  LATCHKEY_TRY(CheckFlag(in.visibility));
  wish->uuid = TakeUuid(in.uuid);
  ByteView text;
  if ((in.set & LATCHKEY_OWNER_SET_NAME) != 0) {
    LATCHKEY_TRY(TakeRequiredText(in.name, in.name_size, &text));
    wish->name = text;
  }
  if ((in.set & LATCHKEY_OWNER_SET_SLUG) != 0) {
    LATCHKEY_TRY(TakeRequiredText(in.slug, in.slug_size, &text));
    wish->slug = text;
  }
  if ((in.set & LATCHKEY_OWNER_SET_EMAIL) != 0) {
    LATCHKEY_TRY(TakeText(in.email, in.email_size, &text));
    wish->email = text;
  }
  if ((in.set & LATCHKEY_OWNER_SET_ADMIN) != 0) wish->admin = in.admin == 1;
  if ((in.set & LATCHKEY_OWNER_SET_LOCKED) != 0) wish->locked = in.locked == 1;
  if ((in.set & LATCHKEY_OWNER_SET_VISIBILITY) != 0) {
    wish->is_private = in.visibility == LATCHKEY_VISIBILITY_PRIVATE;
  }
  return Status::Ok();
}

}  // namespace

extern "C" {

LATCHKEY_API latchkey_code latchkey_owner_create(latchkey_store* store,
                                                 const latchkey_owner_create_options* options,
                                                 latchkey_owner* out) {
  Out<latchkey_owner> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.status());
    latchkey_owner_create_options taken;
    LATCHKEY_TRY(TakeOptions(options, &taken));
    LATCHKEY_TRY(CheckFlag(taken.admin));
    LATCHKEY_TRY(CheckFlag(taken.visibility));
    LATCHKEY_TRY(CheckFlag(taken.reserved));
    NewOwner wish;
    LATCHKEY_TRY(TakeSort(taken.sort, &wish.sort));
    wish.uuid = TakeUuid(taken.uuid);
    wish.admin = taken.admin == 1;
    wish.is_private = taken.visibility == LATCHKEY_VISIBILITY_PRIVATE;
    LATCHKEY_TRY(TakeRequiredText(taken.name, taken.name_size, &wish.name));
    LATCHKEY_TRY(TakeOptionalText(taken.slug, taken.slug_size, &wish.slug));
    LATCHKEY_TRY(TakeText(taken.email, taken.email_size, &wish.email));
    LATCHKEY_TRY_ASSIGN(const OwnerRecord owner,
                        CreateOwnerNow(engine, TakeUuid(taken.actor), wish));
    result.Give(GiveOwner(owner));
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_owner_get(latchkey_store* store, uint32_t sort, const char* id,
                                              size_t id_size, latchkey_owner* out) {
  Out<latchkey_owner> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.Required());
    OwnerSort owner_sort;
    LATCHKEY_TRY(TakeSort(sort, &owner_sort));
    ByteView text;
    LATCHKEY_TRY(TakeRequiredText(id, id_size, &text));
    LATCHKEY_TRY_ASSIGN(const auto owner, FindOwner(engine, owner_sort, text));
    result.Give(GiveOwner(*owner));
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_owner_update(latchkey_store* store,
                                                 const latchkey_owner_update_options* options,
                                                 latchkey_owner* out) {
  Out<latchkey_owner> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.status());
    latchkey_owner_update_options taken;
    LATCHKEY_TRY(TakeOptions(options, &taken));
    UpdateOwner wish;
    LATCHKEY_TRY(TakeUpdate(taken, &wish));
    LATCHKEY_TRY_ASSIGN(const OwnerRecord owner,
                        UpdateOwnerNow(engine, TakeUuid(taken.actor), std::move(wish)));
    result.Give(GiveOwner(owner));
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_owner_delete(latchkey_store* store, const latchkey_uuid* uuid,
                                                 const latchkey_uuid* actor) {
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(CheckNotNull(uuid));
    return DeleteOwnerNow(engine, TakeUuid(actor), TakeUuid(uuid));
  });
}

LATCHKEY_API latchkey_code latchkey_owner_list(latchkey_store* store,
                                               const latchkey_list_options* options,
                                               latchkey_owner* rows, size_t capacity, size_t* count,
                                               uint64_t* total) {
  return Call(store, [&](Engine& engine) -> Status {
    if (count != nullptr) *count = 0;
    if (total != nullptr) *total = 0;
    ListArguments list;
    LATCHKEY_TRY(TakeList(options, capacity, count, &list));
    OutArray<latchkey_owner> out(rows, capacity);
    LATCHKEY_TRY(out.status());
    OwnerSort sort;
    LATCHKEY_TRY(TakeSort(list.kind, &sort));
    list.filter.search_slug = true;
    LATCHKEY_TRY_ASSIGN(const OwnerPage page,
                        ListOwners(engine, sort, list.filter, list.offset, list.limit));
    for (size_t i = 0; i < page.rows.size(); ++i) out.Give(i, GiveOwner(page.rows[i]));
    *count = page.rows.size();
    if (total != nullptr) *total = page.total;
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_grant_set(latchkey_store* store, const latchkey_uuid* project,
                                              const latchkey_uuid* user, uint32_t role,
                                              const latchkey_uuid* actor) {
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(CheckNotNull(project));
    LATCHKEY_TRY(CheckNotNull(user));
    SetGrant wish;
    wish.project = TakeUuid(project);
    wish.user = TakeUuid(user);
    LATCHKEY_TRY(TakeRole(role, &wish.role));
    return SetGrantNow(engine, TakeUuid(actor), wish);
  });
}

LATCHKEY_API latchkey_code latchkey_grant_remove(latchkey_store* store,
                                                 const latchkey_uuid* project,
                                                 const latchkey_uuid* user,
                                                 const latchkey_uuid* actor) {
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(CheckNotNull(project));
    LATCHKEY_TRY(CheckNotNull(user));
    return RemoveGrantNow(engine, TakeUuid(actor), {TakeUuid(project), TakeUuid(user)});
  });
}

LATCHKEY_API latchkey_code latchkey_grant_list(latchkey_store* store, const latchkey_uuid* project,
                                               const latchkey_uuid* after, latchkey_grant* rows,
                                               size_t capacity, size_t* count, uint64_t* total) {
  return Call(store, [&](Engine& engine) -> Status {
    if (total != nullptr) *total = 0;
    if (count == nullptr) return Status::Error(Code::kInvalidArgument, "the count is NULL");
    *count = 0;
    LATCHKEY_TRY(CheckNotNull(project));
    OutArray<latchkey_grant> out(rows, capacity);
    LATCHKEY_TRY(out.status());
    std::optional<Uuid> from;
    if (after != nullptr) from = TakeUuid(after);
    LATCHKEY_TRY_ASSIGN(const GrantPage page,
                        ListGrants(engine, TakeUuid(project), from, capacity));
    for (size_t i = 0; i < page.rows.size(); ++i) {
      latchkey_grant grant{};
      grant.project = *project;
      grant.user = GiveUuid(page.rows[i].user);
      grant.role = static_cast<uint32_t>(page.rows[i].role);
      out.Give(i, grant);
    }
    *count = page.rows.size();
    if (total != nullptr) *total = page.total;
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_authorize(latchkey_store* store, const latchkey_uuid* user,
                                              const latchkey_uuid* project, uint32_t role) {
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(CheckNotNull(user));
    LATCHKEY_TRY(CheckNotNull(project));
    Role wanted;
    LATCHKEY_TRY(TakeRole(role, &wanted));
    return Authorize(engine, TakeUuid(user), TakeUuid(project), wanted);
  });
}

}  // extern "C"

}  // namespace latchkey
