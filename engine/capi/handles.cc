// The striped call counter, the fork guard, and the outcome of the latest call on a thread.
#include "capi/handles.h"

#include <sys/mman.h>
#include <unistd.h>

namespace latchkey {
namespace {

thread_local const char* error_text = "";

}  // namespace

std::atomic<int64_t>& CallCounter::Mine() {
  static std::atomic<size_t> threads{0};
  static thread_local const size_t stripe = threads.fetch_add(1, std::memory_order_relaxed);
  return stripes_[stripe % kStripes].calls;
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
