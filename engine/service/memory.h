// What the engine holds in memory, following the committed events: the verify table, the owner
// table, the directories, the owners asked for lately, and the kinds.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "authority/event_sink.h"
#include "index/owner_table.h"
#include "index/verify_table.h"
#include "service/directories.h"
#include "service/open_sweeps.h"
#include "service/owner_cache.h"
#include "service/restrictions.h"
#include "service/stored_uses.h"

namespace latchkey {

// The kinds by which a presented secret is recognised; immutable.
struct KindSet {
  struct Shape {
    uint16_t kind;
    uint8_t format;  // SecretFormat
    Bytes prefix;
    size_t secret_size;
  };
  std::vector<Shape> shapes;  // all but user_token
};

struct MemoryBudgets {
  size_t table_bytes = 0;  // of the verify table; 0 = no limit
  size_t directories_bytes = Directories::kBudgetBytesDefault;
};

// The verify table starts empty. A loader fills it beside the events: what it brings is merged with
// what the events have brought, and nothing that was denied meanwhile comes back (README.md).
class Memory : public EventSink {
 public:
  Memory(const LocalAuthority& authority, const MemoryBudgets& budgets);
  ~Memory() override;

  const VerifyTable& table() const { return table_; }
  const OwnerTable& owners() const { return owners_; }
  Directories& directories() { return directories_; }
  const Directories& directories() const { return directories_; }
  const OwnerCache& owner_cache() const { return owner_cache_; }
  const Restrictions& restrictions() const { return restrictions_; }
  StoredUses& stored_uses() const { return stored_uses_; }
  // Is every credential in the table? Asked before the table is: what it then does not hold there
  // is not. Else the store has the answer.
  bool complete() const { return complete_.load(std::memory_order_acquire); }
  // Is there a sweep of which the table could not be told? Asked before the table is: then what it
  // allows the store must allow too.
  bool is_doubted() const { return open_sweeps_.any_doubted(); }
  // Does the table alone say when each credential was last used?
  bool knows_uses() const { return complete() && stored_uses_.empty(); }
  // Valid until this is destroyed; never null. No lock.
  const KindSet& kinds() const { return *kinds_.load(std::memory_order_acquire); }
  // Takes over the kinds that the store was opened with.
  void LoadKinds(const std::vector<KindRecord>& host_kinds);
  // Makes room for that many credentials, or as many as the budget allows, before they are loaded.
  Status Reserve(size_t credentials);

  // ---- For the loader, which may begin more than once and ends once.

  // Before its snapshot, with the sweeps that were pending then.
  void BeginLoad(const std::vector<SweepRecord>& pending_sweeps);
  // Some credentials of the snapshot. CORRUPTION: one has no owner; INTERNAL: no memory.
  Status Load(std::span<const LoadedCredential> credentials);
  void EndLoad();

  // The entry of a credential; its owner's index may be kNone.
  TableEntry EntryOf(const CredentialRecord& credential) const;
  // When it was last used; 0 = never, or the store cannot be read.
  uint32_t LastUsed(const TagBytes& tag, const Uuid& uuid, const Storage& storage) const;

  // Denies from now on every credential that the sweep covers; returns how many it found active. By
  // the table alone where that is complete and the sweep asks for nothing else, otherwise by a walk
  // over the store.
  // Called by whoever started the sweep, after its commit. An error: in force all the same, if need
  // be by asking the store for every verdict.
  Result<uint64_t> Deny(const SweepRecord& sweep);
  // Tells the table of the sweeps of which it could not be told. Does nothing when there are none.
  void SettleDoubts();

  Status Prepare(std::span<const Event> events) override;
  void Apply(std::span<const Event> events) noexcept override;
  void Restrict(std::span<const Event> events) noexcept override;
  Status LoadOwner(const OwnerRecord& owner);

 private:
  // The latest sweep for which the table alone tells what it covers. Only one is remembered, so
  // that nothing need be allocated: the others are found in the store.
  struct TableSweep {
    uint64_t id = 0;          // among the open ones
    uint32_t era = 0;         // that it began; 0 = not remembered
    bool covers_all = false;  // the table was complete then, so it holds all that is covered
  };

  // Each under mutex_.
  void ApplyOne(const Event& event);
  void RestrictOne(const Event& event, uint64_t first_number) noexcept;
  void BeginSweep(uint64_t number, const SweepRecord& sweep) noexcept;
  void ReserveForRevocations(std::span<const Event> events);
  bool DeniedMeanwhile(const CredentialRecord& credential) const;
  void SetIncomplete() noexcept;

  TableSweep Remembered(uint64_t id) const;
  // Nobody asks how many were active: the table alone will do where the others are known otherwise.
  void DenyOpen();
  Result<uint64_t> DenyNow(uint64_t id, const SweepRecord& sweep, bool must_count);
  uint64_t DenyInTable(const SweepRecord& sweep, uint32_t era);
  Result<uint64_t> DenyByWalk(const SweepRecord& sweep, uint32_t era);
  void PrepareKinds(const std::vector<KindRecord>& host_kinds);
  void PublishKinds();

  const LocalAuthority& authority_;
  VerifyTable table_;
  OwnerTable owners_;
  Directories directories_;
  OwnerCache owner_cache_;
  Restrictions restrictions_;
  OpenSweeps open_sweeps_;
  mutable StoredUses stored_uses_;
  std::atomic<bool> complete_{false};

  // What loading and following share: a chunk that is loaded, and a group that is applied, each has
  // it all the while.
  mutable std::mutex mutex_;
  bool loading_ = true;
  bool overflowed_ = false;  // the budget left something out: never complete again
  TableSweep table_sweep_;
  // Until the load has ended: what its snapshot may not know to be denied.
  std::vector<SweepRecord> sweeps_meanwhile_;
  TagSet revoked_meanwhile_;

  std::atomic<const KindSet*> kinds_;
  // Every set there ever was: readers hold no lock, and a host registers but a few kinds.
  std::vector<std::unique_ptr<const KindSet>> kind_sets_;
  std::unique_ptr<const KindSet>
      prepared_kinds_;  // made before the commit, as applying cannot fail
};

}  // namespace latchkey
