// Opening, closing, and what goes on in the background: the `ack` file, healing, the clock, the
// time of last use, and the tombstones of sweeps.
#include "service/engine.h"

#include "base/limits.h"
#include "service/sweep_scan.h"

namespace latchkey {
namespace {

constexpr auto kTick = std::chrono::seconds(1);
constexpr int64_t kPersistEveryS = 60;
constexpr size_t kUsageFlushMax = 4096;  // credentials in one batch, so that no revoke waits long
constexpr ByteView kBase36 = "0123456789abcdefghijklmnopqrstuvwxyz";

}  // namespace

Status MadeButUnread() {
  return Status::Error(Code::kOutcomeUnknown,
                       "the change is made, but the store cannot be read now: look at it later");
}

Result<std::unique_ptr<Engine>> Engine::Open(EngineOptions options) {
  LATCHKEY_TRY(InitCrypto());
  std::unique_ptr<Engine> engine(new Engine(std::move(options)));
  LATCHKEY_TRY_ASSIGN(engine->authority_,
                      LocalAuthority::Open(engine->options_.store, engine->random_));
  LocalAuthority& authority = *engine->authority_;
  const Clock& clock = engine->options_.clock == nullptr ? SystemClock() : *engine->options_.clock;
  engine->clock_ = std::make_unique<GuardedClock>(clock, authority.remembered_s());
  engine->memory_ = std::make_unique<Memory>(authority, engine->options_.budgets);
  Memory& memory = *engine->memory_;
  const auto state = authority.Now();
  memory.LoadKinds(state->host_kinds);
  LATCHKEY_TRY(memory.Reserve(state->head.active + state->head.revoked));
  LATCHKEY_TRY(authority.Follow(
      [&memory](const OwnerRecord& owner) { return memory.LoadOwner(owner); }, &memory));
  authority.set_clock(engine->clock_.get());
  LATCHKEY_TRY(engine->StartLoad());
  engine->clock_persisted_s_ = engine->clock_->NowS();
  engine->usage_flushed_s_ = engine->clock_persisted_s_;
  engine->woken_ = !state->pending_sweeps.empty();  // tombstones are still to be written
  engine->background_ = std::thread([raw = engine.get()] { raw->Background(); });
  return engine;
}

Status Engine::StartLoad() {
  LoadOptions load = options_.load;
  load.failed = [this](Status why) {
    if (options_.log) options_.log(LogLevel::kError, why);
    if (options_.load.failed) options_.load.failed(why);
  };
  loader_ = std::make_unique<Loader>(*authority_, *memory_, std::move(load));
  if (options_.load_first) return loader_->Run();
  loader_->Start();
  return Status::Ok();
}

Engine::~Engine() {
  if (!background_.joinable()) return;
  loader_->Stop();
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.store(true);
  wake_.notify_one();
  background_.join();
  if (loader_->status().ok()) {
    FlushUsage();
    Run(Uuid{}, PersistClock{}).status().IgnoreBecause("closing: only the clock's memory is lost");
  }
  authority_->Flush().IgnoreBecause("closing: the log holds what is not flushed");
}

Result<std::vector<Event>> Engine::Run(const Uuid& actor, decltype(Command::body) body) {
  Outcome outcome = authority_->Submit(Command{clock_->NowS(), actor, std::move(body)});
  if (!outcome.status.ok()) return outcome.status;
  return std::move(outcome.events);
}

Result<std::vector<Event>> Engine::RunAndDeny(const Uuid& actor, decltype(Command::body) body,
                                              uint64_t* denied) {
  std::vector<Event> events;
  Status counted = Status::Ok();
  bool has_begun = false;
  {
    const SweepCounts::UnderWay count(&sweep_counts_, authority_->Now()->head.event_number);
    LATCHKEY_TRY_ASSIGN(events, Run(actor, std::move(body)));
    for (const Event& event : events) {
      const auto* started = std::get_if<SweepStarted>(&event.body);
      if (started == nullptr) continue;
      has_begun = true;
      const Result<uint64_t> found = memory_->Deny(started->sweep);
      if (!found.ok()) counted = MadeButUnread();
      if (found.ok() && denied != nullptr) *denied += *found;
    }
  }
  if (has_begun) Wake();  // now that it is counted its tombstones may be written
  if (!counted.ok()) return counted;
  return events;
}

Result<Uuid> Engine::NewUuid() {
  std::array<uint8_t, 10> bytes;
  LATCHKEY_TRY(random_.Fill(bytes));
  return MakeUuidV7(clock_->NowMs(), bytes);
}

Result<Bytes> Engine::NewSlugSuffix() {
  std::array<uint8_t, limits::kSlugSuffixSize> bytes;
  LATCHKEY_TRY(random_.FillFromAlphabet(kBase36, bytes));
  return Bytes(View(bytes));
}

void Engine::Wake() {
  std::lock_guard lock(mutex_);
  woken_ = true;
  wake_.notify_one();
}

void Engine::Background() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    wake_.wait_for(lock, kTick, [this] { return stop_ || woken_; });
    woken_ = false;
    if (stop_) return;
    lock.unlock();
    TendOnce();
    lock.lock();
  }
}

