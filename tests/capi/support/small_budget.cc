// Linked with the engine's own objects, a suite may ask for a memory budget that the C API refuses,
// so that a few keys do not fit: with a page for each fourth segment, three keys in four are
// answered from the store.
#include "support/fixture.h"

namespace latchkey {
extern uint64_t memory_budget_bytes_min;
}

namespace {

[[maybe_unused]] const bool is_set = [] {
  latchkey::memory_budget_bytes_min = 0;
  latchkey_test::load_choice.memory_budget_bytes = 64 * 4096;
  return true;
}();

}  // namespace
