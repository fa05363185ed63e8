/* The life of a key, from plain C99 and through every function of the header. */
#include "support/check.h"

#define JWT_HEADER "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9"
#define JWT_PAYLOAD                                                                        \
  "eyJhdWQiOiJhcGlfa2V5IiwiZXhwIjoxODkwMDAwMDAwLCJpYXQiOjE3OTAwMDAwMDAsImlzcyI6Imh0dHA6Ly" \
  "9sb2NhbGhvc3Q6MzAwMC8iLCJzdWIiOiJtdXJpZWwuYmFnZ2VAbm93aGVyZS5jb20ifQ"
#define JWT_SIGNATURE "_fP0HACHs7U8VhOVeP0nG3bHMs2GZ9rdovPi0IjlxYA"
#define JWT JWT_HEADER "." JWT_PAYLOAD "." JWT_SIGNATURE
#define TOKEN_UUID "01990000-0000-7000-8000-000000000001"

static latchkey_uuid user;
static latchkey_uuid project;
static latchkey_uuid key;
static char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
static size_t secret_size;

static void check_texts(void) {
  CHECK(strcmp(latchkey_version(), LATCHKEY_VERSION) == 0);
  CHECK(latchkey_abi() == LATCHKEY_ABI);
  for (latchkey_code code = LATCHKEY_OK; code <= LATCHKEY_INTERNAL; ++code) {
    CHECK(latchkey_code_text(code)[0] != '\0');
  }
  CHECK(latchkey_code_text(123456) != NULL);
  CHECK(strcmp(latchkey_reason_text(LATCHKEY_REASON_ALLOWED), "allowed") == 0);
  CHECK(strcmp(latchkey_reason_text(LATCHKEY_REASON_NOT_YET), "not_yet") == 0);
  CHECK(strcmp(latchkey_reason_text(LATCHKEY_REASON_SCOPE), "scope") == 0);
  CHECK(latchkey_reason_text(123456) != NULL);
}

static void check_uuids(void) {
  latchkey_uuid uuid;
  char text[LATCHKEY_UUID_TEXT_SIZE];
  CHECK_CODE(LATCHKEY_OK,
             latchkey_uuid_parse(TEXT("{0189AbCd-0000-7000-8000-00000000000F}"), &uuid));
  CHECK_CODE(LATCHKEY_OK, latchkey_name_check(TEXT("Muriel Bagge")));
  CHECK_CODE(LATCHKEY_INVALID_ARGUMENT, latchkey_name_check(TEXT(" Muriel")));
  CHECK_CODE(LATCHKEY_OK, latchkey_slug_check(TEXT("muriel-bagge")));
  CHECK_CODE(LATCHKEY_INVALID_ARGUMENT, latchkey_slug_check(TEXT("Muriel")));
  latchkey_uuid_format(&uuid, text);
  CHECK(strcmp(text, "0189abcd-0000-7000-8000-00000000000f") == 0);
}

static void check_owners(latchkey_store* store) {
  latchkey_owner_create_options create;
  latchkey_owner_update_options update;
  latchkey_owner owner;
  latchkey_owner rows[2];
  latchkey_list_options list;
  size_t count = 0;
  uint64_t total = 0;

  memset(&create, 0, sizeof create);
  create.struct_size = sizeof create;
  create.sort = LATCHKEY_OWNER_USER;
  create.name = "Muriel Bagge";
  create.name_size = strlen(create.name);
  create.email = "Muriel.Bagge@nowhere.com";
  create.email_size = strlen(create.email);
  memset(&owner, 0, sizeof owner);
  owner.struct_size = sizeof owner;
  CHECK_CODE(LATCHKEY_OK, latchkey_owner_create(store, &create, &owner));
  CHECK(strcmp(owner.slug, "muriel-bagge") == 0);
  CHECK(owner.creation_s == TEST_NOW_S);
  user = owner.uuid;
  project = test_owner(store, LATCHKEY_OWNER_PROJECT, "The Computer");

  CHECK_CODE(LATCHKEY_OK, latchkey_owner_get(store, LATCHKEY_OWNER_USER,
                                             TEXT("MURIEL.bagge@nowhere.com"), &owner));
  CHECK(memcmp(&owner.uuid, &user, sizeof user) == 0);

  memset(&update, 0, sizeof update);
  update.struct_size = sizeof update;
  update.uuid = user;
  update.set = LATCHKEY_OWNER_SET_NAME;
  update.name = "Muriel B.";
  update.name_size = strlen(update.name);
  CHECK_CODE(LATCHKEY_OK, latchkey_owner_update(store, &update, &owner));
  CHECK(strcmp(owner.name, "Muriel B.") == 0 && strcmp(owner.slug, "muriel-bagge") == 0);

  memset(&list, 0, sizeof list);
  list.struct_size = sizeof list;
  list.kind = LATCHKEY_OWNER_USER;
  list.page_size = 2;
  memset(rows, 0, sizeof rows);
  rows[0].struct_size = rows[1].struct_size = sizeof rows[0];
  CHECK_CODE(LATCHKEY_OK, latchkey_owner_list(store, &list, rows, 2, &count, &total));
  CHECK(count == 1 && total == 1 && strcmp(rows[0].name, "Muriel B.") == 0);
}

