// Building directories beside the commits, keeping them up to date, and dropping the oldest.
#include "service/directories.h"

#include <algorithm>

#include "schema/keys.h"
#include "service/credential_rows.h"

namespace latchkey {
namespace {

// What a directory of a few rows takes beyond its rows: it counts too, as there may be many.
constexpr size_t kSlotBytes = 512;
// What a row takes at the least: measured 98 with names of 5 bytes, 138 with names of 20, 180 with
// a creator. Too much would refuse a directory that fits; too little builds one for nothing, once.
constexpr size_t kRowBytes = 96;

size_t ExpectedBytes(uint64_t rows) {
  return rows > SIZE_MAX / 2 / kRowBytes ? SIZE_MAX / 2
                                         : kSlotBytes + static_cast<size_t>(rows) * kRowBytes;
}

size_t BytesOf(const std::shared_ptr<Directory>& directory) {
  return kSlotBytes + (directory == nullptr ? 0 : directory->memory_bytes());
}

Status NoMemory() { return Status::Error(Code::kInternal, "there is no memory"); }

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
  using Found = std::shared_ptr<const Directory>;
  Slots dropped;  // before the lock, so that it ends after it
  std::unique_lock lock(mutex_);
  if (const auto found = slots_.find(key); found != slots_.end() && !found->second.building) {
    return Found(Use(&found->second));
  }
  lock.unlock();
  LATCHKEY_TRY_ASSIGN(const uint64_t rows, CountRows(key));
  if (ExpectedBytes(rows) > budget_bytes_ && !key.owner.is_nil()) return Found();
  const size_t expected = std::min(ExpectedBytes(rows), budget_bytes_);
  Order order(1, key);  // in which nothing need be allocated when it has been built
  lock.lock();
  for (;; built_.wait(lock)) {
    // Looked up anew after each wait: what another caller built may have been dropped since.
    const auto found = slots_.find(key);
    if (found == slots_.end() && reserved_bytes_ + expected <= budget_bytes_) break;
    if (found != slots_.end() && !found->second.building) return Found(Use(&found->second));
  }

