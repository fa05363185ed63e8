#include "store.h"

#include <wire/wire.h>

namespace latchkey::cli {
namespace {

constexpr size_t kGrantsRead = 256;

void PrintLog(void*, uint32_t level, const char* text) {
  if (level <= LATCHKEY_LOG_WARNING) Complain(EscapeForTerminal(text));
}

void Require(latchkey_code code, const Context& context) {
  cli::Require(code, context.thing, context.remedies);
}

}  // namespace

Store::Store(const Globals& globals, uint32_t mode, uint32_t load, const latchkey_epoch* epoch) {
  const std::string pepper_path = globals.EffectivePepperPath();
  auto options = Sized<latchkey_open_options>();
  options.path = globals.store_path.c_str();
  options.pepper_path = pepper_path.c_str();
  options.mode = mode;
  options.load = load;
  options.epoch = epoch;
  options.log = PrintLog;
  const bool create = mode == LATCHKEY_OPEN_CREATE;
  cli::Require(
      latchkey_store_open(&options, &handle_), "store " + Quoted(globals.store_path),
      {.not_found = create ? "Make that folder first, or name another place with --store."
                           : "Run latchkey init to make one, or name the right folder with "
                             "--store or LATCHKEY_STORE.",
       .conflict = "If it is a store, use it as it is; or name another folder with --store.",
       .invalid = "Name the folder of a latchkey store with --store.",
       .busy = "Another process holds the store. If it is a host, go through it: latchkey --host "
               "http://127.0.0.1:61016 --key-file FILE ...\nOtherwise stop it, or wait, and try "
               "again."});
}

Store::~Store() {
  // Every change was on the device before its call returned; what close could still fail at has
  // been told by the log function.
  latchkey_store_close(handle_);
}

latchkey_stats Store::Stats() const {
  auto stats = Sized<latchkey_stats>();
  cli::Require(latchkey_store_stats(handle_, &stats), "stats");
  return stats;
}

Json LocalBackend::Stats() { return wire::StatsJson(store_.Stats()); }

int64_t LocalBackend::TimeS() { return store_.Stats().time_s; }

std::string LocalBackend::KindWord(uint32_t kind) const {
  const char* built_in = wire::BuiltInKindWord(kind);
  if (built_in != nullptr) return built_in;
  auto registered = Sized<latchkey_kind>();
  Require(latchkey_kind_get(store_.get(), kind, &registered),
          Context{"kind " + std::to_string(kind)});
  return registered.name;
}

Credential LocalBackend::Whole(const latchkey_credential& row) const {
  Credential credential = {row, KindWord(row.kind), ""};
  if (row.kind == LATCHKEY_KIND_USER_TOKEN) {
    credential.token.resize(LATCHKEY_JWT_BYTES_MAX);
    size_t size = 0;
    Require(latchkey_credential_redacted_token(store_.get(), &row.uuid, credential.token.data(),
                                               credential.token.size(), &size),
            Context{"user API token " + wire::FormatUuid(row.uuid)});
    credential.token.resize(size);
  }
  return credential;
}

latchkey_owner LocalBackend::FindOwner(uint32_t sort, const std::string& id) {
  auto owner = Sized<latchkey_owner>();
  Require(latchkey_owner_get(store_.get(), sort, id.data(), id.size(), &owner),
          OwnerContext(sort, id));
  return owner;
}

Page<latchkey_owner> LocalBackend::ListOwners(const latchkey_list_options& options,
                                              const Context& context) {
  Page<latchkey_owner> page = {{options.page_size, Sized<latchkey_owner>()}, 0};
  size_t count = 0;
  Require(latchkey_owner_list(store_.get(), &options, page.rows.empty() ? nullptr : &page.rows[0],
                              page.rows.size(), &count, &page.total),
          context);
  page.rows.resize(count);
  return page;
}

latchkey_owner LocalBackend::CreateOwner(const latchkey_owner_create_options& options,
                                         const Context& context) {
  auto owner = Sized<latchkey_owner>();
  Require(latchkey_owner_create(store_.get(), &options, &owner), context);
  return owner;
}

latchkey_owner LocalBackend::UpdateOwner(uint32_t sort, const std::string& id,
                                         latchkey_owner_update_options options,
                                         const Context& context) {
  options.uuid = OwnerUuid(sort, id);
  auto owner = Sized<latchkey_owner>();
  Require(latchkey_owner_update(store_.get(), &options, &owner), context);
  return owner;
}

void LocalBackend::DeleteOwner(const latchkey_owner& owner, const Context& context) {
  Require(latchkey_owner_delete(store_.get(), &owner.uuid, nullptr), context);
}

latchkey_grant LocalBackend::SetGrant(const std::string& project, const std::string& user,
                                      uint32_t role, const Context& context) {
  auto grant = Sized<latchkey_grant>();
  grant.project = OwnerUuid(LATCHKEY_OWNER_PROJECT, project);
  grant.user = OwnerUuid(LATCHKEY_OWNER_USER, user);
  grant.role = role;
  Require(latchkey_grant_set(store_.get(), &grant.project, &grant.user, role, nullptr), context);
  return grant;
}

void LocalBackend::RemoveGrant(const std::string& project, const std::string& user,
                               const Context& context) {
  const latchkey_uuid project_uuid = OwnerUuid(LATCHKEY_OWNER_PROJECT, project);
  const latchkey_uuid user_uuid = OwnerUuid(LATCHKEY_OWNER_USER, user);
  Require(latchkey_grant_remove(store_.get(), &project_uuid, &user_uuid, nullptr), context);
}

std::vector<latchkey_grant> LocalBackend::ListGrants(const std::string& project,
                                                     const Context& context) {
  const latchkey_uuid uuid = OwnerUuid(LATCHKEY_OWNER_PROJECT, project);
  std::vector<latchkey_grant> grants;
  for (size_t count = kGrantsRead; count == kGrantsRead;) {
    std::vector<latchkey_grant> rows(kGrantsRead, Sized<latchkey_grant>());
    const latchkey_uuid* after = grants.empty() ? nullptr : &grants.back().user;
    uint64_t total = 0;
    Require(
        latchkey_grant_list(store_.get(), &uuid, after, rows.data(), rows.size(), &count, &total),
        context);
    grants.insert(grants.end(), rows.begin(), rows.begin() + static_cast<ptrdiff_t>(count));
  }
  return grants;
}

Page<Credential> LocalBackend::ListCredentials(const Noun& noun, const std::string& owner,
                                               latchkey_list_options options,
                                               const Context& context) {
  options.owner = OwnerUuid(noun.owner_sort, owner);
  options.kind = noun.kind;
  std::vector<latchkey_credential> rows(options.page_size, Sized<latchkey_credential>());
  size_t count = 0;
  Page<Credential> page;
  Require(latchkey_credential_list(store_.get(), &options, rows.empty() ? nullptr : rows.data(),
                                   rows.size(), &count, &page.total),
          context);
  rows.resize(count);
  for (const latchkey_credential& row : rows) page.rows.push_back(Whole(row));
  return page;
}

Credential LocalBackend::FindCredential(const Noun& noun, const std::string& owner,
                                        const std::string& id, const Context& context) {
  const latchkey_uuid uuid = OwnerUuid(noun.owner_sort, owner);
  auto row = Sized<latchkey_credential>();
  Require(latchkey_credential_find(store_.get(), &uuid, noun.kind, id.data(), id.size(), &row),
          context);
  return Whole(row);
}

Credential LocalBackend::CreateCredential(const Noun& noun, const std::string& owner,
                                          latchkey_credential_create_options options,
                                          SecretText* secret, const Context& context) {
  options.owner = OwnerUuid(noun.owner_sort, owner);
  options.kind = noun.kind;
  secret->assign(LATCHKEY_NEW_SECRET_BYTES_MAX, '\0');
  size_t size = 0;
  auto row = Sized<latchkey_credential>();
  Require(latchkey_credential_create(store_.get(), &options, secret->data(), secret->size(), &size,
                                     &row),
          context);
  secret->resize(size);
  return Whole(row);
}

Credential LocalBackend::RenameCredential(const Noun&, const Credential& credential,
                                          std::string_view name, const Context& context) {
  auto row = Sized<latchkey_credential>();
  Require(latchkey_credential_rename(store_.get(), &credential.row.uuid, name.data(), name.size(),
                                     nullptr, &row),
          context);
  return Whole(row);
}

void LocalBackend::RevokeCredential(const Noun&, const Credential& credential,
                                    const Context& context) {
  Require(
      latchkey_credential_revoke(store_.get(), &credential.row.uuid, nullptr, nullptr, 0, nullptr),
      context);
}

Verdict LocalBackend::Verify(const latchkey_bytes& secret, const latchkey_verify_options& options) {
  auto out = Sized<latchkey_verdict>();
  const latchkey_code code =
      latchkey_verify(store_.get(), secret.data, secret.size, &options, &out);
  if (code != LATCHKEY_DENIED) Require(code, Context{"the secret"});
  return {code == LATCHKEY_OK, latchkey_reason_text(out.reason),
          out.kind == 0 ? "" : KindWord(out.kind), out.uuid, out.owner};
}

Credential LocalBackend::Identify(const uint8_t digest[32], const Context& context) {
  auto row = Sized<latchkey_credential>();
  Require(latchkey_identify_sha256(store_.get(), digest, &row), context);
  return Whole(row);
}

}  // namespace latchkey::cli
