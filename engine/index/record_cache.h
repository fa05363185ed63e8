// A bounded cache of records that the store holds, kept true by whoever changes the store: while a
// change is being committed nobody finds the record here and nobody can put it here, so every
// reader asks the store, which gives one answer or the other but never goes back.
//
//   RecordCache<Uuid, Value, UuidHash>::Ticket ticket;
//   if (auto known = cache.Find(uuid, &ticket)) return *known;
//   Value value = ReadStore(uuid);
//   cache.Keep(uuid, value, ticket);  // unless a change came in between
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace latchkey {

// Key and Value can be default-constructed; a Value moves without throwing and is cheap to copy.
template <typename Key, typename Value, typename Hash>
class RecordCache {
 public:
  static constexpr size_t kShards = 64;
  static constexpr size_t kCapacity = 8192;

  // What a reader knew when it went to the store. One that Find() did not fill keeps nothing.
  class Ticket {
    friend class RecordCache;
    uint64_t era = 1;  // odd: as if in the middle of a change
  };

  RecordCache() : shards_(std::make_unique<std::array<Shard, kShards>>()) {}

  // Any thread.
  std::optional<Value> Find(const Key& key, Ticket* ticket) const {
    const uint64_t hash = Stir(key);
    Shard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.mutex);
    ticket->era = shard.era;
    Set& set = shard.SetOf(hash);
    for (size_t i = 0; i < kWays; ++i) {
      if (!set[i].used || !(set[i].key == key)) continue;
      Value value = set[i].value;
      if (i > 0) std::swap(set[i], set[i - 1]);  // what is asked for often moves to the front
      return value;
    }
    return std::nullopt;
  }
  // Nothing is kept if a change began after the ticket was filled. What is there is replaced.
  void Keep(const Key& key, Value value, const Ticket& ticket) const {
    const uint64_t hash = Stir(key);
    Shard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.mutex);
    if (ticket.era != shard.era || IsChanging(shard)) return;
    Set& set = shard.SetOf(hash);
    Entry* place = &set.back();
    for (Entry& entry : set) {
      if (!entry.used && place->used) place = &entry;
    }
    for (Entry& entry : set) {
      if (entry.used && entry.key == key) place = &entry;
    }
    place->key = key;
    std::swap(place->value, value);  // the old one ends with the parameter
    place->used = true;
  }

  // One writer at a time; neither allocates. Begin() before the commit that changes the record,
  // End() once it is decided: what was begun before a commit whose outcome is not known stays so.
  void Begin(const Key& key) noexcept {
    const uint64_t hash = Stir(key);
    Shard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.mutex);
    if (!IsChanging(shard)) ++shard.era;
    changing_.set(ShardNumber(hash));
    for (Entry& entry : shard.SetOf(hash)) {
      if (entry.used && entry.key == key) entry = Entry();
    }
  }
  void End() noexcept {
    if (changing_.none()) return;
    for (size_t i = 0; i < kShards; ++i) {
      if (!changing_.test(i)) continue;
      const std::lock_guard lock((*shards_)[i].mutex);
      ++(*shards_)[i].era;
    }
    changing_.reset();
  }

 private:
  static constexpr size_t kWays = 4;
  static constexpr size_t kSets = kCapacity / kShards / kWays;  // of a shard

  struct Entry {
    Key key{};
    Value value{};
    bool used = false;
  };
  using Set = std::array<Entry, kWays>;
  struct alignas(64) Shard {
    Set& SetOf(uint64_t hash) { return sets[hash % kSets]; }
    std::mutex mutex;
    uint64_t era = 0;  // odd from Begin() to End()
    std::array<Set, kSets> sets;
  };

  // Some bits are the same in all keys, so the places are taken from a product that all bits stir.
  static uint64_t Stir(const Key& key) { return (Hash()(key) * 0x9E3779B97F4A7C15) >> 32; }
  static size_t ShardNumber(uint64_t hash) { return hash / kSets % kShards; }
  static bool IsChanging(const Shard& shard) { return shard.era % 2 != 0; }
  Shard& ShardOf(uint64_t hash) const { return (*shards_)[ShardNumber(hash)]; }

  std::unique_ptr<std::array<Shard, kShards>> shards_;
  std::bitset<kShards> changing_;  // the writer's own
};

}  // namespace latchkey
