// What a thread has asked of the allocator and of the kernel.
#pragma once

#include <cstdint>

namespace latchkey_bench {

// Calls of malloc and its kin on this thread since it began, the library's among them: this
// program defines them, and the shared library is bound to the program's.
uint64_t Allocations();

// Calls that read, of this thread, as the kernel counts them (/proc/thread-self/io: syscr), and its
// page faults that went to the device. Of the reads that this function does itself it is cleared.
uint64_t StorageReads();

}  // namespace latchkey_bench
