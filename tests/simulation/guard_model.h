// The time that verdicts go by, as DESIGN has it, in whole seconds: never before the latest time
// remembered; a jump of more than five minutes ahead of the time that passed is used, and not
// remembered until it has lasted an hour.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace latchkey_test {

class GuardModel {
 public:
  static constexpr int64_t kJumpLimitS = 300;
  static constexpr int64_t kJumpSettleS = 3600;

  // A store is opened that remembers this time. `boot_s` is how long the machine has been running.
  void Open(int64_t wall_s, int64_t boot_s, int64_t stored_s) {
    believed_s_ = wall_s - boot_s;
    jump_.reset();
    remembered_s_ = time_s_ = std::max(wall_s, stored_s);
  }

  void Observe(int64_t wall_s, int64_t boot_s) {
    const int64_t ahead_s = wall_s - boot_s - believed_s_;
    const bool is_jump = ahead_s > kJumpLimitS && wall_s > remembered_s_;
    if (is_jump && !HasLasted(ahead_s, boot_s)) {
      time_s_ = wall_s;
      return;
    }
    if (is_jump || ahead_s < 0) believed_s_ = wall_s - boot_s;
    jump_.reset();
    time_s_ = remembered_s_ = std::max(remembered_s_, wall_s);
  }

  int64_t time_s() const { return time_s_; }
  int64_t remembered_s() const { return remembered_s_; }
  bool jump_pending() const { return jump_.has_value(); }

 private:
  struct Jump {
    int64_t begun_s;
    int64_t ahead_s;
  };
  bool HasLasted(int64_t ahead_s, int64_t boot_s) {
    if (jump_ && std::llabs(ahead_s - jump_->ahead_s) <= kJumpLimitS) {
      return boot_s - jump_->begun_s >= kJumpSettleS;
    }
    jump_ = {boot_s, ahead_s};
    return false;
  }

  int64_t believed_s_ = 0;  // when the machine was started, by the wall clock as it is believed
  int64_t remembered_s_ = 0;
  int64_t time_s_ = 0;
  std::optional<Jump> jump_;
};

}  // namespace latchkey_test
