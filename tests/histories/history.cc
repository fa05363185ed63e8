#include "history.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <unordered_set>

#include "latchkey/latchkey.h"

namespace latchkey_histories {
namespace {

using Key = State::Key;

// Every place the search has been: which events are behind it, and the state it was in.
struct Place {
  uint64_t behind;
  uint32_t state;
  bool operator==(const Place&) const = default;
};
struct HashPlace {
  size_t operator()(const Place& place) const {
    return (place.behind * 0x9E3779B97F4A7C15u) ^ (place.state * uint64_t{0xC2B2AE3D27D4EB4Fu});
  }
};

class Search {
 public:
  explicit Search(const std::vector<Event>& events) : events_(events) {
    if (events.size() > kEventsMax) throw std::runtime_error("a history is too long");
  }
  bool Find() { return From(0, State()); }

 private:
  bool From(uint64_t behind, State state) {
    if (behind == All()) return true;
    const uint32_t packed = static_cast<uint32_t>(state.key) << 16 |
                            static_cast<uint32_t>(state.locked) << 8 | state.name;
    if (!seen_.insert({behind, packed}).second) return false;
    // Whatever has begun after another had ended comes after that one.
    uint64_t first_end = UINT64_MAX;
    for (size_t i = 0; i < events_.size(); ++i) {
      if ((behind >> i & 1) == 0) first_end = std::min(first_end, events_[i].done);
    }
    for (size_t i = 0; i < events_.size(); ++i) {
      if ((behind >> i & 1) != 0 || events_[i].begun > first_end) continue;
      const std::optional<State> next = state.After(events_[i]);
      if (next && From(behind | uint64_t{1} << i, *next)) return true;
    }
    return false;
  }
  uint64_t All() const {
    return events_.size() == kEventsMax ? UINT64_MAX : (uint64_t{1} << events_.size()) - 1;
  }

  const std::vector<Event>& events_;
  std::unordered_set<Place, HashPlace> seen_;
};

uint32_t ReasonIn(const State& state) {
  if (state.key == Key::kAbsent) return LATCHKEY_REASON_UNKNOWN;
  if (state.key == Key::kRevoked) return LATCHKEY_REASON_REVOKED;
  return state.locked ? LATCHKEY_REASON_LOCKED : LATCHKEY_REASON_ALLOWED;
}

}  // namespace

bool IsChange(Call call) { return call <= Call::kUnlock; }

std::optional<State> State::After(const Event& event) const {
  State next = *this;
  bool fits = false;
  switch (event.call) {
    case Call::kCreate:
      fits = (event.answer == 1) == (key == Key::kAbsent);
      if (event.answer == 1) next.key = Key::kActive;
      break;
    case Call::kRevoke:
      fits = event.answer == (key == Key::kAbsent    ? LATCHKEY_NOT_FOUND
                              : key == Key::kRevoked ? LATCHKEY_CONFLICT
                                                     : LATCHKEY_OK);
      if (key == Key::kActive) next.key = Key::kRevoked;
      break;
    case Call::kRename:
      fits = event.answer == (key == Key::kAbsent ? LATCHKEY_NOT_FOUND : LATCHKEY_OK);
      if (key != Key::kAbsent) next.name = static_cast<uint8_t>(event.name);
      break;
    case Call::kLock:
    case Call::kUnlock:
      fits = event.answer == LATCHKEY_OK;
      next.locked = event.call == Call::kLock;
      break;
    case Call::kVerify:
      fits = event.answer == ReasonIn(*this);
      break;
    case Call::kGet:
      fits = key == Key::kAbsent ? event.answer == LATCHKEY_NOT_FOUND
                                 : event.answer == LATCHKEY_OK && event.name == name &&
                                       event.revoked == (key == Key::kRevoked);
      break;
    case Call::kListActive:
    case Call::kListRevoked: {
      const bool is_there = key == (event.call == Call::kListActive ? Key::kActive : Key::kRevoked);
      fits = event.answer == (is_there ? 1u : 0u) && (!is_there || event.name == name);
      break;
    }
    case Call::kGetOwner:
      fits = event.answer == (locked ? 1u : 0u);
      break;
  }
  return fits ? std::optional(next) : std::nullopt;
}

bool IsExplained(const std::vector<Event>& events) { return Search(events).Find(); }

std::vector<Event> Minimised(std::vector<Event> events) {
  for (size_t i = events.size(); i-- > 0;) {
    if (IsChange(events[i].call)) continue;  // without it, what follows could not be explained
    std::vector<Event> fewer = events;
    fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
    if (!IsExplained(fewer)) events = std::move(fewer);
  }
  return events;
}

std::string Describe(const Event& event) {
  static constexpr const char* kNames[] = {"create",       "revoke",   "rename", "lock",
                                           "unlock",       "verify",   "get",    "list active",
                                           "list revoked", "get owner"};
  char text[160];
  const char* answer = event.call == Call::kVerify ? latchkey_reason_text(event.answer) : "";
  std::snprintf(text, sizeof text, "[%4llu, %4llu] thread %u: %s, name %u -> %u %s%s",
                static_cast<unsigned long long>(event.begun),
                static_cast<unsigned long long>(event.done), event.thread,
                kNames[static_cast<size_t>(event.call)], event.name, event.answer, answer,
                event.revoked ? " revoked" : "");
  return text;
}

std::string Describe(std::vector<Event> events) {
  std::sort(events.begin(), events.end(),
            [](const Event& a, const Event& b) { return a.begun < b.begun; });
  std::string text;
  for (const Event& event : events) text += "  " + Describe(event) + "\n";
  return text;
}

}  // namespace latchkey_histories
