// The striped call counter and who has which stripe, the fork guard, and the outcome of the latest
// call on a thread.
#include "capi/handles.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>

namespace latchkey {
namespace {

// Both thread-locals lie where a thread's own memory begins: found without a call, and small enough
// for the room that the loader keeps for libraries that are loaded late.
[[gnu::tls_model("initial-exec")]] constinit thread_local const char* error_text = "";

bool Barrier(int command) { return syscall(SYS_membarrier, command, 0, 0) == 0; }

// Stripes by threads, one bit each, in every store alike. A thread that ends gives its stripe back
// by the destructor of a thread-specific value, which, unlike a thread_local with a destructor,
// takes no memory to set up in the middle of a verification.
class Seats {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  Seats() : has_key_(pthread_key_create(&key_, GiveBack) == 0) {}
  ~Seats() {
    if (has_key_) pthread_key_delete(key_);
  }
  Seats(const Seats&) = delete;
  Seats& operator=(const Seats&) = delete;

  // `shared` when there is none left.
  size_t Take(size_t shared) {
    uint64_t taken = taken_.load(std::memory_order_relaxed);
    for (;;) {
      const auto free = static_cast<size_t>(std::countr_one(taken));
      if (!has_key_ || free >= shared) return shared;
      const uint64_t bit = uint64_t{1} << free;
      // Acquire: the counts that the thread before left behind.
      if (!taken_.compare_exchange_weak(taken, taken | bit, std::memory_order_acquire)) continue;
      // Not null, which would mean that there is nothing to destroy.
      if (pthread_setspecific(key_, reinterpret_cast<void*>(free + 1)) == 0) return free;
      taken_.fetch_and(~bit, std::memory_order_release);
      return shared;
    }
  }

 private:
  static void GiveBack(void* value);

  pthread_key_t key_{};
  const bool has_key_;
  std::atomic<uint64_t> taken_{0};
};

[[gnu::tls_model("initial-exec")]] constinit thread_local size_t my_stripe = Seats::kNone;
Seats seats;

void Seats::GiveBack(void* value) {
  my_stripe = kNone;  // a call from a later destructor takes one anew
  const uint64_t bit = uint64_t{1} << (reinterpret_cast<uintptr_t>(value) - 1);
  seats.taken_.fetch_and(~bit, std::memory_order_release);
}

}  // namespace

CallCounter::CallCounter() : has_barrier_(Barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)) {}

size_t CallCounter::MyStripe() {
  static_assert(kShared < 64);
  if (my_stripe == Seats::kNone) my_stripe = seats.Take(kShared);
  return my_stripe;
}

Status CallCounter::Any(bool* any) const {
  if (has_barrier_ && !Barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
    return Status::Error(Code::kInternal, "the system refuses a barrier, so no close is safe");
  }
  int64_t inside = 0;
  for (const Stripe& stripe : stripes_) inside += stripe.calls.load(std::memory_order_seq_cst);
  *any = inside != 0;
  return Status::Ok();
}

ForkGuard::ForkGuard() {
  const auto size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* page = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (madvise(page, size, MADV_WIPEONFORK) != 0) {
    munmap(page, size);
    return;
  }
  page_ = new (page) std::atomic<uint64_t>(1);
}

ForkGuard::~ForkGuard() {
  if (page_ != nullptr) munmap(page_, static_cast<size_t>(sysconf(_SC_PAGESIZE)));
}

latchkey_code Finish(Status status) noexcept {
  error_text = status.ok() ? "" : status.why();
  return static_cast<latchkey_code>(status.code());
}

}  // namespace latchkey

extern "C" const char* latchkey_error_text(void) { return latchkey::error_text; }
