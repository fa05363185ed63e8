/* struct_size, for every struct of the header: the library reads and writes no more than it says,
 * accepts what a longer struct of a newer header holds as long as that is zeros, and refuses what
 * it cannot take. */
#include "support/check.h"

#define SIZE_MAX_ALLOWED 4096
#define BUFFER_SIZE (SIZE_MAX_ALLOWED + 256)
#define CANARY 0xA5

static latchkey_store* store;
static char folder[TEST_PATH_SIZE];
static char spare_path[TEST_PATH_SIZE];
static char backups_path[TEST_PATH_SIZE];
static char restored_path[TEST_PATH_SIZE];
static char pepper_path[TEST_PATH_SIZE];
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

/* One call for each struct, which lies at `place` and is filled but for struct_size. Each can be
 * repeated, and is OK. */
static latchkey_code call_open(void* place) {
  latchkey_store* opened = NULL;
  const latchkey_code code = latchkey_store_open(place, &opened);
  CHECK((code == LATCHKEY_OK) == (opened != NULL));
  /* Not with NULL: a call that does not fail takes the text of the one that did. */
  if (opened != NULL) CHECK_CODE(LATCHKEY_OK, latchkey_store_close(opened));
  return code;
}
static latchkey_code call_stats(void* place) { return latchkey_store_stats(store, place); }
static latchkey_code call_kind_register(void* place) {
  return latchkey_kind_register(store, place);
}
static latchkey_code call_kind_get(void* place) {
  return latchkey_kind_get(store, LATCHKEY_KIND_USER_KEY, place);
}
static latchkey_code call_owner_create(void* place) {
  return latchkey_owner_create(store, place, NULL);
}
static latchkey_code call_owner_get(void* place) {
  return latchkey_owner_get(store, LATCHKEY_OWNER_USER, TEXT("courage"), place);
}
static latchkey_code call_owner_update(void* place) {
  return latchkey_owner_update(store, place, NULL);
}
static latchkey_code call_list(void* place) {
  size_t count = 0;
  return latchkey_credential_list(store, place, NULL, 0, &count, NULL);
}
static latchkey_code call_owner_list(void* place) {
  latchkey_list_options options;
  size_t count = 0;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.kind = LATCHKEY_OWNER_USER;
  options.page_size = 1;
  return latchkey_owner_list(store, &options, place, 1, &count, NULL);
}
static latchkey_code call_grant_list(void* place) {
  size_t count = 0;
  return latchkey_grant_list(store, &project, NULL, place, 1, &count, NULL);
}
static latchkey_code call_credential_create(void* place) {
  char made[LATCHKEY_NEW_SECRET_BYTES_MAX];
  return latchkey_credential_create(store, place, made, sizeof made, NULL, NULL);
}
static latchkey_code call_credential_get(void* place) {
  return latchkey_credential_get(store, &key, place);
}
static latchkey_code call_credential_list(void* place) {
  latchkey_list_options options;
  size_t count = 0;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.owner = user;
  options.kind = LATCHKEY_KIND_USER_KEY;
  options.page_size = 1;
  return latchkey_credential_list(store, &options, place, 1, &count, NULL);
}
static latchkey_code call_sweep(void* place) { return latchkey_revoke_all(store, place, NULL); }
static latchkey_code call_cursor(void* place) {
  latchkey_list_options options;
  size_t count = 0;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.owner = user;
  options.kind = LATCHKEY_KIND_USER_KEY;
  return latchkey_credential_list_next(store, &options, place, NULL, 0, &count);
}
static latchkey_code call_jwt_key(void* place) {
  latchkey_session_options options;
  char jwt[LATCHKEY_JWT_BYTES_MAX];
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.subject = "courage@nowhere.com";
  options.subject_size = 19;
  options.ttl_s = 60;
  return latchkey_session_issue(&options, place, jwt, sizeof jwt, NULL, NULL);
}
static latchkey_code call_session(void* place) {
  latchkey_jwt_key jwt_key;
  char jwt[LATCHKEY_JWT_BYTES_MAX];
  memset(&jwt_key, 0, sizeof jwt_key);
  jwt_key.struct_size = sizeof jwt_key;
  jwt_key.secret = jwt_key.issuer = "x";
  jwt_key.secret_size = jwt_key.issuer_size = 1;
  return latchkey_session_issue(place, &jwt_key, jwt, sizeof jwt, NULL, NULL);
}
static latchkey_code call_verify_options(void* place) {
  return latchkey_verify(store, secret, strlen(secret), place, NULL);
}
static latchkey_code call_verdict(void* place) {
  return latchkey_verify(store, secret, strlen(secret), NULL, place);
}
static latchkey_code call_batch_verdict(void* place) {
  latchkey_bytes bytes;
  latchkey_code code = LATCHKEY_INTERNAL;
  bytes.data = secret;
  bytes.size = strlen(secret);
  return latchkey_verify_batch(store, &bytes, 1, NULL, &code, place);
}
static latchkey_code call_import_options(void* place) {
  return latchkey_import(store, place, NULL);
}
static latchkey_code call_import_report(void* place) {
  latchkey_import_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.read = read_nothing;
  return latchkey_import(store, &options, place);
}
static latchkey_code call_epoch(void* place) { return latchkey_store_epoch(store, place); }
static latchkey_code call_epoch_parse(void* place) {
  return latchkey_epoch_parse(
      TEXT("01890000-0000-7000-8000-000000000000/1/00112233445566778899aabbccddeeff"), place);
}
/* As a demand of open. */
static latchkey_code call_open_with_epoch(void* place) {
  latchkey_open_options options = test_open_options(folder, spare_path, LATCHKEY_OPEN_EXISTING);
  strcat(spare_path, "-spare");
  options.epoch = place;
  return call_open(&options);
}
static latchkey_code call_backup_options(void* place) {
  return latchkey_store_backup(store, place, NULL);
}
static latchkey_code call_backup(void* place) {
  latchkey_backup_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.path = backups_path;
  options.keep = 1;
  return latchkey_store_backup(store, &options, place);
}
static latchkey_code call_backup_list(void* place) {
  size_t count = 0;
  return latchkey_backup_list(backups_path, place, 1, &count);
}
static latchkey_code call_restore(const latchkey_restore_options* options,
                                  latchkey_restore_report* report) {
  const latchkey_code code = latchkey_restore(options, report);
  if (code == LATCHKEY_OK) test_folder_remove(restored_path);
  return code;
}
static latchkey_code call_restore_options(void* place) { return call_restore(place, NULL); }
static latchkey_code call_restore_report(void* place) {
  latchkey_restore_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.backup_path = backups_path;
  options.path = restored_path;
  options.pepper_path = pepper_path;
  return call_restore(&options, place);
}

