// What a reply to a verification tells besides the verdict, and that seldom or never changes: when
// the credential was made, and the subject of its owner. Reading it from the store would cost more
// than the verification.
#pragma once

#include <latchkey/latchkey.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace latchkey::http {

// A table of fixed size, in which a later entry takes the place of an earlier one. The store has
// this process for its only writer: whoever changes an owner forgets him here. A change whose
// outcome is not known may show later, so a subject is read again after ten seconds. Any thread.
class Remembered {
 public:
  Remembered();

  // `read` is called when it is not known. The e-mail of a user, or the text of his UUID when he
  // has none.
  std::string Subject(const Uuid& owner, const std::function<std::string()>& read);
  int64_t Creation(const Uuid& credential, const std::function<int64_t()>& read);

  // Forgets an owner when a change of him is over, however it went.
  class Change {
   public:
    Change(Remembered* remembered, const Uuid& owner) : remembered_(remembered), owner_(owner) {}
    ~Change() { remembered_->Forget(owner_); }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    Remembered* remembered_;
    const Uuid owner_;
  };

 private:
  static constexpr unsigned kSubjectsLog2 = 12;
  static constexpr unsigned kCreationsLog2 = 16;
  static constexpr size_t kLocks = 64;

  struct SubjectSlot {
    Uuid owner = {};
    std::string subject;
    int64_t read_ms = 0;
  };
  struct CreationSlot {
    Uuid credential = {};
    int64_t creation_s = 0;
  };

  void Forget(const Uuid& owner);
  std::mutex& LockOf(size_t slot) { return locks_[slot % kLocks]; }

  std::unique_ptr<SubjectSlot[]> subjects_;
  std::unique_ptr<CreationSlot[]> creations_;
  std::array<std::mutex, kLocks> locks_;
  // How many changes there were: what was read before one is not kept after it.
  std::atomic<uint64_t> changes_ = 0;
};

}  // namespace latchkey::http
