// A set of rows of one block, as bits.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace latchkey {

class RowSet {
 public:
  static constexpr size_t kRows = 512;

  RowSet() = default;
  // The rows begin..end-1.
  static RowSet Range(size_t begin, size_t end) {
    RowSet set;
    for (size_t i = 0; i < kWords; ++i) set.words_[i] = LowBits(i, end) & ~LowBits(i, begin);
    return set;
  }

  void Add(size_t row) { words_[row / 64] |= uint64_t{1} << row % 64; }
  bool Has(size_t row) const { return (words_[row / 64] >> row % 64 & 1) != 0; }
  bool empty() const {
    return std::all_of(words_.begin(), words_.end(), [](uint64_t word) { return word == 0; });
  }

  size_t Count() const {
    size_t count = 0;
    for (const uint64_t word : words_) count += static_cast<size_t>(std::popcount(word));
    return count;
  }
  // How many members are smaller than `row`.
  size_t CountBelow(size_t row) const { return (*this & Range(0, row)).Count(); }

  // The member that has `rank` smaller ones; there is one.
  size_t Nth(size_t rank) const {
    size_t i = 0;
    while (rank >= static_cast<size_t>(std::popcount(words_[i]))) {
      rank -= static_cast<size_t>(std::popcount(words_[i++]));
    }
    uint64_t word = words_[i];
    for (; rank > 0; --rank) word &= word - 1;
    return i * 64 + static_cast<size_t>(std::countr_zero(word));
  }

  // The smallest member that is not below `row`, and the greatest that is below it; kRows if there
  // is none.
  size_t AtOrAfter(size_t row) const {
    for (size_t i = row / 64; i < kWords; ++i) {
      const uint64_t word = words_[i] & ~LowBits(i, row);
      if (word != 0) return i * 64 + static_cast<size_t>(std::countr_zero(word));
    }
    return kRows;
  }
  size_t Before(size_t row) const {
    for (size_t i = (row + 63) / 64; i-- > 0;) {
      const uint64_t word = words_[i] & LowBits(i, row);
      if (word != 0) return i * 64 + 63 - static_cast<size_t>(std::countl_zero(word));
    }
    return kRows;
  }

  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (size_t i = 0; i < kWords; ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        visit(i * 64 + static_cast<size_t>(std::countr_zero(word)));
      }
    }
  }

  RowSet operator&(const RowSet& other) const {
    RowSet set;
    for (size_t i = 0; i < kWords; ++i) set.words_[i] = words_[i] & other.words_[i];
    return set;
  }
  RowSet Without(const RowSet& other) const {
    RowSet set;
    for (size_t i = 0; i < kWords; ++i) set.words_[i] = words_[i] & ~other.words_[i];
    return set;
  }

 private:
  static constexpr size_t kWords = kRows / 64;
  // The bits of word `i` that stand for rows below `end`.
  static constexpr uint64_t LowBits(size_t i, size_t end) {
    if (end >= (i + 1) * 64) return ~uint64_t{0};
    return end <= i * 64 ? 0 : (uint64_t{1} << (end - i * 64)) - 1;
  }
  std::array<uint64_t, kWords> words_{};
};

}  // namespace latchkey
