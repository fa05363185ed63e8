// A verification beside changes of its credential and owner: whatever comes between any two of its
// steps, the verdict is one that was true at some moment of the call. Here the changes are made by
// the verification itself, at each of its points in turn (base/declassify.h), so that windows of a
// few nanoseconds are hit every time: for each state to begin with, each order of up to three
// changes, and each point.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/declassify.h"
#include "latchkey/latchkey.hpp"
#include "support/temp_dir.h"

namespace latchkey {
namespace {

enum class Change : uint8_t { kRevoke, kLock, kUnlock };
constexpr Change kChanges[] = {Change::kRevoke, Change::kLock, Change::kUnlock};
constexpr size_t kChangesMax = 3;
constexpr int kPointsMax = 64;  // far more than a verification has

// What verdicts depend on.
struct State {
  bool revoked = false;
  bool locked = false;

  State After(Change change) const {
    switch (change) {
      case Change::kRevoke:
        return {true, locked};
      case Change::kLock:
        return {revoked, true};
      case Change::kUnlock:
        return {revoked, false};
    }
    return *this;
  }
  uint32_t Reason() const {
    if (revoked) return LATCHKEY_REASON_REVOKED;
    return locked ? LATCHKEY_REASON_LOCKED : LATCHKEY_REASON_ALLOWED;
  }
};

class World;
thread_local World* the_world = nullptr;  // the background of the store has none

class World {
 public:
  World() { the_world = this; }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // A new key in that state; verifies it, with the changes at the given point. False: there is no
  // such point.
  bool Try(State begin, const std::vector<Change>& changes, int point) {
    Make(begin);
    point_ = 0;
    due_ = point;
    changes_ = &changes;
    const Verdict verdict = store_.verify(secret_);
    const bool was_reached = changes_ == nullptr;
    changes_ = nullptr;
    if (!was_reached) return false;
    Judge(begin, changes, point, verdict.detail.reason);
    return true;
  }
  // By the hook.
  void Step() {
    if (changes_ == nullptr || point_++ != due_) return;
    const std::vector<Change>& changes = *changes_;
    changes_ = nullptr;
    for (const Change change : changes) Make(change);
  }
  int tried() const { return tried_; }
  int wrong() const { return wrong_; }

 private:
  void Judge(State state, const std::vector<Change>& changes, int point, uint32_t reason) {
    std::vector<uint32_t> possible = {state.Reason()};
    for (const Change change : changes) {
      state = state.After(change);
      possible.push_back(state.Reason());
    }
    ++tried_;
    const uint32_t after = store_.verify(secret_).detail.reason;
    const bool is_explained = std::find(possible.begin(), possible.end(), reason) != possible.end();
    if (is_explained && after == state.Reason()) return;
    ++wrong_;
    std::printf("histories: at point %d, %zu changes: \"%s\", then \"%s\"\n", point, changes.size(),
                latchkey_reason_text(reason), latchkey_reason_text(after));
  }

  // An owner and a key anew: a revocation is for good.
  void Make(State state) {
    owner_ = store_.create_owner({LATCHKEY_OWNER_USER, "Muriel Bagge"}).uuid;
    const Issued made = store_.create_credential({owner_, LATCHKEY_KIND_USER_KEY, "a key"});
    key_ = made.credential.uuid;
    secret_ = made.secret.reveal();
    is_revoked_ = false;
    if (state.revoked) Make(Change::kRevoke);
    if (state.locked) Make(Change::kLock);
  }
  void Make(Change change) {
    if (change == Change::kRevoke) {
      if (!is_revoked_) store_.revoke(key_);
      is_revoked_ = true;
      return;
    }
    OwnerChange owner;
    owner.locked = change == Change::kLock;
    store_.update_owner(owner_, owner);
  }

  const test::TempDir dir_;
  Store store_ = Store::create(dir_ / "store");
  Uuid owner_ = {};
  Uuid key_ = {};
  std::string secret_;
  bool is_revoked_ = false;
  const std::vector<Change>* changes_ = nullptr;  // to be made when `point_` comes to `due_`
  int point_ = 0;
  int due_ = 0;
  int tried_ = 0;
  int wrong_ = 0;
};

// Every order of 1 to kChangesMax changes, with repetitions.
std::vector<std::vector<Change>> AllOrders() {
  std::vector<std::vector<Change>> orders = {{}};
  for (size_t i = 0; i < orders.size(); ++i) {
    if (orders[i].size() == kChangesMax) continue;
    for (const Change change : kChanges) {
      std::vector<Change> longer = orders[i];
      longer.push_back(change);
      orders.push_back(std::move(longer));
    }
  }
  orders.erase(orders.begin());
  return orders;
}

int Main() {
  World world;
  int points = 0;
  for (const State begin : {State{false, false}, State{false, true}, State{true, true}}) {
    for (const std::vector<Change>& changes : AllOrders()) {
      int point = 0;
      while (point < kPointsMax && world.Try(begin, changes, point)) ++point;
      points = std::max(points, point);
    }
  }
  // With none the hook is not built in, and nothing was tried.
  const bool is_good = world.wrong() == 0 && points > 0 && points < kPointsMax;
  std::printf("histories: tried %d, each at up to %d points, wrong %d\n", world.tried(), points,
              world.wrong());
  return is_good ? 0 : 1;
}

}  // namespace

void OnDeclassify(const void*, size_t) {
  if (the_world != nullptr) the_world->Step();
}

}  // namespace latchkey

int main() {
  try {
    return latchkey::Main();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "histories: cannot go on: %s\n", error.what());
    return 2;
  }
}
