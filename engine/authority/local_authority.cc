// Groups of commands: decided, written, committed, applied.
#include "authority/local_authority.h"

#include <array>
#include <iterator>
#include <new>

#include "authority/decide.h"
#include "base/limits.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

// Where a new credential must be seen not to be already; where names often are, and what is there
// need only be known to be; and what a new credential adds to in no order.
constexpr std::array<uint8_t, 3> kSoughtOfNew = {column::kCredential, column::kByTag,
                                                 column::kTombstone};
constexpr std::array<uint8_t, 1> kKnownOfNew = {column::kBySlug};
constexpr std::array<uint8_t, 5> kGrownByNew = {
    column::kCredential, column::kByTag, column::kByName, column::kBySlug, column::kTombstone};

Status Unknown() {
  return Status::Error(Code::kOutcomeUnknown,
                       "the write failed midway: look whether it happened, then try again");
}

Status Healing() {
  return Status::Error(Code::kBusy,
                       "the store is reopening itself after a failed write: try again later");
}

}  // namespace

LocalAuthority::LocalAuthority(std::unique_ptr<StoreDir> dir, PepperRing ring,
                               const AuthorityOptions& options)
    : dir_(std::move(dir)), ring_(std::move(ring)), mac_(ring_), options_(options) {}

LocalAuthority::~LocalAuthority() {
  dir_->SyncAck().IgnoreBecause("closing: the acknowledged number is written, if not yet synced");
}

Status LocalAuthority::Follow(const std::function<Status(const OwnerRecord&)>& take_owner,
                              EventSink* events) {
  sink_ = events;
  return LoadOwners(*storage_, mac_, take_owner);
}

std::shared_ptr<const AuthorityState> LocalAuthority::Now() const {
  std::lock_guard lock(state_mutex_);
  return state_;
}

Result<std::unique_ptr<LocalAuthority::View>> LocalAuthority::Look() const {
  // Not while it is about to be reopened: a stream of readers could keep Heal() out for ever.
  if (healing()) return Healing();
  std::shared_lock lock(storage_mutex_);
  if (storage_ == nullptr) return Healing();
  return std::unique_ptr<View>(new View(std::move(lock), *storage_, mac_));
}

Outcome LocalAuthority::Submit(Command command) {
  return std::move(SubmitAll({&command, 1}).front());
}

std::vector<Outcome> LocalAuthority::SubmitAll(std::span<const Command> commands) {
  CommitQueue::Request request;
  request.commands = commands;
  Run(&request);
  return std::move(request.outcomes);
}

void LocalAuthority::Run(CommitQueue::Request* request) {
  request->outcomes.resize(request->commands.size());
  commands_.fetch_add(request->commands.size(), std::memory_order_relaxed);
  queue_.Run(request, limits::kGroupCommandsMax,
             [this](std::span<CommitQueue::Request* const> group) { RunGroup(group); });
}

namespace {

template <typename Fill>
void ForEachOutcome(std::span<CommitQueue::Request* const> group, Fill&& fill) {
  for (CommitQueue::Request* request : group) {
    for (size_t i = 0; i < request->commands.size(); ++i) {
      fill(request->commands[i], &request->outcomes[i]);
    }
  }
}

// Decides one command and writes its events into the group. An error means that the batch is half
// written: the group must be dropped whole.
Status RunOne(const Command& command, OpenGroup* open, Outcome* outcome) {
  const size_t first = open->events().size();
  Decision decision = Decide(command, *open);
  for (EventBody& body : decision.events) {
    LATCHKEY_TRY(open->Append(Event{0, command.time_s, command.actor, std::move(body)}));
  }
  outcome->status = decision.status;
  outcome->events.resize(open->events().size() - first);  // HandOver() fills them
  return Status::Ok();
}

// Gives each outcome its events, in the order in which they were appended. Cannot fail.
void HandOver(std::span<CommitQueue::Request* const> group, std::vector<Event> events) {
  auto next = events.begin();
  ForEachOutcome(group, [&](const Command&, Outcome* outcome) {
    for (Event& event : outcome->events) event = std::move(*next++);
  });
}

// Nothing was committed: whatever a command thought it had done or found, this is its answer.
void FailAll(std::span<CommitQueue::Request* const> group, Status status) {
  ForEachOutcome(group, [&](const Command&, Outcome* outcome) { *outcome = {status, {}}; });
}

}  // namespace

