#include "driver.h"

#include <algorithm>

namespace latchkey_model {
namespace {

using latchkey_test::CodeName;
using latchkey_test::Sized;
using latchkey_test::Text;

}  // namespace

Driver::Driver(uint64_t seed, latchkey_test::TestStore* store) : random_(seed), store_(*store) {
  auto kind = Sized<latchkey_kind>();
  kind.kind = kHostKind;
  kind.owner_sort = LATCHKEY_OWNER_PROJECT;
  std::strcpy(kind.name, "deploy-key");
  std::strcpy(kind.prefix, "acme_deploy_");
  Expect(LATCHKEY_OK, latchkey_kind_register(store_, &kind), "register a kind");
  for (int i = 0; i < 4; ++i) CreateOwner();
}

// ---- Drawing ------------------------------------------------------------------------------------

const std::vector<Driver::Choice>& Driver::Choices() {
  static const std::vector<Choice> kChoices = {
      {"create owner", &Driver::CreateOwner, true}, {"update owner", &Driver::UpdateOwner, true},
      {"delete owner", &Driver::DeleteOwner, true}, {"set grant", &Driver::SetGrant, true},
      {"remove grant", &Driver::RemoveGrant, true}, {"create key", &Driver::CreateKey, true},
      {"create key", &Driver::CreateKey, true},     {"create key", &Driver::CreateKey, true},
      {"rename key", &Driver::RenameKey, true},     {"revoke key", &Driver::RevokeKey, true},
      {"revoke all", &Driver::RevokeAll, true},     {"step the clock", &Driver::StepClock, true},
      {"list pages", &Driver::ListPages, false},    {"walk a list", &Driver::WalkList, false},
      {"verify", &Driver::VerifySome, false},       {"verify a batch", &Driver::VerifyBatch, false},
      {"identify", &Driver::Identify, false},       {"find key", &Driver::FindKey, false},
      {"find owner", &Driver::FindOwner, false},    {"list grants", &Driver::ListGrants, false},
      {"authorize", &Driver::Authorize, false},
  };
  return kChoices;
}

void Driver::DrawWeights() {
  weights_.clear();
  for (size_t i = 0; i < Choices().size(); ++i) weights_.push_back(Chance(4) ? 0 : 1 + Draw(10));
  // What would empty the store of anything interesting stays rare.
  for (size_t i = 0; i < weights_.size(); ++i) {
    const Action action = Choices()[i].action;
    if (action == &Driver::DeleteOwner || action == &Driver::RevokeAll) {
      weights_[i] = std::min<uint64_t>(weights_[i], 1);
    }
  }
  if (std::all_of(weights_.begin(), weights_.end(), [](uint64_t w) { return w == 0; })) {
    weights_[0] = 1;
  }
}

const char* Driver::Step() {
  std::discrete_distribution<size_t> choose(weights_.begin(), weights_.end());
  const Choice& choice = Choices()[choose(random_)];
  SCOPED_TRACE(choice.name);
  (this->*choice.action)();
  return choice.name;
}

Owner* Driver::AnyOwner(uint32_t sort, bool live) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    Owner* owner = Any(&model_.owners);
    if (owner != nullptr && owner->sort == sort && (!live || owner->deleted_s == 0)) return owner;
  }
  return nullptr;
}

Id Driver::SomeUuid() {
  if (const Key* key = Any(&model_.keys); key != nullptr && Chance(2)) return key->uuid;
  if (const Owner* owner = Any(&model_.owners); owner != nullptr && !Chance(4)) return owner->uuid;
  latchkey_uuid uuid{};
  for (uint8_t& byte : uuid.bytes) byte = static_cast<uint8_t>(random_());
  return Text(uuid);
}

std::string Driver::DrawName() {
  static const std::string kNames[] = {"a",
                                       "A",
                                       "b",
                                       "ab",
                                       "a b",
                                       "Alpha",
                                       "alpha",
                                       "ALPHA beta",
                                       "zeta",
                                       "Z",
                                       "0",
                                       "01",
                                       "-",
                                       "a-",
                                       "\xC3\x89"
                                       "clair",
                                       "\xF0\x9F\x94\x91",
                                       "100%",
                                       "a_b",
                                       "%",
                                       "tab\there",
                                       "line\nfeed",
                                       std::string("nul\0within", 10),
                                       std::string("nul\0", 4),
                                       std::string(64, 'x'),
                                       "deploy to production",
                                       "laptop",
                                       "Laptop 2",
                                       "cafe"};
  std::string name = kNames[Draw(std::size(kNames))];
  if (Chance(4) && name.size() < 50) name += std::to_string(Draw(5));
  return name;
}

