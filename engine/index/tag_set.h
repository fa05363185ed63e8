// A set of lookup tags that takes memory only when it is told to, so that what follows a commit can
// add to it without fail.
#pragma once

#include <algorithm>
#include <bit>
#include <vector>

#include "index/table_slot.h"

namespace latchkey {

// One thread at a time.
class TagSet {
 public:
  // Makes room for `count` more. Throws std::bad_alloc, and is then as it was.
  void Reserve(size_t count) {
    const size_t wanted = 2 * (size_ + count);
    if (wanted <= places_.size()) return;
    std::vector<TagBytes> larger(std::bit_ceil(std::max(wanted, kPlacesMin)), TagBytes{});
    for (const TagBytes& tag : places_) {
      if (tag != TagBytes{}) larger[PlaceOf(larger, tag)] = tag;
    }
    places_.swap(larger);
  }
  // Needs its room reserved, unless it is there already.
  void Add(const TagBytes& tag) noexcept {
    TagBytes& place = places_[PlaceOf(places_, tag)];
    if (place == tag) return;
    place = tag;
    ++size_;
  }
  bool Contains(const TagBytes& tag) const {
    return size_ != 0 && places_[PlaceOf(places_, tag)] == tag;
  }
  size_t size() const { return size_; }
  // Gives the memory back.
  void Clear() {
    std::vector<TagBytes>().swap(places_);
    size_ = 0;
  }

 private:
  static constexpr size_t kPlacesMin = 64;

  // Where the tag is, or would go. Tags are as good as random, so they are their own hash, and none
  // is all zeros, which stands for a free place.
  static size_t PlaceOf(const std::vector<TagBytes>& places, const TagBytes& tag) {
    const size_t mask = places.size() - 1;
    size_t i = static_cast<size_t>(TagWords(tag).low) & mask;
    while (places[i] != TagBytes{} && places[i] != tag) i = (i + 1) & mask;
    return i;
  }

  std::vector<TagBytes> places_;  // a power of two of them, at most half in use
  size_t size_ = 0;
};

}  // namespace latchkey
