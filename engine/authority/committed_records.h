// Owners and counts as they are committed. The authority is the only writer of its store, so what
// it has read or committed once it need not read, check and decode again for every command.
// Bounded: each record has one place, and takes over that of whoever was there.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "schema/records.h"

namespace latchkey {

struct CountKey {
  Uuid owner;
  uint16_t kind = 0;
  bool operator==(const CountKey&) const = default;
};
struct CountKeyHash {
  size_t operator()(const CountKey& key) const { return UuidHash()(key.owner) + key.kind; }
};

// For one thread at a time: the leader of a group. Empty after a commit that failed.
class CommittedRecords {
 public:
  std::shared_ptr<const OwnerRecord> FindOwner(const Uuid& uuid) const noexcept {
    const auto& owner = owners_[UuidHash()(uuid) % kPlaces];
    return owner != nullptr && owner->uuid == uuid ? owner : nullptr;
  }
  void KeepOwner(std::shared_ptr<const OwnerRecord> owner) noexcept {
    const size_t place = UuidHash()(owner->uuid) % kPlaces;
    owners_[place] = std::move(owner);
  }
  std::optional<CountRecord> FindCount(const CountKey& key) const {
    const Counted& counted = counts_[CountKeyHash()(key) % kPlaces];
    return counted.key == key ? std::optional(counted.count) : std::nullopt;
  }
  void KeepCount(const CountKey& key, CountRecord count) noexcept {
    counts_[CountKeyHash()(key) % kPlaces] = Counted{key, std::move(count)};
  }
  void Clear() noexcept {
    std::fill(owners_.begin(), owners_.end(), nullptr);
    std::fill(counts_.begin(), counts_.end(), Counted());
  }

 private:
  static constexpr size_t kPlaces = 256;
  struct Counted {
    CountKey key;
    CountRecord count;
  };
  std::vector<std::shared_ptr<const OwnerRecord>> owners_{kPlaces};
  std::vector<Counted> counts_{kPlaces};
};

}  // namespace latchkey
