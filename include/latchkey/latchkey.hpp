/* latchkey for C++17: a thin, header-only cover of latchkey.h, which stays the reference for what
 * each call means, costs and may return.
 *
 *   latchkey::Store store = latchkey::Store::open("keys", LATCHKEY_OPEN_OR_CREATE);
 *   const latchkey_owner user = store.create_owner({LATCHKEY_OWNER_USER, "Muriel Bagge"});
 *   const auto issued = store.create_credential({user.uuid, LATCHKEY_KIND_USER_KEY, "laptop"});
 *   give_to_the_user(issued.secret.reveal());             // the only time it can be read
 *   if (store.verify(presented)) serve();                 // never throws; false fails closed
 *
 * What differs from C:
 *  - a call that fails throws latchkey::Error; verify() and check_session() never throw, and answer
 *    with a Verdict that is true only when the credential is allowed;
 *  - text is std::string_view; where "none" differs from "empty" it is std::optional;
 *  - results are the structs of latchkey.h; name_of() reads a name that may hold U+0000;
 *  - what callbacks of yours throw is carried over the C boundary and thrown again on this side.
 *
 * A Store may be used from any thread, but not moved or destroyed while another thread uses it. */
#ifndef LATCHKEY_LATCHKEY_HPP_
#define LATCHKEY_LATCHKEY_HPP_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "latchkey/latchkey.h"
#include "latchkey/values.hpp"

namespace latchkey {

class Store {
 public:
  /* The plain case: the system's clock, no log. `pepper_path` empty = path + ".pepper". */
  static Store open(const std::string& path, std::uint32_t mode = LATCHKEY_OPEN_EXISTING,
                    const std::string& pepper_path = {}) {
    auto options = sized<latchkey_open_options>();
    options.path = path.c_str();
    options.pepper_path = pepper_path.empty() ? nullptr : pepper_path.c_str();
    options.mode = mode;
    return open(options);
  }
  static Store create(const std::string& path, const std::string& pepper_path = {}) {
    return open(path, LATCHKEY_OPEN_CREATE, pepper_path);
  }
  static Store open(const latchkey_open_options& options) {
    Store out;
    throw_if_failed(latchkey_store_open(&options, &out.store_));
    return out;
  }

  /* Waits up to a second for calls of other threads. Should one still run then, the handle is left
   * open: freeing it under that call would be worse. */
  ~Store() { drop(); }
  Store(Store&& other) noexcept : store_(std::exchange(other.store_, nullptr)) {}
  Store& operator=(Store&& other) noexcept {
    if (this != &other) {
      drop();
      store_ = std::exchange(other.store_, nullptr);
    }
    return *this;
  }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /* Throws Error(BUSY) while a call runs; the store then stays open. */
  void close() {
    throw_if_failed(latchkey_store_close(store_));
    store_ = nullptr;
  }
  /* For calls that this header does not cover. */
  latchkey_store* handle() const noexcept { return store_; }

  latchkey_stats stats() const { return read<latchkey_stats>(latchkey_store_stats); }
  void accept_clock() { throw_if_failed(latchkey_store_accept_clock(store_)); }

  struct Finding {
    const char* what; /* static memory */
    Uuid key;
  };
  /* Empty when nothing is wrong. */
  std::vector<Finding> check() const {
    struct Context {
      std::vector<Finding> findings;
      std::exception_ptr thrown;
    } context;
    const auto found = [](void* pointer, const char* what, const latchkey_uuid* key) {
      auto* into = static_cast<Context*>(pointer);
      try {
        into->findings.push_back({what, *key});
      } catch (...) {
        into->thrown = std::current_exception();
      }
    };
    const latchkey_code code = latchkey_store_check(store_, found, &context);
    if (context.thrown) std::rethrow_exception(context.thrown);
    if (context.findings.empty()) throw_if_failed(code);
    return std::move(context.findings);
  }

  Epoch epoch() const { return read<Epoch>(latchkey_store_epoch); }

