// Owners and grants that were asked for lately, in memory, so that naming a caller and judging his
// role cost no read of the store. Bounded: 8,192 owners of some 300 bytes (2 KiB at the longest)
// and as many grants and names of owners, so 4 MiB, and 17 MiB at worst.
//
// What is here is what the store holds: the record leaves before the commit that changes it, and
// cannot come back until that is applied (index/record_cache.h). While the store heals nothing is
// answered from here.
#pragma once

#include <memory>
#include <span>

#include "authority/local_authority.h"
#include "index/record_cache.h"

namespace latchkey {

class OwnerCache {
 public:
  using Owner = std::shared_ptr<const OwnerRecord>;

  explicit OwnerCache(const LocalAuthority& authority) : authority_(authority) {}

  // As the methods of Reader: NOT_FOUND with a text, CORRUPTION, IO; and BUSY while healing. Any
  // thread.
  Result<Owner> Find(const Uuid& uuid) const;  // deleted ones too
  Result<Owner> FindBySlug(OwnerSort sort, ByteView slug) const;
  Result<Owner> FindByEmail(ByteView email) const;
  // kNone without a grant.
  Result<Role> RoleOn(const Uuid& project, const Uuid& user) const;

  // Called by the committing thread: before the commit of these events, and after they were
  // applied. A commit of which nobody knows whether it happened is ended by the next one.
  void Begin(std::span<const Event> events) noexcept;
  void End() noexcept;

 private:
  struct GrantKey {
    Uuid project;
    Uuid user;
    bool operator==(const GrantKey&) const = default;
  };
  struct GrantHash {
    uint64_t operator()(const GrantKey& key) const {
      return UuidHash()(key.project) * 31 + UuidHash()(key.user);
    }
  };
  // Who had a name, by the name's hash. Only a hint: the record is asked whether it is still his.
  struct NameHash {
    uint64_t operator()(uint64_t hash) const { return hash; }
  };
  using Owners = RecordCache<Uuid, Owner, UuidHash>;
  using Grants = RecordCache<GrantKey, Role, GrantHash>;
  using Names = RecordCache<uint64_t, Uuid, NameHash>;

  // The owner of the hint if `is_his` agrees, else the one that `look_up(reader)` finds.
  template <typename IsHis, typename LookUp>
  Result<Owner> FindByName(uint64_t name, const IsHis& is_his, const LookUp& look_up) const;

  const LocalAuthority& authority_;
  Owners owners_;
  Grants grants_;
  Names names_;
};

}  // namespace latchkey
