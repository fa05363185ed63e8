/* NULL for every pointer of every function in turn, and for every pointer inside their options: a
 * code, never a crash; and where the header says that NULL will do, it does. */
#include "support/check.h"

#define REFUSED(call) CHECK_CODE(LATCHKEY_INVALID_ARGUMENT, (call))
#define FINE(call) CHECK_CODE(LATCHKEY_OK, (call))

#define SIZED(type, name)        \
  type name;                     \
  memset(&name, 0, sizeof name); \
  name.struct_size = sizeof name

static latchkey_store* store;
static latchkey_uuid user;
static latchkey_uuid project;
static latchkey_uuid key;
static char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];

static size_t read_nothing(void* context, char* buffer, size_t capacity) {
  (void)context;
  (void)buffer;
  (void)capacity;
  return 0;
}

static void check_store_calls(const char* folder) {
  char path[TEST_PATH_SIZE];
  latchkey_store* opened = NULL;
  latchkey_uuid uuid;
  latchkey_open_options options = test_open_options(folder, path, LATCHKEY_OPEN_EXISTING);
  SIZED(latchkey_stats, stats);
  REFUSED(latchkey_name_check(NULL, 4));
  REFUSED(latchkey_name_check(NULL, 0));
  REFUSED(latchkey_slug_check(NULL, 4));
  REFUSED(latchkey_uuid_parse(NULL, 36, &uuid));
  REFUSED(latchkey_uuid_parse(NULL, 0, &uuid));
  REFUSED(latchkey_uuid_parse(TEXT("01890000-0000-7000-8000-000000000000"), NULL));
  REFUSED(latchkey_store_open(NULL, &opened));
  REFUSED(latchkey_store_open(&options, NULL));
  options.path = NULL;
  REFUSED(latchkey_store_open(&options, &opened));
  CHECK(opened == NULL);
  FINE(latchkey_store_close(NULL));
  REFUSED(latchkey_store_stats(NULL, &stats));
  REFUSED(latchkey_store_stats(store, NULL));
  REFUSED(latchkey_store_accept_clock(NULL));
  REFUSED(latchkey_store_check(NULL, NULL, NULL));
  FINE(latchkey_store_check(store, NULL, NULL));
}

static void check_repair_calls(const char* folder) {
  char path[TEST_PATH_SIZE];
  SIZED(latchkey_check_options, check);
  SIZED(latchkey_check_report, checked);
  SIZED(latchkey_repair_options, repair);
  SIZED(latchkey_repair_report, repaired);
  REFUSED(latchkey_store_check_report(NULL, &check, &checked));
  REFUSED(latchkey_store_check_report(store, NULL, &checked));
  FINE(latchkey_store_check_report(store, &check, &checked));
  FINE(latchkey_store_check_report(store, &check, NULL));
  REFUSED(latchkey_repair(NULL, &repaired));
  REFUSED(latchkey_repair(&repair, &repaired)); /* no path */
  test_open_options(folder, path, LATCHKEY_OPEN_EXISTING);
  repair.path = path;
  CHECK_CODE(LATCHKEY_BUSY, latchkey_repair(&repair, NULL)); /* it is open */
}

static void check_kind_calls(void) {
  SIZED(latchkey_kind, kind);
  REFUSED(latchkey_kind_register(NULL, &kind));
  REFUSED(latchkey_kind_register(store, NULL));
  REFUSED(latchkey_kind_get(NULL, LATCHKEY_KIND_USER_KEY, &kind));
  REFUSED(latchkey_kind_get(store, LATCHKEY_KIND_USER_KEY, NULL));
}