  /* `progress` hears of the bytes copied so far; when it says false the backup is stopped:
   * Error(BUSY). What it throws stops the backup too, and is thrown again here. */
  using BackupProgress = std::function<bool(std::uint64_t bytes)>;
  Backup back_up(const std::string& path, std::uint32_t keep = 0,
                 const BackupProgress& progress = nullptr) const {
    BackupContext context{&progress, nullptr};
    auto options = sized<latchkey_backup_options>();
    options.path = path.c_str();
    options.keep = keep;
    options.progress = progress ? backup_progress : nullptr;
    options.context = &context;
    auto out = sized<Backup>();
    const latchkey_code code = latchkey_store_backup(store_, &options, &out);
    if (context.thrown) std::rethrow_exception(context.thrown);
    throw_if_failed(code);
    return out;
  }
  /* Oldest first. */
  static std::vector<Backup> list_backups(const std::string& path) {
    std::vector<Backup> out;
    std::size_t count = 0;
    do { /* again if one was made in between */
      out.assign(count, sized<Backup>());
      throw_if_failed(latchkey_backup_list(path.c_str(), out.empty() ? nullptr : out.data(),
                                           out.size(), &count));
    } while (count > out.size());
    out.resize(count);
    return out;
  }
  /* Error(CORRUPTION) when it is damaged; `number` 0 = the newest. */
  static void verify_backup(const std::string& path, std::uint32_t number = 0) {
    throw_if_failed(latchkey_backup_verify(path.c_str(), number));
  }
  /* From options built with sized<latchkey_restore_options>(). The store is then to be opened. */
  static latchkey_restore_report restore(const latchkey_restore_options& options) {
    auto out = sized<latchkey_restore_report>();
    throw_if_failed(latchkey_restore(&options, &out));
    return out;
  }

  struct Repaired {
    latchkey_repair_report report;
    std::vector<Finding> findings; /* each says also what was, or would be, done about it */
  };
  /* Of a store that nobody has open. Where the history is lost, and that was not accepted, it
   * throws nothing: report.needs_accept is 1, and nothing was written. */
  static Repaired repair(const std::string& path, bool dry_run = false,
                         bool accept_broken_events = false, const std::string& pepper_path = {}) {
    struct Context {
      Repaired repaired;
      std::exception_ptr thrown;
    } context;
    auto options = sized<latchkey_repair_options>();
    options.path = path.c_str();
    options.pepper_path = pepper_path.empty() ? nullptr : pepper_path.c_str();
    options.dry_run = dry_run ? 1 : 0;
    options.accept_broken_events = accept_broken_events ? 1 : 0;
    options.context = &context;
    options.found = [](void* pointer, const char* what, const latchkey_uuid* key) {
      auto* into = static_cast<Context*>(pointer);
      try {
        into->repaired.findings.push_back({what, *key});
      } catch (...) {
        into->thrown = std::current_exception();
      }
    };
    context.repaired.report = sized<latchkey_repair_report>();
    const latchkey_code code = latchkey_repair(&options, &context.repaired.report);
    if (context.thrown) std::rethrow_exception(context.thrown);
    if (context.repaired.report.needs_accept == 0) throw_if_failed(code);
    return std::move(context.repaired);
  }

  void register_kind(const latchkey_kind& kind) {
    throw_if_failed(latchkey_kind_register(store_, &kind));
  }
  latchkey_kind get_kind(std::uint32_t kind) const {
    return read<latchkey_kind>(latchkey_kind_get, kind);
  }

