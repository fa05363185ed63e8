// Reading what a verdict needs. README.md says why the order suffices.
#include "service/verify_stored.h"

namespace latchkey {
namespace {

Result<std::optional<CredentialRecord>> CredentialOf(const Reader& reader, const TagBytes& tag) {
  const Result<Uuid> uuid = reader.CredentialByTag(tag);
  if (uuid.code() == Code::kNotFound) return std::optional<CredentialRecord>();
  if (!uuid.ok()) return uuid.status();
  Result<CredentialRecord> credential = reader.Credential(*uuid);
  // The index has no MAC, the record has: whoever moved the one cannot make the other fit.
  if (credential.code() == Code::kNotFound || (credential.ok() && credential->tag != tag)) {
    return Status::Error(Code::kCorruption, "the tag index leads to another credential");
  }
  if (!credential.ok()) return credential.status();
  return std::optional<CredentialRecord>(std::move(*credential));
}

// By what was in force at the event `applied`. A tombstone of a sweep is in force since the sweep.
Result<bool> IsRevoked(const Reader& reader, const CredentialRecord& credential,
                       const std::vector<SweepRecord>& pending_sweeps, uint64_t applied) {
  for (const SweepRecord& sweep : pending_sweeps) {
    if (sweep.number <= applied && sweep.Covers(credential)) return true;
  }
  const Result<TombstoneRecord> tombstone = reader.Tombstone(credential.uuid);
  if (tombstone.code() == Code::kNotFound) return false;
  if (!tombstone.ok()) return tombstone.status();
  return (tombstone->sweep != 0 ? tombstone->sweep : tombstone->event) <= applied;
}

}  // namespace

Result<std::optional<StoredSight>> LookInStore(const LocalAuthority& authority,
                                               const Memory& memory, TagWords tag) {
  const Restrictions& restrictions = memory.restrictions();
  for (;;) {
    const uint64_t moment = restrictions.Moment();
    const uint64_t applied = restrictions.applied_event();
    const auto state = authority.Now();
    LATCHKEY_TRY_ASSIGN(const auto view, authority.Look());
    LATCHKEY_TRY_ASSIGN(const auto credential, CredentialOf(view->reader(), tag.bytes()));
    if (!credential.has_value() || credential->born_event > applied) {
      return std::optional<StoredSight>();
    }
    LATCHKEY_TRY_ASSIGN(const bool revoked,
                        IsRevoked(view->reader(), *credential, state->pending_sweeps, applied));
    TableEntry entry = memory.EntryOf(*credential);
    if (entry.owner_index == OwnerTable::kNone) {
      return Status::Error(Code::kCorruption, "a credential belongs to an owner that there is not");
    }
    entry.revoked = revoked || restrictions.Deny(*credential);
    const OwnerTable::Word owner = memory.owners().word(entry.owner_index);
    if (restrictions.StillIs(moment)) {
      return std::optional<StoredSight>(StoredSight{SlotWords::Of(entry), owner});
    }
  }
}

}  // namespace latchkey
