// Session JWTs, and API tokens that are not in the store: who signed them, for whom, until when,
// and whether their user may still come in.
#include "support/fixture.h"

using latchkey_test::kNowS;
using latchkey_test::Sized;
using latchkey_test::TestStore;

namespace {

constexpr std::string_view kIssuer = "http://localhost:3000/";
constexpr std::string_view kSecret = "DO_NOT_USE_THIS_IN_PRODUCTION";
constexpr std::string_view kEmail = "muriel.bagge@nowhere.com";

// Signed with kSecret for kEmail by kIssuer, iat 1790000000, exp 1890000000.
#define HEADER "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
constexpr std::string_view kApiToken = HEADER
    "eyJhdWQiOiJhcGlfa2V5IiwiZXhwIjoxODkwMDAwMDAwLCJpYXQiOjE3OTAwMDAwMDAsImlzcyI6Imh0dHA6Ly"
    "9sb2NhbGhvc3Q6MzAwMC8iLCJzdWIiOiJtdXJpZWwuYmFnZ2VAbm93aGVyZS5jb20ifQ."
    "_fP0HACHs7U8VhOVeP0nG3bHMs2GZ9rdovPi0IjlxYA";
constexpr std::string_view kClientToken = HEADER
    "eyJhdWQiOiJjbGllbnQiLCJleHAiOjE4OTAwMDAwMDAsImlhdCI6MTc5NTAwMDAwMCwiaXNzIjoiaHR0cDovL"
    "2xvY2FsaG9zdDozMDAwLyIsInN1YiI6Im11cmllbC5iYWdnZUBub3doZXJlLmNvbSJ9."
    "P11KqVSzpGvX0aIwnvy-0qL-MHzKArWydeEVDVh6_g0";
// The same, issued before there was such a user.
constexpr std::string_view kOlderClientToken = HEADER
    "eyJhdWQiOiJjbGllbnQiLCJleHAiOjE4OTAwMDAwMDAsImlhdCI6MTc5MDAwMDAwMCwiaXNzIjoiaHR0cDovL2"
    "xvY2FsaG9zdDozMDAwLyIsInN1YiI6Im11cmllbC5iYWdnZUBub3doZXJlLmNvbSJ9."
    "1dja52sRy5lusuFeEtdTs4TXOW0mzsFbYAw1o2UunMs";
// The first, but it ends in the second kNowS.
constexpr std::string_view kEndingToken = HEADER
    "eyJhdWQiOiJhcGlfa2V5IiwiZXhwIjoxNzk1MDAwMDAwLCJpYXQiOjE3OTAwMDAwMDAsImlzcyI6Imh0dHA6Ly"
    "9sb2NhbGhvc3Q6MzAwMC8iLCJzdWIiOiJtdXJpZWwuYmFnZ2VAbm93aGVyZS5jb20ifQ."
    "7mA-cejSJt-zSNBHAR3psNTTteiu-R5Ga8bqz23kX7w";
#undef HEADER

latchkey_jwt_key Key(std::string_view secret = kSecret, std::string_view issuer = kIssuer) {
  auto key = Sized<latchkey_jwt_key>();
  key.secret = secret.data();
  key.secret_size = secret.size();
  key.issuer = issuer.data();
  key.issuer_size = issuer.size();
  return key;
}

std::string Session(std::string_view subject, int64_t ttl_s = 60) {
  auto options = Sized<latchkey_session_options>();
  options.subject = subject.data();
  options.subject_size = subject.size();
  options.now_s = kNowS;
  options.ttl_s = ttl_s;
  const latchkey_jwt_key key = Key();
  char jwt[LATCHKEY_JWT_BYTES_MAX];
  size_t size = 0;
  int64_t expires_s = 0;
  EXPECT_CODE(LATCHKEY_OK,
              latchkey_session_issue(&options, &key, jwt, sizeof jwt, &size, &expires_s));
  EXPECT_EQ(kNowS + ttl_s, expires_s);
  return std::string(jwt, size);
}

class Sessions : public testing::Test {
 protected:
  std::string Check(std::string_view jwt, int64_t at_s = 0, const latchkey_jwt_key& key = Key()) {
    verdict_ = Sized<latchkey_verdict>();
    const latchkey_code code =
        latchkey_session_check(store_, jwt.data(), jwt.size(), &key, at_s, &verdict_);
    EXPECT_CODE(verdict_.reason == LATCHKEY_REASON_ALLOWED ? LATCHKEY_OK : LATCHKEY_DENIED, code);
    return latchkey_reason_text(verdict_.reason);
  }
  std::string VerifyUntracked(std::string_view jwt, const latchkey_jwt_key& key = Key()) {
    auto options = Sized<latchkey_verify_options>();
    options.untracked_tokens = &key;
    return store_.Verify(jwt, &options);
  }
  void SetEmail(std::string_view email) {
    auto options = Sized<latchkey_owner_update_options>();
    options.uuid = user_;
    options.set = LATCHKEY_OWNER_SET_EMAIL;
    options.email = email.data();
    options.email_size = email.size();
    ASSERT_CODE(LATCHKEY_OK, latchkey_owner_update(store_, &options, nullptr));
  }