  Owner create_owner(const NewOwner& wanted) {
    auto options = sized<latchkey_owner_create_options>();
    options.sort = wanted.sort;
    options.admin = wanted.admin;
    options.visibility = wanted.visibility;
    options.uuid = wanted.uuid;
    options.actor = wanted.actor;
    detail::put(wanted.name, &options.name, &options.name_size);
    detail::put(wanted.slug, &options.slug, &options.slug_size);
    detail::put(wanted.email, &options.email, &options.email_size);
    return read<Owner>(latchkey_owner_create, &options);
  }
  /* `id`: UUID, slug or, for users, e-mail. */
  Owner get_owner(std::uint32_t sort, std::string_view id) const {
    return read<Owner>(latchkey_owner_get, sort, id.data(), id.size());
  }
  Owner update_owner(const Uuid& uuid, const OwnerChange& change) {
    auto options = sized<latchkey_owner_update_options>();
    options.uuid = uuid;
    options.actor = change.actor;
    options.set = (change.name ? LATCHKEY_OWNER_SET_NAME : 0u) |
                  (change.slug ? LATCHKEY_OWNER_SET_SLUG : 0u) |
                  (change.email || change.remove_email ? LATCHKEY_OWNER_SET_EMAIL : 0u) |
                  (change.admin ? LATCHKEY_OWNER_SET_ADMIN : 0u) |
                  (change.locked ? LATCHKEY_OWNER_SET_LOCKED : 0u) |
                  (change.visibility ? LATCHKEY_OWNER_SET_VISIBILITY : 0u);
    options.admin = change.admin.value_or(false);
    options.locked = change.locked.value_or(false);
    options.visibility = change.visibility.value_or(0);
    detail::put(change.name, &options.name, &options.name_size);
    detail::put(change.slug, &options.slug, &options.slug_size);
    if (!change.remove_email) detail::put(change.email, &options.email, &options.email_size);
    return read<Owner>(latchkey_owner_update, &options);
  }
  void delete_owner(const Uuid& uuid, const Uuid& actor = {}) {
    throw_if_failed(latchkey_owner_delete(store_, &uuid, detail::or_null(actor)));
  }
  Page<Owner> list_owners(const ListQuery& query) const {
    return list<Owner>(latchkey_owner_list, query);
  }

  void set_grant(const Uuid& project, const Uuid& user, std::uint32_t role,
                 const Uuid& actor = {}) {
    throw_if_failed(latchkey_grant_set(store_, &project, &user, role, detail::or_null(actor)));
  }
  void remove_grant(const Uuid& project, const Uuid& user, const Uuid& actor = {}) {
    throw_if_failed(latchkey_grant_remove(store_, &project, &user, detail::or_null(actor)));
  }
  /* The first `count_max` grants after the user `after`, and how many there are in all. */
  Page<Grant> list_grants(const Uuid& project, std::size_t count_max = 1000,
                          const Uuid& after = {}) const {
    Page<Grant> out;
    out.rows.assign(count_max, sized<Grant>());
    std::size_t count = 0;
    throw_if_failed(latchkey_grant_list(store_, &project, detail::or_null(after), out.rows.data(),
                                        count_max, &count, &out.total));
    out.rows.resize(count);
    return out;
  }
  /* False when the role does not allow it; throws for everything else. */
  bool authorize(const Uuid& user, const Uuid& project, std::uint32_t role) const {
    const latchkey_code code = latchkey_authorize(store_, &user, &project, role);
    if (code != LATCHKEY_FORBIDDEN) throw_if_failed(code);
    return code == LATCHKEY_OK;
  }

