// The self-check of what is: records, indexes, counters, and memory beside them.
#include "service/check.h"

#include <chrono>
#include <map>
#include <thread>

#include "base/text.h"
#include "schema/keys.h"
#include "service/check_history.h"
#include "service/credentials.h"

namespace latchkey {
namespace {

constexpr uint64_t kCredentialsPerProgress = 1024;

class Checker {
 public:
  Checker(const Engine& engine, const LocalAuthority::View& view, const CheckFound& found,
          const CheckProgress& progress, CheckReport* report)
      : authority_(engine.authority()),
        memory_(engine.memory()),
        storage_(view.storage()),
        snapshot_(storage_),
        source_(storage_, &snapshot_),
        reader_(source_, authority_.mac()),
        found_(found),
        progress_(progress),
        report_(*report) {}

  Status Run() {
    LATCHKEY_TRY_ASSIGN(head_, reader_.Head());
    LATCHKEY_TRY(WaitForMemory());
    LATCHKEY_TRY(CheckOwners());
    LATCHKEY_TRY(CheckGrants());
    LATCHKEY_TRY(CheckCredentials());
    LATCHKEY_TRY(CheckTombstones());
    LATCHKEY_TRY(CheckRest());
    LATCHKEY_TRY(CheckIndexSizes());
    LATCHKEY_TRY(CheckCounts());
    const auto found = [this](Literal what, const Uuid& uuid) { Found(what, uuid); };
    LATCHKEY_TRY(CheckHistory(storage_, snapshot_, reader_, head_, found, &report_.events));
    if (sum_ != head_.record_sum) Found("the records do not add up to what the head says");
    if (report_.findings == 0) return Status::Ok();
    return Status::Error(Code::kCorruption, "the store is not as it should be");
  }

 private:
  void Found(Literal what, const Uuid& uuid = {}) {
    ++report_.findings;
    if (found_) found_(what, uuid);
  }

  Scan ScanAll(uint8_t column) const {
    return storage_.ScanPrefix(column, {}, {}, &snapshot_, /*fill_cache=*/false);
  }

  // A record whose MAC does not hold is a finding, and is passed over.
  template <typename Visit>
  Status ForEach(uint8_t column, Visit&& visit) {
    Scan scan = ScanAll(column);
    for (; scan.Valid(); scan.Next()) {
      const Result<ByteView> fields = authority_.mac().Open(column, scan.key(), scan.value());
      const Uuid uuid = scan.key().size() == Uuid::kSize ? Uuid::From(scan.key()) : Uuid{};
      if (!fields.ok()) {
        Found("the MAC of a record does not hold", uuid);
        continue;
      }
      RecordMac::Add(&sum_, scan.value());
      LATCHKEY_TRY(visit(uuid, scan.key(), *fields));
    }
    return scan.status();
  }

  // Does the index entry lead to this UUID?
  Status CheckIndex(uint8_t column, ByteView key, const Uuid& uuid, Literal what) {
    const Result<Bytes> value = source_.Get(column, key);
    if (!value.ok() && value.code() != Code::kNotFound) return value.status();
    if (!value.ok() || *value != uuid.view()) Found(what, uuid);
    return Status::Ok();
  }

  Status WaitForMemory() const;
  Status Continue() const;
  Status CheckOwners();
  Status CheckGrants();
  Status CheckCredentials();
  Status CheckCredential(const CredentialRecord& credential);
  Status CheckRow(const CredentialRecord& credential, const Revocation& tombstone);
  void CheckMemory(const CredentialRecord& credential, bool revoked);
  Status CheckTombstones();
  Status CheckRest();
  Status CheckIndexSizes();
  Status CheckCounts();

