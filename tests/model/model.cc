#include "model.h"

#include <algorithm>
#include <tuple>

namespace latchkey_model {
namespace {

// What one row of a list is sorted and searched by.
struct Row {
  std::string name;
  int64_t creation_s;
  Id uuid;
  std::string slug;
  bool revoked;

  auto place() const { return std::tie(name, creation_s, uuid); }
};

bool Contains(std::string_view text, std::string_view folded_term) {
  return FoldAscii(text).find(folded_term) != std::string::npos;
}

bool Fits(const Row& row, const Query& query, bool searches_slug) {
  if (row.revoked != query.revoked) return false;
  if (query.name && row.name != *query.name) return false;
  if (query.slug && row.slug != *query.slug) return false;
  const std::string term = FoldAscii(query.search);
  return Contains(row.name, term) || Contains(row.uuid, term) ||
         (searches_slug && Contains(row.slug, term));
}

bool IsSlugCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string FoldAscii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

std::optional<std::string> SlugOf(std::string_view name) {
  std::string out;
  for (const char c : FoldAscii(name)) {
    if (static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
    if (IsSlugCharacter(c)) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

bool IsSlugOf(std::string_view slug, std::string_view name, bool was_taken) {
  if (slug.empty() || slug.size() > LATCHKEY_SLUG_BYTES_MAX) return false;
  const std::optional<std::string> base = SlugOf(name);
  if (!base) return true;
  if (base->empty()) return slug.size() == 8;
  if (!was_taken) return slug == *base;
  std::string cut = base->substr(0, LATCHKEY_SLUG_BYTES_MAX - 9);
  while (!cut.empty() && cut.back() == '-') cut.pop_back();
  cut += '-';
  return slug.size() == cut.size() + 8 && slug.substr(0, cut.size()) == cut &&
         std::all_of(slug.end() - 8, slug.end(), IsSlugCharacter);
}

std::vector<Id> Model::List(const Query& query) const {
  std::vector<Row> rows;
  if (query.owner.empty()) {
    for (const auto& [uuid, owner] : owners) {
      if (owner.sort != query.kind) continue;
      rows.push_back({owner.name, owner.creation_s, uuid, owner.slug, owner.deleted_s != 0});
    }
  } else {
    for (const auto& [uuid, key] : keys) {
      if (key.owner != query.owner || key.kind != query.kind) continue;
      rows.push_back({key.name, key.creation_s, uuid, key.slug, key.revoked_s != 0});
    }
  }
  const bool searches_slug = query.owner.empty() || query.kind == LATCHKEY_KIND_USER_TOKEN;
  const auto unfit = [&](const Row& row) { return !Fits(row, query, searches_slug); };
  rows.erase(std::remove_if(rows.begin(), rows.end(), unfit), rows.end());
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.place() < b.place(); });
  if (query.descending) std::reverse(rows.begin(), rows.end());
  std::vector<Id> out;
  for (const Row& row : rows) out.push_back(row.uuid);
  return out;
}

uint32_t Model::Judge(const Key& key, uint64_t required_scopes, int64_t now_s) const {
  const Owner& owner = owners.at(key.owner);
  if (key.revoked_s != 0) return LATCHKEY_REASON_REVOKED;
  if (now_s >= key.expires_s) return LATCHKEY_REASON_EXPIRED;
  if (now_s < key.not_before_s) return LATCHKEY_REASON_NOT_YET;
  if (owner.locked) return LATCHKEY_REASON_LOCKED;
  if (owner.deleted_s != 0) return LATCHKEY_REASON_DELETED;
  if ((key.scopes & required_scopes) != required_scopes) return LATCHKEY_REASON_SCOPE;
  return LATCHKEY_REASON_ALLOWED;
}

bool Model::Authorized(const Id& user, const Id& project, uint32_t role) const {
  const Owner& who = owners.at(user);
  if (who.locked || who.deleted_s != 0 || owners.at(project).deleted_s != 0) return false;
  if (who.admin) return true;
  const auto grant = grants.find({project, user});
  return grant != grants.end() && grant->second >= role;
}

uint64_t Model::Apply(const Sweep& sweep, int64_t now_s) {
  uint64_t covered = 0;
  for (auto& [uuid, key] : keys) {
    if (key.revoked_s != 0 || (!sweep.owner.empty() && key.owner != sweep.owner) ||
        (!sweep.creator.empty() && key.creator != sweep.creator) ||
        (!sweep.minted_by.empty() && key.minted_by != sweep.minted_by) ||
        (sweep.kind != 0 && key.kind != sweep.kind) ||
        (key.scopes & sweep.scopes) != sweep.scopes ||
        (sweep.issued_before_s != 0 && key.creation_s >= sweep.issued_before_s)) {
      continue;
    }
    key.revoked_s = now_s;
    key.revoked_by = sweep.actor;
    ++covered;
  }
  return covered;
}

bool Model::SlugTaken(uint32_t sort, std::string_view slug, const Id& except) const {
  return std::any_of(owners.begin(), owners.end(), [&](const auto& entry) {
    const Owner& owner = entry.second;
    return owner.sort == sort && owner.deleted_s == 0 && owner.slug == slug && owner.uuid != except;
  });
}

bool Model::EmailTaken(std::string_view email, const Id& except) const {
  return std::any_of(owners.begin(), owners.end(), [&](const auto& entry) {
    const Owner& owner = entry.second;
    return owner.deleted_s == 0 && FoldAscii(owner.email) == FoldAscii(email) &&
           owner.uuid != except;
  });
}

bool Model::KeySlugTaken(const Id& owner, uint32_t kind, std::string_view slug) const {
  return std::any_of(keys.begin(), keys.end(), [&](const auto& entry) {
    const Key& key = entry.second;
    return key.owner == owner && key.kind == kind && key.slug == slug;
  });
}

uint64_t Model::CountOwners(uint32_t sort) const {
  return static_cast<uint64_t>(std::count_if(owners.begin(), owners.end(), [&](const auto& entry) {
    return entry.second.sort == sort && entry.second.deleted_s == 0;
  }));
}

uint64_t Model::CountKeys(bool revoked) const {
  return static_cast<uint64_t>(std::count_if(keys.begin(), keys.end(), [&](const auto& entry) {
    return (entry.second.revoked_s != 0) == revoked;
  }));
}

}  // namespace latchkey_model