  /* Keep `secret` no longer than it takes to hand it over: it wipes itself when it goes. */
  Issued create_credential(const NewCredential& wanted) {
    auto options = sized<latchkey_credential_create_options>();
    options.uuid = wanted.uuid;
    options.owner = wanted.owner;
    options.creator = wanted.creator;
    options.minted_by = wanted.minted_by;
    options.kind = wanted.kind;
    options.has_ttl = wanted.ttl_s.has_value();
    options.ttl_s = wanted.ttl_s.value_or(0);
    options.not_before_s = wanted.not_before_s;
    options.scopes = wanted.scopes;
    detail::put(wanted.name, &options.name, &options.name_size);
    options.metadata = wanted.metadata.data();
    options.metadata_size = wanted.metadata.size();
    Issued out{Secret(), sized<Credential>()};
    throw_if_failed(latchkey_credential_create(store_, &options, out.secret.bytes_,
                                               sizeof out.secret.bytes_, &out.secret.size_,
                                               &out.credential));
    return out;
  }
  Credential get_credential(const Uuid& uuid) const {
    return read<Credential>(latchkey_credential_get, &uuid);
  }
  /* `id`: UUID or slug, among the credentials of one owner and kind. */
  Credential find_credential(const Uuid& owner, std::uint32_t kind, std::string_view id) const {
    return read<Credential>(latchkey_credential_find, &owner, kind, id.data(), id.size());
  }
  std::string metadata(const Uuid& uuid) const {
    std::string out(LATCHKEY_METADATA_BYTES_MAX, '\0');
    std::size_t size = 0;
    throw_if_failed(latchkey_credential_metadata(store_, &uuid, out.data(), out.size(), &size));
    out.resize(size);
    return out;
  }
  /* header.payload.REDACTED of a legacy token. */
  std::string redacted_token(const Uuid& uuid) const {
    std::string out(LATCHKEY_JWT_BYTES_MAX, '\0');
    std::size_t size = 0;
    throw_if_failed(
        latchkey_credential_redacted_token(store_, &uuid, out.data(), out.size(), &size));
    out.resize(size);
    return out;
  }
  Credential rename_credential(const Uuid& uuid, std::string_view name, const Uuid& actor = {}) {
    return read<Credential>(latchkey_credential_rename, &uuid, name.data(), name.size(),
                            detail::or_null(actor));
  }
  /* For good, and in force when this returns. */
  Credential revoke(const Uuid& uuid, std::string_view reason = {}, const Uuid& actor = {}) {
    return read<Credential>(latchkey_credential_revoke, &uuid, detail::or_null(actor),
                            reason.data(), reason.size());
  }
  /* A mass revocation, built with sized<latchkey_sweep_options>(): how many it revoked. */
  std::uint64_t revoke_all(const latchkey_sweep_options& options) {
    std::uint64_t covered = 0;
    throw_if_failed(latchkey_revoke_all(store_, &options, &covered));
    return covered;
  }
  Page<Credential> list_credentials(const ListQuery& query) const {
    return list<Credential>(latchkey_credential_list, query);
  }
  CredentialRange credentials(const ListQuery& query) const {
    return CredentialRange(store_, query);
  }

