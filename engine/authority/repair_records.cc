// Owners and credentials: each as it is shown to be, or with what it gives taken back.
#include <algorithm>

#include "authority/repair_pass.h"
#include "base/text.h"
#include "schema/keys.h"

namespace latchkey {

Status RepairPass::GatherOwners() {
  const auto gather = [&](const Uuid& uuid) -> Status {
    LATCHKEY_TRY(Tick());
    LATCHKEY_TRY_ASSIGN(auto owner, truth_.Owner(uuid));
    if (owner) owners_.insert_or_assign(uuid, std::move(*owner));
    return Status::Ok();
  };
  Scan scan = storage_.ScanPrefix(column::kOwner, {}, {}, &snapshot_, false);
  for (; scan.Valid(); scan.Next()) {
    if (scan.key().size() == Uuid::kSize) LATCHKEY_TRY(gather(Uuid::From(scan.key())));
  }
  LATCHKEY_TRY(scan.status());
  for (const auto& [uuid, event] : truth_.history().owners()) {
    if (!owners_.contains(uuid)) LATCHKEY_TRY(gather(uuid));
  }
  return Status::Ok();
}

// A user whose record may be an older one may have been locked since, or be an admin no more; a
// project may have been made private. Of two who hold one slug or address the later one keeps it.
void RepairPass::WithdrawOwners() {
  std::vector<OwnerRecord*> latest_first;
  for (auto& [uuid, owner] : owners_) latest_first.push_back(&owner);
  std::stable_sort(
      latest_first.begin(), latest_first.end(),
      [](const OwnerRecord* a, const OwnerRecord* b) { return a->last_event > b->last_event; });
  std::map<Bytes, Uuid> slugs;
  std::map<Bytes, Uuid> emails;
  for (OwnerRecord* owner : latest_first) {
    if (owner->deleted_s != 0) continue;
    const Bytes key(keys::OwnerSlug(owner->sort, owner->slug).view());
    const bool slug_taken = !slugs.emplace(key, owner->uuid).second;
    const bool email_taken =
        !owner->email.empty() && !emails.emplace(FoldAscii(owner->email), owner->uuid).second;
    if (slug_taken) owner->slug = "lost-" + FormatUuid(owner->uuid);
    if (email_taken) owner->email.clear();
    if (owner->sort == OwnerSort::kUser) {
      owner->locked = true;
      owner->admin = false;
      owner->tokens_not_before_s = std::max(owner->tokens_not_before_s, now_s_);
      ++report_.owners_withdrawn;
    } else {
      owner->is_private = true;
    }
    owner->last_event = truth_.last_number();
  }
}

// A credential needs an owner: one that is deleted denies it.
Status RepairPass::StandInOwner(const CredentialRecord& credential) {
  if (owners_.contains(credential.owner)) return Status::Ok();
  OwnerRecord owner;
  owner.uuid = credential.owner;
  owner.sort = OwnerSort::kUser;
  if (credential.kind == kind::kProjectKey) owner.sort = OwnerSort::kProject;
  if (credential.kind > kind::kProjectKey) {
    LATCHKEY_TRY_ASSIGN(const auto kind, truth_.Kind(credential.kind));
    if (kind) owner.sort = kind->owner_sort;
  }
  owner.name = "Lost " + FormatUuid(owner.uuid);
  owner.slug = "lost-" + FormatUuid(owner.uuid);
  owner.creation_s = credential.creation_s;
  owner.deleted_s = std::max<int64_t>(credential.creation_s, 1);
  owner.born_event = credential.born_event;
  owner.last_event = credential.born_event;
  owners_.emplace(owner.uuid, std::move(owner));
  return Status::Ok();
}

Status RepairPass::PutOwners() {
  constexpr Texts kShownTexts = {
      "an owner is missing: written again", "an owner was altered: written again",
      "an owner is not one that can be shown to have been made: set aside"};
  constexpr Texts kWithdrawnTexts = {
      "an owner is lost: a deleted one stands in",
      "nothing shows that an owner is still as it is: locked and no admin, or private",
      "what stands in the place of an owner is none: set aside"};
  const bool is_shown = truth_.proof() != Proof::kNothing;
  const Texts& texts = is_shown ? kShownTexts : kWithdrawnTexts;
  Scan scan = storage_.ScanPrefix(column::kOwner, {}, {}, &snapshot_, false);
  for (; scan.Valid(); scan.Next()) {
    const bool is_key = scan.key().size() == Uuid::kSize;
    const Uuid uuid = is_key ? Uuid::From(scan.key()) : Uuid{};
    if (is_key && owners_.contains(uuid)) continue;
    LATCHKEY_TRY(PutRecord(column::kOwner, scan.key(), nullptr, texts, uuid));
  }
  LATCHKEY_TRY(scan.status());
  for (const auto& [uuid, owner] : owners_) {
    const Bytes fields = owner.Encode();
    LATCHKEY_TRY(PutRecord(column::kOwner, uuid.view(), &fields, texts, uuid));
    if (owner.deleted_s == 0) {
      ++(owner.sort == OwnerSort::kUser ? head_.users : head_.projects);
    }
  }
  return Status::Ok();
}

// Those that are stored, then those that only the events know, then those of which only the
// tombstone is left.
Status RepairPass::Credentials() {
  const auto is_stored = [&](uint8_t column, const Uuid& uuid) -> Result<bool> {
    return Exists(storage_.Get(column, uuid.view(), &snapshot_));
  };
  Scan scan = storage_.ScanPrefix(column::kCredential, {}, {}, &snapshot_, false);
  for (; scan.Valid(); scan.Next()) {
    if (scan.key().size() == Uuid::kSize) {
      LATCHKEY_TRY(Credential(Uuid::From(scan.key())));
    } else {
      Found("a credential has a key of foreign shape: set aside");
      LATCHKEY_TRY(SetAside(column::kCredential, scan.key(), scan.value()));
    }
  }
  LATCHKEY_TRY(scan.status());
  const auto& known = truth_.history().credentials();
  for (const auto& [uuid, life] : known) {
    LATCHKEY_TRY_ASSIGN(const bool stored, is_stored(column::kCredential, uuid));
    if (!stored) LATCHKEY_TRY(Credential(uuid));
  }
  Scan tombstones = storage_.ScanPrefix(column::kTombstone, {}, {}, &snapshot_, false);
  for (; tombstones.Valid(); tombstones.Next()) {
    if (tombstones.key().size() != Uuid::kSize) {
      Found("a tombstone has a key of foreign shape: set aside");
      LATCHKEY_TRY(SetAside(column::kTombstone, tombstones.key(), tombstones.value()));
      continue;
    }
    const Uuid uuid = Uuid::From(tombstones.key());
    LATCHKEY_TRY_ASSIGN(const bool stored, is_stored(column::kCredential, uuid));
    if (!stored && !known.contains(uuid)) LATCHKEY_TRY(Credential(uuid));
  }
  return tombstones.status();
}

Status RepairPass::Credential(const Uuid& uuid) {
  constexpr Texts kCredentialTexts = {
      "a credential is missing: written again", "a credential was altered: written again",
      "a credential is not one that can be shown to have been made: set aside"};
  constexpr Texts kStandInTexts = {
      "of a revoked credential only the tombstone is left: another stands in for it",
      "a revoked credential was altered, and nothing else is known of it: another stands in for it",
      "a credential is not one that can be shown to have been made: set aside"};
  constexpr Texts kTombstoneTexts = {
      "a tombstone is missing although an event says the credential was revoked: written again",
      "a tombstone was altered: written again from its event",
      "what stands in the place of a tombstone is none: set aside"};
  constexpr Texts kWithdrawnTexts = {
      "nothing shows that a credential has not been revoked: revoked",
      "a tombstone was altered, and nothing else is known of it: revoked",
      "what stands in the place of a tombstone is none: set aside"};
  LATCHKEY_TRY(Tick());
  LATCHKEY_TRY_ASSIGN(const Truth::Verdict verdict, truth_.Judge(uuid));
  const CredentialRecord* credential = verdict.credential ? &*verdict.credential : nullptr;
  const TombstoneRecord* tombstone = verdict.tombstone ? &*verdict.tombstone : nullptr;
  const Bytes fields = credential != nullptr ? credential->Encode() : Bytes();
  const Bytes tombstone_fields = tombstone != nullptr ? tombstone->Encode() : Bytes();
  LATCHKEY_TRY(PutRecord(column::kCredential, uuid.view(),
                         credential != nullptr ? &fields : nullptr,
                         verdict.stands_in ? kStandInTexts : kCredentialTexts, uuid));
  LATCHKEY_TRY(PutRecord(column::kTombstone, uuid.view(),
                         tombstone != nullptr ? &tombstone_fields : nullptr,
                         verdict.withdrawn ? kWithdrawnTexts : kTombstoneTexts, uuid));
  report_.tombstones_restored += verdict.tombstone_from_event;
  report_.credentials_withdrawn += verdict.withdrawn;
  if (credential == nullptr) return Status::Ok();
  LATCHKEY_TRY(StandInOwner(*credential));
  return IndexCredential(*credential, tombstone);
}

}  // namespace latchkey
