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
#include "service/owner_cache.h"

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

class Memory : public EventSink, public RecordSink {
 public:
  Memory(const LocalAuthority& authority, size_t directory_budget_bytes);
  ~Memory() override;

  const VerifyTable& table() const { return table_; }
  const OwnerTable& owners() const { return owners_; }
  Directories& directories() { return directories_; }
  const Directories& directories() const { return directories_; }
  const OwnerCache& owner_cache() const { return owner_cache_; }
  // Valid until this is destroyed; never null. No lock.
  const KindSet& kinds() const { return *kinds_.load(std::memory_order_acquire); }
  // Takes over the kinds that the store was opened with.
  void LoadKinds(const std::vector<KindRecord>& host_kinds);
  // Makes room for that many credentials before they are loaded.
  Status Reserve(size_t credentials);

  // Denies from now on every credential that the sweep covers; returns how many it found active. By
  // the table alone where the sweep asks for nothing else, otherwise by a walk over the store.
  // Called by whoever started the sweep, after its commit.
  Result<uint64_t> Deny(const SweepRecord& sweep);

  Status Prepare(std::span<const Event> events) override;
  void Apply(std::span<const Event> events) noexcept override;
  void Restrict(std::span<const Event> events) noexcept override;

  Status LoadOwner(const OwnerRecord& owner) override;
  Status LoadCredential(const CredentialRecord& credential, bool revoked,
                        uint32_t last_used_s) override;

 private:
  void ApplyOne(const Event& event);
  // For a sweep that asks for nothing but what the table knows: remembers what is older than it.
  void BeginSweep(const SweepRecord& sweep);
  uint32_t EraOf(const SweepRecord& sweep) const;  // 0 = not remembered
  void PrepareKinds(const std::vector<KindRecord>& host_kinds);
  void PublishKinds();
  TableEntry EntryOf(const CredentialRecord& credential) const;

  const LocalAuthority& authority_;
  VerifyTable table_;
  OwnerTable owners_;
  Directories directories_;
  OwnerCache owner_cache_;
  // The latest sweep for which the table alone tells what it covers, and the era it began. Only one
  // is remembered, so that nothing need be allocated: the other is found in the store.
  mutable std::mutex sweep_mutex_;
  uint64_t sweep_number_ = 0;
  uint32_t sweep_era_ = 0;
  std::atomic<const KindSet*> kinds_;
  // Every set there ever was: readers hold no lock, and a host registers but a few kinds.
  std::vector<std::unique_ptr<const KindSet>> kind_sets_;
  std::unique_ptr<const KindSet>
      prepared_kinds_;  // made before the commit, as applying cannot fail
};

}  // namespace latchkey
