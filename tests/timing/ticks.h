// A clock for a few instructions: the processor's time stamp, fenced so that what is measured
// neither begins before the first reading nor ends after the second.
#pragma once

#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace latchkey::timing {

inline uint64_t TicksBefore() {
#if defined(__x86_64__)
  _mm_lfence();
  const uint64_t now = __rdtsc();
  _mm_lfence();
  return now;
#else
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

inline uint64_t TicksAfter() {
#if defined(__x86_64__)
  unsigned processor;
  const uint64_t now = __rdtscp(&processor);
  _mm_lfence();
  return now;
#else
  return TicksBefore();
#endif
}

// Ticks of a nanosecond, by the steady clock since the object was made.
class TickRate {
 public:
  double per_ns() const {
    const std::chrono::duration<double, std::nano> passed =
        std::chrono::steady_clock::now() - since_;
    return static_cast<double>(TicksBefore() - ticks_) / passed.count();
  }

 private:
  const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  const uint64_t ticks_ = TicksBefore();
};

}  // namespace latchkey::timing
