#include "remembered.h"

namespace latchkey::http {
namespace {

// By the end of the UUID, which is random in versions 4 and 7, and counts up where somebody
// numbered his own: Fibonacci hashing (Knuth, TAOCP 6.4) spreads both. `slots_log2` bits of it.
size_t SlotOf(const Uuid& uuid, unsigned slots_log2) {
  uint64_t end = 0;
  for (size_t i = 8; i < sizeof uuid.bytes; ++i) end = end << 8 | uuid.bytes[i];
  return end * 0x9E3779B97F4A7C15u >> (64 - slots_log2);
}

}  // namespace

Remembered::Remembered() : slots_(std::make_unique<Slot[]>(size_t{1} << kSlotsLog2)) {}

int64_t Remembered::Creation(const Uuid& credential, const std::function<int64_t()>& read) {
  const size_t place = SlotOf(credential, kSlotsLog2);
  Slot& slot = slots_[place];
  std::mutex& mutex = locks_[place % kLocks];
  {
    const std::lock_guard lock(mutex);
    if (slot.credential == credential) return slot.creation_s;
  }
  const int64_t creation_s = read();
  const std::lock_guard lock(mutex);
  slot = {credential, creation_s};
  return creation_s;
}

}  // namespace latchkey::http
