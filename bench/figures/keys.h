// The keys that are measured: all made from a seed, so that any process can present what another
// has stored, and nothing is kept but the seed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "latchkey/latchkey.h"

namespace latchkey_bench {

// A group holds keys of one state, or of one engine: no key is in two, so none warms another's.
enum class Group : uint64_t {
  kRight = 1,  // live, never revoked, of the project
  kRevoked,
  kExpired,
  kLocked,   // of a user who is locked
  kUnknown,  // well-formed, and nobody's
  kExtra,    // imported while the store is in use
  kPeer,     // one each for the peers: kPeer + 0, 1, ...
};

inline Group PeerGroup(uint64_t number) {
  return static_cast<Group>(static_cast<uint64_t>(Group::kPeer) + number);
}

constexpr size_t kSecretSize = 12 + 30;

// `out` has room for kSecretSize bytes.
void WriteSecret(Group group, uint64_t index, char* out);
std::string Secret(Group group, uint64_t index);
latchkey_uuid Uuid(Group group, uint64_t index);
// Two words and a number. One in ten holds "depl", one in ten thousand "quux", none "zyxw".
std::string Name(Group group, uint64_t index);
std::string UuidText(const latchkey_uuid& uuid);

latchkey_uuid ProjectUuid();
latchkey_uuid LockedUserUuid();

// Secrets back to back in the order in which they are presented, which is not the one in which
// they were stored. Next() goes round.
class Presented {
 public:
  Presented(Group group, size_t population, size_t count);

  std::string_view Next() {
    if (next_ == bytes_.size()) next_ = 0;
    const std::string_view secret(&bytes_[next_], kSecretSize);
    next_ += kSecretSize;
    return secret;
  }
  void Start(size_t place) { next_ = place * kSecretSize % bytes_.size(); }
  // Turns one bit of every secret, so that each is a right one's neighbour and still well-formed.
  void TurnOneBit();

 private:
  std::vector<char> bytes_;
  size_t next_ = 0;
};

}  // namespace latchkey_bench