static void check_owner_calls(void) {
  SIZED(latchkey_owner, owner);
  SIZED(latchkey_owner_create_options, create);
  SIZED(latchkey_owner_update_options, update);
  SIZED(latchkey_list_options, list);
  size_t count = 0;
  uint64_t total = 0;
  create.sort = LATCHKEY_OWNER_USER;
  create.name_size = 5;
  REFUSED(latchkey_owner_create(store, &create, &owner));
  create.name_size = 0;
  REFUSED(latchkey_owner_create(store, &create, &owner));
  create.name = "Muriel";
  create.name_size = 6;
  create.slug_size = 3;
  REFUSED(latchkey_owner_create(store, &create, &owner));
  create.slug_size = 0;
  create.email_size = 3;
  REFUSED(latchkey_owner_create(store, &create, &owner));
  create.email_size = 0;
  REFUSED(latchkey_owner_create(NULL, &create, &owner));
  REFUSED(latchkey_owner_create(store, NULL, &owner));
  FINE(latchkey_owner_create(store, &create, NULL));

  REFUSED(latchkey_owner_get(NULL, LATCHKEY_OWNER_USER, TEXT("courage"), &owner));
  REFUSED(latchkey_owner_get(store, LATCHKEY_OWNER_USER, NULL, 7, &owner));
  REFUSED(latchkey_owner_get(store, LATCHKEY_OWNER_USER, NULL, 0, &owner));
  REFUSED(latchkey_owner_get(store, LATCHKEY_OWNER_USER, TEXT("courage"), NULL));

  update.uuid = user;
  update.set = LATCHKEY_OWNER_SET_NAME;
  REFUSED(latchkey_owner_update(store, &update, &owner));
  update.set = LATCHKEY_OWNER_SET_SLUG;
  REFUSED(latchkey_owner_update(store, &update, &owner));
  update.set = LATCHKEY_OWNER_SET_EMAIL;
  update.email_size = 3;
  REFUSED(latchkey_owner_update(store, &update, &owner));
  update.email_size = 0;
  update.set = LATCHKEY_OWNER_SET_LOCKED;
  REFUSED(latchkey_owner_update(NULL, &update, &owner));
  REFUSED(latchkey_owner_update(store, NULL, &owner));
  FINE(latchkey_owner_update(store, &update, NULL));

  REFUSED(latchkey_owner_delete(NULL, &user, NULL));
  REFUSED(latchkey_owner_delete(store, NULL, NULL));

  list.kind = LATCHKEY_OWNER_USER;
  list.page_size = 1;
  REFUSED(latchkey_owner_list(NULL, &list, &owner, 1, &count, &total));
  REFUSED(latchkey_owner_list(store, NULL, &owner, 1, &count, &total));
  REFUSED(latchkey_owner_list(store, &list, NULL, 1, &count, &total));
  REFUSED(latchkey_owner_list(store, &list, &owner, 1, NULL, &total));
  FINE(latchkey_owner_list(store, &list, &owner, 1, &count, NULL));
  list.page_size = 0;
  FINE(latchkey_owner_list(store, &list, NULL, 0, &count, &total));
  list.name_size = 3;
  REFUSED(latchkey_owner_list(store, &list, &owner, 1, &count, &total));
}

static void check_grant_calls(void) {
  SIZED(latchkey_grant, row);
  size_t count = 0;
  uint64_t total = 0;
  const uint32_t role = LATCHKEY_ROLE_VIEWER;
  REFUSED(latchkey_grant_set(NULL, &project, &user, role, NULL));
  REFUSED(latchkey_grant_set(store, NULL, &user, role, NULL));
  REFUSED(latchkey_grant_set(store, &project, NULL, role, NULL));
  FINE(latchkey_grant_set(store, &project, &user, role, NULL));
  REFUSED(latchkey_grant_list(NULL, &project, NULL, &row, 1, &count, &total));
  REFUSED(latchkey_grant_list(store, NULL, NULL, &row, 1, &count, &total));
  REFUSED(latchkey_grant_list(store, &project, NULL, NULL, 1, &count, &total));
  REFUSED(latchkey_grant_list(store, &project, NULL, &row, 1, NULL, &total));
  FINE(latchkey_grant_list(store, &project, NULL, &row, 1, &count, NULL));
  FINE(latchkey_grant_list(store, &project, NULL, NULL, 0, &count, &total));
  REFUSED(latchkey_authorize(NULL, &user, &project, role));
  REFUSED(latchkey_authorize(store, NULL, &project, role));
  REFUSED(latchkey_authorize(store, &user, NULL, role));
  REFUSED(latchkey_grant_remove(NULL, &project, &user, NULL));
  REFUSED(latchkey_grant_remove(store, NULL, &user, NULL));
  REFUSED(latchkey_grant_remove(store, &project, NULL, NULL));
  FINE(latchkey_grant_remove(store, &project, &user, NULL));
}