static void check_grants(latchkey_store* store) {
  latchkey_grant rows[2];
  size_t count = 0;
  uint64_t total = 0;
  CHECK_CODE(LATCHKEY_FORBIDDEN, latchkey_authorize(store, &user, &project, LATCHKEY_ROLE_VIEWER));
  CHECK_CODE(LATCHKEY_OK,
             latchkey_grant_set(store, &project, &user, LATCHKEY_ROLE_DEVELOPER, NULL));
  CHECK_CODE(LATCHKEY_OK, latchkey_authorize(store, &user, &project, LATCHKEY_ROLE_DEVELOPER));
  CHECK_CODE(LATCHKEY_FORBIDDEN,
             latchkey_authorize(store, &user, &project, LATCHKEY_ROLE_MAINTAINER));
  memset(rows, 0, sizeof rows);
  rows[0].struct_size = rows[1].struct_size = sizeof rows[0];
  CHECK_CODE(LATCHKEY_OK, latchkey_grant_list(store, &project, NULL, rows, 2, &count, &total));
  CHECK(count == 1 && total == 1 && rows[0].role == LATCHKEY_ROLE_DEVELOPER);
  CHECK(memcmp(&rows[0].user, &user, sizeof user) == 0);
  CHECK_CODE(LATCHKEY_OK, latchkey_grant_remove(store, &project, &user, &user));
  CHECK_CODE(LATCHKEY_NOT_FOUND, latchkey_grant_remove(store, &project, &user, &user));
}

static void check_kinds(latchkey_store* store) {
  latchkey_kind kind;
  char deploy_secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
  memset(&kind, 0, sizeof kind);
  kind.struct_size = sizeof kind;
  kind.kind = LATCHKEY_KIND_HOST_MIN;
  kind.owner_sort = LATCHKEY_OWNER_PROJECT;
  strcpy(kind.name, "deploy-key");
  strcpy(kind.prefix, "acme_deploy_");
  CHECK_CODE(LATCHKEY_OK, latchkey_kind_register(store, &kind));
  CHECK_CODE(LATCHKEY_OK, latchkey_kind_get(store, LATCHKEY_KIND_HOST_MIN, &kind));
  CHECK(kind.format == LATCHKEY_FORMAT_BASE62_43_CRC);
  (void)test_key(store, &project, LATCHKEY_KIND_HOST_MIN, "deploy", deploy_secret);
  CHECK(strlen(deploy_secret) == strlen("acme_deploy_") + 49);
  CHECK_CODE(LATCHKEY_OK, latchkey_verify(store, deploy_secret, strlen(deploy_secret), NULL, NULL));
}

