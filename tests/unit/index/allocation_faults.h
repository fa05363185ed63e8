// Counts the allocations of a thread, and lets one of them fail.
#pragma once

#include <cstddef>

namespace latchkey::test {

class AllocationFaults {
 public:
  // From now on and while this lives, the allocation of this thread after `after` more fails.
  explicit AllocationFaults(size_t after);
  ~AllocationFaults();
  AllocationFaults(const AllocationFaults&) = delete;
  AllocationFaults& operator=(const AllocationFaults&) = delete;

  static constexpr size_t kNever = ~size_t{0};
  size_t allocations() const;  // of this thread since then
};

}  // namespace latchkey::test
