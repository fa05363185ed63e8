#include "throttle.h"

#include <algorithm>
#include <cmath>

namespace latchkey::http {
namespace {

constexpr int64_t kRetryAfterMaxS = 3600;

}  // namespace

GuessThrottle::GuessThrottle(uint32_t burst, double rate_per_s, size_t addresses_max)
    : burst_(burst),
      rate_per_s_(rate_per_s > 0 ? rate_per_s : 0),
      addresses_max_(std::max<size_t>(addresses_max, 1)) {}

GuessThrottle::Answer GuessThrottle::Spend(const Address& client, int64_t now_ms) {
  if (burst_ == 0) return {};
  const Address network = client.Network();
  const std::lock_guard lock(mutex_);
  Bucket* bucket = BucketOf(network, now_ms);
  Fill(bucket, now_ms);
  if (bucket->tokens >= 1) {
    bucket->tokens -= 1;
    return {};
  }
  const double wait_s = rate_per_s_ > 0 ? (1 - bucket->tokens) / rate_per_s_ : kRetryAfterMaxS;
  const double told_s = std::clamp<double>(std::ceil(wait_s), 1, kRetryAfterMaxS);
  return {.allowed = false, .retry_after_s = static_cast<int64_t>(told_s)};
}

size_t GuessThrottle::Addresses() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

void GuessThrottle::Fill(Bucket* bucket, int64_t now_ms) const {
  if (now_ms <= bucket->filled_ms) return;
  // In floating point from the start: two times can be further apart than int64_t counts.
  const double elapsed_ms = static_cast<double>(now_ms) - static_cast<double>(bucket->filled_ms);
  bucket->tokens = std::min(burst_, bucket->tokens + elapsed_ms / 1000 * rate_per_s_);
  bucket->filled_ms = now_ms;
}

// The bucket of `network`, now the most recently used.
GuessThrottle::Bucket* GuessThrottle::BucketOf(const Address& network, int64_t now_ms) {
  if (const auto found = by_network_.find(network); found != by_network_.end()) {
    buckets_.splice(buckets_.begin(), buckets_, found->second);
    return &buckets_.front();
  }
  if (buckets_.size() < addresses_max_) {
    buckets_.push_front({network, burst_, now_ms});
    try {
      by_network_.emplace(network, buckets_.begin());
    } catch (...) {
      buckets_.pop_front();
      throw;
    }
    return &buckets_.front();
  }
  // The newcomer takes over the least recently used bucket with what is in it. Where that has
  // filled up again, this is a new one; where it has not, whoever guesses from ever more addresses
  // gains no tokens by pushing his own buckets out.
  const auto oldest = std::prev(buckets_.end());
  auto node = by_network_.extract(oldest->network);
  node.key() = network;
  by_network_.insert(std::move(node));
  oldest->network = network;
  buckets_.splice(buckets_.begin(), buckets_, oldest);
  return &buckets_.front();
}

}  // namespace latchkey::http
