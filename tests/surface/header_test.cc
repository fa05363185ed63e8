// latchkey.h is complete by itself, as C++11. Compiling this is the test.
#include "latchkey/latchkey.h"

int HeaderTest() { return LATCHKEY_ABI; }
