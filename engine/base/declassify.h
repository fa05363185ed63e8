// What the world may learn of a secret.
//
// No branch and no address on the way of a verification may depend on the bytes of the presented
// secret or on the pepper's keys. Where the way parts at last, by the answer, or leads to a slot of
// the verify table, the value goes through Declassify(): what does is no longer secret, and time
// may tell it. In the engine it does nothing. Two tests build the same sources with a hook in it:
// tests/timing/memcheck_test.cc marks secrets and keys as undefined and runs under valgrind, which
// reports every branch and address that depends on what has not been declassified;
// tests/histories/interleaved_test.cc changes the store at each such point.
#pragma once

#include <cstddef>

namespace latchkey {

#if defined(LATCHKEY_DECLASSIFY_HOOK)
void OnDeclassify(const void* bytes, size_t size);  // the test has it
#endif

template <typename T>
[[gnu::always_inline]] inline T Declassify(T value) {
#if defined(LATCHKEY_DECLASSIFY_HOOK)
  OnDeclassify(&value, sizeof value);
#endif
  return value;
}

}  // namespace latchkey
