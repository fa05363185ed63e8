// What happened to one user and his one key, as several threads saw it; and whether there is an
// order of it, each call at some moment between its beginning and its end, that explains every
// answer (Wing and Gong's search, with Lowe's memory of where it has been).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace latchkey_histories {

enum class Call : uint8_t {
  kCreate,  // by an import: 1 made, 0 it was there
  kRevoke,  // codes
  kRename,
  kLock,
  kUnlock,
  kVerify,       // the reason
  kGet,          // a code; the name, and is it revoked
  kListActive,   // how many; the name
  kListRevoked,  // the same
  kGetOwner,     // is he locked
};
bool IsChange(Call call);

struct Event {
  Call call{};
  uint32_t thread = 0;
  uint64_t begun = 0;  // by one counter for all threads
  uint64_t done = 0;
  uint32_t answer = 0;
  uint32_t name = 0;  // given or read, by its number
  bool revoked = false;
};
std::string Describe(const Event& event);

// The user and the key.
struct State {
  enum class Key : uint8_t { kAbsent, kActive, kRevoked };
  Key key = Key::kAbsent;
  bool locked = false;
  uint8_t name = 0;

  // As it is when the call has given this answer; nullopt: it could not.
  std::optional<State> After(const Event& event) const;
};

inline constexpr size_t kEventsMax = 64;  // of one history

// Is there such an order?
bool IsExplained(const std::vector<Event>& events);
// Without questions that can be left out and it still is not.
std::vector<Event> Minimised(std::vector<Event> events);
std::string Describe(std::vector<Event> events);

}  // namespace latchkey_histories