static latchkey_code call_check_options(void* place) {
  return latchkey_store_check_report(store, place, NULL);
}
static latchkey_code call_check_report(void* place) {
  latchkey_check_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  return latchkey_store_check_report(store, &options, place);
}
/* On the store that the first case has made and closed. */
static latchkey_code call_repair_options(void* place) { return latchkey_repair(place, NULL); }
static latchkey_code call_repair_report(void* place) {
  latchkey_repair_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.path = spare_path;
  return latchkey_repair(&options, place);
}

static void fill_open(void* place) {
  latchkey_open_options* options = place;
  *options = test_open_options(folder, spare_path, LATCHKEY_OPEN_OR_CREATE);
  strcat(spare_path, "-spare");
}
static void fill_kind(void* place) {
  latchkey_kind* kind = place;
  kind->kind = LATCHKEY_KIND_HOST_MIN;
  kind->owner_sort = LATCHKEY_OWNER_PROJECT;
  strcpy(kind->name, "deploy-key");
  strcpy(kind->prefix, "acme_");
}
static void fill_owner_create(void* place) {
  latchkey_owner_create_options* options = place;
  options->sort = LATCHKEY_OWNER_PROJECT;
  options->uuid.bytes[0] = 1;
  options->name = "Again";
  options->name_size = 5;
}
static void fill_owner_update(void* place) {
  latchkey_owner_update_options* options = place;
  options->uuid = user;
  options->set = LATCHKEY_OWNER_SET_LOCKED;
}
static void fill_list(void* place) {
  latchkey_list_options* options = place;
  options->owner = user;
  options->kind = LATCHKEY_KIND_USER_KEY;
}
static void fill_credential_create(void* place) {
  latchkey_credential_create_options* options = place;
  options->owner = project;
  options->kind = LATCHKEY_KIND_PROJECT_KEY;
  options->name = "ci";
  options->name_size = 2;
}
static void fill_sweep(void* place) {
  latchkey_sweep_options* options = place;
  options->owner = project;
}
static void fill_jwt_key(void* place) {
  latchkey_jwt_key* options = place;
  options->secret = options->issuer = "x";
  options->secret_size = options->issuer_size = 1;
}
static void fill_session(void* place) {
  latchkey_session_options* options = place;
  options->subject = "courage@nowhere.com";
  options->subject_size = 19;
  options->ttl_s = 60;
}
static void fill_import(void* place) {
  latchkey_import_options* options = place;
  options->read = read_nothing;
}
static void fill_epoch(void* place) {
  latchkey_open_options options;
  latchkey_store* opened = NULL;
  latchkey_epoch* epoch = place;
  memset(&options, 0, sizeof options);
  fill_open(&options);
  test_require(latchkey_store_open(&options, &opened) == LATCHKEY_OK, "open the spare store");
  epoch->struct_size = sizeof *epoch;
  CHECK_CODE(LATCHKEY_OK, latchkey_store_epoch(opened, epoch));
  CHECK_CODE(LATCHKEY_OK, latchkey_store_close(opened));
}
static void fill_backup(void* place) {
  latchkey_backup_options* options = place;
  options->path = backups_path;
  options->keep = 1;
}
static void fill_restore(void* place) {
  latchkey_restore_options* options = place;
  options->backup_path = backups_path;
  options->path = restored_path;
  options->pepper_path = pepper_path;
}

