// Calls that meet each other, calls that fail, and what ends a process.
#include <cerrno>

#include "simulation.h"

namespace latchkey_test {
namespace {

using latchkey_model::Key;
using latchkey_model::Owner;

constexpr int kTriesToHeal = 4;
constexpr int64_t kDayS = 24 * 3600;
constexpr LoadChoice kLoadChoices[] = {
    {LATCHKEY_LOAD_BEHIND, 64 * 4096}, {LATCHKEY_LOAD_BEHIND, 0}, {LATCHKEY_LOAD_FIRST, 0}};

}  // namespace

// The first is held where it would sync, until the others stand in the queue behind it: these are
// then decided one after another in one group, in the order in which they came. With `fails` a
// write or sync of one of the two groups fails.
void Simulation::Group(bool fails) {
  std::vector<Wish> wishes;
  for (size_t i = 0; i < Crew::kSize; ++i) {
    std::optional<Wish> wish = DrawWish(model_.keys.size() < kKeysMax);
    if (!wish) continue;
    // Half of the time about the same as the one before.
    if (!wishes.empty() && !wish->key.empty() && !wishes.back().key.empty() && Chance(2) &&
        wish->kind != Wish::Kind::kCreate && wishes.back().kind != Wish::Kind::kCreate) {
      wish->key = wishes.back().key;
    }
    wishes.push_back(std::move(*wish));
  }
  crew().HoldNextSync();
  std::string what = fails ? "a group that may fail" : "a group";
  size_t standing = 0;
  for (size_t i = 0; i < wishes.size(); ++i) {
    const bool stands = !crew().Start(i, [this, wish = &wishes[i]] { Make(wish); });
    standing += stands ? 1 : 0;
    what += stands ? " +" : " .";
  }
  if (fails) disk().Fail(Chance(2) ? Call::kSync : Call::kWrite, 1 + Draw(3), EIO, false);
  crew().LetGo();
  for (size_t i = 0; i < wishes.size(); ++i) crew().Await(i);
  for (const Wish& wish : wishes) {
    // What was committed before the fault answers OUTCOME_UNKNOWN if the store has failed by the
    // time its caller reads it back: which of the two comes first is not the seed's.
    const bool may_be_either =
        fails && (wish.code == LATCHKEY_OK || wish.code == LATCHKEY_OUTCOME_UNKNOWN);
    what += " " + std::to_string(static_cast<int>(wish.kind)) + ":" +
            (may_be_either ? "?" : CodeName(wish.code));
    Settle(wish, fails ? kOfAFault : std::set<latchkey_code>());
  }
  tally_.groups += standing > 2 ? 1 : 0;  // of two the first is a group by itself
  Happens(std::move(what));
  JudgeAll();
}

// The disk fails, once or until it is mended, while changes are asked for; then the store heals, or
// the process ends before.
void Simulation::Storm() {
  const Call call = Chance(2) ? Call::kSync : Call::kWrite;
  const bool lasting = Chance(3);
  const uint64_t failed_before = disk().failed();
  if (Chance(3)) {
    Group(/*fails=*/true);
  } else {
    disk().Fail(call, 1 + Draw(4), EIO, lasting);
  }
  for (uint64_t i = 1 + Draw(5); i > 0; --i) {
    std::optional<Wish> wish = DrawWish(model_.keys.size() < kKeysMax);
    if (!wish) continue;
    MakeOn(Draw(Crew::kSize), &*wish);
    Happens("in a storm: " + std::to_string(static_cast<int>(wish->kind)) + ":" +
            CodeName(wish->code));
    Settle(*wish, kOfAFault);
    JudgeAll();
  }
  tally_.faults += disk().failed() - failed_before;
  EndStorm();
}

// It clears up, or is the end of the process.
void Simulation::EndStorm() {
  if (unhealed_ && Chance(3)) return EndIn(static_cast<End>(Draw(3)));
  if (Chance(2)) TryToHeal();
  disk().Mend();
  bool is_healed = false;
  for (int i = 0; i < kTriesToHeal && !is_healed; ++i) is_healed = TryToHeal();
  EXPECT_TRUE(is_healed) << "the store does not heal";
}

bool Simulation::TryToHeal() {
  RunBackground();
  auto row = Sized<latchkey_credential>();
  const latchkey_uuid any{};
  unhealed_ = latchkey_credential_get(store(), &any, &row) == LATCHKEY_BUSY;
  if (!unhealed_) Resolve(/*died=*/false);
  JudgeAll();
  Happens(unhealed_ ? "not healed yet" : "healed");
  return !unhealed_;
}

// Less than the engine keeps for what takes away: that alone is let through.
void Simulation::FillDisk() {
  disk().Fill(8 << 20, "store/reserve");
  std::string what = "a full disk";
  for (uint64_t i = 1 + Draw(4); i > 0; --i) {
    std::optional<Wish> wish = DrawWish(model_.keys.size() < kKeysMax);
    if (!wish) continue;
    MakeOn(Draw(Crew::kSize), &*wish);
    what += " " + std::to_string(static_cast<int>(wish->kind)) + ":" + CodeName(wish->code);
    const bool gives = wish->kind == Wish::Kind::kCreate || wish->kind == Wish::Kind::kRename ||
                       wish->kind == Wish::Kind::kUnlock;
    if (gives) {
      EXPECT_EQ("NO_SPACE", CodeName(wish->code));
      ++tally_.faults;
    } else {
      Settle(*wish);
    }
  }
  disk().Mend();
  JudgeAll();
  Happens(std::move(what));
}

// While little of the store is in memory. What cannot be read is not answered wrongly.
void Simulation::AskAmidFaults() {
  const uint64_t failed_before = disk().failed();
  disk().Fail(Call::kRead, 1 + Draw(6), EIO, Chance(3));
  std::string what = "asked while a read may fail";
  for (uint64_t i = 1 + Draw(8); i > 0; --i) {
    const Key* key = Any(&model_.keys);
    if (key == nullptr) break;
    // One of the two: what the first has read, the second finds in memory.
    const bool verifies = Chance(2) && !key->secret.empty();
    crew().Run(Draw(Crew::kSize), [&] { verifies ? VerifyAmidFaults(*key) : GetAmidFaults(*key); });
  }
  tally_.faults += disk().failed() - failed_before;
  disk().Mend();
  Happens(std::move(what));
}

void Simulation::GetAmidFaults(const Key& key) {
  const latchkey_uuid id = latchkey_model::ToUuid(key.uuid);
  auto row = Sized<latchkey_credential>();
  const latchkey_code code = latchkey_credential_get(store(), &id, &row);
  if (code == LATCHKEY_OK) {
    CompareKey(row, key);
  } else {
    EXPECT_CODE(LATCHKEY_IO, code);
  }
}

void Simulation::VerifyAmidFaults(const Key& key) {
  auto verdict = Sized<latchkey_verdict>();
  const latchkey_code code =
      latchkey_verify(store(), key.secret.data(), key.secret.size(), nullptr, &verdict);
  if (code == LATCHKEY_IO) return;
  const uint32_t due = model_.Judge(key, 0, now_s());
  EXPECT_STREQ(latchkey_reason_text(due), latchkey_reason_text(verdict.reason)) << key.uuid;
}

// ---- Ends ---------------------------------------------------------------------------------------

void Simulation::EndIn(End end) {
  static constexpr Unsynced kKinds[] = {Unsynced::kLost, Unsynced::kPart, Unsynced::kTorn};
  const Unsynced unsynced = end == End::kKilled ? Unsynced::kKept : kKinds[Draw(3)];
  const std::vector<Operation> operations =
      end == End::kClosed ? std::vector<Operation>() : disk().operations();
  Restart(end, unsynced, operations, operations.size());
}

// Between two of the operations of one change; what the disk holds then is all or nothing of what
// was not synced, so that the seed says which of the two it is.
void Simulation::CutAmidACall() {
  std::optional<Wish> wish = DrawWish(model_.keys.size() < kKeysMax);
  if (!wish) return EndIn(End::kCut);
  const size_t begun = disk().count();
  MakeOn(Draw(Crew::kSize), &*wish);
  const std::vector<Operation> operations = disk().operations();
  std::vector<size_t> places;
  for (size_t i = begun; i < operations.size(); ++i) {
    if (operations[i].is_chosen) places.push_back(i);
  }
  if (wish->code != LATCHKEY_OK || places.empty()) {
    Settle(*wish);
    return EndIn(End::kCut);
  }
  Doubt(*wish);
  Restart(End::kCut, Chance(2) ? Unsynced::kLost : Unsynced::kKept, operations,
          places[Draw(places.size())]);
}

void Simulation::Restart(End end, Unsynced unsynced, const std::vector<Operation>& operations,
                         size_t count) {
  TakeDown(end, unsynced, operations, count);
  StartUp(end == End::kClosed ? "a close" : NameOf(unsynced));
}

void Simulation::TakeDown(End end, Unsynced unsynced, const std::vector<Operation>& operations,
                          size_t count) {
  disk().Mend();
  Close();
  if (end != End::kClosed) {
    Cut(operations, count, unsynced, seed_ + ++cuts_);
    ++tally_.faults;
  }
  if (end == End::kCut) Reboot();
  // A clock that has lost its battery is not believed to be right.
  PassTimeClosed(static_cast<int64_t>(Draw(3 * kDayS)), Chance(5) ? -kDayS * 30 : 0);
}

void Simulation::StartUp(const std::string& after) {
  load_choice = kLoadChoices[Draw(std::size(kLoadChoices))];
  if (Chance(4)) {
    const Call call = std::array{Call::kWrite, Call::kSync, Call::kRename}[Draw(3)];
    disk().Fail(call, 1 + Draw(12), EIO, false);
    ++tally_.faults;
  }
  latchkey_code code = TryOpen();
  disk().Mend();
  if (code == LATCHKEY_IO) code = TryOpen();
  if (code != LATCHKEY_OK) {
    throw std::runtime_error("refused after an end: " + CodeName(code) + ": " +
                             latchkey_error_text());
  }
  ++tally_.opened;
  unhealed_ = false;
  // First of all, as what is asked or checked is in memory after it.
  if (key_doubts_.empty() && owner_doubts_.empty() && Chance(2)) AskAmidFaults();
  store().Check();
  Resolve(/*died=*/true);
  CompareEverything();
  std::string what = "opened after " + after + ", load " + std::to_string(load_choice.load);
  for (const auto& [uuid, key] : model_.keys) {
    what += " " + uuid + key.name + key.slug + key.secret + std::to_string(key.revoked_s);
  }
  const size_t shown = what.find(' ', 20);
  Happens(what);
  steps_.back().resize(std::min(steps_.back().size(), shown + 20));
}

}  // namespace latchkey_test
