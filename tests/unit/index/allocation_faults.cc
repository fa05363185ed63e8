#include "unit/index/allocation_faults.h"

#include <cstdlib>
#include <new>

namespace {

thread_local bool counting = false;
thread_local size_t allocated = 0;
thread_local size_t allowed = 0;

}  // namespace

void* operator new(size_t size) {
  if (counting && allocated++ == allowed) throw std::bad_alloc();
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
// The runtimes of the sanitizers bring array forms of their own, which do not end up in the plain
// ones.
void* operator new[](size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace latchkey::test {

AllocationFaults::AllocationFaults(size_t after) {
  allocated = 0;
  allowed = after;
  counting = true;
}

AllocationFaults::~AllocationFaults() { counting = false; }

size_t AllocationFaults::allocations() const { return allocated; }

}  // namespace latchkey::test
