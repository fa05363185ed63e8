// What the driver does to both.
#include "driver.h"

#include <algorithm>

namespace latchkey_model {
namespace {

using latchkey_test::Sized;
using latchkey_test::TestStore;
using latchkey_test::Text;

constexpr size_t kKeysMax = 400;  // of one run: the model's lists are loops

}  // namespace

void Driver::AdoptSlug(Owner* owner, const latchkey_owner& row, bool was_given, bool was_taken) {
  if (!was_given) {
    EXPECT_TRUE(IsSlugOf(row.slug, owner->name, was_taken)) << row.slug;
    EXPECT_FALSE(model_.SlugTaken(owner->sort, row.slug, owner->uuid)) << row.slug;
    owner->slug = row.slug;
  }
}

void Driver::CreateOwner() {
  Owner due;
  due.sort = Chance(2) ? LATCHKEY_OWNER_USER : LATCHKEY_OWNER_PROJECT;
  due.name = DrawName();
  due.creation_s = now_s();
  const bool is_user = due.sort == LATCHKEY_OWNER_USER;
  if (is_user && Chance(2))
    due.email = std::string(Chance(2) ? "M" : "m") + "@b" + std::to_string(Draw(9));
  due.admin = is_user && Chance(4);
  due.visibility = !is_user && Chance(2) ? LATCHKEY_VISIBILITY_PRIVATE : LATCHKEY_VISIBILITY_PUBLIC;
  if (Chance(3)) due.uuid = SomeUuid();
  const bool was_given = Chance(4);
  const std::string wanted =
      was_given ? "slug-" + std::to_string(Draw(5)) : SlugOf(due.name).value_or("");
  const bool slug_taken = model_.SlugTaken(due.sort, wanted, due.uuid);
  if (was_given) due.slug = wanted;

  auto options = Sized<latchkey_owner_create_options>();
  options.sort = due.sort;
  options.admin = due.admin;
  options.visibility = due.visibility;
  options.uuid = ToUuid(due.uuid);
  options.name = due.name.data();
  options.name_size = due.name.size();
  if (was_given) {
    options.slug = due.slug.data();
    options.slug_size = due.slug.size();
  }
  if (!due.email.empty()) {
    options.email = due.email.data();
    options.email_size = due.email.size();
  }
  auto row = Sized<latchkey_owner>();
  const latchkey_code code = latchkey_owner_create(store_, &options, &row);
  if (const auto here = model_.owners.find(due.uuid); here != model_.owners.end()) {
    const Owner& other = here->second;
    const bool same = other.sort == due.sort && other.name == due.name &&
                      other.email == due.email && other.admin == due.admin &&
                      other.visibility == due.visibility && other.deleted_s == 0 &&
                      (!was_given || other.slug == due.slug);
    Expect(same ? LATCHKEY_OK : LATCHKEY_CONFLICT, code, "create it again");
    if (same) CompareOwner(row, other);
    return;
  }
  if ((was_given && slug_taken) || (!due.email.empty() && model_.EmailTaken(due.email, ""))) {
    return Expect(LATCHKEY_CONFLICT, code, "slug or e-mail is taken");
  }
  Expect(LATCHKEY_OK, code, "create owner");
  if (code != LATCHKEY_OK) return;
  if (due.uuid.empty()) due.uuid = Text(row.uuid);
  AdoptSlug(&due, row, was_given, slug_taken);
  CompareOwner(row, due);
  touched_.insert(due.uuid);
  model_.owners[due.uuid] = due;
}

void Driver::UpdateOwner() {
  const Owner* here = Any(&model_.owners);
  if (here == nullptr) return;
  Owner due = *here;
  const bool is_user = due.sort == LATCHKEY_OWNER_USER;
  auto options = Sized<latchkey_owner_update_options>();
  options.uuid = ToUuid(due.uuid);
  if (Chance(3)) {
    options.set |= LATCHKEY_OWNER_SET_NAME;
    due.name = DrawName();
  }
  if (Chance(4)) {
    options.set |= LATCHKEY_OWNER_SET_SLUG;
    due.slug = "slug-" + std::to_string(Draw(5));
  }
  if (is_user && Chance(3)) {
    options.set |= LATCHKEY_OWNER_SET_EMAIL;
    due.email = Chance(3) ? "" : "m@b" + std::to_string(Draw(9));
  }
  if (is_user && Chance(4)) {
    options.set |= LATCHKEY_OWNER_SET_ADMIN;
    due.admin = Chance(2);
  }
  if (is_user && (Chance(2) || options.set == 0)) {
    options.set |= LATCHKEY_OWNER_SET_LOCKED;
    due.locked = !due.locked;
  }
  if (!is_user && (Chance(4) || options.set == 0)) {
    options.set |= LATCHKEY_OWNER_SET_VISIBILITY;
    due.visibility ^= 1u;
  }
  options.admin = due.admin;
  options.locked = due.locked;
  options.visibility = due.visibility;
  options.name = due.name.data();
  options.name_size = due.name.size();
  options.slug = due.slug.data();
  options.slug_size = due.slug.size();
  options.email = due.email.empty() ? nullptr : due.email.data();
  options.email_size = due.email.size();
  auto row = Sized<latchkey_owner>();
  const latchkey_code code = latchkey_owner_update(store_, &options, &row);
  if (here->deleted_s != 0) return Expect(LATCHKEY_NOT_FOUND, code, "it is deleted");
  if (model_.SlugTaken(due.sort, due.slug, due.uuid) ||
      (!due.email.empty() && model_.EmailTaken(due.email, due.uuid))) {
    return Expect(LATCHKEY_CONFLICT, code, "slug or e-mail is taken");
  }
  Expect(LATCHKEY_OK, code, "update owner");
  CompareOwner(row, due);
  touched_.insert(due.uuid);
  model_.owners[due.uuid] = due;
}

void Driver::DeleteOwner() {
  Owner* owner = Any(&model_.owners);
  // Not the last ones, or there is nothing left to do.
  if (owner == nullptr || model_.CountOwners(owner->sort) <= 1) return;
  const latchkey_uuid uuid = ToUuid(owner->uuid);
  const latchkey_code code = latchkey_owner_delete(store_, &uuid, nullptr);
  if (owner->deleted_s != 0) return Expect(LATCHKEY_CONFLICT, code, "it is deleted already");
  Expect(LATCHKEY_OK, code, "delete owner");
  auto row = Sized<latchkey_owner>();
  const latchkey_code found =
      latchkey_owner_get(store_, owner->sort, owner->slug.data(), owner->slug.size(), &row);
  Expect(LATCHKEY_NOT_FOUND, found, "its slug is free");
  Expect(LATCHKEY_OK,
         latchkey_owner_get(store_, owner->sort, owner->uuid.data(), owner->uuid.size(), &row),
         "it can still be seen");
  owner->name = "Deleted " + owner->uuid;
  owner->slug = row.slug;  // nothing is promised of it
  owner->email.clear();
  owner->deleted_s = now_s();
  CompareOwner(row, *owner);
  touched_.insert(owner->uuid);
}

void Driver::SetGrant() {
  const Owner* project = AnyOwner(LATCHKEY_OWNER_PROJECT, false);
  const Owner* user = AnyOwner(LATCHKEY_OWNER_USER, false);
  if (project == nullptr || user == nullptr) return;
  const latchkey_uuid project_uuid = ToUuid(project->uuid);
  const latchkey_uuid user_uuid = ToUuid(user->uuid);
  const auto role = static_cast<uint32_t>(LATCHKEY_ROLE_VIEWER + Draw(3));
  const latchkey_code code = latchkey_grant_set(store_, &project_uuid, &user_uuid, role, nullptr);
  const bool live = project->deleted_s == 0 && user->deleted_s == 0;
  Expect(live ? LATCHKEY_OK : LATCHKEY_NOT_FOUND, code, "set grant");
  if (live) model_.grants[{project->uuid, user->uuid}] = role;
}

void Driver::RemoveGrant() {
  const Owner* project = AnyOwner(LATCHKEY_OWNER_PROJECT, true);
  const Owner* user = AnyOwner(LATCHKEY_OWNER_USER, true);
  if (project == nullptr || user == nullptr) return;
  const latchkey_uuid project_uuid = ToUuid(project->uuid);
  const latchkey_uuid user_uuid = ToUuid(user->uuid);
  const bool is_there = model_.grants.erase({project->uuid, user->uuid}) > 0;
  Expect(is_there ? LATCHKEY_OK : LATCHKEY_NOT_FOUND,
         latchkey_grant_remove(store_, &project_uuid, &user_uuid, nullptr), "remove grant");
}

void Driver::CreateKey() {
  const Owner* owner = Any(&model_.owners);
  if (owner == nullptr || model_.keys.size() >= kKeysMax) return;
  Key due;
  due.owner = owner->uuid;
  due.kind = Chance(20)                           ? LATCHKEY_KIND_USER_TOKEN
             : owner->sort == LATCHKEY_OWNER_USER ? LATCHKEY_KIND_USER_KEY
                                                  : kProjectKinds[Draw(std::size(kProjectKinds))];
  due.name = DrawName();
  due.creation_s = now_s();
  if (const Owner* creator = AnyOwner(LATCHKEY_OWNER_USER, true); creator != nullptr && Chance(2)) {
    due.creator = creator->uuid;
  }
  if (const Key* mint = Any(&model_.keys); mint != nullptr && Chance(4)) due.minted_by = mint->uuid;
  if (Chance(4)) due.uuid = SomeUuid();
  if (Chance(3)) due.scopes = Draw(16);
  if (Chance(6)) due.not_before_s = now_s() + static_cast<int64_t>(Draw(100));
  if (Chance(4)) due.metadata = std::string(Draw(100), '\x7F');

  auto options = TestStore::KeyOptions(ToUuid(due.owner), due.kind, due.name);
  options.uuid = ToUuid(due.uuid);
  options.creator = ToUuid(due.creator);
  options.minted_by = ToUuid(due.minted_by);
  options.scopes = due.scopes;
  options.not_before_s = due.not_before_s;
  options.metadata = due.metadata.data();
  options.metadata_size = due.metadata.size();
  options.has_ttl = Chance(2);
  options.ttl_s = options.has_ttl ? static_cast<int64_t>(1 + Draw(200)) : 0;
  due.expires_s = now_s() + (options.has_ttl ? options.ttl_s : int64_t{LATCHKEY_TTL_MAX_S});
  char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
  size_t size = 0;
  auto row = Sized<latchkey_credential>();
  const latchkey_code code =
      latchkey_credential_create(store_, &options, secret, sizeof secret, &size, &row);
  if (due.kind == LATCHKEY_KIND_USER_TOKEN) {
    return Expect(LATCHKEY_UNSUPPORTED, code, "a token is never created");
  }
  if (model_.keys.count(due.uuid) > 0) {
    if (owner->deleted_s != 0 && code == LATCHKEY_NOT_FOUND) return;
    return Expect(LATCHKEY_CONFLICT, code, "the UUID is taken");
  }
  if (owner->deleted_s != 0) return Expect(LATCHKEY_NOT_FOUND, code, "the owner is deleted");
  const auto mint = model_.keys.find(due.minted_by);
  if (mint != model_.keys.end() && mint->second.revoked_s != 0) {
    return Expect(LATCHKEY_FORBIDDEN, code, "a revoked key makes nothing");
  }
  Expect(LATCHKEY_OK, code, "create key");
  if (code != LATCHKEY_OK) return;
  if (due.uuid.empty()) due.uuid = Text(row.uuid);
  due.secret.assign(secret, size);
  const bool taken = model_.KeySlugTaken(due.owner, due.kind, SlugOf(due.name).value_or(""));
  EXPECT_TRUE(IsSlugOf(row.slug, due.name, taken)) << row.slug << " of " << due.name;
  EXPECT_FALSE(model_.KeySlugTaken(due.owner, due.kind, row.slug)) << row.slug;
  due.slug = row.slug;
  CompareKey(row, due);
  touched_.insert(due.uuid);
  model_.keys[due.uuid] = due;
  CompareVerdict(due, 0, 0);
}

void Driver::RenameKey() {
  Key* key = Any(&model_.keys);
  if (key == nullptr) return;
  const std::string name = DrawName();
  const latchkey_uuid uuid = ToUuid(key->uuid);
  auto row = Sized<latchkey_credential>();
  Expect(LATCHKEY_OK,
         latchkey_credential_rename(store_, &uuid, name.data(), name.size(), nullptr, &row),
         "rename");
  key->name = name;
  CompareKey(row, *key);
  touched_.insert(key->uuid);
}

void Driver::RevokeKey() {
  Key* key = Any(&model_.keys);
  if (key == nullptr) return;
  const Owner* actor = Chance(2) ? AnyOwner(LATCHKEY_OWNER_USER, true) : nullptr;
  const latchkey_uuid actor_uuid = ToUuid(actor == nullptr ? Id() : actor->uuid);
  const latchkey_uuid uuid = ToUuid(key->uuid);
  auto row = Sized<latchkey_credential>();
  const latchkey_code code = latchkey_credential_revoke(
      store_, &uuid, actor == nullptr ? nullptr : &actor_uuid, "why", 3, &row);
  if (key->revoked_s != 0) return Expect(LATCHKEY_CONFLICT, code, "it is revoked already");
  Expect(LATCHKEY_OK, code, "revoke");
  key->revoked_s = now_s();
  key->revoked_by = actor == nullptr ? Id() : actor->uuid;
  CompareKey(row, *key);
  CompareVerdict(*key, 0, 0);
  touched_.insert(key->uuid);
}

void Driver::RevokeAll() {
  Sweep sweep;
  if (const Owner* owner = Any(&model_.owners); owner != nullptr && !Chance(4)) {
    sweep.owner = owner->uuid;
  }
  if (const Key* key = Any(&model_.keys); key != nullptr) {
    if (Chance(4)) sweep.kind = key->kind;
    if (Chance(4)) sweep.creator = key->creator;
    if (Chance(4)) sweep.minted_by = key->minted_by;
    if (Chance(4)) sweep.issued_before_s = key->creation_s;
    if (Chance(4)) sweep.scopes = 1 + Draw(4);
  }
  if (const Owner* actor = AnyOwner(LATCHKEY_OWNER_USER, true); actor != nullptr && Chance(2)) {
    sweep.actor = actor->uuid;
  }
  auto options = Sized<latchkey_sweep_options>();
  options.owner = ToUuid(sweep.owner);
  options.creator = ToUuid(sweep.creator);
  options.minted_by = ToUuid(sweep.minted_by);
  options.actor = ToUuid(sweep.actor);
  options.kind = sweep.kind;
  options.scopes = sweep.scopes;
  options.issued_before_s = sweep.issued_before_s;
  options.everything = sweep.owner.empty() && sweep.creator.empty() && sweep.minted_by.empty() &&
                       sweep.kind == 0 && sweep.scopes == 0 && sweep.issued_before_s == 0;
  uint64_t covered = 0;
  Expect(LATCHKEY_OK, latchkey_revoke_all(store_, &options, &covered), "revoke all");
  for (const auto& [uuid, key] : model_.keys) touched_.insert(uuid);
  EXPECT_EQ(model_.Apply(sweep, now_s()), covered);
}

void Driver::StepClock() { store_.clock().Advance(static_cast<int64_t>(Draw(60))); }

}  // namespace latchkey_model