static void check_issue(latchkey_store* store) {
  latchkey_credential_create_options create;
  latchkey_credential credential;
  char metadata[16];
  size_t size = 0;
  memset(&create, 0, sizeof create);
  create.struct_size = sizeof create;
  create.owner = user;
  create.creator = user;
  create.kind = LATCHKEY_KIND_USER_KEY;
  create.has_ttl = 1;
  create.ttl_s = 3600;
  create.scopes = 3;
  create.name = "Laptop";
  create.name_size = strlen(create.name);
  create.metadata = "\0\1\2";
  create.metadata_size = 3;
  memset(&credential, 0, sizeof credential);
  credential.struct_size = sizeof credential;
  CHECK_CODE(LATCHKEY_OK, latchkey_credential_create(store, &create, secret, sizeof secret,
                                                     &secret_size, &credential));
  CHECK(secret_size == 43 && secret[43] == '\0' && strncmp(secret, "bencher_user_", 13) == 0);
  CHECK(credential.expires_s == TEST_NOW_S + 3600 && credential.scopes == 3);
  CHECK(strcmp(credential.slug, "laptop") == 0);
  key = credential.uuid;

  CHECK_CODE(LATCHKEY_OK, latchkey_credential_get(store, &key, &credential));
  CHECK(credential.name_size == 6 && strcmp(credential.name, "Laptop") == 0);
  CHECK_CODE(LATCHKEY_OK, latchkey_credential_find(store, &user, LATCHKEY_KIND_USER_KEY,
                                                   TEXT("laptop"), &credential));
  CHECK(memcmp(&credential.uuid, &key, sizeof key) == 0);
  CHECK_CODE(LATCHKEY_OK,
             latchkey_credential_metadata(store, &key, metadata, sizeof metadata, &size));
  CHECK(size == 3 && memcmp(metadata, "\0\1\2", 3) == 0);
  CHECK_CODE(LATCHKEY_OK, latchkey_credential_rename(store, &key, TEXT("Desk"), NULL, &credential));
  CHECK(strcmp(credential.name, "Desk") == 0 && strcmp(credential.slug, "laptop") == 0);
}

static void check_lists(latchkey_store* store) {
  latchkey_list_options list;
  latchkey_credential rows[4];
  latchkey_cursor cursor;
  size_t count = 0;
  uint64_t total = 0;
  int i;
  memset(&list, 0, sizeof list);
  list.struct_size = sizeof list;
  list.owner = user;
  list.kind = LATCHKEY_KIND_USER_KEY;
  list.page_size = 4;
  list.search = "dES";
  list.search_size = 3;
  memset(rows, 0, sizeof rows);
  for (i = 0; i < 4; ++i) rows[i].struct_size = sizeof rows[i];
  CHECK_CODE(LATCHKEY_OK, latchkey_credential_list(store, &list, rows, 4, &count, &total));
  CHECK(count == 1 && total == 1 && strcmp(rows[0].name, "Desk") == 0);
  memset(&cursor, 0, sizeof cursor);
  cursor.struct_size = sizeof cursor;
  CHECK_CODE(LATCHKEY_OK, latchkey_credential_list_next(store, &list, &cursor, rows, 4, &count));
  CHECK(count == 1 && cursor.started == 1);
  CHECK_CODE(LATCHKEY_OK, latchkey_credential_list_next(store, &list, &cursor, rows, 4, &count));
  CHECK(count == 0 && cursor.done == 1);
}