void LocalAuthority::RunGroup(std::span<CommitQueue::Request* const> group) {
  // Only the leader changes storage_ and state_, so it may read them without a lock; the shared
  // lock keeps Heal() out.
  std::shared_lock lock(storage_mutex_);
  CommitQueue::Request& first = *group.front();
  if (first.bulk == CommitQueue::Request::Bulk::kEnd) return EndBulkLoad();
  // A write of the background that has failed already leaves no doubt: nothing is begun.
  if (healing() || storage_ == nullptr || storage_->has_failed()) {
    return FailAll(group, Healing());
  }
  Status status = Status::Ok();
  try {
    if (first.bulk == CommitQueue::Request::Bulk::kBegin) {
      first.begun = BeginBulkLoad();
      return;
    }
    status = RunOpenGroup(group);
  } catch (const std::bad_alloc&) {
    // Before the write, so nothing has happened: nothing from there on throws.
    status = Status::Error(Code::kInternal, "there is no memory");
  }
  if (!status.ok()) FailAll(group, status);
}

Status LocalAuthority::RunOpenGroup(std::span<CommitQueue::Request* const> group) {
  OpenGroup open(*storage_, mac_, *state_, &committed_, filter_.get());
  const bool by_files = group.front()->bulk == CommitQueue::Request::Bulk::kCommands;
  bool must_commit = false;
  LATCHKEY_TRY(DecideAll(group, by_files ? limits::kBulkBytesMax : limits::kGroupBytesMax, &open,
                         &must_commit));
  if (!must_commit && open.events().empty()) return Status::Ok();
  LATCHKEY_TRY(sink_->Prepare(open.events()));
  std::vector<Command> retry;
  ForEachOutcome(group, [&](const Command& command, Outcome*) {
    if (IsRestrictive(command)) retry.push_back(command);
  });
  retry_.reserve(retry_.size() + retry.size());
  const Status status = Commit(&open, by_files);
  if (status.ok()) HandOver(group, open.TakeEvents());
  if (status.code() == Code::kOutcomeUnknown)
    std::move(retry.begin(), retry.end(), std::back_inserter(retry_));
  return status;
}

Status LocalAuthority::DecideAll(std::span<CommitQueue::Request* const> group, size_t bytes_max,
                                 OpenGroup* open, bool* must_commit) const {
  const bool nearly_full = IsNearlyFull();
  Status broken = Status::Ok();
  ForEachOutcome(group, [&](const Command& command, Outcome* outcome) {
    if (!broken.ok()) return;
    if (nearly_full && !IsRestrictive(command)) {
      outcome->status = Status::Error(Code::kNoSpace, "the device of the store is nearly full");
      return;
    }
    if (open->batch().size_bytes() > bytes_max) {
      outcome->status = Status::Error(Code::kBusy, "too much was asked for at once: try again");
      return;
    }
    broken = RunOne(command, open, outcome);
    if (const auto* usage = std::get_if<FlushUsage>(&command.body)) {
      for (const auto& [uuid, last_used_s] : usage->last_used) {
        open->batch().MergeMax64(column::kUsage, uuid.view(), last_used_s);
      }
    }
    *must_commit = *must_commit || std::holds_alternative<PersistClock>(command.body) ||
                   std::holds_alternative<FlushUsage>(command.body);
  });
  return broken;
}