static void check_create_call(void) {
  SIZED(latchkey_credential_create_options, create);
  SIZED(latchkey_credential, out);
  char made[LATCHKEY_NEW_SECRET_BYTES_MAX];
  size_t size = 0;
  create.owner = user;
  create.kind = LATCHKEY_KIND_USER_KEY;
  create.name_size = 4;
  REFUSED(latchkey_credential_create(store, &create, made, sizeof made, &size, &out));
  create.name = "made";
  create.metadata_size = 4;
  REFUSED(latchkey_credential_create(store, &create, made, sizeof made, &size, &out));
  create.metadata_size = 0;
  REFUSED(latchkey_credential_create(NULL, &create, made, sizeof made, &size, &out));
  REFUSED(latchkey_credential_create(store, NULL, made, sizeof made, &size, &out));
  REFUSED(latchkey_credential_create(store, &create, NULL, sizeof made, &size, &out));
  REFUSED(latchkey_credential_create(store, &create, NULL, 0, &size, &out));
  FINE(latchkey_credential_create(store, &create, made, sizeof made, NULL, NULL));
}

static void check_credential_calls(void) {
  SIZED(latchkey_credential, out);
  char text[LATCHKEY_JWT_BYTES_MAX];
  size_t size = 0;
  const uint32_t kind = LATCHKEY_KIND_USER_KEY;
  REFUSED(latchkey_credential_get(NULL, &key, &out));
  REFUSED(latchkey_credential_get(store, NULL, &out));
  REFUSED(latchkey_credential_get(store, &key, NULL));
  REFUSED(latchkey_credential_find(NULL, &user, kind, TEXT("key"), &out));
  REFUSED(latchkey_credential_find(store, NULL, kind, TEXT("key"), &out));
  REFUSED(latchkey_credential_find(store, &user, kind, NULL, 3, &out));
  REFUSED(latchkey_credential_find(store, &user, kind, TEXT("key"), NULL));
  REFUSED(latchkey_credential_metadata(NULL, &key, text, sizeof text, &size));
  REFUSED(latchkey_credential_metadata(store, NULL, text, sizeof text, &size));
  REFUSED(latchkey_credential_metadata(store, &key, NULL, 1, &size));
  REFUSED(latchkey_credential_metadata(store, &key, text, sizeof text, NULL));
  FINE(latchkey_credential_metadata(store, &key, NULL, 0, &size));
  REFUSED(latchkey_credential_redacted_token(NULL, &key, text, sizeof text, &size));
  REFUSED(latchkey_credential_redacted_token(store, NULL, text, sizeof text, &size));
  REFUSED(latchkey_credential_redacted_token(store, &key, NULL, sizeof text, &size));
  REFUSED(latchkey_credential_redacted_token(store, &key, text, sizeof text, NULL));
  REFUSED(latchkey_credential_rename(NULL, &key, TEXT("key"), NULL, &out));
  REFUSED(latchkey_credential_rename(store, NULL, TEXT("key"), NULL, &out));
  REFUSED(latchkey_credential_rename(store, &key, NULL, 3, NULL, &out));
  REFUSED(latchkey_credential_rename(store, &key, NULL, 0, NULL, &out));
  FINE(latchkey_credential_rename(store, &key, TEXT("key"), NULL, NULL));
}

