// Which keys of some columns have been written since the columns were empty, kept in memory: a
// Bloom filter, and for some of them a set. What they do not hold is not in the store, so that
// nobody need look.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace latchkey {

// For one thread at a time. Right only as long as every batch that is committed tells of what it
// writes (Batch); it does so before the commit, so one that fails does no harm.
class KeyFilter {
 public:
  // A key of a `known` column is in the store as soon as its hash has been seen: wrong once in 2^64
  // divided by the number of keys. Nothing is ever deleted from such a column.
  explicit KeyFilter(std::vector<uint8_t> columns, std::vector<uint8_t> known = {})
      : columns_(std::move(columns)), known_(std::move(known)) {}

  bool Covers(uint8_t column) const { return Holds(columns_, column) || Knows(column); }
  bool Knows(uint8_t column) const { return Holds(known_, column); }
  void Add(uint8_t column, uint64_t hash) {
    if (Knows(column)) {
      set_.Add(hash);
    } else {
      bloom_.Add(hash);
    }
  }
  bool MayHold(uint8_t column, uint64_t hash) const {
    return Knows(column) ? set_.Has(hash) : bloom_.MayHold(hash);
  }

 private:
  // Blocked: all bits of a key lie in one line. 24 bits a key: one in ten thousand that is not
  // there "may" be, and a search in a store that is being filled may go through hundreds of files.
  // A layer that is full is followed by one twice as large, so that what is added needs no second
  // copy of what is there.
  class Bloom {
   public:
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
    static constexpr size_t kFirstLines = (size_t{1} << 20) / 64;
    static constexpr size_t kKeysPerLine = 512 / 24;
    static constexpr uint64_t kProbes = 7;
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
      const uint64_t product = (hash ^ hash >> 32) * kOdd;
      return product ^ product >> 32;
    }

    std::vector<Layer> layers_;
  };

  // Open addressing, at most two thirds full.
  class HashSet {
   public:
    void Add(uint64_t hash) {
      if (3 * (count_ + 1) > 2 * slots_.size()) Grow();
      uint64_t& slot = slots_[SlotOf(hash)];
      if (slot == 0) ++count_;
      slot = NotZero(hash);
    }
    bool Has(uint64_t hash) const { return !slots_.empty() && slots_[SlotOf(hash)] != 0; }

   private:
    static constexpr size_t kFirstSlots = size_t{1} << 16;
    static uint64_t NotZero(uint64_t hash) { return hash | static_cast<uint64_t>(hash == 0); }
    // Where the hash is, or may be put.
    size_t SlotOf(uint64_t hash) const {
      const size_t mask = slots_.size() - 1;
      size_t slot = hash & mask;
      while (slots_[slot] != 0 && slots_[slot] != NotZero(hash)) slot = (slot + 1) & mask;
      return slot;
    }
    void Grow() {
      std::vector<uint64_t> old(std::max(2 * slots_.size(), kFirstSlots));
      old.swap(slots_);
      for (const uint64_t hash : old) {
        if (hash != 0) slots_[SlotOf(hash)] = hash;
      }
    }

    std::vector<uint64_t> slots_;  // 0 = free
    size_t count_ = 0;
  };

  static bool Holds(const std::vector<uint8_t>& columns, uint8_t column) {
    return std::find(columns.begin(), columns.end(), column) != columns.end();
  }

  std::vector<uint8_t> columns_;
  std::vector<uint8_t> known_;
  Bloom bloom_;
  HashSet set_;
};

}  // namespace latchkey
