/* A handle does not cross fork(): the child's copy answers UNSUPPORTED, the parent's goes on. */
#include <sys/types.h>
#include <sys/wait.h>

#include "support/check.h"

static void check_child(latchkey_store* store, const latchkey_uuid* user, const char* secret) {
  latchkey_verdict verdict;
  latchkey_stats stats;
  latchkey_uuid uuid;
  memset(&verdict, 0, sizeof verdict);
  verdict.struct_size = sizeof verdict;
  memset(&stats, 0, sizeof stats);
  stats.struct_size = sizeof stats;
  CHECK_CODE(LATCHKEY_UNSUPPORTED, latchkey_verify(store, secret, strlen(secret), NULL, &verdict));
  CHECK_CODE(LATCHKEY_UNSUPPORTED, latchkey_store_stats(store, &stats));
  CHECK_CODE(LATCHKEY_UNSUPPORTED, latchkey_owner_delete(store, user, NULL));
  CHECK_CODE(LATCHKEY_UNSUPPORTED, latchkey_credential_revoke(store, user, NULL, NULL, 0, NULL));
  CHECK_CODE(LATCHKEY_UNSUPPORTED, latchkey_store_check(store, NULL, NULL));
  CHECK(latchkey_error_text()[0] != '\0');
  /* What needs no store is not touched by it. */
  CHECK_CODE(LATCHKEY_OK, latchkey_uuid_parse(TEXT("01890000-0000-7000-8000-000000000000"), &uuid));
  CHECK_CODE(LATCHKEY_OK, latchkey_store_close(store));
}

int main(void) {
  char folder[TEST_PATH_SIZE];
  char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
  char after[LATCHKEY_NEW_SECRET_BYTES_MAX];
  latchkey_store* store;
  latchkey_uuid user;
  pid_t child;
  int status = 0;
  test_folder_make(folder);
  store = test_open(folder, LATCHKEY_OPEN_CREATE);
  user = test_owner(store, LATCHKEY_OWNER_USER, "Courage");
  (void)test_key(store, &user, LATCHKEY_KIND_USER_KEY, "before", secret);

  child = fork();
  test_require(child >= 0, "fork");
  if (child == 0) {
    check_child(store, &user, secret);
    fflush(stderr);
    _exit(test_result());
  }
  test_require(waitpid(child, &status, 0) == child, "wait for the child");
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);

  CHECK_CODE(LATCHKEY_OK, latchkey_verify(store, secret, strlen(secret), NULL, NULL));
  (void)test_key(store, &user, LATCHKEY_KIND_USER_KEY, "after", after);
  CHECK_CODE(LATCHKEY_OK, latchkey_store_check(store, NULL, NULL));
  CHECK_CODE(LATCHKEY_OK, latchkey_store_close(store));

  store = test_open(folder, LATCHKEY_OPEN_EXISTING);
  CHECK_CODE(LATCHKEY_OK, latchkey_verify(store, secret, strlen(secret), NULL, NULL));
  CHECK_CODE(LATCHKEY_OK, latchkey_verify(store, after, strlen(after), NULL, NULL));
  CHECK_CODE(LATCHKEY_OK, latchkey_store_close(store));
  test_folder_remove(folder);
  return test_result();
}