static void check_list_calls(void) {
  SIZED(latchkey_credential, row);
  SIZED(latchkey_list_options, list);
  SIZED(latchkey_cursor, cursor);
  size_t count = 0;
  uint64_t total = 0;
  list.owner = user;
  list.kind = LATCHKEY_KIND_USER_KEY;
  list.page_size = 1;
  REFUSED(latchkey_credential_list(NULL, &list, &row, 1, &count, &total));
  REFUSED(latchkey_credential_list(store, NULL, &row, 1, &count, &total));
  REFUSED(latchkey_credential_list(store, &list, NULL, 1, &count, &total));
  REFUSED(latchkey_credential_list(store, &list, &row, 1, NULL, &total));
  FINE(latchkey_credential_list(store, &list, &row, 1, &count, NULL));
  list.page_size = 0;
  FINE(latchkey_credential_list(store, &list, NULL, 0, &count, NULL));
  list.page_size = 1;
  REFUSED(latchkey_credential_list_next(NULL, &list, &cursor, &row, 1, &count));
  REFUSED(latchkey_credential_list_next(store, NULL, &cursor, &row, 1, &count));
  REFUSED(latchkey_credential_list_next(store, &list, NULL, &row, 1, &count));
  REFUSED(latchkey_credential_list_next(store, &list, &cursor, NULL, 1, &count));
  REFUSED(latchkey_credential_list_next(store, &list, &cursor, &row, 1, NULL));
  list.slug_size = 1;
  REFUSED(latchkey_credential_list(store, &list, &row, 1, &count, &total));
  list.slug_size = 0;
  list.search_size = 1;
  REFUSED(latchkey_credential_list(store, &list, &row, 1, &count, &total));
}

static void check_verify_calls(void) {
  SIZED(latchkey_verdict, verdict);
  SIZED(latchkey_verify_options, options);
  SIZED(latchkey_jwt_key, jwt_key);
  SIZED(latchkey_credential, out);
  latchkey_bytes bytes;
  latchkey_code code = LATCHKEY_INTERNAL;
  const uint8_t digest[32] = {0};
  const size_t size = strlen(secret);
  REFUSED(latchkey_verify(NULL, secret, size, &options, &verdict));
  REFUSED(latchkey_verify(store, NULL, size, &options, &verdict));
  CHECK_CODE(LATCHKEY_DENIED, latchkey_verify(store, NULL, 0, NULL, &verdict));
  CHECK(verdict.reason == LATCHKEY_REASON_MALFORMED);
  FINE(latchkey_verify(store, secret, size, NULL, &verdict));
  FINE(latchkey_verify(store, secret, size, &options, NULL));
  options.untracked_tokens = &jwt_key;
  REFUSED(latchkey_verify(store, secret, size, &options, &verdict));
  options.untracked_tokens = NULL;

  bytes.data = secret;
  bytes.size = size;
  REFUSED(latchkey_verify_batch(NULL, &bytes, 1, &options, &code, &verdict));
  REFUSED(latchkey_verify_batch(store, NULL, 1, &options, &code, &verdict));
  REFUSED(latchkey_verify_batch(store, &bytes, 1, &options, NULL, &verdict));
  FINE(latchkey_verify_batch(store, &bytes, 1, NULL, &code, NULL));
  bytes.data = NULL;
  REFUSED(latchkey_verify_batch(store, &bytes, 1, NULL, &code, NULL));

  REFUSED(latchkey_identify_secret(NULL, secret, size, &out));
  REFUSED(latchkey_identify_secret(store, NULL, size, &out));
  REFUSED(latchkey_identify_secret(store, secret, size, NULL));
  REFUSED(latchkey_identify_sha256(NULL, digest, &out));
  REFUSED(latchkey_identify_sha256(store, NULL, &out));
  REFUSED(latchkey_identify_sha256(store, digest, NULL));
}