  /* Never throws: a Verdict is false when the secret is refused and when it could not be judged. */
  Verdict verify(std::string_view secret, std::uint64_t required_scopes = 0) const noexcept {
    auto options = sized<latchkey_verify_options>();
    options.required_scopes = required_scopes;
    return verify(secret, options);
  }
  Verdict verify(std::string_view secret, const latchkey_verify_options& options) const noexcept {
    Verdict out;
    out.detail.struct_size = sizeof out.detail;
    out.code = latchkey_verify(store_, secret.data(), secret.size(), &options, &out.detail);
    return out;
  }
  std::vector<Verdict> verify_batch(const std::vector<std::string_view>& secrets,
                                    std::uint64_t required_scopes = 0) const {
    auto options = sized<latchkey_verify_options>();
    options.required_scopes = required_scopes;
    std::vector<latchkey_bytes> bytes;
    for (const std::string_view secret : secrets) bytes.push_back({secret.data(), secret.size()});
    std::vector<latchkey_code> codes(bytes.size(), LATCHKEY_INTERNAL);
    std::vector<latchkey_verdict> verdicts(bytes.size(), sized<latchkey_verdict>());
    throw_if_failed(latchkey_verify_batch(store_, bytes.data(), bytes.size(), &options,
                                          codes.data(), verdicts.data()));
    std::vector<Verdict> out(bytes.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = {codes[i], verdicts[i]};
    return out;
  }
  /* Whose is it, whatever its state? Error(NOT_FOUND) when nobody's. */
  Credential identify_secret(std::string_view secret) const {
    return read<Credential>(latchkey_identify_secret, secret.data(), secret.size());
  }
  Credential identify_sha256(const std::uint8_t (&digest)[32]) const {
    return read<Credential>(latchkey_identify_sha256, digest);
  }

  /* A client JWT; `now_s` 0 = the system's clock. Needs no store. */
  static std::string issue_session(const latchkey_jwt_key& key, std::string_view subject,
                                   std::int64_t ttl_s, std::int64_t now_s = 0) {
    auto options = sized<latchkey_session_options>();
    detail::put(subject, &options.subject, &options.subject_size);
    options.ttl_s = ttl_s;
    options.now_s = now_s;
    std::string out(LATCHKEY_JWT_BYTES_MAX, '\0');
    std::size_t size = 0;
    throw_if_failed(latchkey_session_issue(&options, &key, out.data(), out.size(), &size, nullptr));
    out.resize(size);
    return out;
  }
  Verdict check_session(std::string_view jwt, const latchkey_jwt_key& key,
                        std::int64_t at_s = 0) const noexcept {
    Verdict out;
    out.detail.struct_size = sizeof out.detail;
    out.code = latchkey_session_check(store_, jwt.data(), jwt.size(), &key, at_s, &out.detail);
    return out;
  }

  /* `read_some` fills a buffer and says how many bytes, 0 at the end; `refused` hears of each line
   * that was not taken. What either throws ends the import and is thrown again here. */
  using ReadSome = std::function<std::size_t(char* buffer, std::size_t capacity)>;
  using Refused = std::function<void(std::uint64_t line, latchkey_code code, const char* text)>;
  latchkey_import_report import_ndjson(const ReadSome& read_some, const Refused& refused = nullptr,
                                       bool dry_run = false) {
    ImportContext context{&read_some, &refused, nullptr};
    auto options = sized<latchkey_import_options>();
    options.read = import_read;
    options.refused = import_refused;
    options.context = &context;
    options.dry_run = dry_run;
    auto report = sized<latchkey_import_report>();
    const latchkey_code code = latchkey_import(store_, &options, &report);
    if (context.thrown) std::rethrow_exception(context.thrown);
    throw_if_failed(code);
    return report;
  }

 private:
  struct ImportContext {
    const ReadSome* read_some;
    const Refused* refused;
    std::exception_ptr thrown;
  };

  struct BackupContext {
    const BackupProgress* progress;
    std::exception_ptr thrown;
  };

  Store() = default;

  void drop() noexcept {
    for (int wait = 0; store_ != nullptr && wait < 1000; ++wait) {
      if (latchkey_store_close(store_) != LATCHKEY_BUSY) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    store_ = nullptr;
  }

  template <typename Out, typename Function, typename... Arguments>
  Out read(Function function, Arguments... arguments) const {
    auto out = sized<Out>();
    throw_if_failed(function(store_, arguments..., &out));
    return out;
  }
  template <typename Row, typename Function>
  Page<Row> list(Function function, const ListQuery& query) const {
    const latchkey_list_options options = detail::list_options(query);
    Page<Row> out;
    out.rows.assign(query.page_size, sized<Row>());
    std::size_t count = 0;
    throw_if_failed(
        function(store_, &options, out.rows.data(), out.rows.size(), &count, &out.total));
    out.rows.resize(count);
    return out;
  }

  static int backup_progress(void* pointer, std::uint64_t bytes) noexcept {
    auto* context = static_cast<BackupContext*>(pointer);
    if (context->thrown) return 1;
    try {
      return (*context->progress)(bytes) ? 0 : 1;
    } catch (...) {
      context->thrown = std::current_exception();
      return 1;
    }
  }
  static std::size_t import_read(void* pointer, char* buffer, std::size_t capacity) noexcept {
    auto* context = static_cast<ImportContext*>(pointer);
    if (context->thrown) return SIZE_MAX;
    try {
      return (*context->read_some)(buffer, capacity);
    } catch (...) {
      context->thrown = std::current_exception();
      return SIZE_MAX;
    }
  }
  static void import_refused(void* pointer, std::uint64_t line, latchkey_code code,
                             const char* text) noexcept {
    auto* context = static_cast<ImportContext*>(pointer);
    if (context->thrown || !*context->refused) return;
    try {
      (*context->refused)(line, code, text);
    } catch (...) {
      context->thrown = std::current_exception();
    }
  }

  latchkey_store* store_ = nullptr;
};

} /* namespace latchkey */

#endif /* LATCHKEY_LATCHKEY_HPP_ */
