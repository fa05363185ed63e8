// The directories in use: built from the name index when a list is first asked for, then kept up to
// date by events. A directory that cannot be kept so (no memory, a sweep over it) is dropped, and
// built again when it is next wanted.
//
// Together they take no more than a budget: the ones that were listed longest ago are dropped. A
// list that is being made holds its directory until it is done, and is not counted then.
#pragma once

#include <condition_variable>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include "authority/local_authority.h"
#include "index/directory.h"

namespace latchkey {

// Which list: an owner's credentials of one kind; or, with a nil owner, all owners of one sort.
struct DirectoryKey {
  Uuid owner;
  uint16_t kind = 0;
  auto operator<=>(const DirectoryKey&) const = default;
};

class Directories {
 public:
  static constexpr size_t kBudgetBytesDefault = 256 << 20;

  Directories(const LocalAuthority& authority, size_t budget_bytes)
      : authority_(authority), budget_bytes_(budget_bytes) {}

  // The directory, built if need be (about 1 s a million rows; others who want the same one wait,
  // and so do those for whose directory there is no room beside those being built). Null: of
  // credentials, and too large for the budget (list_scan.h has the list). One of owners that is too
  // large is built for this call alone.
  Result<std::shared_ptr<const Directory>> Get(const DirectoryKey& key);
  // Called by the committing thread for every group, in order.
  void Apply(std::span<const Event> events) noexcept;

  struct Stats {
    size_t count = 0;         // lists that are kept
    size_t memory_bytes = 0;  // theirs
    uint64_t evicted = 0;     // dropped for the budget, since open
  };
  Stats stats() const;
  size_t budget_bytes() const { return budget_bytes_; }

 private:
  using Order = std::list<DirectoryKey>;
  // One list that is built or being built, or is known to be too large.
  struct Slot {
    std::shared_ptr<Directory> directory;  // null while it is being built, and when it is too large
    size_t bytes = 0;           // what it takes, or is expected to while it is being built
    Order::iterator place;      // in order_, unless it is being built
    std::vector<Event> missed;  // events since the building began
    bool restart = false;       // a sweep came over it meanwhile
    bool building = false;
  };
  using Slots = std::map<DirectoryKey, Slot>;

  Result<std::shared_ptr<Directory>> Build(const DirectoryKey& key) const;
  // Null when it exceeds the budget.
  Result<std::shared_ptr<Directory>> BuildOfCredentials(const DirectoryKey& key) const;
  Result<std::shared_ptr<Directory>> BuildOfOwners(OwnerSort sort) const;
  Result<uint64_t> CountRows(const DirectoryKey& key) const;

  // All below with the mutex held. What is dropped goes to a map of the caller's, to be freed when
  // the mutex is not held any more; that allocates nothing.
  Result<std::shared_ptr<Directory>> BuildBesideEvents(const DirectoryKey& key, Slot* slot,
                                                       Slots* dropped,
                                                       std::unique_lock<std::mutex>* lock);
  std::shared_ptr<const Directory> Use(Slot* slot);
  void ApplyOne(const Event& event, Slots::iterator at, Slots* dropped) noexcept;
  void Sweep(const SweepRecord& sweep, Slots* dropped) noexcept;
  void Drop(Slots::iterator slot, Slots* dropped) noexcept;
  void Evict(size_t room_bytes, Slots* dropped) noexcept;  // until so much is free

  const LocalAuthority& authority_;
  const size_t budget_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable built_;
  Slots slots_;
  Order order_;                // the one listed last in front
  size_t kept_bytes_ = 0;      // of all slots in order_
  size_t reserved_bytes_ = 0;  // of those being built
  uint64_t evicted_ = 0;
};

}  // namespace latchkey
