// Credentials: issue, show, rename, revoke, list.
#include "service/credentials.h"
#include "capi/handles.h"
#include "capi/lists.h"
#include "capi/translate.h"

namespace latchkey {
namespace {

Status TakeCreate(const latchkey_credential_create_options& in, NewCredential* wish) {
  wish->uuid = TakeUuid(in.uuid);
  wish->owner = TakeUuid(in.owner);
  wish->creator = TakeUuid(in.creator);
  wish->minted_by = TakeUuid(in.minted_by);
  LATCHKEY_TRY(TakeKind(in.kind, &wish->kind));
  if (in.has_ttl > 1) return Status::Error(Code::kInvalidArgument, "has_ttl is neither 0 nor 1");
  wish->ttl_s = in.has_ttl == 1 ? in.ttl_s : LATCHKEY_TTL_MAX_S;
  wish->not_before_s = in.not_before_s;
  wish->scopes = in.scopes;
  LATCHKEY_TRY(TakeRequiredText(in.name, in.name_size, &wish->name));
  return TakeText(in.metadata, in.metadata_size, &wish->metadata);
}

Status TakeUuidArgument(const latchkey_uuid* in, Uuid* out) {
  if (in == nullptr) return Status::Error(Code::kInvalidArgument, "the UUID is NULL");
  *out = TakeUuid(in);
  return Status::Ok();
}

Status TakeQuery(const latchkey_list_options* options, size_t capacity, const size_t* count,
                 ListArguments* list, ListQuery* query) {
  LATCHKEY_TRY(TakeList(options, capacity, count, list));
  LATCHKEY_TRY(TakeKind(list->kind, &query->kind));
  query->owner = list->owner;
  query->filter = list->filter;
  query->filter.search_slug = query->kind == kind::kUserToken;
  return Status::Ok();
}

// Member by member where the row lies: to make it and copy it costs as much as to find it.
void GiveListed(const ListQuery& query, const ListedCredential& listed,
                OutArray<latchkey_credential>::Unaligned* out) {
  const size_t name_size = std::min(listed.row.name.size(), sizeof out->name - 1);
  const size_t slug_size = std::min(listed.row.slug.size(), sizeof out->slug - 1);
  out->uuid = GiveUuid(listed.row.uuid);
  out->owner = GiveUuid(query.owner);
  out->creator = GiveUuid(listed.shown.creator);
  out->minted_by = GiveUuid(listed.shown.minted_by);
  out->revoked_by = GiveUuid(listed.shown.revoked_by);
  out->kind = query.kind;
  out->reserved = 0;
  out->creation_s = listed.row.creation_s;
  out->not_before_s = listed.shown.not_before_s;
  out->expires_s = listed.shown.expires_s;
  out->revoked_s = listed.shown.revoked_s;
  out->last_used_s = listed.last_used_s;
  out->scopes = listed.shown.scopes;
  out->metadata_size = listed.shown.metadata_size;
  out->name_size = listed.row.name.size();
  std::memcpy(out->name, listed.row.name.data(), name_size);
  std::memset(out->name + name_size, 0, sizeof out->name - name_size);
  std::memcpy(out->slug, listed.row.slug.data(), slug_size);
  std::memset(out->slug + slug_size, 0, sizeof out->slug - slug_size);
}

void GivePage(const ListQuery& query, const CredentialPage& page,
              OutArray<latchkey_credential>* out, size_t* count) {
  for (size_t i = 0; i < page.rows.size(); ++i) GiveListed(query, page.rows[i], out->Begin(i));
  *count = page.rows.size();
}

}  // namespace

extern "C" {

LATCHKEY_API latchkey_code latchkey_credential_create(
    latchkey_store* store, const latchkey_credential_create_options* options, char* secret,
    size_t secret_capacity, size_t* secret_size, latchkey_credential* out) {
  if (secret != nullptr) std::memset(secret, 0, secret_capacity);
  if (secret_size != nullptr) *secret_size = 0;
  Out<latchkey_credential> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.status());
    if (secret == nullptr || secret_capacity < LATCHKEY_NEW_SECRET_BYTES_MAX) {
      return Status::Error(Code::kInvalidArgument,
                           "the buffer for the secret is NULL or has less than 96 bytes");
    }
    latchkey_credential_create_options taken;
    LATCHKEY_TRY(TakeOptions(options, &taken));
    NewCredential wish;
    LATCHKEY_TRY(TakeCreate(taken, &wish));
    GeneratedSecret plaintext;
    LATCHKEY_TRY_ASSIGN(const CredentialView view, Issue(engine, wish, &plaintext));
    std::memcpy(secret, plaintext.Expose().data(), plaintext.size());
    if (secret_size != nullptr) *secret_size = plaintext.size();
    result.Give(GiveCredential(view));
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_credential_get(latchkey_store* store, const latchkey_uuid* uuid,
                                                   latchkey_credential* out) {
  Out<latchkey_credential> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.Required());
    Uuid id;
    LATCHKEY_TRY(TakeUuidArgument(uuid, &id));
    LATCHKEY_TRY_ASSIGN(const CredentialView view, GetCredential(engine, id));
    result.Give(GiveCredential(view));
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_credential_find(latchkey_store* store,
                                                    const latchkey_uuid* owner, uint32_t kind,
                                                    const char* id, size_t id_size,
                                                    latchkey_credential* out) {
  Out<latchkey_credential> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.Required());
    Uuid owner_id;
    LATCHKEY_TRY(TakeUuidArgument(owner, &owner_id));
    uint16_t number = 0;
    LATCHKEY_TRY(TakeKind(kind, &number));
    ByteView text;
    LATCHKEY_TRY(TakeRequiredText(id, id_size, &text));
    LATCHKEY_TRY_ASSIGN(const CredentialView view, FindCredential(engine, owner_id, number, text));
    result.Give(GiveCredential(view));
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_credential_metadata(latchkey_store* store,
                                                        const latchkey_uuid* uuid, void* buffer,
                                                        size_t capacity, size_t* size) {
  return Call(store, [&](Engine& engine) -> Status {
    if (size == nullptr || (buffer == nullptr && capacity != 0)) {
      return Status::Error(Code::kInvalidArgument, "the buffer or the size is NULL");
    }
    *size = 0;
    Uuid id;
    LATCHKEY_TRY(TakeUuidArgument(uuid, &id));
    LATCHKEY_TRY_ASSIGN(const CredentialView view, GetCredential(engine, id));
    *size = view.record.metadata.size();
    if (*size > capacity) {
      return Status::Error(Code::kInvalidArgument, "the metadata is larger than the buffer");
    }
    if (*size != 0) std::memcpy(buffer, view.record.metadata.data(), *size);
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_credential_redacted_token(latchkey_store* store,
                                                              const latchkey_uuid* uuid, char* text,
                                                              size_t capacity, size_t* size) {
  return Call(store, [&](Engine& engine) -> Status {
    if (size != nullptr) *size = 0;
    if (text == nullptr || size == nullptr || capacity < LATCHKEY_JWT_BYTES_MAX) {
      return Status::Error(Code::kInvalidArgument,
                           "size or buffer is NULL, or the buffer has less than 8192 bytes");
    }
    text[0] = '\0';
    Uuid id;
    LATCHKEY_TRY(TakeUuidArgument(uuid, &id));
    LATCHKEY_TRY_ASSIGN(const Bytes token, RedactedToken(engine, id));
    if (token.size() >= capacity) {
      return Status::Error(Code::kInvalidArgument, "the token is larger than the buffer");
    }
    std::memcpy(text, token.c_str(), token.size() + 1);
    *size = token.size();
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_credential_rename(latchkey_store* store,
                                                      const latchkey_uuid* uuid, const char* name,
                                                      size_t name_size, const latchkey_uuid* actor,
                                                      latchkey_credential* out) {
  Out<latchkey_credential> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.status());
    Uuid id;
    LATCHKEY_TRY(TakeUuidArgument(uuid, &id));
    ByteView text;
    LATCHKEY_TRY(TakeRequiredText(name, name_size, &text));
    LATCHKEY_TRY_ASSIGN(const CredentialView view, Rename(engine, TakeUuid(actor), id, text));
    result.Give(GiveCredential(view));
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_credential_revoke(latchkey_store* store,
                                                      const latchkey_uuid* uuid,
                                                      const latchkey_uuid* actor,
                                                      const char* reason, size_t reason_size,
                                                      latchkey_credential* out) {
  Out<latchkey_credential> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.status());
    Uuid id;
    LATCHKEY_TRY(TakeUuidArgument(uuid, &id));
    ByteView text;
    LATCHKEY_TRY(TakeText(reason, reason_size, &text));
    LATCHKEY_TRY_ASSIGN(const CredentialView view, Revoke(engine, TakeUuid(actor), id, text));
    result.Give(GiveCredential(view));
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_revoke_all(latchkey_store* store,
                                               const latchkey_sweep_options* options,
                                               uint64_t* covered) {
  return Call(store, [&](Engine& engine) -> Status {
    if (covered != nullptr) *covered = 0;
    latchkey_sweep_options taken;
    LATCHKEY_TRY(TakeOptions(options, &taken));
    if (taken.everything > 1) {
      return Status::Error(Code::kInvalidArgument, "`everything` is neither 0 nor 1");
    }
    SweepRecord sweep;
    sweep.owner = TakeUuid(taken.owner);
    sweep.creator = TakeUuid(taken.creator);
    sweep.minted_by = TakeUuid(taken.minted_by);
    if (taken.kind != 0) LATCHKEY_TRY(TakeKind(taken.kind, &sweep.kind));
    sweep.scopes = taken.scopes;
    sweep.issued_before_s = taken.issued_before_s;
    ByteView reason;
    LATCHKEY_TRY(TakeText(taken.reason, taken.reason_size, &reason));
    sweep.reason = reason;
    LATCHKEY_TRY_ASSIGN(const uint64_t revoked, RevokeAll(engine, TakeUuid(taken.actor),
                                                          std::move(sweep), taken.everything == 1));
    if (covered != nullptr) *covered = revoked;
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_credential_list(latchkey_store* store,
                                                    const latchkey_list_options* options,
                                                    latchkey_credential* rows, size_t capacity,
                                                    size_t* count, uint64_t* total) {
  return Call(store, [&](Engine& engine) -> Status {
    if (count != nullptr) *count = 0;
    if (total != nullptr) *total = 0;
    ListArguments list;
    ListQuery query;
    LATCHKEY_TRY(TakeQuery(options, capacity, count, &list, &query));
    OutArray<latchkey_credential> out(rows, capacity);
    LATCHKEY_TRY(out.status());
    LATCHKEY_TRY_ASSIGN(const CredentialPage page,
                        ListCredentials(engine, query, list.offset, list.limit));
    GivePage(query, page, &out, count);
    if (total != nullptr) *total = page.total;
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_credential_list_next(latchkey_store* store,
                                                         const latchkey_list_options* options,
                                                         latchkey_cursor* cursor,
                                                         latchkey_credential* rows, size_t capacity,
                                                         size_t* count) {
  return Call(store, [&](Engine& engine) -> Status {
    if (count != nullptr) *count = 0;
    ListArguments list;
    ListQuery query;
    LATCHKEY_TRY(TakeQuery(options, capacity, count, &list, &query));
    OutArray<latchkey_credential> out(rows, capacity);
    LATCHKEY_TRY(out.status());
    latchkey_cursor place;
    LATCHKEY_TRY(TakeOptions(cursor, &place));
    if (place.name_size > LATCHKEY_NAME_BYTES_MAX || place.started > 1 || place.done > 1) {
      return Status::Error(Code::kInvalidArgument, "the cursor is not one of this library's");
    }
    std::optional<RowPosition> after;
    if (place.started == 1) {
      after =
          RowPosition{Bytes(place.name, place.name_size), place.creation_s, TakeUuid(place.uuid)};
    }
    LATCHKEY_TRY_ASSIGN(const CredentialPage page,
                        ListCredentialsAfter(engine, query, after, list.limit));
    GivePage(query, page, &out, count);
    if (page.rows.empty()) {
      place.done = 1;
    } else {
      const DirectoryRowView& last = page.rows.back().row;
      place.started = 1;
      place.done = page.rows.size() < list.limit;
      place.creation_s = last.creation_s;
      place.uuid = GiveUuid(last.uuid);
      place.name_size = last.name.size();
      GiveText(last.name, place.name);
    }
    std::memcpy(cursor, &place, sizeof place);
    return Status::Ok();
  });
}

}  // extern "C"

}  // namespace latchkey
