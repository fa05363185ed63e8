// revoke_all: what it covers, that it is in force when it returns and after a reopen, and that what
// is created after it is untouched.
#include <algorithm>

#include "support/fixture.h"

using latchkey_test::Issued;
using latchkey_test::kNowS;
using latchkey_test::Sized;
using latchkey_test::TestStore;

namespace {

class Sweep : public testing::Test {
 protected:
  void SetUp() override {
    muriel_ = store_.CreateUser("Muriel");
    eustace_ = store_.CreateUser("Eustace");
    project_ = store_.CreateProject("The Computer");
    Make("muriel", muriel_, LATCHKEY_KIND_USER_KEY, muriel_, 1);
    Make("muriel too", muriel_, LATCHKEY_KIND_USER_KEY, eustace_, 2);
    Make("eustace", eustace_, LATCHKEY_KIND_USER_KEY, eustace_, 3);
    Make("project", project_, LATCHKEY_KIND_PROJECT_KEY, muriel_, 3);
    store_.clock().Advance(10);
    Make("project later", project_, LATCHKEY_KIND_PROJECT_KEY, eustace_, 4);
    Make("minted", project_, LATCHKEY_KIND_PROJECT_KEY, {}, 0, keys_["project"].uuid);
  }

  void Make(const std::string& name, const latchkey_uuid& owner, uint32_t kind,
            const latchkey_uuid& creator, uint64_t scopes, const latchkey_uuid& minted_by = {}) {
    auto options = TestStore::KeyOptions(owner, kind, name);
    options.creator = creator;
    options.scopes = scopes;
    options.minted_by = minted_by;
    keys_[name] = store_.Issue(options);
  }

  // Sweeps, and compares at once, when the tombstones are written, and after a reopen.
  void ExpectRevokes(const latchkey_sweep_options& options, std::vector<std::string> names) {
    uint64_t covered = 0;
    ASSERT_CODE(LATCHKEY_OK, latchkey_revoke_all(store_, &options, &covered));
    ExpectRevoked(names);
    EXPECT_EQ(names.size(), covered);
    store_.WaitForTombstones();
    ExpectRevoked(names);
    for (const std::string& name : names) {
      const latchkey_credential credential = store_.Get(keys_[name].uuid);
      EXPECT_EQ(store_.clock().now_s(), credential.revoked_s) << name;
      EXPECT_TRUE(latchkey_test::Same(options.actor, credential.revoked_by)) << name;
      EXPECT_CODE(LATCHKEY_CONFLICT, latchkey_credential_revoke(store_, &keys_[name].uuid, nullptr,
                                                                nullptr, 0, nullptr));
    }
    EXPECT_EQ(names.size(), store_.Stats().revoked);
    EXPECT_EQ(keys_.size() - names.size(), store_.Stats().active);
    store_.Check();
    store_.Reopen();
    ExpectRevoked(names);
    store_.Check();
  }
  void ExpectRevoked(const std::vector<std::string>& names) {
    for (const auto& [name, key] : keys_) {
      const bool due = std::find(names.begin(), names.end(), name) != names.end();
      EXPECT_EQ(due ? "revoked" : "allowed", store_.Verify(key.secret)) << name;
    }
  }

