/* latchkey.h is complete by itself, as C99. Compiling this is the test. */
#include "latchkey/latchkey.h"

int latchkey_header_test_c(void);
int latchkey_header_test_c(void) { return LATCHKEY_ABI; }