static void check_session_calls(void) {
  SIZED(latchkey_session_options, options);
  SIZED(latchkey_jwt_key, jwt_key);
  SIZED(latchkey_verdict, verdict);
  char jwt[LATCHKEY_JWT_BYTES_MAX];
  size_t size = 0;
  int64_t expires_s = 0;
  options.ttl_s = 60;
  options.now_s = TEST_NOW_S;
  options.subject = "courage@nowhere.com";
  options.subject_size = strlen(options.subject);
  jwt_key.secret = jwt_key.issuer = "x";
  jwt_key.secret_size = jwt_key.issuer_size = 1;
  REFUSED(latchkey_session_issue(NULL, &jwt_key, jwt, sizeof jwt, &size, &expires_s));
  REFUSED(latchkey_session_issue(&options, NULL, jwt, sizeof jwt, &size, &expires_s));
  REFUSED(latchkey_session_issue(&options, &jwt_key, NULL, sizeof jwt, &size, &expires_s));
  FINE(latchkey_session_issue(&options, &jwt_key, jwt, sizeof jwt, NULL, NULL));
  FINE(latchkey_session_issue(&options, &jwt_key, jwt, sizeof jwt, &size, &expires_s));
  options.subject = NULL;
  REFUSED(latchkey_session_issue(&options, &jwt_key, jwt, sizeof jwt, &size, &expires_s));
  options.subject = "a@b";
  options.subject_size = 3;
  FINE(latchkey_session_issue(&options, &jwt_key, jwt, sizeof jwt, &size, &expires_s));

  REFUSED(latchkey_session_check(NULL, jwt, size, &jwt_key, 0, &verdict));
  REFUSED(latchkey_session_check(store, NULL, size, &jwt_key, 0, &verdict));
  REFUSED(latchkey_session_check(store, jwt, size, NULL, 0, &verdict));
  CHECK_CODE(LATCHKEY_DENIED, latchkey_session_check(store, jwt, size, &jwt_key, 0, NULL));
  jwt_key.secret = NULL;
  REFUSED(latchkey_session_check(store, jwt, size, &jwt_key, 0, &verdict));
  jwt_key.secret = "x";
  jwt_key.issuer = NULL;
  REFUSED(latchkey_session_check(store, jwt, size, &jwt_key, 0, &verdict));
}

static void check_import_call(void) {
  SIZED(latchkey_import_options, options);
  SIZED(latchkey_import_report, report);
  REFUSED(latchkey_import(store, &options, &report));
  options.read = read_nothing;
  REFUSED(latchkey_import(NULL, &options, &report));
  REFUSED(latchkey_import(store, NULL, &report));
  FINE(latchkey_import(store, &options, NULL));
}

static void check_epoch_calls(const char* folder) {
  char path[TEST_PATH_SIZE];
  latchkey_store* opened = NULL;
  latchkey_open_options options = test_open_options(folder, path, LATCHKEY_OPEN_EXISTING);
  SIZED(latchkey_epoch, epoch);
  REFUSED(latchkey_store_epoch(NULL, &epoch));
  REFUSED(latchkey_store_epoch(store, NULL));
  REFUSED(latchkey_epoch_parse(NULL, 90, &epoch));
  REFUSED(latchkey_epoch_parse(NULL, 0, &epoch));
  REFUSED(latchkey_epoch_parse(TEXT("01890000-0000-7000-8000-000000000000/1/"
                                    "00112233445566778899aabbccddeeff"),
                               NULL));
  epoch.struct_size = 0;
  options.epoch = &epoch;
  REFUSED(latchkey_store_open(&options, &opened));
  CHECK(opened == NULL);
}