  const LocalAuthority& authority_;
  const Memory& memory_;
  const Storage& storage_;
  const Snapshot snapshot_;
  const StorageSource source_;
  const Reader reader_;
  const CheckFound& found_;
  const CheckProgress& progress_;
  CheckReport& report_;
  HeadRecord head_;
  MacSum sum_{};
  uint64_t live_users_ = 0;
  uint64_t live_projects_ = 0;
  uint64_t emails_ = 0;
  std::map<std::pair<Uuid, uint16_t>, CountRecord> counts_;
};

// The snapshot may hold what was committed and is being applied just now.
Status Checker::WaitForMemory() const {
  while (memory_.restrictions().applied_event() < head_.event_number) {
    LATCHKEY_TRY(Continue());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return Status::Ok();
}

// Whoever wants to reopen the store must not be kept waiting.
Status Checker::Continue() const {
  if (authority_.healing()) {
    return Status::Error(Code::kBusy, "the store is reopening itself: check it later");
  }
  if (!progress_ || progress_(report_.credentials, head_.active + head_.revoked)) {
    return Status::Ok();
  }
  return Status::Error(Code::kBusy, "the check was stopped");
}

Status Checker::CheckOwners() {
  return ForEach(column::kOwner, [&](const Uuid& uuid, ByteView, ByteView fields) -> Status {
    LATCHKEY_TRY_ASSIGN(const OwnerRecord owner, OwnerRecord::Decode(uuid, fields));
    ++report_.owners;
    if (memory_.owners().IndexOf(uuid) == OwnerTable::kNone) {
      Found("an owner is missing from memory", uuid);
    }
    if (owner.deleted_s != 0) return Status::Ok();
    ++(owner.sort == OwnerSort::kUser ? live_users_ : live_projects_);
    LATCHKEY_TRY(CheckIndex(column::kOwnerSlug, keys::OwnerSlug(owner.sort, owner.slug).view(),
                            uuid, "the slug of an owner does not lead to it"));
    if (owner.email.empty()) return Status::Ok();
    ++emails_;
    return CheckIndex(column::kOwnerEmail, FoldAscii(owner.email), uuid,
                      "the e-mail address of a user does not lead to him");
  });
}

Status Checker::CheckGrants() {
  return ForEach(column::kGrant, [&](const Uuid&, ByteView key, ByteView) -> Status {
    for (const size_t at : {size_t{0}, Uuid::kSize}) {
      const Uuid owner = Uuid::From(key.substr(at, Uuid::kSize));
      LATCHKEY_TRY_ASSIGN(const bool exists, Exists(reader_.Owner(owner)));
      if (!exists) Found("a grant names an owner that there is not", owner);
    }
    return Status::Ok();
  });
}

Status Checker::CheckCredentials() {
  return ForEach(column::kCredential, [&](const Uuid& uuid, ByteView, ByteView fields) -> Status {
    LATCHKEY_TRY_ASSIGN(const CredentialRecord credential, CredentialRecord::Decode(uuid, fields));
    if (report_.credentials++ % kCredentialsPerProgress == 0) LATCHKEY_TRY(Continue());
    return CheckCredential(credential);
  });
}

Status Checker::CheckCredential(const CredentialRecord& credential) {
  const Uuid& uuid = credential.uuid;
  LATCHKEY_TRY_ASSIGN(const bool owned, Exists(reader_.Owner(credential.owner)));
  if (!owned) Found("a credential belongs to an owner that there is not", uuid);
  LATCHKEY_TRY(CheckIndex(column::kByTag, View(credential.tag), uuid,
                          "the tag of a credential does not lead to it"));
  LATCHKEY_TRY(CheckIndex(column::kBySlug,
                          keys::BySlug(credential.owner, credential.kind, credential.slug).view(),
                          uuid, "the slug of a credential does not lead to it"));
  LATCHKEY_TRY_ASSIGN(const Revocation tombstone, RevocationOf(reader_, credential, {}));
  LATCHKEY_TRY(CheckRow(credential, tombstone));
  CheckMemory(credential, tombstone.revoked_s != 0);
  if (!SealHolds(authority_, credential)) {
    Found("the seal of a credential does not hold its digest", uuid);
  }
  CountRecord& count = counts_[{credential.owner, credential.kind}];
  ++(tombstone.revoked_s == 0 ? count.active : count.revoked);
  return Status::Ok();
}

Status Checker::CheckRow(const CredentialRecord& credential, const Revocation& tombstone) {
  const auto by_name = keys::ByName(credential.owner, credential.kind, credential.name,
                                    credential.creation_s, credential.uuid);
  const Result<ListRow> row = reader_.RowAt(by_name.view());
  if (!row.ok() && row.code() == Code::kIo) return row.status();
  ListRow expected = ListRowOf(credential);
  expected.revoked_s = tombstone.revoked_s;
  expected.revoked_by = tombstone.revoked_by;
  if (!row.ok() || row->Encode() != expected.Encode()) {
    Found("the name index does not show a credential as it is", credential.uuid);
  }
  return Status::Ok();
}

// Memory may be ahead of the snapshot: it may deny what was live then, never the other way round.
// What a sweep covers is denied when the call that began it returns, which nobody knows here.
void Checker::CheckMemory(const CredentialRecord& credential, bool revoked) {
  const bool is_complete = memory_.complete();
  TableEntry entry;
  if (!memory_.table().Find(credential.tag, &entry)) {
    if (is_complete) Found("a credential is missing from the verify table", credential.uuid);
    return;
  }
  if (entry.uuid != credential.uuid || entry.kind != credential.kind ||
      entry.expires_s != credential.expires_s || entry.scopes != credential.scopes ||
      entry.not_before_s != credential.not_before_s ||
      memory_.owners().uuid(entry.owner_index) != credential.owner) {
    Found("the verify table does not hold a credential as it is", credential.uuid);
  }
  if (revoked && !entry.revoked) {
    Found("the verify table allows a revoked credential", credential.uuid);
  }
}

Status Checker::CheckTombstones() {
  return ForEach(column::kTombstone, [&](const Uuid& uuid, ByteView, ByteView fields) -> Status {
    ++report_.tombstones;
    LATCHKEY_TRY_ASSIGN(const TombstoneRecord tombstone, TombstoneRecord::Decode(uuid, fields));
    const Result<CredentialRecord> credential = reader_.Credential(uuid);
    if (!credential.ok() && credential.code() == Code::kIo) return credential.status();
    if (!credential.ok() || credential->tag != tombstone.tag ||
        credential->owner != tombstone.owner || credential->kind != tombstone.kind) {
      Found("a tombstone is not that of its credential", uuid);
    }
    return Status::Ok();
  });
}

Status Checker::CheckRest() {
  const auto pass = [](const Uuid&, ByteView, ByteView) { return Status::Ok(); };
  LATCHKEY_TRY(ForEach(column::kKind, pass));
  return ForEach(column::kSweep, pass);
}

// Every record led to its index entries; when there are no more entries than that, none is stray.
Status Checker::CheckIndexSizes() {
  const auto count = [&](uint8_t column, uint64_t expected, Literal what) -> Status {
    uint64_t entries = 0;
    Scan scan = ScanAll(column);
    for (; scan.Valid(); scan.Next()) ++entries;
    LATCHKEY_TRY(scan.status());
    if (entries != expected) Found(what);
    return Status::Ok();
  };
  LATCHKEY_TRY(count(column::kOwnerSlug, live_users_ + live_projects_,
                     "the slug index of owners has stray entries"));
  LATCHKEY_TRY(count(column::kOwnerEmail, emails_, "the e-mail index has stray entries"));
  LATCHKEY_TRY(count(column::kByTag, report_.credentials, "the tag index has stray entries"));
  LATCHKEY_TRY(count(column::kByName, report_.credentials, "the name index has stray entries"));
  return count(column::kBySlug, report_.credentials, "the slug index has stray entries");
}

Status Checker::CheckCounts() {
  for (const auto& [key, expected] : counts_) {
    const Result<CountRecord> count = reader_.Count(key.first, key.second);
    if (count.code() == Code::kIo) return count.status();
    if (!count.ok() || count.value().active != expected.active ||
        count.value().revoked != expected.revoked) {
      Found("an owner's count of credentials is wrong", key.first);
    }
  }
  Scan scan = storage_.ScanPrefix(column::kDefault, keys::kCountPrefix, {}, &snapshot_, false);
  for (; scan.Valid(); scan.Next()) {
    const auto owner_kind = keys::ParseCount(scan.key());
    if (owner_kind && counts_.contains(*owner_kind)) continue;
    const Result<ByteView> fields =
        authority_.mac().Open(column::kDefault, scan.key(), scan.value());
    if (owner_kind && fields.ok() && fields.value().empty()) continue;  // zeros
    Found("there is a count of credentials that there are not",
          owner_kind ? owner_kind->first : Uuid{});
  }
  LATCHKEY_TRY(scan.status());
  if (head_.users != live_users_ || head_.projects != live_projects_ ||
      head_.revoked != report_.tombstones ||
      head_.active != report_.credentials - report_.tombstones) {
    Found("the counts of the head are wrong");
  }
  return Status::Ok();
}

}  // namespace

Status CheckStore(const Engine& engine, const CheckFound& found, const CheckProgress& progress,
                  CheckReport* report) {
  CheckReport unread;
  if (report == nullptr) report = &unread;
  *report = CheckReport();
  LATCHKEY_TRY(engine.loader().Wait());
  LATCHKEY_TRY_ASSIGN(const auto view, engine.authority().Look());
  return Checker(engine, *view, found, progress, report).Run();
}

}  // namespace latchkey
