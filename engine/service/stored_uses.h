// When credentials were last used that the verify table does not hold, until that is written to the
// store. Bounded: what is used beyond its size is not noted, for the time of last use is advisory.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "index/table_slot.h"

namespace latchkey {

// The second of a use as it is kept: from 2106-02-07T06:28:15 on it stays there.
inline uint32_t UseSecond(int64_t now_s) {
  return static_cast<uint32_t>(std::min<int64_t>(now_s, UINT32_MAX));
}

// Any thread.
class StoredUses {
 public:
  static constexpr size_t kSizeMax = 8192;
  struct Use {
    TagWords tag;
    Uuid uuid;
    uint32_t last_used_s = 0;
  };

  void Note(TagWords tag, const Uuid& uuid, uint32_t now_s) noexcept {
    const std::lock_guard lock(mutex_);
    try {
      const auto known = uses_.find(tag.low);
      if (known == uses_.end() && uses_.size() >= kSizeMax) return;
      Use& use = known == uses_.end() ? uses_[tag.low] : known->second;
      use = {tag, uuid, std::max(use.last_used_s, now_s)};
      size_.store(uses_.size(), std::memory_order_relaxed);
    } catch (const std::bad_alloc&) {  // then it is not noted
    }
  }
  // 0 = not noted.
  uint32_t Of(TagWords tag) const {
    if (empty()) return 0;
    const std::lock_guard lock(mutex_);
    const auto known = uses_.find(tag.low);
    return known == uses_.end() ? 0 : known->second.last_used_s;
  }
  bool empty() const { return size_.load(std::memory_order_relaxed) == 0; }
  std::vector<Use> All() const {
    const std::lock_guard lock(mutex_);
    std::vector<Use> all;
    for (const auto& [low, use] : uses_) all.push_back(use);
    return all;
  }
  // These are in the store now; what was used again since then stays.
  void Forget(const std::vector<Use>& written) {
    const std::lock_guard lock(mutex_);
    for (const Use& use : written) {
      const auto known = uses_.find(use.tag.low);
      if (known != uses_.end() && known->second.last_used_s <= use.last_used_s) uses_.erase(known);
    }
    size_.store(uses_.size(), std::memory_order_relaxed);
  }

 private:
  mutable std::mutex mutex_;
  // By half of the tag, which is as good as random: two credentials that share it (one in 10^12
  // stores) share a time.
  std::unordered_map<uint64_t, Use> uses_;
  std::atomic<size_t> size_{0};  // so that nobody locks to learn that there is nothing
};

}  // namespace latchkey