  Slot& slot = slots_[key];
  slot.building = true;  // and nobody drops it meanwhile
  slot.bytes = expected;
  Evict(expected, &dropped);
  reserved_bytes_ += expected;
  Result<std::shared_ptr<Directory>> built = BuildBesideEvents(key, &slot, &dropped, &lock);
  reserved_bytes_ -= expected;
  slot.building = false;
  slot.missed = {};
  built_.notify_all();
  if (!built.ok()) {
    slots_.erase(key);
    return built.status();
  }
  slot.directory = *built;
  slot.bytes = BytesOf(slot.directory);
  kept_bytes_ += slot.bytes;
  order_.splice(order_.begin(), order);
  slot.place = order_.begin();
  if (slot.bytes > budget_bytes_) Drop(slots_.find(key), &dropped);
  Evict(0, &dropped);
  return Found(std::move(*built));
}

std::shared_ptr<const Directory> Directories::Use(Slot* slot) {
  order_.splice(order_.begin(), order_, slot->place);
  return slot->directory;
}

Result<std::shared_ptr<Directory>> Directories::BuildBesideEvents(
    const DirectoryKey& key, Slot* slot, Slots* dropped, std::unique_lock<std::mutex>* lock) {
  for (;;) {
    slot->restart = false;
    slot->missed.clear();
    lock->unlock();
    dropped->clear();  // before there is more
    Result<std::shared_ptr<Directory>> built = Build(key);
    lock->lock();
    if (!built.ok() || *built == nullptr) return built;
    if (slot->restart) continue;
    // What was committed while we read. The snapshot may hold some of it already.
    try {
      for (const Event& event : slot->missed) ApplyTo(built->get(), event);
    } catch (const std::bad_alloc&) {
      return NoMemory();
    }
    return built;
  }
}

void Directories::Apply(std::span<const Event> events) noexcept {
  Slots dropped;  // before the lock, so that it ends after it
  const std::lock_guard lock(mutex_);
  if (slots_.empty()) return;
  for (const Event& event : events) {
    if (const auto* sweep = std::get_if<SweepStarted>(&event.body)) {
      Sweep(sweep->sweep, &dropped);
    } else if (DirectoryKey key; KeyOf(event, &key)) {
      if (const auto found = slots_.find(key); found != slots_.end()) {
        ApplyOne(event, found, &dropped);
      }
    }
  }
  Evict(0, &dropped);
}

void Directories::ApplyOne(const Event& event, Slots::iterator at, Slots* dropped) noexcept {
  Slot& slot = at->second;
  try {
    if (LacksBefore(event)) {
      slot.restart = true;
    } else if (slot.building) {
      slot.missed.push_back(event);
    } else if (slot.directory != nullptr) {
      ApplyTo(slot.directory.get(), event);
      const size_t before = std::exchange(slot.bytes, BytesOf(slot.directory));
      kept_bytes_ += slot.bytes - before;
    }
  } catch (const std::bad_alloc&) {
    slot.restart = true;  // while building: begin again
  }
  if (!slot.building && (slot.restart || slot.bytes > budget_bytes_)) Drop(at, dropped);
}

void Directories::Sweep(const SweepRecord& sweep, Slots* dropped) noexcept {
  for (auto at = slots_.begin(); at != slots_.end();) {
    const auto here = at++;
    const auto& [owner, kind] = here->first;
    if (owner.is_nil() || !sweep.Concerns(owner, kind)) continue;
    here->second.restart = here->second.building;
    if (here->second.directory != nullptr) Drop(here, dropped);
  }
}

void Directories::Drop(Slots::iterator slot, Slots* dropped) noexcept {
  kept_bytes_ -= slot->second.bytes;
  order_.erase(slot->second.place);
  dropped->insert(slots_.extract(slot));
}

void Directories::Evict(size_t room_bytes, Slots* dropped) noexcept {
  while (!order_.empty() && kept_bytes_ + reserved_bytes_ + room_bytes > budget_bytes_) {
    Drop(slots_.find(order_.back()), dropped);
    ++evicted_;
  }
}

Result<uint64_t> Directories::CountRows(const DirectoryKey& key) const {
  if (key.owner.is_nil()) {
    const auto state = authority_.Now();
    const bool users = key.kind == static_cast<uint16_t>(OwnerSort::kUser);
    return users ? state->head.users : state->head.projects;
  }
  LATCHKEY_TRY_ASSIGN(const auto view, authority_.Look());
  LATCHKEY_TRY_ASSIGN(const CountRecord count, view->reader().Count(key.owner, key.kind));
  return count.active + count.revoked;
}

Result<std::shared_ptr<Directory>> Directories::Build(const DirectoryKey& key) const {
  try {
    return key.owner.is_nil() ? BuildOfOwners(static_cast<OwnerSort>(key.kind))
                              : BuildOfCredentials(key);
  } catch (const std::bad_alloc&) {
    return NoMemory();
  }
}

Result<std::shared_ptr<Directory>> Directories::BuildOfCredentials(const DirectoryKey& key) const {
  LATCHKEY_TRY_ASSIGN(const auto rows, CredentialRows::Take(authority_, key.owner, key.kind));
  DirectoryBuilder builder;
  LATCHKEY_TRY(rows->Walk({}, [&](const DirectoryRowView& row) {
    builder.Add(row.Copy());
    return kSlotBytes + builder.memory_bytes() <= budget_bytes_;
  }));
  std::shared_ptr<Directory> built;
  if (kSlotBytes + builder.memory_bytes() <= budget_bytes_) built = builder.Finish();
  if (built != nullptr && BytesOf(built) > budget_bytes_) built.reset();
  return built;
}

Result<std::shared_ptr<Directory>> Directories::BuildOfOwners(OwnerSort sort) const {
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
  DirectoryBuilder builder;
  for (DirectoryRow& row : rows) builder.Add(std::move(row));
  return builder.Finish();
}

Directories::Stats Directories::stats() const {
  const std::lock_guard lock(mutex_);
  return Stats{order_.size(), kept_bytes_, evicted_};
}

}  // namespace latchkey
