// Reading owners and grants through the cache.
#include "service/owner_cache.h"

#include <functional>

#include "base/text.h"

namespace latchkey {
namespace {

uint64_t HashName(uint64_t salt, ByteView name) {
  constexpr uint64_t kOdd = 0xFF51AFD7ED558CCD;  // so that equal texts of other sorts part
  return std::hash<ByteView>()(name) + salt * kOdd;
}
constexpr uint64_t kEmailSalt = 255;  // no sort of owner

}  // namespace

Result<OwnerCache::Owner> OwnerCache::Find(const Uuid& uuid) const {
  Owners::Ticket ticket;
  if (!authority_.healing()) {
    if (std::optional<Owner> known = owners_.Find(uuid, &ticket)) return *std::move(known);
  }
  LATCHKEY_TRY_ASSIGN(const auto view, authority_.Look());
  LATCHKEY_TRY_ASSIGN(OwnerRecord record, view->reader().Owner(uuid));
  auto owner = std::make_shared<const OwnerRecord>(std::move(record));
  owners_.Keep(uuid, owner, ticket);
  return Owner(std::move(owner));
}

template <typename IsHis, typename LookUp>
Result<OwnerCache::Owner> OwnerCache::FindByName(uint64_t name, const IsHis& is_his,
                                                 const LookUp& look_up) const {
  Names::Ticket ticket;
  if (const std::optional<Uuid> hint = names_.Find(name, &ticket)) {
    // A live owner's names are his alone, so a record that still has the name is the answer.
    Result<Owner> owner = Find(*hint);
    if (owner.ok() && (*owner)->deleted_s == 0 && is_his(**owner)) return owner;
    if (!owner.ok() && owner.code() != Code::kNotFound) return owner;
  }
  Uuid uuid;
  {
    LATCHKEY_TRY_ASSIGN(const auto view, authority_.Look());
    LATCHKEY_TRY_ASSIGN(uuid, look_up(view->reader()));
  }
  names_.Keep(name, uuid, ticket);
  return Find(uuid);
}

Result<OwnerCache::Owner> OwnerCache::FindBySlug(OwnerSort sort, ByteView slug) const {
  return FindByName(
      HashName(static_cast<uint64_t>(sort), slug),
      [&](const OwnerRecord& owner) { return owner.sort == sort && owner.slug == slug; },
      [&](const Reader& reader) { return reader.OwnerBySlug(sort, slug); });
}

Result<OwnerCache::Owner> OwnerCache::FindByEmail(ByteView email) const {
  const Bytes folded = FoldAscii(email);
  return FindByName(
      HashName(kEmailSalt, folded),
      [&](const OwnerRecord& owner) {
        return owner.sort == OwnerSort::kUser && FoldAscii(owner.email) == folded;
      },
      [&](const Reader& reader) { return reader.OwnerByEmail(email); });
}

Result<Role> OwnerCache::RoleOn(const Uuid& project, const Uuid& user) const {
  const GrantKey key{project, user};
  Grants::Ticket ticket;
  if (!authority_.healing()) {
    if (const std::optional<Role> known = grants_.Find(key, &ticket)) return *known;
  }
  LATCHKEY_TRY_ASSIGN(const auto view, authority_.Look());
  const Result<GrantRecord> grant = view->reader().Grant(project, user);
  if (!grant.ok() && grant.code() != Code::kNotFound) return grant.status();
  const Role role = grant.ok() ? grant->role : Role::kNone;
  grants_.Keep(key, role, ticket);
  return role;
}

void OwnerCache::Begin(std::span<const Event> events) noexcept {
  for (const Event& event : events) {
    if (const auto* put = std::get_if<OwnerPut>(&event.body)) {
      owners_.Begin(put->owner.uuid);
    } else if (const auto* granted = std::get_if<GrantPut>(&event.body)) {
      grants_.Begin({granted->project, granted->user});
    } else if (const auto* removed = std::get_if<GrantRemoved>(&event.body)) {
      grants_.Begin({removed->project, removed->user});
    }
  }
}

void OwnerCache::End() noexcept {
  owners_.End();
  grants_.End();
}

}  // namespace latchkey
