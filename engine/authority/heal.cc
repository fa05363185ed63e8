// What happens after a write that failed: the store is opened anew, and the truth read back.
#include <new>
#include <utility>

#include "authority/local_authority.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

// Below this, only what takes away is let through, so that a full device cannot stop a revocation.
constexpr uint64_t kFreeBytesMin = 16 << 20;

}  // namespace

bool LocalAuthority::IsNearlyFull() const { return dir_->free_bytes() < kFreeBytesMin; }

// Others fill the device as well, so that what is left below the bound can be nothing at all.
void LocalAuthority::KeepReserve() {
  if (dir_->has_reserve() || !can_reserve_) return;
  if (dir_->free_bytes() < kFreeBytesMin + StoreDir::kReserveBytes) return;
  can_reserve_ = dir_->MakeReserve().ok();  // a file system that cannot need not be asked again
}

// The store is closed and opened anew, because no fsync is tried again on a file whose fsync has
// failed: what the first left behind nobody knows. Verification goes on from memory meanwhile.
Status LocalAuthority::Heal() {
  healing_.store(true, std::memory_order_release);  // no reader comes any more
  std::unique_lock lock(storage_mutex_);            // no group runs meanwhile
  storage_.reset();
  ForgetCommitted();
  if (IsNearlyFull()) dir_->ReleaseReserve();  // what was revoked is to last before there is room
  LATCHKEY_TRY(OpenStorage());
  LATCHKEY_TRY(CatchUp());
  LATCHKEY_TRY(Retry());
  healing_.store(false, std::memory_order_release);
  return Status::Ok();
}

// What denies was in force all along; now it is made to last, however often that takes. Before
// anybody else may change the store: a mass revocation takes nothing that is made after it.
Status LocalAuthority::Retry() {
  if (retry_.empty()) return Status::Ok();
  std::vector<Command> commands;
  CommitQueue::Request request;
  Status done = Status::Error(Code::kInternal, "there is no memory");
  try {
    commands.reserve(retry_.size());  // so that each of them can come back
    request.outcomes.resize(retry_.size());
    commands.swap(retry_);
    request.commands = commands;
    CommitQueue::Request* const group[] = {&request};
    retrying_ = true;
    done = RunOpenGroup(group);
  } catch (const std::bad_alloc&) {
    // Before the write, so nothing has happened.
  }
  retrying_ = false;
  if (done.code() == Code::kOutcomeUnknown) return done;  // the group that failed has noted them
  Status failed = done;
  for (size_t i = 0; i < commands.size(); ++i) {
    const Status outcome = done.ok() ? request.outcomes[i].status : done;
    // A conflict, or no such thing: it did get through.
    if (outcome.ok() || outcome.code() == Code::kConflict || outcome.code() == Code::kNotFound) {
      continue;
    }
    failed = outcome;
    retry_.push_back(std::move(commands[i]));
  }
  return failed;
}

// Reads back what became of the group whose write failed: all of it or nothing.
Status LocalAuthority::CatchUp() {
  Result<AuthorityState> truth = LoadState(*storage_, mac_);
  if (!truth.ok()) return truth.status();
  if (truth->head.event_number < state_->head.event_number) {
    return Status::Error(Code::kRolledBack, "the reopened store ends before what was acknowledged");
  }
  std::vector<Event> missed;
  for (uint64_t number = state_->head.event_number + 1; number <= truth->head.event_number;
       ++number) {
    LATCHKEY_TRY_ASSIGN(const Bytes value,
                        storage_->Get(column::kEvent, keys::Event(0, number).view()));
    if (value.size() < 16) return Status::Error(Code::kCorruption, "an event is cut short");
    LATCHKEY_TRY_ASSIGN(Event event, DecodeEvent(number, ByteView(value).substr(16)));
    missed.push_back(std::move(event));
  }
  LATCHKEY_TRY(sink_->Prepare(missed));
  auto next = std::make_shared<const AuthorityState>(std::move(*truth));
  {
    std::lock_guard lock(state_mutex_);
    state_ = std::move(next);
  }
  sink_->Apply(missed);
  return Status::Ok();
}

}  // namespace latchkey
