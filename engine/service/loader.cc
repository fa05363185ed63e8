// The load: one snapshot, read through; begun anew when the store was reopened meanwhile.
#include "service/loader.h"

#include <new>

namespace latchkey {
namespace {

constexpr auto kProgressEvery = std::chrono::milliseconds(100);
constexpr auto kHealPoll = std::chrono::milliseconds(20);

}  // namespace

Loader::Loader(const LocalAuthority& authority, Memory& memory, LoadOptions options)
    : authority_(authority), memory_(memory), options_(std::move(options)) {
  const auto state = authority.Now();
  total_.store(state->head.active + state->head.revoked);
}

Loader::~Loader() { Stop(); }

void Loader::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_.store(true);
  }
  ended_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Loader::Start() {
  thread_ = std::thread([this] { End(Load()); });
}

Status Loader::Run() {
  const Status status = Load();
  End(status);
  return status;
}

Status Loader::Load() {
  try {
    return UntilEnd();
  } catch (const std::bad_alloc&) {
    return Status::Error(Code::kInternal, "there is no memory");
  }
}

// Whoever sees that the load has ended finds that everybody has been told.
void Loader::End(Status status) {
  if (!stop_.load()) {
    if (options_.progress) options_.progress(done(), total());
    if (!status.ok() && options_.failed) options_.failed(status);
  }
  {
    const std::lock_guard lock(mutex_);
    if (!stop_.load()) outcome_ = status;
    loading_.store(false, std::memory_order_release);
  }
  ended_.notify_all();
}

Status Loader::UntilEnd() {
  for (;;) {
    const Status status = RunOnce();
    if (status.ok()) {
      memory_.EndLoad();
      return status;
    }
    if (stop_.load()) return status;
    // A store that is about to be reopened may well fail to be read, too.
    const bool reopens = status.code() == Code::kBusy || status.code() == Code::kIo;
    if (!reopens || (status.code() == Code::kIo && !authority_.healing())) return status;
    WaitUntilHealed();
  }
}

Status Loader::RunOnce() {
  // The sweeps first, then the snapshot: one that ends in between has left its tombstones in it.
  memory_.BeginLoad(authority_.Now()->pending_sweeps);
  LATCHKEY_TRY_ASSIGN(const auto view, authority_.Look());
  const Snapshot snapshot(view->storage());
  done_.store(0, std::memory_order_relaxed);
  return LoadRecords(view->storage(), authority_.mac(), snapshot, this);
}

void Loader::WaitUntilHealed() {
  std::unique_lock lock(mutex_);
  while (authority_.healing() && !stop_.load()) ended_.wait_for(lock, kHealPoll);
}

// The snapshot keeps the store open, so whoever wants to reopen it must not be kept waiting.
Status Loader::Continue() {
  if (stop_.load()) return Status::Error(Code::kBusy, "the store is being closed");
  if (authority_.healing()) return Status::Error(Code::kBusy, "the store is being reopened");
  if (options_.progress) {
    const auto now = std::chrono::steady_clock::now();
    if (now - told_ >= kProgressEvery) {
      told_ = now;
      options_.progress(done(), total());
    }
  }
  return Status::Ok();
}

Status Loader::Take(std::span<const LoadedCredential> credentials) {
  if (options_.hold) options_.hold(done());
  LATCHKEY_TRY(Continue());
  LATCHKEY_TRY(memory_.Load(credentials));
  done_.fetch_add(credentials.size(), std::memory_order_relaxed);
  return Status::Ok();
}

Status Loader::Wait() const {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return !loading() || stop_.load(); });
  return loading() ? Status::Error(Code::kBusy, "the store is being closed") : outcome_;
}

Status Loader::status() const {
  const std::lock_guard lock(mutex_);
  return outcome_;
}

}  // namespace latchkey