Status LocalAuthority::Commit(OpenGroup* open, bool by_files) {
  if (clock_ != nullptr) open->set_clock_s(clock_->remembered_s());
  open->WriteHead();
  auto next = std::make_shared<AuthorityState>();  // nothing may fail after the commit
  Batch& batch = open->batch();
  const Status written = by_files ? storage_->Ingest(&batch) : storage_->Commit(&batch);
  if (!written.ok()) {
    if (!retrying_) sink_->Restrict(open->events());  // what is submitted again is denied already
    ForgetCommitted();
    healing_.store(true, std::memory_order_release);
    return Unknown();
  }
  open->Remember();
  commits_.fetch_add(1, std::memory_order_relaxed);
  const Ack ack{store_.store_id, store_.history_id, open->state().head.event_number};
  {
    // Before Apply(): whoever is told of a sweep finds it among the pending ones.
    *next = open->TakeState();
    std::lock_guard lock(state_mutex_);
    state_ = std::move(next);
  }
  sink_->Apply(open->events());
  // The change is on the device and in force whatever happens here; `ack` only makes a later loss
  // noticed, and the next group writes it again.
  dir_->WriteAck(ack).IgnoreBecause("the change itself is durable");
  ack_dirty_.store(true, std::memory_order_relaxed);
  return Status::Ok();
}

std::unique_ptr<LocalAuthority::BulkLoad> LocalAuthority::StartBulkLoad() {
  CommitQueue::Request request;
  request.bulk = CommitQueue::Request::Bulk::kBegin;
  Run(&request);
  return std::unique_ptr<BulkLoad>(request.begun ? new BulkLoad(this) : nullptr);
}

LocalAuthority::BulkLoad::~BulkLoad() {
  CommitQueue::Request request;
  request.bulk = CommitQueue::Request::Bulk::kEnd;
  try {
    authority_.Run(&request);
  } catch (const std::bad_alloc&) {
    // Not even queued: the filter stays, true as ever, until the store is closed.
  }
}

std::vector<Outcome> LocalAuthority::BulkLoad::SubmitAll(std::span<const Command> commands) {
  CommitQueue::Request request;
  request.commands = commands;
  request.bulk = CommitQueue::Request::Bulk::kCommands;
  authority_.Run(&request);
  return std::move(request.outcomes);
}

bool LocalAuthority::BeginBulkLoad() {
  if (filter_ == nullptr) {
    if (state_->head.active + state_->head.revoked != 0) return false;
    for (const uint8_t column : kSoughtOfNew) {
      if (storage_->LastKey(column, {}).code() != Code::kNotFound) return false;
    }
    filter_ =
        std::make_unique<KeyFilter>(std::vector<uint8_t>(kSoughtOfNew.begin(), kSoughtOfNew.end()),
                                    std::vector<uint8_t>(kKnownOfNew.begin(), kKnownOfNew.end()));
    storage_->SetBulkLoad(kGrownByNew, true).IgnoreBecause("it is only slower without");
  }
  ++bulk_loads_;
  return true;
}

void LocalAuthority::EndBulkLoad() {
  if (--bulk_loads_ != 0 || filter_ == nullptr) return;  // or the store has been opened anew since
  filter_.reset();
  storage_->SetBulkLoad(kGrownByNew, false).IgnoreBecause("the next open sets it right");
}

void LocalAuthority::ForgetCommitted() {
  committed_.Clear();
  filter_.reset();
}

Result<std::unique_ptr<LocalAuthority::DryRun>> LocalAuthority::StartDryRun() const {
  LATCHKEY_TRY_ASSIGN(std::unique_ptr<View> view, Look());
  return std::unique_ptr<DryRun>(new DryRun(std::move(view), mac_, state()));
}

Outcome LocalAuthority::DryRun::Run(const Command& command) {
  Outcome outcome;
  const Status broken = RunOne(command, &group_, &outcome);
  return broken.ok() ? std::move(outcome) : Outcome{broken, {}};
}

Status LocalAuthority::Tend() {
  if (ack_dirty_.exchange(false, std::memory_order_relaxed)) LATCHKEY_TRY(dir_->SyncAck());
  if (healing() || storage_->has_failed()) return Heal();
  KeepReserve();
  return Status::Ok();
}

Status LocalAuthority::Flush() {
  std::shared_lock lock(storage_mutex_);
  return storage_ == nullptr ? Healing() : storage_->Flush();
}

}  // namespace latchkey
