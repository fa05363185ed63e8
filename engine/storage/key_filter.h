// Which keys of some columns have been written since the columns were empty: a Bloom filter in
// memory. What it does not hold is not in the store, so that nobody need look.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace latchkey {

// For one thread at a time. A filter is true only as long as every batch that is committed is told
// of it (Batch); and it is told before the commit, so one that fails does no harm.
class KeyFilter {
 public:
  explicit KeyFilter(std::vector<uint8_t> columns) : columns_(std::move(columns)) {}

  bool Covers(uint8_t column) const {
    for (const uint8_t covered : columns_) {
      if (covered == column) return true;
    }
    return false;
  }
  void Add(uint64_t hash) {
    Line& line = lines_[hash % kLines];
    for (uint64_t bits = Stir(hash), i = 0; i < kProbes; ++i, bits >>= 9) {
      line.words[(bits >> 6) & 7] |= uint64_t{1} << (bits & 63);
    }
  }
  bool MayHold(uint64_t hash) const {
    const Line& line = lines_[hash % kLines];
    for (uint64_t bits = Stir(hash), i = 0; i < kProbes; ++i, bits >>= 9) {
      if ((line.words[(bits >> 6) & 7] >> (bits & 63) & 1) == 0) return false;
    }
    return true;
  }

 private:
  // 32 MiB. A key takes ten bits: good for 8 million credentials with three keys each. With more it
  // answers "perhaps" too often, which costs time and nothing else.
  static constexpr size_t kLines = (size_t{32} << 20) / 64;
  static constexpr uint64_t kProbes = 6;
  struct alignas(64) Line {
    uint64_t words[8] = {};
  };
  static uint64_t Stir(uint64_t hash) {
    constexpr uint64_t kOdd = 0xFF51AFD7ED558CCD;
    return (hash ^ hash >> 32) * kOdd >> 8;
  }

  std::vector<uint8_t> columns_;
  std::vector<Line> lines_ = std::vector<Line>(kLines);
};

}  // namespace latchkey
