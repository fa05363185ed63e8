// Waiting by futex, the way that a condition variable does underneath.
#include "authority/turn.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace latchkey {
namespace {

// The kernel compares 32 bits at the address.
static_assert(sizeof(std::atomic<Turn::Word>) == sizeof(uint32_t));

}  // namespace

Turn::Word Turn::Await() {
  Word word = Word::kNone;
  if (word_.compare_exchange_strong(word, Word::kAsleep, std::memory_order_acquire)) {
    do {
      syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, Word::kAsleep, nullptr, nullptr, 0);
      word = word_.load(std::memory_order_acquire);
    } while (word == Word::kAsleep);
  }
  word_.store(Word::kNone, std::memory_order_relaxed);
  return word;
}

void Turn::Tell(Word word) {
  // Who waits may be gone as soon as the word is there. The kernel takes the address as a number:
  // at worst it wakes somebody who finds that he was not meant.
  void* const address = &word_;
  if (word_.exchange(word, std::memory_order_acq_rel) != Word::kAsleep) return;
  syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace latchkey
