// Mass revocations whose callers have still to count what they cover. Until then nobody writes
// their tombstones: what has one is not counted.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>

namespace latchkey {

class SweepCounts {
 public:
  // From before the commit to the end of the count.
  class UnderWay {
   public:
    // `event_number`: of the latest event, so that the sweep will have a higher one.
    UnderWay(SweepCounts* counts, uint64_t event_number) : counts_(*counts) {
      const std::lock_guard lock(counts_.mutex_);
      begun_at_ = counts_.begun_.insert(event_number);
    }
    ~UnderWay() {
      const std::lock_guard lock(counts_.mutex_);
      counts_.begun_.erase(begun_at_);
    }
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;

   private:
    SweepCounts& counts_;
    std::multiset<uint64_t>::iterator begun_at_;
  };

  // May it still be counted? Ask once it is committed.
  bool may_include(uint64_t number) const {
    const std::lock_guard lock(mutex_);
    return !begun_.empty() && number > *begun_.begin();
  }

 private:
  mutable std::mutex mutex_;
  std::multiset<uint64_t> begun_;
};

}  // namespace latchkey
