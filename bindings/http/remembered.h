// When credentials were made: what a reply to a verification tells besides the verdict, and that
// never changes. Reading it from the store would cost more than the verification.
#pragma once

#include <latchkey/latchkey.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

namespace latchkey::http {

// A table of fixed size, in which a later entry takes the place of an earlier one. Any thread.
class Remembered {
 public:
  Remembered();

  // `read` is called when it is not known.
  int64_t Creation(const Uuid& credential, const std::function<int64_t()>& read);

 private:
  static constexpr unsigned kSlotsLog2 = 16;
  static constexpr size_t kLocks = 64;

  struct Slot {
    Uuid credential = {};
    int64_t creation_s = 0;
  };

  std::unique_ptr<Slot[]> slots_;
  std::array<std::mutex, kLocks> locks_;
};

}  // namespace latchkey::http