static void check_verification(latchkey_store* store) {
  latchkey_verify_options options;
  latchkey_verdict verdict;
  latchkey_verdict verdicts[2];
  latchkey_bytes secrets[2];
  latchkey_code codes[2];
  latchkey_credential credential;
  uint8_t digest[32] = {0};

  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.required_scopes = 2;
  memset(&verdict, 0, sizeof verdict);
  verdict.struct_size = sizeof verdict;
  CHECK_CODE(LATCHKEY_OK, latchkey_verify(store, secret, secret_size, &options, &verdict));
  CHECK(verdict.reason == LATCHKEY_REASON_ALLOWED && verdict.kind == LATCHKEY_KIND_USER_KEY);
  CHECK(memcmp(&verdict.uuid, &key, sizeof key) == 0);
  CHECK(memcmp(&verdict.owner, &user, sizeof user) == 0);
  options.required_scopes = 4;
  CHECK_CODE(LATCHKEY_DENIED, latchkey_verify(store, secret, secret_size, &options, &verdict));
  CHECK(verdict.reason == LATCHKEY_REASON_SCOPE);
  options.required_scopes = 0;
  options.at_s = TEST_NOW_S + 3600;
  CHECK_CODE(LATCHKEY_DENIED, latchkey_verify(store, secret, secret_size, &options, &verdict));
  CHECK(verdict.reason == LATCHKEY_REASON_EXPIRED);

  secrets[0].data = secret;
  secrets[0].size = secret_size;
  secrets[1].data = "nonsense";
  secrets[1].size = 8;
  memset(verdicts, 0, sizeof verdicts);
  verdicts[0].struct_size = verdicts[1].struct_size = sizeof verdicts[0];
  CHECK_CODE(LATCHKEY_OK, latchkey_verify_batch(store, secrets, 2, NULL, codes, verdicts));
  CHECK(codes[0] == LATCHKEY_OK && codes[1] == LATCHKEY_DENIED);
  CHECK(verdicts[1].reason == LATCHKEY_REASON_MALFORMED);

  memset(&credential, 0, sizeof credential);
  credential.struct_size = sizeof credential;
  CHECK_CODE(LATCHKEY_OK, latchkey_identify_secret(store, secret, secret_size, &credential));
  CHECK(memcmp(&credential.uuid, &key, sizeof key) == 0);
  CHECK(latchkey_error_text()[0] == '\0');
  CHECK_CODE(LATCHKEY_NOT_FOUND, latchkey_identify_sha256(store, digest, &credential));
  CHECK(latchkey_error_text()[0] != '\0');
}

static size_t read_token(void* context, char* buffer, size_t capacity) {
  static const char kLine[] =
      "{\"type\":\"user_token\",\"uuid\":\"" TOKEN_UUID
      "\",\"user\":\"%s\",\"name\":\"legacy\","
      "\"jwt\":\"" JWT "\",\"creation\":1790000000,\"expiration\":1890000000,\"revoked\":null}\n";
  char owner[LATCHKEY_UUID_TEXT_SIZE];
  int* left = context;
  int size;
  if ((*left)-- <= 0) return 0;
  latchkey_uuid_format(&user, owner);
  size = snprintf(buffer, capacity, kLine, owner);
  test_require(size > 0 && (size_t)size < capacity, "room for the line");
  return (size_t)size;
}

static void check_import(latchkey_store* store) {
  latchkey_import_options options;
  latchkey_import_report report;
  latchkey_uuid token;
  char text[LATCHKEY_JWT_BYTES_MAX];
  size_t size = 0;
  int left = 1;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.read = read_token;
  options.context = &left;
  memset(&report, 0, sizeof report);
  report.struct_size = sizeof report;
  CHECK_CODE(LATCHKEY_OK, latchkey_import(store, &options, &report));
  CHECK(report.lines == 1 && report.imported == 1 && report.refused == 0);
  CHECK_CODE(LATCHKEY_OK, latchkey_verify(store, TEXT(JWT), NULL, NULL));
  CHECK_CODE(LATCHKEY_OK, latchkey_uuid_parse(TEXT(TOKEN_UUID), &token));
  CHECK_CODE(LATCHKEY_OK,
             latchkey_credential_redacted_token(store, &token, text, sizeof text, &size));
  CHECK(size == strlen(text));
  CHECK(strcmp(text, JWT_HEADER "." JWT_PAYLOAD ".REDACTED") == 0);
  CHECK_CODE(LATCHKEY_UNSUPPORTED,
             latchkey_credential_redacted_token(store, &key, text, sizeof text, &size));
}

