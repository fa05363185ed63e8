/* What the tests in C share: checks that print and go on, a folder of their own, a clock that
 * stands still. One test program includes it once; end with `return test_result();`. */
#ifndef LATCHKEY_TESTS_CAPI_SUPPORT_CHECK_H_
#define LATCHKEY_TESTS_CAPI_SUPPORT_CHECK_H_

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "latchkey/latchkey.h"

#define TEST_NOW_S INT64_C(1795000000)
#define TEXT(literal) (literal), (sizeof(literal) - 1)

static int test_failures;

/* Not assert(): a release build leaves those out. */
#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      ++test_failures;                                                        \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                         \
  } while (0)

#define CHECK_CODE(expected, call) test_check_code((expected), (call), #call, __FILE__, __LINE__)

static inline void test_check_code(latchkey_code expected, latchkey_code actual, const char* call,
                                   const char* file, int line) {
  if (actual == expected) return;
  ++test_failures;
  fprintf(stderr, "%s:%d: code %u (%s), not %u, from %s: %s\n", file, line, (unsigned)actual,
          latchkey_code_text(actual), (unsigned)expected, call, latchkey_error_text());
}

static inline int test_result(void) {
  if (test_failures != 0) fprintf(stderr, "%d checks failed\n", test_failures);
  return test_failures == 0 ? 0 : 1;
}

/* What the rest of a test cannot do without. */
static inline void test_require(int condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "cannot go on: %s: %s\n", what, latchkey_error_text());
  exit(2);
}

#define TEST_PATH_SIZE 1024

static inline void test_folder_make(char path[TEST_PATH_SIZE]) {
  const char* parent = getenv("TMPDIR");
  const int size = snprintf(path, TEST_PATH_SIZE, "%s/latchkey-test-XXXXXX",
                            parent != NULL && parent[0] != '\0' ? parent : P_tmpdir);
  test_require(size > 0 && size < TEST_PATH_SIZE - 64 && mkdtemp(path) != NULL, "temporary folder");
}

static inline int test_remove_entry(const char* path, const struct stat* info, int kind,
                                    struct FTW* place) {
  (void)info;
  (void)kind;
  (void)place;
  return remove(path);
}

static inline void test_folder_remove(const char* path) {
  CHECK(nftw(path, test_remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static inline int64_t test_clock(void* context) {
  (void)context;
  return TEST_NOW_S * 1000;
}

/* Options that open FOLDER/store with the clock that stands still. `path` must outlive them. */
static inline latchkey_open_options test_open_options(const char* folder, char path[TEST_PATH_SIZE],
                                                      uint32_t mode) {
  latchkey_open_options options;
  memset(&options, 0, sizeof options);
  snprintf(path, TEST_PATH_SIZE, "%.*s/store", TEST_PATH_SIZE - 64, folder);
  options.struct_size = sizeof options;
  options.path = path;
  options.mode = mode;
  options.clock = test_clock;
  return options;
}

static inline latchkey_store* test_open(const char* folder, uint32_t mode) {
  char path[TEST_PATH_SIZE];
  const latchkey_open_options options = test_open_options(folder, path, mode);
  latchkey_store* store = NULL;
  test_require(latchkey_store_open(&options, &store) == LATCHKEY_OK, "open the store");
  return store;
}

static inline latchkey_uuid test_owner(latchkey_store* store, uint32_t sort, const char* name) {
  latchkey_owner_create_options options;
  latchkey_owner owner;
  memset(&options, 0, sizeof options);
  memset(&owner, 0, sizeof owner);
  options.struct_size = sizeof options;
  options.sort = sort;
  options.name = name;
  options.name_size = strlen(name);
  owner.struct_size = sizeof owner;
  test_require(latchkey_owner_create(store, &options, &owner) == LATCHKEY_OK, "create an owner");
  return owner.uuid;
}

/* Issues a key; `secret` has LATCHKEY_NEW_SECRET_BYTES_MAX bytes. */
static inline latchkey_uuid test_key(latchkey_store* store, const latchkey_uuid* owner,
                                     uint32_t kind, const char* name, char* secret) {
  latchkey_credential_create_options options;
  latchkey_credential credential;
  memset(&options, 0, sizeof options);
  memset(&credential, 0, sizeof credential);
  options.struct_size = sizeof options;
  options.owner = *owner;
  options.kind = kind;
  options.name = name;
  options.name_size = strlen(name);
  credential.struct_size = sizeof credential;
  test_require(latchkey_credential_create(store, &options, secret, LATCHKEY_NEW_SECRET_BYTES_MAX,
                                          NULL, &credential) == LATCHKEY_OK,
               "create a key");
  return credential.uuid;
}

#endif /* LATCHKEY_TESTS_CAPI_SUPPORT_CHECK_H_ */
