/* A program outside latchkey's tree: what an installed latchkey must be able to build and run.
 * Prints the version of the library, and refuses to run against headers of another one. */
#include <latchkey/latchkey.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  if (strcmp(latchkey_version(), LATCHKEY_VERSION) != 0 || latchkey_abi() != LATCHKEY_ABI) {
    fprintf(stderr, "the library is not the one that the headers belong to\n");
    return 1;
  }
  puts(latchkey_version());
  return 0;
}
