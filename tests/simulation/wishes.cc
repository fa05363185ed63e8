// Changes of which nobody knows beforehand whether they will happen.
#include <algorithm>

#include "simulation.h"

namespace latchkey_test {

using latchkey_model::Key;
using latchkey_model::Owner;
using latchkey_model::ToUuid;

std::optional<Wish> Simulation::DrawWish(bool may_create) {
  Wish wish;
  const uint64_t choice = Draw(may_create ? 12 : 8);
  const Owner* user = AnyOwner(LATCHKEY_OWNER_USER, /*live=*/true);
  if (choice < 6) {
    const Key* key = Any(&model_.keys);
    if (key == nullptr) return std::nullopt;
    wish.kind = choice < 3 ? Wish::Kind::kRevoke : Wish::Kind::kRename;
    wish.key = key->uuid;
    wish.name = "wish " + std::to_string(Draw(9));
    return wish;
  }
  if (user == nullptr) return std::nullopt;
  wish.owner = user->uuid;
  if (choice < 8) {
    wish.kind = user->locked != Chance(4) ? Wish::Kind::kUnlock : Wish::Kind::kLock;
  } else if (choice < 11) {
    wish.kind = Wish::Kind::kCreate;
    latchkey_uuid uuid{};
    for (uint8_t& byte : uuid.bytes) byte = static_cast<uint8_t>(random_());
    wish.key = Text(uuid);
    wish.name = "wish " + std::to_string(Draw(9));
  } else {
    wish.kind = Wish::Kind::kRevokeAll;
  }
  return wish;
}

void Simulation::Make(Wish* wish) {
  latchkey_store* const handle = store();
  const latchkey_uuid key = ToUuid(wish->key);
  const latchkey_uuid owner = ToUuid(wish->owner);
  switch (wish->kind) {
    case Wish::Kind::kCreate: {
      auto options = TestStore::KeyOptions(owner, LATCHKEY_KIND_USER_KEY, wish->name);
      options.uuid = key;
      char secret[LATCHKEY_NEW_SECRET_BYTES_MAX] = {1};
      auto row = Sized<latchkey_credential>();
      wish->code =
          latchkey_credential_create(handle, &options, secret, sizeof secret, nullptr, &row);
      wish->secret = secret;
      wish->slug = row.slug;
      EXPECT_TRUE(wish->code == LATCHKEY_OK ||
                  std::all_of(std::begin(secret), std::end(secret), [](char c) { return c == 0; }))
          << "a create that failed gave a secret";
      break;
    }
    case Wish::Kind::kRename:
      wish->code = latchkey_credential_rename(handle, &key, wish->name.data(), wish->name.size(),
                                              nullptr, nullptr);
      break;
    case Wish::Kind::kRevoke:
      wish->code = latchkey_credential_revoke(handle, &key, nullptr, nullptr, 0, nullptr);
      break;
    case Wish::Kind::kLock:
    case Wish::Kind::kUnlock: {
      auto options = Sized<latchkey_owner_update_options>();
      options.uuid = owner;
      options.set = LATCHKEY_OWNER_SET_LOCKED;
      options.locked = wish->kind == Wish::Kind::kLock ? 1 : 0;
      wish->code = latchkey_owner_update(handle, &options, nullptr);
      break;
    }
    case Wish::Kind::kRevokeAll: {
      auto options = Sized<latchkey_sweep_options>();
      options.owner = owner;
      wish->code = latchkey_revoke_all(handle, &options, nullptr);
      break;
    }
  }
}

void Simulation::MakeOn(size_t who, Wish* wish) {
  crew().Run(who, [this, wish] { Make(wish); });
}

latchkey_code Simulation::Due(const Wish& wish) const {
  const bool again = wish.kind == Wish::Kind::kRevoke && model_.keys.at(wish.key).revoked_s != 0;
  return again ? LATCHKEY_CONFLICT : LATCHKEY_OK;
}

void Simulation::Settle(const Wish& wish, std::set<latchkey_code> refusals) {
  if (wish.code == LATCHKEY_OUTCOME_UNKNOWN && refusals.contains(wish.code)) {
    unhealed_ = true;
    ++tally_.unknown;
    return Doubt(wish);
  }
  if (refusals.contains(wish.code) && (wish.code != LATCHKEY_BUSY || unhealed_)) return;
  EXPECT_EQ(CodeName(Due(wish)), CodeName(wish.code))
      << "wish " << static_cast<int>(wish.kind) << " of " << wish.key << wish.owner;
  if (wish.code == LATCHKEY_OK) Do(wish);
}

void Simulation::Do(const Wish& wish) {
  switch (wish.kind) {
    case Wish::Kind::kCreate: {
      Key key;
      key.uuid = wish.key;
      key.owner = wish.owner;
      key.kind = LATCHKEY_KIND_USER_KEY;
      key.name = wish.name;
      key.slug = wish.slug;
      key.secret = wish.secret;
      key.creation_s = now_s();
      key.expires_s = now_s() + LATCHKEY_TTL_MAX_S;
      model_.keys[key.uuid] = key;
      break;
    }
    case Wish::Kind::kRename:
      model_.keys[wish.key].name = wish.name;
      break;
    case Wish::Kind::kRevoke:
      model_.keys[wish.key].revoked_s = now_s();
      break;
    case Wish::Kind::kLock:
    case Wish::Kind::kUnlock:
      model_.owners[wish.owner].locked = wish.kind == Wish::Kind::kLock;
      break;
    case Wish::Kind::kRevokeAll: {
      latchkey_model::Sweep sweep;
      sweep.owner = wish.owner;
      model_.Apply(sweep, now_s());
      break;
    }
  }
}

// What takes something away is in force at once; of the rest nothing is known.
void Simulation::Doubt(const Wish& wish) {
  switch (wish.kind) {
    case Wish::Kind::kCreate: {
      Do(wish);
      auto made = model_.keys.extract(wish.key);
      KeyDoubt& doubt = key_doubts_[wish.key];
      doubt.made = std::move(made.mapped());
      doubt.may_be_swept = owner_doubts_[wish.owner].sweeps;
      break;
    }
    case Wish::Kind::kRename: {
      KeyDoubt& doubt = key_doubts_[wish.key];
      doubt.names.insert(model_.keys[wish.key].name);
      doubt.names.insert(wish.name);
      break;
    }
    case Wish::Kind::kRevoke:
      if (model_.keys[wish.key].revoked_s != 0) break;
      key_doubts_[wish.key].may_be_live = true;
      Do(wish);
      break;
    case Wish::Kind::kLock:
      owner_doubts_[wish.owner].locks = true;
      Do(wish);
      break;
    case Wish::Kind::kUnlock:
      owner_doubts_[wish.owner].unlocks = true;
      break;
    case Wish::Kind::kRevokeAll:
      owner_doubts_[wish.owner].sweeps = true;
      for (const auto& [uuid, key] : model_.keys) {
        if (key.owner == wish.owner && key.revoked_s == 0) key_doubts_[uuid].may_be_live = true;
      }
      for (auto& [uuid, doubt] : key_doubts_) {
        if (doubt.made && doubt.made->owner == wish.owner) doubt.may_be_swept = true;
      }
      Do(wish);
      break;
  }
}

void Simulation::JudgeAll() {
  const bool may_need_the_store = load_choice.load != LATCHKEY_LOAD_FIRST;
  for (const auto& [uuid, key] : model_.keys) {
    if (key.secret.empty()) continue;
    auto verdict = Sized<latchkey_verdict>();
    const latchkey_code code =
        latchkey_verify(store(), key.secret.data(), key.secret.size(), nullptr, &verdict);
    if (code == LATCHKEY_BUSY && unhealed_ && may_need_the_store) continue;
    const uint32_t due = model_.Judge(key, 0, now_s());
    EXPECT_STREQ(latchkey_reason_text(due), latchkey_reason_text(verdict.reason)) << uuid;
    EXPECT_EQ(due == LATCHKEY_REASON_ALLOWED, code == LATCHKEY_OK) << CodeName(code);
  }
}

void Simulation::Resolve(bool died) {
  for (auto& [uuid, doubt] : key_doubts_) {
    const latchkey_uuid id = ToUuid(uuid);
    auto row = Sized<latchkey_credential>();
    const latchkey_code code = latchkey_credential_get(store(), &id, &row);
    if (doubt.made) {
      EXPECT_TRUE(code == LATCHKEY_OK || code == LATCHKEY_NOT_FOUND) << CodeName(code);
      EXPECT_TRUE(code == LATCHKEY_OK || !doubt.must_be_there) << "an imported key is lost";
      if (code != LATCHKEY_OK) continue;
      doubt.made->slug = row.slug;
      if (doubt.may_be_swept && row.revoked_s != 0) {
        doubt.made->revoked_s = row.revoked_s;
        doubt.made->revoked_by = latchkey_model::ToId(row.revoked_by);
      }
      model_.keys[uuid] = *doubt.made;
    }
    Key& key = model_.keys[uuid];
    EXPECT_CODE(LATCHKEY_OK, code);
    const std::string name(NameOf(row));
    EXPECT_TRUE(name == key.name || doubt.names.contains(name)) << name;
    key.name = name;
    if (doubt.may_be_live && died && row.revoked_s == 0) {
      key.revoked_s = 0;
      key.revoked_by.clear();
    }
    CompareKey(row, key);
  }
  for (const auto& [uuid, doubt] : owner_doubts_) {
    Owner& owner = model_.owners[uuid];
    const bool is_locked = store().GetOwner(owner.sort, uuid).locked != 0;
    EXPECT_TRUE(is_locked || !doubt.locks || died) << "a lock was forgotten";
    EXPECT_TRUE(is_locked == owner.locked || doubt.locks || doubt.unlocks) << uuid;
    owner.locked = is_locked;
  }
  key_doubts_.clear();
  owner_doubts_.clear();
}

}  // namespace latchkey_test
