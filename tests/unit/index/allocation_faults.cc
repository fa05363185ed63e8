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
// The runtimes of the sanitizers bring forms of their own for arrays and for callers that want no
// exception; those do not end up in the plain one.
void* operator new[](size_t size) { return operator new(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](size_t size, const std::nothrow_t& quiet) noexcept {
  return operator new(size, quiet);
}
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
