// Chunks by mmap, aligned to and advised for huge pages.
#include "index/slot_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <new>

namespace latchkey {
namespace {

constexpr size_t kHugePageSize = size_t{2} << 20;
// One page for each of 256 segments. Without huge pages, so that a small store costs what it
// touches.
constexpr size_t kFirstChunkSize = size_t{1} << 20;
// A new chunk is this part of what is mapped already: few chunks, and no large one for a small
// store.
constexpr size_t kChunkShare = 4;

constexpr size_t RoundUp(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

// `size` bytes at an address that is a multiple of a huge page; nullptr when there is no memory.
char* MapAligned(size_t size) {
  const size_t mapped_size = size + kHugePageSize;
  void* mapped = mmap(nullptr, mapped_size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  char* const begin = static_cast<char*>(mapped);
  const size_t skipped = RoundUp(reinterpret_cast<uintptr_t>(begin), kHugePageSize) -
                         reinterpret_cast<uintptr_t>(begin);
  // Should trimming fail, addresses are lost and nothing else.
  if (skipped != 0) munmap(begin, skipped);
  if (skipped != kHugePageSize) munmap(begin + skipped + size, kHugePageSize - skipped);
  return begin + skipped;
}

}  // namespace

SlotMemory::~SlotMemory() {
  for (const Chunk& chunk : chunks_) munmap(chunk.begin, chunk.size);
}

bool SlotMemory::AddChunk(size_t size_min) {
  try {
    chunks_.reserve(chunks_.size() + 1);
  } catch (const std::bad_alloc&) {
    return false;
  }
  const bool is_first = chunks_.empty() && size_min <= kFirstChunkSize;
  const size_t size = is_first ? kFirstChunkSize
                               : RoundUp(std::max(size_min, mapped_ / kChunkShare), kHugePageSize);
  char* const begin = MapAligned(size);
  if (begin == nullptr) return false;
  // A kernel without huge pages refuses: slower, and nothing else.
  if (!is_first) madvise(begin, size, MADV_HUGEPAGE);
  chunks_.push_back({begin, size});
  next_ = begin;
  free_ = size;
  mapped_ += size;
  return true;
}

void* SlotMemory::Take(size_t pages) {
  const size_t size = pages * kPageSize;
  if (size > free_ && !AddChunk(size)) return nullptr;
  char* const run = next_;
  next_ += size;
  free_ -= size;
  return run;
}

void SlotMemory::Empty(void* run, size_t pages) {
  // Whole pages of the system only: it rounds a length up, into the neighbour.
  const auto system_page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(run);
  const uintptr_t first = RoundUp(begin, system_page);
  const uintptr_t last = (begin + pages * kPageSize) / system_page * system_page;
  if (first >= last) return;
  // Locked memory refuses and stays as it is: that costs memory, while no reader trusts these
  // bytes.
  madvise(static_cast<char*>(run) + (first - begin), last - first, MADV_DONTNEED);
}

}  // namespace latchkey