static void fill_repair(void* place) {
  latchkey_repair_options* options = place;
  options->path = spare_path;
}

enum direction { OPTIONS, RESULT, BOTH };

static const struct {
  const char* name;
  size_t size;
  enum direction direction;
  void (*fill)(void* place);
  latchkey_code (*call)(void* place);
} kCases[] = {
    {"open_options", sizeof(latchkey_open_options), OPTIONS, fill_open, call_open},
    {"stats", sizeof(latchkey_stats), RESULT, NULL, call_stats},
    {"kind, given", sizeof(latchkey_kind), OPTIONS, fill_kind, call_kind_register},
    {"kind", sizeof(latchkey_kind), RESULT, NULL, call_kind_get},
    {"owner_create_options", sizeof(latchkey_owner_create_options), OPTIONS, fill_owner_create,
     call_owner_create},
    {"owner", sizeof(latchkey_owner), RESULT, NULL, call_owner_get},
    {"owner_update_options", sizeof(latchkey_owner_update_options), OPTIONS, fill_owner_update,
     call_owner_update},
    {"list_options", sizeof(latchkey_list_options), OPTIONS, fill_list, call_list},
    {"owner, in a list", sizeof(latchkey_owner), RESULT, NULL, call_owner_list},
    {"grant, in a list", sizeof(latchkey_grant), RESULT, NULL, call_grant_list},
    {"credential_create_options", sizeof(latchkey_credential_create_options), OPTIONS,
     fill_credential_create, call_credential_create},
    {"credential", sizeof(latchkey_credential), RESULT, NULL, call_credential_get},
    {"credential, in a list", sizeof(latchkey_credential), RESULT, NULL, call_credential_list},
    {"sweep_options", sizeof(latchkey_sweep_options), OPTIONS, fill_sweep, call_sweep},
    {"cursor", sizeof(latchkey_cursor), BOTH, NULL, call_cursor},
    {"jwt_key", sizeof(latchkey_jwt_key), OPTIONS, fill_jwt_key, call_jwt_key},
    {"session_options", sizeof(latchkey_session_options), OPTIONS, fill_session, call_session},
    {"verify_options", sizeof(latchkey_verify_options), OPTIONS, NULL, call_verify_options},
    {"verdict", sizeof(latchkey_verdict), RESULT, NULL, call_verdict},
    {"verdict, in a batch", sizeof(latchkey_verdict), RESULT, NULL, call_batch_verdict},
    {"import_options", sizeof(latchkey_import_options), OPTIONS, fill_import, call_import_options},
    {"import_report", sizeof(latchkey_import_report), RESULT, NULL, call_import_report},
    {"epoch", sizeof(latchkey_epoch), RESULT, NULL, call_epoch},
    {"epoch, from text", sizeof(latchkey_epoch), RESULT, NULL, call_epoch_parse},
    {"epoch, given", sizeof(latchkey_epoch), OPTIONS, fill_epoch, call_open_with_epoch},
    {"backup_options", sizeof(latchkey_backup_options), OPTIONS, fill_backup, call_backup_options},
    {"backup", sizeof(latchkey_backup), RESULT, NULL, call_backup},
    {"backup, in a list", sizeof(latchkey_backup), RESULT, NULL, call_backup_list},
    {"restore_options", sizeof(latchkey_restore_options), OPTIONS, fill_restore,
     call_restore_options},
    {"restore_report", sizeof(latchkey_restore_report), RESULT, NULL, call_restore_report},
    {"check_options", sizeof(latchkey_check_options), OPTIONS, NULL, call_check_options},
    {"check_report", sizeof(latchkey_check_report), RESULT, NULL, call_check_report},
    {"repair_options", sizeof(latchkey_repair_options), OPTIONS, fill_repair, call_repair_options},
    {"repair_report", sizeof(latchkey_repair_report), RESULT, NULL, call_repair_report},
};

