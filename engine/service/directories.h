// The directories in use: built from the name index when a list is first asked for, then kept up to
// date by events. A directory that cannot be kept so (no memory, a sweep over it) is dropped, and
// built again when it is next wanted.
#pragma once

#include <condition_variable>
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
  explicit Directories(const LocalAuthority& authority) : authority_(authority) {}

  // The directory, built if need be (about 1 s a million rows; others who want the same one wait).
  Result<std::shared_ptr<const Directory>> Get(const DirectoryKey& key);
  // Called by the committing thread for every group, in order.
  void Apply(std::span<const Event> events) noexcept;
  size_t memory_bytes() const;

 private:
  // One list that is built or being built.
  struct Slot {
    std::shared_ptr<Directory> directory;  // null while it is being built
    std::vector<Event> missed;             // events since the building began
    bool restart = false;                  // a sweep came over it meanwhile
    bool building = false;
  };
  using Slots = std::map<DirectoryKey, std::shared_ptr<Slot>>;

  Result<std::shared_ptr<Directory>> Build(const DirectoryKey& key) const;
  Result<std::vector<DirectoryRow>> ReadCredentials(const DirectoryKey& key) const;
  Result<std::vector<DirectoryRow>> ReadOwners(OwnerSort sort) const;
  void Sweep(const SweepRecord& sweep);

  const LocalAuthority& authority_;
  mutable std::mutex mutex_;
  std::condition_variable built_;
  Slots slots_;
};

}  // namespace latchkey