void Engine::TendOnce() {
  const Status tended = authority_->Tend();
  if (!tended.ok() && options_.log) options_.log(LogLevel::kError, tended);
  // A store that does not add up is written to no more.
  if (authority_->healing() || !loader_->status().ok()) return;
  memory_->SettleDoubts();
  RunSweeps();
  const int64_t now_s = clock_->NowS();
  if (now_s - clock_persisted_s_ >= kPersistEveryS) {
    clock_persisted_s_ = now_s;
    Run(Uuid{}, PersistClock{}).status().IgnoreBecause("tried again a minute later");
  }
  if (now_s - usage_flushed_s_ >= kPersistEveryS) FlushUsage();
}

void Engine::FlushUsage() {
  const uint32_t since_s = UseSecond(std::max<int64_t>(usage_flushed_s_ - 1, 1));
  usage_flushed_s_ = clock_->NowS();
  std::vector<std::pair<Uuid, uint32_t>> used;
  memory_->table().ForEach([&](const TableEntry& entry) {
    if (entry.last_used_s >= since_s) used.emplace_back(entry.uuid, entry.last_used_s);
  });
  const std::vector<StoredUses::Use> stored = memory_->stored_uses().All();
  for (const StoredUses::Use& use : stored) used.emplace_back(use.uuid, use.last_used_s);
  for (size_t i = 0; i < used.size(); i += kUsageFlushMax) {
    const auto begin = used.begin() + static_cast<ptrdiff_t>(i);
    const auto end =
        used.begin() + static_cast<ptrdiff_t>(std::min(used.size(), i + kUsageFlushMax));
    Run(Uuid{}, latchkey::FlushUsage{{begin, end}})
        .status()
        .IgnoreBecause("the time of last use is advisory");
  }
  // What has been loaded since then knows only what the store knew before.
  for (const StoredUses::Use& use : stored) {
    VerifyTable::Touch(memory_->table().Look(use.tag), use.last_used_s);
  }
  memory_->stored_uses().Forget(stored);
}

void Engine::RunSweeps() {
  for (const SweepRecord& sweep : authority_->state().pending_sweeps) {
    if (sweep_counts_.may_include(sweep.number)) continue;  // whoever counts it wakes us
    const Status status = RunSweep(sweep);
    if (status.ok() || stopping_.load()) continue;
    if (options_.log) options_.log(LogLevel::kWarning, status);
    return;
  }
}

// Walks what the sweep may cover and has the tombstones written a few at a time, so that no other
// change waits long. Begins anew after a restart; what has its tombstone is passed over.
Status Engine::RunSweep(const SweepRecord& sweep) {
  StepSweep step;
  step.sweep = sweep.number;
  const auto submit = [&]() -> Status {
    Result<std::vector<Event>> done = Run(sweep.revoked_by, step);
    step.credentials.clear();
    return done.status();
  };
  LATCHKEY_TRY(ForEachCovered(*authority_, sweep, [&](const Covered& covered) -> Status {
    if (stopping_.load()) return Status::Error(Code::kBusy, "the store is being closed");
    step.credentials.push_back(covered.uuid);
    return step.credentials.size() < limits::kSweepStepCredentials ? Status::Ok() : submit();
  }));
  step.done = true;
  return submit();
}

}  // namespace latchkey