static void check_sessions(latchkey_store* store) {
  latchkey_session_options options;
  latchkey_jwt_key jwt_key;
  latchkey_verdict verdict;
  char jwt[LATCHKEY_JWT_BYTES_MAX];
  size_t size = 0;
  int64_t expires_s = 0;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.subject = "muriel.bagge@nowhere.com";
  options.subject_size = strlen(options.subject);
  options.now_s = TEST_NOW_S;
  options.ttl_s = 60;
  memset(&jwt_key, 0, sizeof jwt_key);
  jwt_key.struct_size = sizeof jwt_key;
  jwt_key.secret = "a secret";
  jwt_key.secret_size = 8;
  jwt_key.issuer = "http://localhost:3000/";
  jwt_key.issuer_size = strlen(jwt_key.issuer);
  CHECK_CODE(LATCHKEY_OK,
             latchkey_session_issue(&options, &jwt_key, jwt, sizeof jwt, &size, &expires_s));
  CHECK(size == strlen(jwt) && expires_s == TEST_NOW_S + 60);
  memset(&verdict, 0, sizeof verdict);
  verdict.struct_size = sizeof verdict;
  CHECK_CODE(LATCHKEY_OK, latchkey_session_check(store, jwt, size, &jwt_key, 0, &verdict));
  CHECK(memcmp(&verdict.owner, &user, sizeof user) == 0);
  CHECK_CODE(LATCHKEY_DENIED,
             latchkey_session_check(store, jwt, size, &jwt_key, TEST_NOW_S + 61, &verdict));
  CHECK(verdict.reason == LATCHKEY_REASON_EXPIRED);
}

static void check_end(latchkey_store* store) {
  latchkey_credential credential;
  latchkey_sweep_options sweep;
  latchkey_verdict verdict;
  uint64_t covered = 0;
  memset(&credential, 0, sizeof credential);
  credential.struct_size = sizeof credential;
  CHECK_CODE(LATCHKEY_OK,
             latchkey_credential_revoke(store, &key, &user, TEXT("left on a train"), &credential));
  CHECK(credential.revoked_s == TEST_NOW_S);
  CHECK(memcmp(&credential.revoked_by, &user, sizeof user) == 0);
  CHECK_CODE(LATCHKEY_CONFLICT, latchkey_credential_revoke(store, &key, NULL, NULL, 0, NULL));
  memset(&verdict, 0, sizeof verdict);
  verdict.struct_size = sizeof verdict;
  CHECK_CODE(LATCHKEY_DENIED, latchkey_verify(store, secret, secret_size, NULL, &verdict));
  CHECK(verdict.reason == LATCHKEY_REASON_REVOKED);

  memset(&sweep, 0, sizeof sweep);
  sweep.struct_size = sizeof sweep;
  sweep.everything = 1;
  CHECK_CODE(LATCHKEY_OK, latchkey_revoke_all(store, &sweep, &covered));
  CHECK(covered == 2);
  CHECK_CODE(LATCHKEY_DENIED, latchkey_verify(store, TEXT(JWT), NULL, NULL));

  CHECK_CODE(LATCHKEY_OK, latchkey_owner_delete(store, &user, NULL));
  CHECK_CODE(LATCHKEY_CONFLICT, latchkey_owner_delete(store, &user, NULL));
}

static void check_store(latchkey_store* store) {
  latchkey_stats stats;
  memset(&stats, 0, sizeof stats);
  stats.struct_size = sizeof stats;
  /* The records of the mass revocation follow behind it, and the counts follow them. */
  do {
    CHECK_CODE(LATCHKEY_OK, latchkey_store_stats(store, &stats));
  } while (stats.sweeps_pending > 0 && test_failures == 0);
  CHECK(stats.users == 0 && stats.projects == 1 && stats.active == 0 && stats.revoked == 3);
  CHECK(stats.event_number > 0 && stats.time_s == TEST_NOW_S);
  CHECK_CODE(LATCHKEY_OK, latchkey_store_accept_clock(store));
  CHECK_CODE(LATCHKEY_OK, latchkey_store_check(store, NULL, NULL));
}

int main(void) {
  char folder[TEST_PATH_SIZE];
  latchkey_store* store;
  test_folder_make(folder);
  store = test_open(folder, LATCHKEY_OPEN_CREATE);
  check_texts();
  check_uuids();
  check_owners(store);
  check_grants(store);
  check_kinds(store);
  check_issue(store);
  check_lists(store);
  check_verification(store);
  check_import(store);
  check_sessions(store);
  check_end(store);
  check_store(store);
  CHECK_CODE(LATCHKEY_OK, latchkey_store_close(store));
  CHECK_CODE(LATCHKEY_OK, latchkey_store_close(NULL));
  test_folder_remove(folder);
  return test_result();
}
