// Token buckets that slow down whoever guesses credentials, one bucket a client address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>

#include "address.h"

namespace latchkey::http {

// Only failed guesses spend tokens, so an empty bucket never stands in the way of a valid
// credential. Methods may be called from any thread.
class GuessThrottle {
 public:
  // `burst` 0 = everything is allowed. `addresses_max` bounds the memory, about 150 bytes each.
  GuessThrottle(uint32_t burst, double rate_per_s, size_t addresses_max = 65536);
  GuessThrottle(const GuessThrottle&) = delete;
  GuessThrottle& operator=(const GuessThrottle&) = delete;

  struct Answer {
    bool allowed = true;
    int64_t retry_after_s = 0;  // at least 1 when not allowed: for Retry-After
  };
  // Takes a token from the bucket of client.Network(). `now_ms` is of a monotonic clock; where it
  // runs back all the same, nothing is refilled until it has caught up.
  Answer Spend(const Address& client, int64_t now_ms);

  // How many addresses have a bucket.
  size_t Addresses() const;

 private:
  struct Bucket {
    Address network;
    double tokens;
    int64_t filled_ms;
  };
  // The least recently used bucket is the last.
  using Buckets = std::list<Bucket>;

  void Fill(Bucket* bucket, int64_t now_ms) const;
  Bucket* BucketOf(const Address& network, int64_t now_ms);

  const double burst_;
  const double rate_per_s_;
  const size_t addresses_max_;
  mutable std::mutex mutex_;
  Buckets buckets_;
  // A tree and no hash table: no choice of addresses makes a look-up slow.
  std::map<Address, Buckets::iterator> by_network_;
};

}  // namespace latchkey::http
