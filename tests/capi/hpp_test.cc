// latchkey.hpp as its users see it: C++17, errors as exceptions, verification that never throws.
#include "latchkey/latchkey.hpp"

#include <set>
#include <sstream>
#include <type_traits>

#include "support/fixture.h"

using latchkey_test::TempFolder;

namespace {

template <typename T, typename = void>
struct IsPrintable : std::false_type {};
template <typename T>
struct IsPrintable<T, std::void_t<decltype(std::declval<std::ostream&>() << std::declval<T>())>>
    : std::true_type {};

static_assert(!std::is_copy_constructible_v<latchkey::Store>);
static_assert(!std::is_copy_assignable_v<latchkey::Store>);
static_assert(std::is_nothrow_move_constructible_v<latchkey::Store>);
static_assert(!std::is_default_constructible_v<latchkey::Store>);
static_assert(!std::is_copy_constructible_v<latchkey::Secret>);
static_assert(!std::is_copy_assignable_v<latchkey::Secret>);
static_assert(std::is_nothrow_move_assignable_v<latchkey::Secret>);
static_assert(!std::is_convertible_v<latchkey::Secret, std::string_view>);
static_assert(!std::is_convertible_v<latchkey::Verdict, bool>);
static_assert(!IsPrintable<const latchkey::Secret&>::value);
static_assert(noexcept(std::declval<latchkey::Store&>().verify("")));

class Hpp : public testing::Test {
 protected:
  std::string path() const { return (folder_.path() / "store").string(); }

  // The code of the Error that `body` throws; OK when it throws none.
  template <typename Body>
  std::string Thrown(Body body) {
    try {
      body();
    } catch (const latchkey::Error& error) {
      EXPECT_STRNE("", error.what());
      return latchkey_test::CodeName(error.code());
    }
    return "OK";
  }

