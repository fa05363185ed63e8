// Building directories beside the commits, and keeping them up to date.
#include "service/directories.h"

#include <algorithm>

#include "schema/keys.h"

namespace latchkey {
namespace {

RowPosition OwnerPosition(const OwnerRecord& owner) {
  return RowPosition{owner.name, owner.creation_s, owner.uuid};
}

DirectoryRow OwnerRow(const OwnerRecord& owner) {
  return DirectoryRow{OwnerPosition(owner), owner.slug, owner.deleted_s != 0, owner.Encode()};
}

RowPosition PositionOf(const Revoked& credential) {
  return RowPosition{credential.name, credential.creation_s, credential.uuid};
}

// Which list an event belongs to; false for events that no list shows.
bool KeyOf(const Event& event, DirectoryKey* key) {
  if (const auto* put = std::get_if<OwnerPut>(&event.body)) {
    *key = {Uuid{}, static_cast<uint16_t>(put->owner.sort)};
  } else if (const auto* created = std::get_if<CredentialCreated>(&event.body)) {
    *key = {created->credential.owner, created->credential.kind};
  } else if (const auto* renamed = std::get_if<CredentialRenamed>(&event.body)) {
    *key = {renamed->owner, renamed->kind};
  } else if (const auto* revoked = std::get_if<CredentialRevoked>(&event.body)) {
    *key = {revoked->credential.owner, revoked->credential.kind};
  } else {
    return false;
  }
  return true;
}

// An event that was read back from the store after a failed write does not say what was before.
bool LacksBefore(const Event& event) {
  const auto* put = std::get_if<OwnerPut>(&event.body);
  return put != nullptr && put->owner.born_event != event.number && put->before.uuid.is_nil();
}

// Applying an event again that the directory has already is harmless, as long as all after it
// follow.
void ApplyTo(Directory* directory, const Event& event) {
  if (const auto* put = std::get_if<OwnerPut>(&event.body)) {
    const bool is_new = put->owner.born_event == event.number;
    if (!is_new && put->before.name != put->owner.name) {
      directory->Rename(OwnerPosition(put->before), put->owner.name);
    }
    directory->Insert(OwnerRow(put->owner));
  } else if (const auto* created = std::get_if<CredentialCreated>(&event.body)) {
    const CredentialRecord& credential = created->credential;
    directory->Insert(DirectoryRow{{credential.name, credential.creation_s, credential.uuid},
                                   credential.slug,
                                   false,
                                   ListRowOf(credential).Encode()});
  } else if (const auto* renamed = std::get_if<CredentialRenamed>(&event.body)) {
    directory->Rename({renamed->name_before, renamed->creation_s, renamed->uuid}, renamed->name);
  } else if (const auto* revoked = std::get_if<CredentialRevoked>(&event.body)) {
    const std::optional<DirectoryRow> here = directory->Find(PositionOf(revoked->credential));
    if (!here.has_value()) return;
    Result<ListRow> row = ListRow::Decode(here->payload);
    if (!row.ok()) return;
    row->revoked_s = revoked->revoked_s;
    row->revoked_by = event.actor;
    directory->Update(here->position, here->slug, /*revoked=*/true, row->Encode());
  }
}

}  // namespace

Result<std::shared_ptr<const Directory>> Directories::Get(const DirectoryKey& key) {
  std::unique_lock lock(mutex_);
  std::shared_ptr<Slot> slot;
  for (;;) {
    // Looked up anew after each wait: what another caller built may have been dropped since.
    std::shared_ptr<Slot>& place = slots_[key];
    if (place == nullptr) place = std::make_shared<Slot>();
    slot = place;
    if (!slot->building) break;
    built_.wait(lock);
  }
  if (slot->directory != nullptr) return std::shared_ptr<const Directory>(slot->directory);

  slot->building = true;  // and nobody drops it meanwhile
  Result<std::shared_ptr<Directory>> built = std::shared_ptr<Directory>();
  do {
    slot->restart = false;
    slot->missed.clear();
    lock.unlock();
    built = Build(key);
    lock.lock();
    // What was committed while we read. The snapshot may hold some of it already.
    if (built.ok() && !slot->restart) {
      for (const Event& event : slot->missed) ApplyTo(built->get(), event);
    }
  } while (built.ok() && slot->restart);
  slot->building = false;
  slot->missed.clear();
  built_.notify_all();
  if (!built.ok()) {
    slots_.erase(key);
    return built.status();
  }
  slot->directory = *built;
  return std::shared_ptr<const Directory>(slot->directory);
}

void Directories::Apply(std::span<const Event> events) noexcept {
  std::lock_guard lock(mutex_);
  if (slots_.empty()) return;
  for (const Event& event : events) {
    if (const auto* sweep = std::get_if<SweepStarted>(&event.body)) Sweep(sweep->sweep);
    DirectoryKey key;
    if (!KeyOf(event, &key)) continue;
    const auto found = slots_.find(key);
    if (found == slots_.end()) continue;
    Slot& slot = *found->second;
    try {
      if (LacksBefore(event)) {
        slot.restart = true;
        if (!slot.building) slots_.erase(found);
      } else if (slot.building) {
        slot.missed.push_back(event);
      } else {
        ApplyTo(slot.directory.get(), event);
      }
    } catch (const std::bad_alloc&) {
      slot.restart = true;  // while building: begin again
      if (!slot.building) slots_.erase(found);
    }
  }
}

void Directories::Sweep(const SweepRecord& sweep) {
  std::erase_if(slots_, [&](const Slots::value_type& entry) {
    const auto& [key, slot] = entry;
    const bool covered = !key.owner.is_nil() &&
                         (sweep.owner.is_nil() || sweep.owner == key.owner) &&
                         (sweep.kind == 0 || sweep.kind == key.kind);
    slot->restart = slot->restart || covered;
    return covered && !slot->building;
  });
}

Result<std::shared_ptr<Directory>> Directories::Build(const DirectoryKey& key) const {
  Result<std::vector<DirectoryRow>> rows =
      key.owner.is_nil() ? ReadOwners(static_cast<OwnerSort>(key.kind)) : ReadCredentials(key);
  if (!rows.ok()) return rows.status();
  return std::make_shared<Directory>(std::move(*rows));
}

Result<std::vector<DirectoryRow>> Directories::ReadCredentials(const DirectoryKey& key) const {
  // The sweeps first, then the snapshot: one that ends in between has left its mark in the rows.
  const auto state = authority_.Now();
  LATCHKEY_TRY_ASSIGN(const auto view, authority_.Look());
  const Snapshot snapshot(view->storage());
  std::vector<DirectoryRow> rows;
  const auto prefix = keys::OwnerKind(key.owner, key.kind);
  Scan scan = view->storage().ScanPrefix(column::kByName, prefix.view(), {}, &snapshot, false);
  for (; scan.Valid(); scan.Next()) {
    keys::ByNameParts parts;
    if (!keys::ParseByName(scan.key(), &parts)) {
      return Status::Error(Code::kCorruption, "a key of the name index has a foreign shape");
    }
    LATCHKEY_TRY_ASSIGN(ListRow row, ListRow::Decode(scan.value()));
    Bytes payload(scan.value());
    for (const SweepRecord& sweep : state->pending_sweeps) {
      if (row.revoked_s != 0 || !sweep.Covers(key.owner, key.kind, parts.creation_s, row)) continue;
      row.revoked_s = sweep.revoked_s;
      row.revoked_by = sweep.revoked_by;
      payload = row.Encode();
    }
    rows.push_back(DirectoryRow{{std::move(parts.name), parts.creation_s, parts.uuid},
                                std::move(row.slug),
                                row.revoked_s != 0,
                                std::move(payload)});
  }
  LATCHKEY_TRY(scan.status());
  return rows;
}

Result<std::vector<DirectoryRow>> Directories::ReadOwners(OwnerSort sort) const {
  LATCHKEY_TRY_ASSIGN(const auto view, authority_.Look());
  const Snapshot snapshot(view->storage());
  std::vector<DirectoryRow> rows;
  Scan scan = view->storage().ScanPrefix(column::kOwner, {}, {}, &snapshot, false);
  for (; scan.Valid(); scan.Next()) {
    LATCHKEY_TRY_ASSIGN(const ByteView fields,
                        authority_.mac().Open(column::kOwner, scan.key(), scan.value()));
    LATCHKEY_TRY_ASSIGN(const OwnerRecord owner,
                        OwnerRecord::Decode(Uuid::From(scan.key()), fields));
    if (owner.sort == sort) rows.push_back(OwnerRow(owner));
  }
  LATCHKEY_TRY(scan.status());
  std::sort(rows.begin(), rows.end(),
            [](const DirectoryRow& a, const DirectoryRow& b) { return a.position < b.position; });
  return rows;
}

size_t Directories::memory_bytes() const {
  std::lock_guard lock(mutex_);
  size_t bytes = 0;
  for (const auto& [key, slot] : slots_) {
    if (slot->directory != nullptr) bytes += slot->directory->memory_bytes();
  }
  return bytes;
}

}  // namespace latchkey
