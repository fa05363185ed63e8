// How a thread waits for its turn. Unlike with a condition variable there is no lock to wake up
// with, so that who is woken does not at once wait for who woke it; and whoever waits may leave,
// and take this with it, as soon as it has been told.
#pragma once

#include <atomic>
#include <cstdint>

namespace latchkey {

class Turn {
 public:
  enum class Word : uint32_t { kNone, kAsleep, kLead, kDone };

  // One thread waits, once for every word that another tells it: kLead or kDone.
  Word Await();
  void Tell(Word word);

 private:
  std::atomic<Word> word_{Word::kNone};
};

}  // namespace latchkey
