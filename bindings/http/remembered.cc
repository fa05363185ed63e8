#include "remembered.h"

#include "deadlines.h"

namespace latchkey::http {
namespace {

// By the end of the UUID, which is random in versions 4 and 7, and counts up where somebody
// numbered his own: Fibonacci hashing (Knuth, TAOCP 6.4) spreads both. `slots_log2` bits of it.
size_t SlotOf(const Uuid& uuid, unsigned slots_log2) {
  uint64_t end = 0;
  for (size_t i = 8; i < sizeof uuid.bytes; ++i) end = end << 8 | uuid.bytes[i];
  return end * 0x9E3779B97F4A7C15u >> (64 - slots_log2);
}

constexpr int64_t kSubjectLifeMs = 10'000;

}  // namespace

Remembered::Remembered()
    : subjects_(std::make_unique<SubjectSlot[]>(size_t{1} << kSubjectsLog2)),
      creations_(std::make_unique<CreationSlot[]>(size_t{1} << kCreationsLog2)) {}

std::string Remembered::Subject(const Uuid& owner, const std::function<std::string()>& read) {
  const size_t place = SlotOf(owner, kSubjectsLog2);
  SubjectSlot& slot = subjects_[place];
  const int64_t now_ms = SteadyMs();
  const uint64_t changes = changes_.load();
  {
    const std::lock_guard lock(LockOf(place));
    if (slot.owner == owner && now_ms - slot.read_ms < kSubjectLifeMs) return slot.subject;
  }
  std::string subject = read();
  const std::lock_guard lock(LockOf(place));
  if (changes_.load() == changes) slot = {owner, subject, now_ms};
  return subject;
}

int64_t Remembered::Creation(const Uuid& credential, const std::function<int64_t()>& read) {
  const size_t place = SlotOf(credential, kCreationsLog2);
  CreationSlot& slot = creations_[place];
  {
    const std::lock_guard lock(LockOf(place));
    if (slot.credential == credential) return slot.creation_s;
  }
  const int64_t creation_s = read();
  const std::lock_guard lock(LockOf(place));
  slot = {credential, creation_s};
  return creation_s;
}

void Remembered::Forget(const Uuid& owner) {
  // Counted first, inside of the lock: whoever read him before the change finds the count moved,
  // or has written already and is wiped here.
  const size_t place = SlotOf(owner, kSubjectsLog2);
  const std::lock_guard lock(LockOf(place));
  changes_.fetch_add(1);
  if (subjects_[place].owner == owner) subjects_[place] = {};
}

}  // namespace latchkey::http