/* As long as the struct was in its first version. */
static size_t first_size(size_t index) {
  if (kCases[index].call == call_open) {
    return offsetof(latchkey_open_options, directory_budget_bytes);
  }
  if (kCases[index].call == call_stats) return offsetof(latchkey_stats, directories);
  return kCases[index].size;
}

/* A struct of that size in the middle of canaries. */
static unsigned char* prepare(size_t index, size_t struct_size) {
  static union {
    unsigned char bytes[BUFFER_SIZE];
    size_t aligned;
  } buffer;
  size_t zeros = struct_size > kCases[index].size ? struct_size : kCases[index].size;
  if (zeros > sizeof buffer.bytes) zeros = sizeof buffer.bytes;
  memset(buffer.bytes, CANARY, sizeof buffer.bytes);
  /* A result may come with anything in it; only options are read. */
  if (kCases[index].direction != RESULT) memset(buffer.bytes, 0, zeros);
  if (kCases[index].fill != NULL) kCases[index].fill(buffer.bytes);
  memcpy(buffer.bytes, &struct_size, sizeof struct_size);
  return buffer.bytes;
}

static int is_filled(const unsigned char* bytes, size_t from, size_t to, unsigned char value) {
  for (; from < to; ++from) {
    if (bytes[from] != value) return 0;
  }
  return 1;
}

static void check_refused(size_t index, size_t struct_size) {
  unsigned char* place = prepare(index, struct_size);
  unsigned char before[BUFFER_SIZE];
  const size_t own = struct_size < sizeof struct_size ? sizeof struct_size
                     : struct_size > sizeof before    ? sizeof before
                                                      : struct_size;
  memcpy(before, place, sizeof before);
  CHECK_CODE(LATCHKEY_INVALID_ARGUMENT, kCases[index].call(place));
  CHECK(latchkey_error_text()[0] != '\0');
  CHECK(memcmp(before + own, place + own, sizeof before - own) == 0);
}