static void check_backup_calls(const char* folder) {
  char backups[TEST_PATH_SIZE];
  char pepper[TEST_PATH_SIZE];
  char to[TEST_PATH_SIZE];
  size_t count = 0;
  SIZED(latchkey_backup_options, options);
  SIZED(latchkey_backup, backup);
  SIZED(latchkey_restore_options, restore);
  SIZED(latchkey_restore_report, report);
  snprintf(backups, sizeof backups, "%.*s/backups", TEST_PATH_SIZE - 64, folder);
  snprintf(pepper, sizeof pepper, "%.*s/store.pepper", TEST_PATH_SIZE - 64, folder);
  snprintf(to, sizeof to, "%.*s/restored", TEST_PATH_SIZE - 64, folder);
  REFUSED(latchkey_store_backup(store, &options, &backup));
  options.path = "";
  REFUSED(latchkey_store_backup(store, &options, &backup));
  options.path = backups;
  REFUSED(latchkey_store_backup(NULL, &options, &backup));
  REFUSED(latchkey_store_backup(store, NULL, &backup));
  FINE(latchkey_store_backup(store, &options, NULL));
  REFUSED(latchkey_backup_list(NULL, &backup, 1, &count));
  REFUSED(latchkey_backup_list(backups, NULL, 1, &count));
  REFUSED(latchkey_backup_list(backups, &backup, 1, NULL));
  FINE(latchkey_backup_list(backups, NULL, 0, &count));
  CHECK(count == 1);
  REFUSED(latchkey_backup_verify(NULL, 0));
  FINE(latchkey_backup_verify(backups, 0));

  restore.backup_path = backups;
  restore.pepper_path = pepper;
  REFUSED(latchkey_restore(&restore, &report));
  restore.path = to;
  restore.backup_path = NULL;
  REFUSED(latchkey_restore(&restore, &report));
  restore.backup_path = backups;
  restore.revocations_count = 1;
  REFUSED(latchkey_restore(&restore, &report));
  restore.revocations_count = 0;
  restore.damaged_path = "";
  REFUSED(latchkey_restore(&restore, &report));
  restore.damaged_path = NULL;
  REFUSED(latchkey_restore(NULL, &report));
  FINE(latchkey_restore(&restore, NULL));
}

static void check_revoke_calls(void) {
  SIZED(latchkey_credential, out);
  SIZED(latchkey_sweep_options, sweep);
  uint64_t covered = 0;
  REFUSED(latchkey_credential_revoke(NULL, &key, NULL, NULL, 0, &out));
  REFUSED(latchkey_credential_revoke(store, NULL, NULL, NULL, 0, &out));
  REFUSED(latchkey_credential_revoke(store, &key, NULL, NULL, 5, &out));
  FINE(latchkey_verify(store, secret, strlen(secret), NULL, NULL));
  FINE(latchkey_credential_revoke(store, &key, NULL, NULL, 0, NULL));
  REFUSED(latchkey_revoke_all(store, &sweep, &covered));
  sweep.everything = 1;
  REFUSED(latchkey_revoke_all(NULL, &sweep, &covered));
  REFUSED(latchkey_revoke_all(store, NULL, &covered));
  sweep.reason_size = 5;
  REFUSED(latchkey_revoke_all(store, &sweep, &covered));
  sweep.reason_size = 0;
  FINE(latchkey_revoke_all(store, &sweep, NULL));
}

int main(void) {
  char folder[TEST_PATH_SIZE];
  test_folder_make(folder);
  store = test_open(folder, LATCHKEY_OPEN_CREATE);
  user = test_owner(store, LATCHKEY_OWNER_USER, "Courage");
  project = test_owner(store, LATCHKEY_OWNER_PROJECT, "The Computer");
  key = test_key(store, &user, LATCHKEY_KIND_USER_KEY, "key", secret);
  check_store_calls(folder);
  check_kind_calls();
  check_owner_calls();
  check_grant_calls();
  check_create_call();
  check_credential_calls();
  check_list_calls();
  check_verify_calls();
  check_session_calls();
  check_import_call();
  check_epoch_calls(folder);
  check_backup_calls(folder);
  check_revoke_calls();
  check_repair_calls(folder);
  FINE(latchkey_store_check(store, NULL, NULL));
  FINE(latchkey_store_close(store));
  test_folder_remove(folder);
  return test_result();
}