  TempFolder folder_;
  latchkey::Store store_ = latchkey::Store::create(path());
  latchkey::Owner user_ = store_.create_owner({LATCHKEY_OWNER_USER, "Muriel Bagge", {}, "m@b.c"});
};

TEST_F(Hpp, WalksTheLifeOfAKey) {
  const auto issued =
      store_.create_credential({user_.uuid, LATCHKEY_KIND_USER_KEY, "laptop", 3600, 5, 0, "meta"});
  EXPECT_EQ("laptop", latchkey::name_of(issued.credential));
  EXPECT_EQ("laptop", latchkey::slug_of(issued.credential));
  EXPECT_EQ(43u, issued.secret.reveal().size());
  EXPECT_EQ("meta", store_.metadata(issued.credential.uuid));

  const latchkey::Verdict verdict = store_.verify(issued.secret.reveal());
  EXPECT_TRUE(verdict);
  EXPECT_TRUE(verdict.detail.uuid == issued.credential.uuid);
  EXPECT_STREQ("allowed", verdict.reason_text());
  EXPECT_TRUE(store_.verify(issued.secret.reveal(), 4));
  EXPECT_STREQ("scope", store_.verify(issued.secret.reveal(), 2).reason_text());
  EXPECT_FALSE(store_.verify("nonsense"));
  EXPECT_EQ(LATCHKEY_DENIED, store_.verify("nonsense").code);

  EXPECT_EQ("desk", latchkey::name_of(store_.rename_credential(issued.credential.uuid, "desk")));
  EXPECT_EQ("desk", latchkey::name_of(
                        store_.find_credential(user_.uuid, LATCHKEY_KIND_USER_KEY, "laptop")));
  EXPECT_TRUE(store_.identify_secret(issued.secret.reveal()).uuid == issued.credential.uuid);
  EXPECT_NE(0, store_.revoke(issued.credential.uuid, "lost").revoked_s);
  EXPECT_STREQ("revoked", store_.verify(issued.secret.reveal()).reason_text());
  EXPECT_EQ("CONFLICT", Thrown([&] { store_.revoke(issued.credential.uuid); }));
  EXPECT_TRUE(store_.check().empty());
  EXPECT_EQ("BUSY", Thrown([&] { latchkey::Store::repair(path()); }));
}

TEST_F(Hpp, FailsWithTheRuleThatWasBroken) {
  EXPECT_EQ("CONFLICT", Thrown([&] {
              store_.create_owner({LATCHKEY_OWNER_USER, "X", {}, "M@b.c"});
            }));
  EXPECT_EQ("INVALID_ARGUMENT", Thrown([&] { store_.create_owner({LATCHKEY_OWNER_USER, ""}); }));
  EXPECT_EQ("INVALID_ARGUMENT", Thrown([&] {
              store_.create_owner({LATCHKEY_OWNER_USER, "X", ""});
            }));
  EXPECT_EQ("NOT_FOUND", Thrown([&] { store_.get_owner(LATCHKEY_OWNER_USER, "nobody"); }));
  EXPECT_EQ("NOT_FOUND", Thrown([&] { store_.get_credential(user_.uuid); }));
  EXPECT_EQ("INVALID_ARGUMENT", Thrown([] { latchkey::to_uuid("nonsense"); }));
  EXPECT_EQ("NOT_FOUND", Thrown([&] { latchkey::Store::open(path() + "-none"); }));
  EXPECT_EQ("BUSY", Thrown([&] { latchkey::Store::open(path()); }));
  try {
    store_.create_owner({LATCHKEY_OWNER_USER, std::string(65, 'a')});
    FAIL() << "a name of 65 characters was taken";
  } catch (const std::exception& error) {
    EXPECT_NE(nullptr, std::strstr(error.what(), "64")) << error.what();
  }
}

TEST_F(Hpp, MovesAndCloses) {
  latchkey::Store moved = std::move(store_);
  EXPECT_EQ(nullptr, store_.handle());
  EXPECT_FALSE(store_.verify("x"));
  EXPECT_EQ(LATCHKEY_INVALID_ARGUMENT, store_.verify("x").code);
  EXPECT_EQ("INVALID_ARGUMENT", Thrown([&] { store_.stats(); }));
  EXPECT_EQ(1u, moved.stats().users);
  moved.close();
  EXPECT_EQ(nullptr, moved.handle());
  moved.close();
  EXPECT_EQ("CONFLICT", Thrown([&] { latchkey::Store::create(path()); }));
  moved = latchkey::Store::open(path());
  store_ = std::move(moved);
  EXPECT_EQ(1u, store_.stats().users);
  { const latchkey::Store closed_by_scope = std::move(store_); }
  EXPECT_EQ("OK", Thrown([&] { store_ = latchkey::Store::open(path()); }));
}

TEST_F(Hpp, SecretsWipeThemselves) {
  auto issued = store_.create_credential({user_.uuid, LATCHKEY_KIND_USER_KEY, "key"});
  const std::string copy(issued.secret.reveal());
  const char* const place = issued.secret.reveal().data();
  const latchkey::Secret moved = std::move(issued.secret);
  EXPECT_EQ(copy, moved.reveal());
  EXPECT_TRUE(issued.secret.empty());
  EXPECT_EQ(std::string(copy.size(), '\0'), std::string(place, copy.size()));

  alignas(latchkey::Secret) unsigned char memory[sizeof(latchkey::Secret)];
  auto* secret = new (memory) latchkey::Secret(
      store_.create_credential({user_.uuid, LATCHKEY_KIND_USER_KEY, "key"}).secret);
  const std::string body(secret->reveal());
  secret->~Secret();
  const std::string_view rest(reinterpret_cast<const char*>(memory), sizeof memory);
  EXPECT_EQ(std::string_view::npos, rest.find(body.substr(13)));
}

TEST_F(Hpp, ListsAndWalks) {
  std::multiset<std::string> expected;
  for (int i = 0; i < 25; ++i) {
    expected.insert("key " + std::to_string(i % 7));
    store_.create_credential({user_.uuid, LATCHKEY_KIND_USER_KEY, "key " + std::to_string(i % 7)});
  }
  latchkey::ListQuery query;
  query.owner = user_.uuid;
  query.kind = LATCHKEY_KIND_USER_KEY;
  const auto page = store_.list_credentials(query);
  EXPECT_EQ(8u, page.rows.size());
  EXPECT_EQ(25u, page.total);
  query.page = 4;
  EXPECT_EQ(1u, store_.list_credentials(query).rows.size());
  query.page = 5;
  EXPECT_TRUE(store_.list_credentials(query).rows.empty());
  query.search = "KEY 3";
  query.page = 1;
  EXPECT_EQ(4u, store_.list_credentials(query).total);
  query.search = {};

  for (const std::uint32_t page_size : {1u, 5u, 8u, 25u, 100u}) {
    std::multiset<std::string> seen;
    std::set<latchkey::Uuid> uuids;
    std::string last;
    query.page_size = page_size;
    for (const latchkey::Credential& row : store_.credentials(query)) {
      seen.insert(row.name);
      uuids.insert(row.uuid);
      EXPECT_LE(last, row.name);
      last = row.name;
    }
    EXPECT_EQ(expected, seen);
    EXPECT_EQ(25u, uuids.size());
  }
  query.name = "no such name";
  for (const latchkey::Credential& row : store_.credentials(query)) FAIL() << row.name;
}

TEST_F(Hpp, OwnersAndGrants) {
  const latchkey::Owner project =
      store_.create_owner({LATCHKEY_OWNER_PROJECT, "The Computer", "computer"});
  EXPECT_EQ("computer", latchkey::slug_of(project));
  store_.set_grant(project.uuid, user_.uuid, LATCHKEY_ROLE_DEVELOPER);
  EXPECT_TRUE(store_.authorize(user_.uuid, project.uuid, LATCHKEY_ROLE_VIEWER));
  EXPECT_FALSE(store_.authorize(user_.uuid, project.uuid, LATCHKEY_ROLE_MAINTAINER));
  const auto grants = store_.list_grants(project.uuid);
  ASSERT_EQ(1u, grants.rows.size());
  EXPECT_TRUE(grants.rows[0].user == user_.uuid);
  store_.remove_grant(project.uuid, user_.uuid);
  EXPECT_EQ("NOT_FOUND", Thrown([&] { store_.remove_grant(project.uuid, user_.uuid); }));

  latchkey::OwnerChange change;
  change.name = "Muriel";
  change.locked = true;
  change.remove_email = true;
  const latchkey::Owner changed = store_.update_owner(user_.uuid, change);
  EXPECT_EQ("Muriel", latchkey::name_of(changed));
  EXPECT_EQ(1u, changed.locked);
  EXPECT_EQ("", latchkey::email_of(changed));
  EXPECT_EQ("INVALID_ARGUMENT", Thrown([&] { store_.update_owner(user_.uuid, {}); }));
  latchkey::ListQuery query;
  query.kind = LATCHKEY_OWNER_PROJECT;
  EXPECT_EQ(1u, store_.list_owners(query).total);
  store_.delete_owner(project.uuid);
  EXPECT_EQ(0u, store_.list_owners(query).total);
}

TEST_F(Hpp, Batches) {
  const auto first = store_.create_credential({user_.uuid, LATCHKEY_KIND_USER_KEY, "first"});
  const auto second = store_.create_credential({user_.uuid, LATCHKEY_KIND_USER_KEY, "second"});
  const auto verdicts =
      store_.verify_batch({first.secret.reveal(), "nonsense", second.secret.reveal()});
  ASSERT_EQ(3u, verdicts.size());
  EXPECT_TRUE(verdicts[0]);
  EXPECT_FALSE(verdicts[1]);
  EXPECT_TRUE(verdicts[2].detail.uuid == second.credential.uuid);
  EXPECT_TRUE(store_.verify_batch({}).empty());
}

TEST_F(Hpp, Sessions) {
  auto key = latchkey::sized<latchkey_jwt_key>();
  key.secret = "a secret";
  key.secret_size = 8;
  key.issuer = "here";
  key.issuer_size = 4;
  const std::string jwt = latchkey::Store::issue_session(key, "m@b.c", 60);
  EXPECT_TRUE(store_.check_session(jwt, key));
  EXPECT_FALSE(store_.check_session(jwt + "x", key));
  EXPECT_EQ("INVALID_ARGUMENT", Thrown([&] { latchkey::Store::issue_session(key, "m@b.c", 0); }));
}

TEST_F(Hpp, ImportCarriesExceptionsOver) {
  std::string text =
      "nonsense\n{\"type\":\"project\",\"uuid\":\"01897bd9-864a-7e13-82ca-57501fe07fd1\","
      "\"name\":\"P\",\"slug\":\"p\",\"visibility\":\"public\",\"created\":1,"
      "\"deleted\":null}\n";
  const auto reader = [&](char* buffer, std::size_t capacity) {
    const std::size_t size = text.copy(buffer, capacity);
    text.erase(0, size);
    return size;
  };
  std::vector<std::uint64_t> refused;
  const std::string whole = text;
  const auto report = store_.import_ndjson(
      reader, [&](std::uint64_t line, latchkey_code, const char*) { refused.push_back(line); });
  EXPECT_EQ(1u, report.imported);
  EXPECT_EQ(std::vector<std::uint64_t>{1}, refused);
  EXPECT_THROW(store_.import_ndjson([](char*, std::size_t) -> std::size_t {
    throw std::out_of_range("the host's own");
  }),
               std::out_of_range);
  text = whole;
  EXPECT_THROW(
      store_.import_ndjson(reader, [](std::uint64_t, latchkey_code,
                                      const char*) { throw std::out_of_range("the host's own"); }),
      std::out_of_range);
  EXPECT_EQ(2u, store_.stats().users + store_.stats().projects);
}

TEST_F(Hpp, BacksUpAndRestores) {
  const std::string backups = (folder_.path() / "backups").string();
  const auto live = store_.create_credential({user_.uuid, LATCHKEY_KIND_USER_KEY, "live"});
  const auto listed = store_.create_credential({user_.uuid, LATCHKEY_KIND_USER_KEY, "listed"});
  EXPECT_EQ("NOT_FOUND", Thrown([&] { latchkey::Store::list_backups(backups); }));
  uint64_t bytes = 0;
  const latchkey::Backup first = store_.back_up(backups, 0, [&](uint64_t so_far) {
    bytes = so_far;
    return true;
  });
  EXPECT_EQ(1u, first.number);
  EXPECT_GT(bytes, 0u);
  EXPECT_EQ("BUSY", Thrown([&] { store_.back_up(backups, 0, [](uint64_t) { return false; }); }));
  EXPECT_THROW(store_.back_up(backups, 0, [](uint64_t) -> bool { throw std::string("enough"); }),
               std::string);
  store_.back_up(backups, 1);
  const std::vector<latchkey::Backup> rows = latchkey::Store::list_backups(backups);
  ASSERT_EQ(1u, rows.size());
  EXPECT_EQ(2u, rows[0].number);
  latchkey::Store::verify_backup(backups);
  EXPECT_EQ("NOT_FOUND", Thrown([&] { latchkey::Store::verify_backup(backups, 1); }));

  const std::string to = (folder_.path() / "restored").string();
  const std::string pepper = path() + ".pepper";
  const latchkey_revocation revocation{listed.credential.uuid, 0};
  auto options = latchkey::sized<latchkey_restore_options>();
  options.backup_path = backups.c_str();
  options.path = to.c_str();
  options.pepper_path = pepper.c_str();
  options.revocations = &revocation;
  options.revocations_count = 1;
  EXPECT_EQ(1u, latchkey::Store::restore(options).listed);
  EXPECT_EQ("CONFLICT", Thrown([&] { latchkey::Store::restore(options); }));
  const auto restored = latchkey::Store::open(to, LATCHKEY_OPEN_EXISTING, pepper);
  EXPECT_TRUE(restored.verify(live.secret.reveal()));
  EXPECT_STREQ("revoked", restored.verify(listed.secret.reveal()).reason_text());
}

TEST_F(Hpp, EpochsHaveAText) {
  const latchkey::Epoch epoch = store_.epoch();
  const latchkey::Epoch again = latchkey::to_epoch(latchkey::to_string(epoch));
  EXPECT_EQ(0, std::memcmp(&epoch, &again, sizeof epoch));
  EXPECT_EQ("INVALID_ARGUMENT", Thrown([] { latchkey::to_epoch("yesterday"); }));
}

TEST_F(Hpp, RepairsWhatNobodyHasOpen) {
  store_.close();
  latchkey::Store::Repaired repaired = latchkey::Store::repair(path());
  EXPECT_TRUE(repaired.findings.empty());
  EXPECT_EQ(LATCHKEY_PROOF_SUM, repaired.report.proof);
  std::filesystem::remove(path() + "/ack");
  repaired = latchkey::Store::repair(path());
  EXPECT_EQ(1u, repaired.report.needs_accept);
  EXPECT_EQ(1u, repaired.findings.size() - repaired.report.owners_withdrawn);
  repaired = latchkey::Store::repair(path(), false, /*accept_broken_events=*/true);
  EXPECT_EQ(1u, repaired.report.owners_withdrawn);
  store_ = latchkey::Store::open(path());
  EXPECT_TRUE(store_.check().empty());
  EXPECT_EQ("NOT_FOUND", Thrown([&] { latchkey::Store::repair(path() + "-none"); }));
}

}  // namespace