static void check_accepted(size_t index, size_t struct_size) {
  unsigned char* place = prepare(index, struct_size);
  size_t kept = 0;
  CHECK_CODE(LATCHKEY_OK, kCases[index].call(place));
  memcpy(&kept, place, sizeof kept);
  CHECK(kept == struct_size);
  CHECK(is_filled(place,
                  struct_size > kCases[index].size || kCases[index].direction == RESULT
                      ? struct_size
                      : kCases[index].size,
                  BUFFER_SIZE, CANARY));
  /* What this library does not know it says nothing about. */
  CHECK(is_filled(place, kCases[index].size, struct_size, 0));
}

static void check_unknown_option(size_t index, size_t place_of_byte) {
  unsigned char* place = prepare(index, SIZE_MAX_ALLOWED);
  place[place_of_byte] = 1;
  CHECK_CODE(LATCHKEY_INVALID_ARGUMENT, kCases[index].call(place));
  CHECK(latchkey_error_text()[0] != '\0');
}

/* The first element says how far apart they are. */
static void check_stride(void) {
  union {
    unsigned char bytes[3 * 1024];
    latchkey_credential first;
  } rows;
  latchkey_list_options options;
  size_t count = 0;
  const latchkey_credential* second = (const latchkey_credential*)(const void*)(rows.bytes + 1024);
  char other[LATCHKEY_NEW_SECRET_BYTES_MAX];
  const latchkey_uuid made = test_key(store, &user, LATCHKEY_KIND_USER_KEY, "second", other);
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.owner = user;
  options.kind = LATCHKEY_KIND_USER_KEY;
  options.page_size = 2;
  memset(rows.bytes, CANARY, sizeof rows.bytes);
  rows.first.struct_size = 1024;
  CHECK_CODE(LATCHKEY_OK, latchkey_credential_list(store, &options, &rows.first, 2, &count, NULL));
  CHECK(count == 2);
  CHECK(second->struct_size == 1024 && memcmp(&second->uuid, &made, sizeof made) == 0);
  CHECK(is_filled(rows.bytes, sizeof(latchkey_credential), 1024, 0));
  CHECK(is_filled(rows.bytes, 2048, sizeof rows.bytes, CANARY));
}

int main(void) {
  size_t i;
  test_folder_make(folder);
  snprintf(backups_path, sizeof backups_path, "%.*s/backups", TEST_PATH_SIZE - 64, folder);
  snprintf(restored_path, sizeof restored_path, "%.*s/restored", TEST_PATH_SIZE - 64, folder);
  snprintf(pepper_path, sizeof pepper_path, "%.*s/store.pepper", TEST_PATH_SIZE - 64, folder);
  store = test_open(folder, LATCHKEY_OPEN_CREATE);
  user = test_owner(store, LATCHKEY_OWNER_USER, "Courage");
  project = test_owner(store, LATCHKEY_OWNER_PROJECT, "The Computer");
  key = test_key(store, &user, LATCHKEY_KIND_USER_KEY, "first", secret);
  CHECK_CODE(LATCHKEY_OK, latchkey_grant_set(store, &project, &user, LATCHKEY_ROLE_VIEWER, NULL));

  for (i = 0; i < sizeof kCases / sizeof kCases[0]; ++i) {
    const int failures = test_failures;
    check_accepted(i, kCases[i].size);
    check_accepted(i, kCases[i].size + 8);
    check_accepted(i, SIZE_MAX_ALLOWED);
    check_refused(i, 0);
    check_accepted(i, first_size(i));
    check_refused(i, first_size(i) - 1);
    check_refused(i, SIZE_MAX_ALLOWED + 1);
    check_refused(i, (size_t)-1);
    if (kCases[i].direction == OPTIONS) {
      check_unknown_option(i, kCases[i].size);
      check_unknown_option(i, SIZE_MAX_ALLOWED - 1);
    }
    if (test_failures != failures) fprintf(stderr, "  with struct %s\n", kCases[i].name);
  }
  check_stride();

  CHECK_CODE(LATCHKEY_OK, latchkey_store_check(store, NULL, NULL));
  CHECK_CODE(LATCHKEY_OK, latchkey_store_close(store));
  test_folder_remove(folder);
  return test_result();
}
