// Memory for the verify table's segments: page-aligned runs cut one after the other from large,
// aligned chunks, so that small segments share huge pages. A run that was handed out stays mapped,
// and is not handed out again, for as long as this object lives: a late reader may look at it, a
// late Touch() may write into it, and neither does harm.
#pragma once

#include <cstddef>
#include <vector>

namespace latchkey {

// One thread at a time.
class SlotMemory {
 public:
  static constexpr size_t kPageSize = 4096;

  SlotMemory() = default;
  ~SlotMemory();
  SlotMemory(const SlotMemory&) = delete;
  SlotMemory& operator=(const SlotMemory&) = delete;

  // Zero bytes, aligned to kPageSize; nullptr when there is no memory.
  void* Take(size_t pages);
  // Gives the memory of a run, not its addresses, back to the system.
  void Empty(void* run, size_t pages);

 private:
  struct Chunk {
    char* begin;
    size_t size;
  };
  bool AddChunk(size_t size_min);

  std::vector<Chunk> chunks_;
  char* next_ = nullptr;  // the first free byte of the last chunk
  size_t free_ = 0;       // bytes from there on
  size_t mapped_ = 0;
};

}  // namespace latchkey