  TestStore store_;
  latchkey_uuid muriel_{};
  latchkey_uuid eustace_{};
  latchkey_uuid project_{};
  std::map<std::string, Issued> keys_;
  latchkey_sweep_options options_ = Sized<latchkey_sweep_options>();
};

TEST_F(Sweep, ByOwner) {
  options_.owner = muriel_;
  options_.actor = eustace_;
  ExpectRevokes(options_, {"muriel", "muriel too"});
}

TEST_F(Sweep, ByKind) {
  options_.kind = LATCHKEY_KIND_PROJECT_KEY;
  ExpectRevokes(options_, {"project", "project later", "minted"});
}

TEST_F(Sweep, ByCreator) {
  options_.creator = eustace_;
  ExpectRevokes(options_, {"muriel too", "eustace", "project later"});
}

TEST_F(Sweep, ByMintingCredential) {
  options_.minted_by = keys_["project"].uuid;
  ExpectRevokes(options_, {"minted"});
}

// Otherwise what was asked for just before a revocation would outlive the sweep that follows it.
TEST_F(Sweep, ARevokedCredentialMakesNothingMore) {
  auto wish = TestStore::KeyOptions(project_, LATCHKEY_KIND_PROJECT_KEY, "late");
  wish.minted_by = keys_["project"].uuid;
  char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
  const auto create = [&] {
    return latchkey_credential_create(store_, &wish, secret, sizeof secret, nullptr, nullptr);
  };
  EXPECT_CODE(LATCHKEY_OK, create());
  ASSERT_CODE(LATCHKEY_OK,
              latchkey_credential_revoke(store_, &wish.minted_by, nullptr, nullptr, 0, nullptr));
  EXPECT_CODE(LATCHKEY_FORBIDDEN, create());
  // By a sweep whose tombstones are still to be written, too.
  options_.owner = muriel_;
  ASSERT_CODE(LATCHKEY_OK, latchkey_revoke_all(store_, &options_, nullptr));
  wish.minted_by = keys_["muriel"].uuid;
  EXPECT_CODE(LATCHKEY_FORBIDDEN, create());
  wish.minted_by = project_;  // no credential at all
  EXPECT_CODE(LATCHKEY_NOT_FOUND, create());
}

TEST_F(Sweep, ByScopesAllOfThem) {
  options_.scopes = 3;
  ExpectRevokes(options_, {"eustace", "project"});
}

TEST_F(Sweep, ByCreationStrictlyBefore) {
  options_.issued_before_s = kNowS + 10;
  ExpectRevokes(options_, {"muriel", "muriel too", "eustace", "project"});
}

TEST_F(Sweep, ByCreationOfTheFirstSecondIsNobody) {
  options_.issued_before_s = kNowS;
  ExpectRevokes(options_, {});
}

TEST_F(Sweep, ByAllThatIsGiven) {
  options_.owner = project_;
  options_.kind = LATCHKEY_KIND_PROJECT_KEY;
  options_.creator = muriel_;
  options_.scopes = 1;
  options_.issued_before_s = kNowS + 1;
  ExpectRevokes(options_, {"project"});
}

TEST_F(Sweep, Everything) {
  options_.everything = 1;
  ExpectRevokes(options_,
                {"muriel", "muriel too", "eustace", "project", "project later", "minted"});
}

TEST_F(Sweep, WhatIsCreatedAfterIsNotCovered) {
  options_.owner = muriel_;
  uint64_t covered = 0;
  ASSERT_CODE(LATCHKEY_OK, latchkey_revoke_all(store_, &options_, &covered));
  // In the same second as the sweep: it is the order that counts, not the clock.
  Make("after", muriel_, LATCHKEY_KIND_USER_KEY, {}, 0);
  ExpectRevoked({"muriel", "muriel too"});
  store_.WaitForTombstones();
  ExpectRevoked({"muriel", "muriel too"});
  store_.Reopen();
  ExpectRevoked({"muriel", "muriel too"});
  ASSERT_CODE(LATCHKEY_OK, latchkey_revoke_all(store_, &options_, &covered));
  EXPECT_EQ(1u, covered);
  EXPECT_EQ("revoked", store_.Verify(keys_["after"].secret));
  store_.WaitForTombstones();
  store_.Check();
}

// As above, for sweeps that no owner narrows, one of which follows upon the other.
TEST_F(Sweep, WhatIsCreatedAfterEverythingIsNotCovered) {
  options_.kind = LATCHKEY_KIND_USER_KEY;
  uint64_t covered = 0;
  ASSERT_CODE(LATCHKEY_OK, latchkey_revoke_all(store_, &options_, &covered));
  EXPECT_EQ(3u, covered);
  Make("after the kind", muriel_, LATCHKEY_KIND_USER_KEY, {}, 8);
  ExpectRevoked({"muriel", "muriel too", "eustace"});
  options_.kind = 0;
  options_.scopes = 4;
  ASSERT_CODE(LATCHKEY_OK, latchkey_revoke_all(store_, &options_, &covered));
  EXPECT_EQ(1u, covered);
  options_.scopes = 0;
  options_.everything = 1;
  ASSERT_CODE(LATCHKEY_OK, latchkey_revoke_all(store_, &options_, &covered));
  EXPECT_EQ(3u, covered);
  Make("after everything", muriel_, LATCHKEY_KIND_USER_KEY, {}, 8);
  const std::vector<std::string> revoked = {
      "muriel", "muriel too", "eustace", "project", "project later", "minted", "after the kind"};
  ExpectRevoked(revoked);
  store_.WaitForTombstones();
  ExpectRevoked(revoked);
  store_.Check();
  store_.Reopen();
  ExpectRevoked(revoked);
}

TEST_F(Sweep, ListsAgreeAtOnce) {
  options_.owner = project_;
  ASSERT_CODE(LATCHKEY_OK, latchkey_revoke_all(store_, &options_, nullptr));
  auto list = Sized<latchkey_list_options>();
  list.owner = project_;
  list.kind = LATCHKEY_KIND_PROJECT_KEY;
  list.page_size = 8;
  std::vector<latchkey_credential> rows(8, Sized<latchkey_credential>());
  for (const bool revoked : {false, true}) {
    size_t count = 0;
    uint64_t total = 0;
    list.revoked = revoked ? 1 : 0;
    ASSERT_CODE(LATCHKEY_OK,
                latchkey_credential_list(store_, &list, rows.data(), rows.size(), &count, &total));
    EXPECT_EQ(revoked ? 3u : 0u, count);
    EXPECT_EQ(revoked ? 3u : 0u, total);
  }
}

// More than one step of tombstones, closed while they are being written; and a key that was made
// while they were.
TEST_F(Sweep, GoesOnAfterAReopen) {
  std::vector<std::string> names;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 600; ++i) {
      names.push_back("many " + std::to_string(names.size()));
      Make(names.back(), eustace_, LATCHKEY_KIND_USER_KEY, {}, 8);
    }
    const std::string after = "after " + std::to_string(round);
    options_.owner = eustace_;
    options_.scopes = 8;
    uint64_t covered = 0;
    ASSERT_CODE(LATCHKEY_OK, latchkey_revoke_all(store_, &options_, &covered));
    Make(after, eustace_, LATCHKEY_KIND_USER_KEY, {}, 8);
    EXPECT_EQ(0, store_.Get(keys_[after].uuid).revoked_s);
    EXPECT_EQ(round == 0 ? 600u : 601u, covered);
    store_.Reopen();
    ExpectRevoked(names);
    store_.WaitForTombstones();
    ExpectRevoked(names);
    EXPECT_EQ(names.size(), store_.Stats().revoked);
    names.push_back(after);  // the next round's sweep takes it too
  }
  store_.Check();
}

}  // namespace