std::string Driver::DrawSearch() {
  switch (Draw(6)) {
    case 0:
      return "";
    case 1: {
      std::string uuid = SomeUuid();
      if (Chance(2)) {
        for (char& c : uuid) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      }
      return uuid.substr(Draw(30), 1 + Draw(8));
    }
    case 2: {
      const Key* key = Any(&model_.keys);
      return key == nullptr ? "a" : key->slug.substr(0, 1 + Draw(6));
    }
    default: {
      const std::string name = DrawName();
      const size_t from = Draw(name.size());
      return name.substr(from, 1 + Draw(5));
    }
  }
}

Query Driver::DrawQuery() {
  Query query;
  if (const Owner* owner = Any(&model_.owners); owner != nullptr && !Chance(5)) {
    query.owner = owner->uuid;
    query.kind = owner->sort == LATCHKEY_OWNER_USER ? LATCHKEY_KIND_USER_KEY
                                                    : kProjectKinds[Draw(std::size(kProjectKinds))];
  } else {
    query.kind = Chance(2) ? LATCHKEY_OWNER_USER : LATCHKEY_OWNER_PROJECT;
  }
  query.revoked = Chance(3);
  query.descending = Chance(2);
  if (Chance(5)) query.name = DrawName();
  if (Chance(8)) query.slug = SlugOf(DrawName()).value_or("cafe");
  if (query.slug && query.slug->empty()) query.slug.reset();
  if (Chance(2)) query.search = DrawSearch();
  return query;
}

// ---- Comparing ----------------------------------------------------------------------------------

void Driver::Expect(latchkey_code expected, latchkey_code actual, const std::string& what) {
  EXPECT_EQ(CodeName(expected), CodeName(actual)) << what << ": " << latchkey_error_text();
}

void Driver::CompareOwner(const latchkey_owner& row, const Owner& due) {
  EXPECT_EQ(due.uuid, Text(row.uuid));
  EXPECT_EQ(due.sort, row.sort);
  EXPECT_EQ(due.name, latchkey_test::NameOf(row));
  EXPECT_EQ(due.slug, row.slug);
  EXPECT_EQ(due.email, row.email);
  EXPECT_EQ(due.admin, row.admin != 0);
  EXPECT_EQ(due.locked, row.locked != 0);
  EXPECT_EQ(due.visibility, row.visibility);
  EXPECT_EQ(due.creation_s, row.creation_s);
  EXPECT_EQ(due.deleted_s, row.deleted_s);
}

void Driver::CompareKey(const latchkey_credential& row, const Key& due) {
  EXPECT_EQ(due.uuid, Text(row.uuid));
  EXPECT_EQ(due.owner, Text(row.owner));
  EXPECT_EQ(due.creator, ToId(row.creator));
  EXPECT_EQ(due.minted_by, ToId(row.minted_by));
  EXPECT_EQ(due.revoked_by, ToId(row.revoked_by));
  EXPECT_EQ(due.kind, row.kind);
  EXPECT_EQ(due.name, latchkey_test::NameOf(row));
  EXPECT_EQ(due.slug, row.slug);
  EXPECT_EQ(due.creation_s, row.creation_s);
  EXPECT_EQ(due.not_before_s, row.not_before_s);
  EXPECT_EQ(due.expires_s, row.expires_s);
  EXPECT_EQ(due.revoked_s, row.revoked_s);
  EXPECT_EQ(due.scopes, row.scopes);
  EXPECT_EQ(due.metadata.size(), row.metadata_size);
  EXPECT_LE(row.last_used_s, latest_s());
}

void Driver::CompareEverything() {
  for (const auto& [uuid, key] : model_.keys) {
    CompareKey(store_.Get(ToUuid(uuid)), key);
    CompareVerdict(key, 0, 0);
  }
  for (const bool revoked : {false, true}) {
    for (const uint32_t sort : {LATCHKEY_OWNER_USER, LATCHKEY_OWNER_PROJECT}) {
      Query query;
      query.kind = sort;
      query.revoked = revoked;
      CompareList(query, 100);
    }
    for (const auto& [uuid, owner] : model_.owners) {
      Query query;
      query.owner = uuid;
      query.revoked = revoked;
      query.kind =
          owner.sort == LATCHKEY_OWNER_USER ? LATCHKEY_KIND_USER_KEY : LATCHKEY_KIND_PROJECT_KEY;
      CompareList(query, 100);
    }
  }
}

void Driver::CompareCounts() {
  store_.WaitForTombstones();  // the counts follow them
  const latchkey_stats stats = store_.Stats();
  EXPECT_EQ(model_.CountOwners(LATCHKEY_OWNER_USER), stats.users);
  EXPECT_EQ(model_.CountOwners(LATCHKEY_OWNER_PROJECT), stats.projects);
  EXPECT_EQ(model_.CountKeys(false), stats.active);
  EXPECT_EQ(model_.CountKeys(true), stats.revoked);
}

void Driver::Reopen() {
  store_.Check();
  store_.Reopen();
  store_.Check();
  CompareEverything();
  CompareCounts();
}

}  // namespace latchkey_model
