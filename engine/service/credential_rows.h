// One owner's credentials of one kind as the store holds them at one moment, in the order of their
// list: what a directory is built from, and what a list without a directory is read from.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "authority/local_authority.h"
#include "index/directory.h"

namespace latchkey {

// Holds the store open: keep it short. Not thread-safe.
class CredentialRows {
 public:
  // The moment is now. BUSY, CORRUPTION, IO.
  static Result<std::unique_ptr<CredentialRows>> Take(const LocalAuthority& authority,
                                                      const Uuid& owner, uint16_t kind);

  // By the counters, so at once: of either state; and in one state, nullopt while a sweep may cover
  // some of them, since the counters follow its tombstones.
  Result<uint64_t> Count() const;
  Result<std::optional<uint64_t>> CountInState(bool revoked) const;

  struct Range {
    std::optional<ByteView> name;      // exact
    std::optional<RowPosition> after;  // strictly behind it in the direction of the walk
    bool descending = false;
    bool is_short = false;  // a few rows, which the store may keep in its cache
  };
  // Calls `visit` with each row until it returns false. The row is lent for the call. What a
  // pending sweep covers is shown as revoked.
  Status Walk(const Range& range, const std::function<bool(const DirectoryRowView&)>& visit) const;

 private:
  CredentialRows(std::unique_ptr<LocalAuthority::View> view, const RecordMac& mac,
                 const Uuid& owner, uint16_t kind);
  Scan ScanOf(const Range& range) const;
  Status ReadSweeps(const AuthorityState& before, const RecordMac& mac);

  const std::unique_ptr<LocalAuthority::View> view_;
  const Snapshot snapshot_;
  const StorageSource source_;
  const Reader reader_;
  const Uuid owner_;
  const uint16_t kind_;
  std::vector<SweepRecord> sweeps_;  // in force, and may cover some of them; oldest first
};

}  // namespace latchkey