  TestStore store_;
  latchkey_uuid user_ = store_.CreateUser("Muriel Bagge", kEmail);
  latchkey_verdict verdict_{};
};

TEST_F(Sessions, LivesThroughItsLastSecond) {
  const std::string jwt = Session(kEmail);
  EXPECT_EQ("allowed", Check(jwt));
  EXPECT_TRUE(latchkey_test::Same(user_, verdict_.owner));
  EXPECT_EQ(kNowS + 60, verdict_.expires_s);
  EXPECT_EQ("allowed", Check(jwt, kNowS + 60));
  EXPECT_EQ("expired", Check(jwt, kNowS + 61));
  store_.clock().Advance(61);
  EXPECT_EQ("expired", Check(jwt));
}

TEST_F(Sessions, BelongsToOneSecretAndIssuer) {
  const std::string jwt = Session(kEmail);
  EXPECT_EQ("unknown", Check(jwt, 0, Key("another secret")));
  EXPECT_EQ("unknown", Check(jwt, 0, Key(kSecret, "http://localhost:3000")));
  std::string forged = jwt;
  forged[jwt.find('.') + 5] ^= 1;
  EXPECT_NE("allowed", Check(forged));
  EXPECT_EQ("malformed", Check("nonsense"));
  EXPECT_EQ("malformed", Check(jwt + "="));
  EXPECT_EQ("malformed", Check(std::string(10 << 20, 'a')));
}

TEST_F(Sessions, AudienceIsClient) {
  EXPECT_EQ("unknown", Check(kApiToken));
  EXPECT_EQ("allowed", Check(kClientToken));
  EXPECT_EQ(1u, verdict_.jwt_signed);
  // A session is never stored, and does not pass for a credential.
  EXPECT_EQ("unknown", store_.Verify(Session(kEmail)));
  EXPECT_NE("allowed", VerifyUntracked(kClientToken));
}

// An address may come to belong to somebody else, whose session the older one must not become.
TEST_F(Sessions, IsNoOlderThanItsUserAndHisAddress) {
  EXPECT_EQ("unknown", Check(kOlderClientToken));
  EXPECT_EQ(1u, verdict_.jwt_signed);
  const latchkey_jwt_key other = Key("another secret");
  EXPECT_EQ("unknown", Check(kClientToken, 0, other));
  EXPECT_EQ(0u, verdict_.jwt_signed);
  EXPECT_EQ("allowed", Check(kClientToken));
  store_.clock().Advance(100);
  SetEmail("m@nowhere.com");
  const latchkey_uuid heir = store_.CreateUser("Heir", kEmail);
  EXPECT_EQ("unknown", Check(kClientToken)) << latchkey_test::Text(heir);
  const std::string by_uuid = Session(latchkey_test::Text(user_));
  EXPECT_EQ("unknown", Check(by_uuid)) << "issued before the address changed";
}

TEST_F(Sessions, FollowsItsUser) {
  const std::string jwt = Session(kEmail);
  const std::string by_uuid = Session(latchkey_test::Text(user_));
  EXPECT_EQ("allowed", Check(by_uuid));
  EXPECT_EQ("unknown", Check(Session("nobody@nowhere.com")));
  store_.SetLocked(user_, true);
  EXPECT_NE("allowed", Check(jwt));
  EXPECT_NE("allowed", Check(by_uuid));
  store_.SetLocked(user_, false);
  EXPECT_EQ("allowed", Check(jwt));
  SetEmail("m@nowhere.com");
  EXPECT_EQ("unknown", Check(jwt));
  ASSERT_CODE(LATCHKEY_OK, latchkey_owner_delete(store_, &user_, nullptr));
  EXPECT_NE("allowed", Check(by_uuid));
  EXPECT_NE("allowed", Check(Session("m@nowhere.com")));
}

TEST_F(Sessions, UntrackedTokensOnlyWhenTheHostAsks) {
  EXPECT_EQ("unknown", store_.Verify(kApiToken));
  EXPECT_EQ("allowed", VerifyUntracked(kApiToken));
  EXPECT_NE("allowed", VerifyUntracked(kApiToken, Key("another secret")));
  EXPECT_NE("allowed", VerifyUntracked(kApiToken, Key(kSecret, "elsewhere")));
  std::string forged(kApiToken);
  forged.replace(forged.size() - 5, 1, forged[forged.size() - 5] == 'x' ? "y" : "x");
  EXPECT_NE("allowed", VerifyUntracked(forged));
  EXPECT_EQ("allowed", VerifyUntracked(kEndingToken));
  store_.clock().Advance(1);
  EXPECT_EQ("expired", VerifyUntracked(kEndingToken));
}

TEST_F(Sessions, UntrackedTokensFollowTheirUser) {
  store_.SetLocked(user_, true);
  EXPECT_NE("allowed", VerifyUntracked(kApiToken));
  store_.SetLocked(user_, false);
  EXPECT_EQ("allowed", VerifyUntracked(kApiToken));
  // There and back again: tokens issued before the change stay out, since tokens_not_before is set.
  SetEmail("m@nowhere.com");
  SetEmail(kEmail);
  EXPECT_EQ(kNowS, store_.GetOwner(LATCHKEY_OWNER_USER, kEmail).tokens_not_before_s);
  EXPECT_NE("allowed", VerifyUntracked(kApiToken));
}

TEST_F(Sessions, RevokingAllStopsUntrackedTokens) {
  auto sweep = Sized<latchkey_sweep_options>();
  sweep.owner = user_;
  sweep.kind = LATCHKEY_KIND_USER_TOKEN;
  ASSERT_CODE(LATCHKEY_OK, latchkey_revoke_all(store_, &sweep, nullptr));
  EXPECT_NE("allowed", VerifyUntracked(kApiToken));
  store_.Reopen();
  EXPECT_NE("allowed", VerifyUntracked(kApiToken));
}

TEST_F(Sessions, DeletedUsersTokensStayOut) {
  ASSERT_CODE(LATCHKEY_OK, latchkey_owner_delete(store_, &user_, nullptr));
  EXPECT_NE("allowed", VerifyUntracked(kApiToken));
}

}  // namespace
