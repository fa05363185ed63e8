// Which keys of some columns have been written since the columns were empty: Bloom filters in
// memory. What it does not hold is not in the store, so that nobody need look.
#pragma once

#include <algorithm>
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
    if (layers_.empty() || layers_.back().keys == layers_.back().lines.size() * kKeysPerLine) {
      const size_t size = layers_.empty() ? kFirstLines : 2 * layers_.back().lines.size();
      layers_.push_back({std::vector<Line>(size), 0});
    }
    Layer& layer = layers_.back();
    ++layer.keys;
    Line& line = layer.lines[hash & (layer.lines.size() - 1)];
    for (uint64_t bits = Stir(hash), i = 0; i < kProbes; ++i, bits >>= 9) {
      line.words[(bits >> 6) & 7] |= uint64_t{1} << (bits & 63);
    }
  }
  bool MayHold(uint64_t hash) const {
    return std::any_of(layers_.begin(), layers_.end(),
                       [hash](const Layer& layer) { return layer.MayHold(hash); });
  }

 private:
  // Ten bits a key: one key in a hundred that is not there "may" be. A layer that is full is
  // followed by one twice as large, so that what is added needs no second copy of what is there.
  static constexpr size_t kFirstLines = (size_t{1} << 20) / 64;
  static constexpr size_t kKeysPerLine = 512 / 10;
  static constexpr uint64_t kProbes = 6;
  struct alignas(64) Line {
    uint64_t words[8] = {};
  };
  struct Layer {
    std::vector<Line> lines;  // a power of two
    size_t keys = 0;
    bool MayHold(uint64_t hash) const {
      const Line& line = lines[hash & (lines.size() - 1)];
      for (uint64_t bits = Stir(hash), i = 0; i < kProbes; ++i, bits >>= 9) {
        if ((line.words[(bits >> 6) & 7] >> (bits & 63) & 1) == 0) return false;
      }
      return true;
    }
  };
  static uint64_t Stir(uint64_t hash) {
    constexpr uint64_t kOdd = 0xFF51AFD7ED558CCD;
    return (hash ^ hash >> 32) * kOdd >> 8;
  }

  std::vector<uint8_t> columns_;
  std::vector<Layer> layers_;
};

}  // namespace latchkey
