// Reading the chain, and the records out of it.
#include "authority/history.h"

#include "authority/event_chain.h"
#include "schema/columns.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

constexpr size_t kIdSize = 16;

Status NotSuchAnEvent() {
  return Status::Error(Code::kInternal, "an event is not what it was a moment ago");
}

}  // namespace

std::optional<uint64_t> EventNumber(ByteView key) {
  KeyReader reader(key);
  uint16_t partition = 0;
  uint64_t number = 0;
  if (!reader.Be16(&partition) || !reader.Be64(&number) || !reader.AtEnd() || partition != 0) {
    return std::nullopt;
  }
  return number;
}

Result<ChainSurvey> SurveyChain(const Storage& storage, const Snapshot& snapshot,
                                const HeadRecord& head, const Tick& tick) {
  ChainSurvey survey;
  uint64_t next = head.event_floor + 1;
  std::array<uint8_t, kIdSize> id{};  // nothing is before the first
  bool whole = true;
  Status newer = Status::Ok();
  Scan scan = storage.ScanPrefix(column::kEvent, {}, {}, &snapshot, /*fill_cache=*/false);
  for (; scan.Valid(); scan.Next()) {
    LATCHKEY_TRY(tick());
    ++survey.events;
    const std::optional<uint64_t> number = EventNumber(scan.key());
    if (number) survey.last_number = std::max(survey.last_number, *number);
    const ByteView value = scan.value();
    if (!number || *number != next || value.size() < kIdSize) {
      ++survey.strays;
      continue;  // if it was one of the chain, the next number is never found
    }
    const ByteView body = value.substr(kIdSize);
    const EventId expected = NextEventId(id, next, body);
    const bool fits = View(expected) == value.substr(0, kIdSize);
    if (next > head.event_number) {
      if (fits && whole && next == head.event_number + 1) survey.goes_on = true;
      ++survey.strays;
      continue;
    }
    if (const Result<Event> event = DecodeEvent(next, body); !event.ok()) {
      whole = whole && event.code() == Code::kUnsupported;
      newer = event.status();
    }
    whole = whole && fits;
    id = expected;
    ++next;
  }
  LATCHKEY_TRY(scan.status());
  survey.holds = whole && next == head.event_number + 1 && id == head.event_id;
  // In a chain that holds it was written so; in another one it may be anything.
  if (survey.holds && !newer.ok()) return newer;
  return survey;
}

Status History::Read(const Tick& tick) {
  Scan scan = storage_.ScanPrefix(column::kEvent, {}, {}, &snapshot_, /*fill_cache=*/false);
  for (uint64_t next = 1; scan.Valid(); scan.Next(), ++next) {
    LATCHKEY_TRY(tick());
    if (EventNumber(scan.key()) != next) break;  // strays lie behind the chain
    LATCHKEY_TRY_ASSIGN(const Event event, DecodeEvent(next, scan.value().substr(kIdSize)));
    Take(event);
  }
  return scan.status();
}

void History::Take(const Event& event) {
  struct Visitor {
    History& history;
    const Event& event;
    void operator()(const OwnerPut& e) { history.owners_[e.owner.uuid] = event.number; }
    void operator()(const GrantPut& e) {
      GrantRecord& grant = history.grants_[Bytes(keys::Grant(e.project, e.user).view())];
      grant.role = e.role;
      grant.last_event = event.number;
    }
    void operator()(const GrantRemoved& e) {
      history.grants_.erase(Bytes(keys::Grant(e.project, e.user).view()));
    }
    void operator()(const KindPut& e) { history.kinds_[e.kind.kind] = e.kind; }
    void operator()(const CredentialCreated& e) {
      history.credentials_[e.credential.uuid].created = event.number;
    }
    void operator()(const CredentialRenamed& e) {
      history.credentials_[e.uuid].renamed = event.number;
    }
    void operator()(const CredentialRevoked& e) {
      history.credentials_[e.credential.uuid].revoked = event.number;
    }
    void operator()(const SweepStarted& e) { history.sweeps_[event.number] = e.sweep; }
    void operator()(const Swept& e) {
      for (const Revoked& revoked : e.credentials) {
        Life& life = history.credentials_[revoked.uuid];
        life.revoked = event.number;
        life.sweep = e.sweep;
      }
      if (e.done) history.sweeps_[e.sweep].done = true;
    }
    void operator()(const ClockAccepted&) {}
  };
  std::visit(Visitor{*this, event}, event.body);
}

Result<Event> History::At(uint64_t number) const {
  LATCHKEY_TRY_ASSIGN(const Bytes value,
                      storage_.Get(column::kEvent, keys::Event(0, number).view(), &snapshot_));
  if (value.size() < kIdSize) return NotSuchAnEvent();
  return DecodeEvent(number, ByteView(value).substr(kIdSize));
}

Result<OwnerRecord> History::Owner(uint64_t number) const {
  LATCHKEY_TRY_ASSIGN(const Event event, At(number));
  const auto* put = std::get_if<OwnerPut>(&event.body);
  if (put == nullptr) return NotSuchAnEvent();
  return put->owner;
}

Result<CredentialRecord> History::Credential(const Life& life) const {
  LATCHKEY_TRY_ASSIGN(const Event event, At(life.created));
  const auto* created = std::get_if<CredentialCreated>(&event.body);
  if (created == nullptr) return NotSuchAnEvent();
  CredentialRecord credential = created->credential;
  if (life.renamed == 0) return credential;
  LATCHKEY_TRY_ASSIGN(const Event later, At(life.renamed));
  const auto* renamed = std::get_if<CredentialRenamed>(&later.body);
  if (renamed == nullptr) return NotSuchAnEvent();
  credential.name = renamed->name;
  credential.last_event = life.renamed;
  return credential;
}

Result<TombstoneRecord> History::Tombstone(const Life& life,
                                           const CredentialRecord& credential) const {
  TombstoneRecord tombstone = TombstoneOf(credential);
  tombstone.event = life.revoked;
  if (life.sweep != 0) {
    const auto sweep = sweeps_.find(life.sweep);
    if (sweep == sweeps_.end()) return NotSuchAnEvent();
    tombstone.sweep = life.sweep;
    tombstone.revoked_s = sweep->second.revoked_s;
    tombstone.revoked_by = sweep->second.revoked_by;
    tombstone.reason = sweep->second.reason;
    return tombstone;
  }
  LATCHKEY_TRY_ASSIGN(const Event event, At(life.revoked));
  const auto* revoked = std::get_if<CredentialRevoked>(&event.body);
  if (revoked == nullptr) return NotSuchAnEvent();
  tombstone.revoked_s = revoked->revoked_s;
  tombstone.revoked_by = event.actor;
  tombstone.reason = revoked->reason;
  return tombstone;
}

}  // namespace latchkey
