// NDJSON import: what a line must be, what becomes of one that is not, and what a second import
// does.
#include <algorithm>
#include <chrono>
#include <thread>

#include "support/fixture.h"

using latchkey_test::CodeName;
using latchkey_test::Import;
using latchkey_test::Sized;
using latchkey_test::TestStore;

namespace {

constexpr const char* kUser = "01897bd9-854b-744d-a7f2-370d9e261365";
constexpr const char* kOther = "01897bd9-8a82-707f-9c0c-332f8b123fd2";
constexpr const char* kProject = "01897bd9-864a-7e13-82ca-57501fe07fd1";
constexpr const char* kGone = "01897bd9-864a-7e13-82ca-57501fe07fd2";
constexpr const char* kKey = "019be4d6-738a-755c-8343-bc9c2c480c01";
constexpr const char* kKey2 = "019be4d6-738a-755c-8343-bc9c2c480c02";
constexpr const char* kToken = "018c5eb0-a966-7c9a-944a-268ea5cbabca";

// SHA-256 of each secret, by any other program.
constexpr const char* kSecret = "bencher_user_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh";
constexpr const char* kDigest = "3e0ab8e17529ee01b55573f5c144940e7d57567c5173e5bd0afe30b1c1ed2f1d";
constexpr const char* kProjectSecret = "bencher_run_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh";
constexpr const char* kProjectDigest =
    "ac6c8fa701ccab0c2246583fe9606440dfc8a8409f0a546441f1329add13b82e";
constexpr const char* kJwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
    "eyJhdWQiOiJhcGlfa2V5IiwiZXhwIjoxODkwMDAwMDAwLCJpYXQiOjE3OTAwMDAwMDAsImlzcyI6Imh0dHA6Ly"
    "9sb2NhbGhvc3Q6MzAwMC8iLCJzdWIiOiJtdXJpZWwuYmFnZ2VAbm93aGVyZS5jb20ifQ."
    "_fP0HACHs7U8VhOVeP0nG3bHMs2GZ9rdovPi0IjlxYA";

std::string UserLine(const std::string& uuid = kUser, const std::string& slug = "muriel-bagge") {
  return R"({"type":"user","uuid":")" + uuid + R"(","name":"Muriel Bagge","slug":")" + slug +
         R"(","email":")" + slug + R"(@nowhere.com","admin":false,"locked":false,)" +
         R"("created":1690000000})" + "\n";
}
std::string ProjectLine(const std::string& uuid = kProject, const std::string& slug = "computer",
                        const std::string& deleted = "null") {
  return R"({"type":"project","uuid":")" + uuid + R"(","name":"The Computer","slug":")" + slug +
         R"(","visibility":"private","created":1690000000,"deleted":)" + deleted + "}\n";
}
std::string GrantLine(const std::string& project = kProject,
                      const std::string& role = "maintainer") {
  return R"({"type":"grant","project":")" + project + R"(","user":")" + kUser + R"(","role":")" +
         role + "\"}\n";
}
struct KeyLine {
  std::string uuid = kKey;
  std::string user = kUser;
  std::string name = "laptop";
  std::string digest = kDigest;
  std::string creation = "1769070818";
  std::string expiration = "1895000000";
  std::string revoked = "null";
  operator std::string() const {  // NOLINT: a line wherever a text is due
    return R"({"type":"user_key","uuid":")" + uuid + R"(","user":")" + user + R"(","name":")" +
           name + R"(","sha256":")" + digest + R"(","creation":)" + creation + R"(,"expiration":)" +
           expiration + R"(,"revoked":)" + revoked + "}\n";
  }
};
std::string ProjectKeyLine(const std::string& project, const std::string& creator) {
  return R"({"type":"project_key","uuid":")" + std::string(kKey2) + R"(","project":")" + project +
         R"(","creator":)" + creator + R"(,"name":"ci","sha256":")" + kProjectDigest +
         R"(","creation":1755009411,"expiration":6049976706,"revoked":null})" + "\n";
}
std::string TokenLine(const std::string& jwt = kJwt, const std::string& revoked = "null") {
  return R"({"type":"user_token","uuid":")" + std::string(kToken) + R"(","user":")" + kUser +
         R"(","name":"legacy","jwt":")" + jwt +
         R"(","creation":1790000000,"expiration":1890000000,"revoked":)" + revoked + "}\n";
}
std::string Everything() {
  return UserLine() + ProjectLine() + GrantLine() + std::string(KeyLine()) +
         ProjectKeyLine(kProject, "null") + TokenLine();
}

class ImportTest : public testing::Test {
 protected:
  Import Run(const std::string& text, bool dry_run = false) { return {store_, text, dry_run}; }

  void ExpectReport(const Import& import, uint64_t imported, uint64_t skipped, uint64_t refused) {
    EXPECT_EQ("OK", CodeName(import.code)) << latchkey_error_text();
    EXPECT_EQ(imported, import.report.imported);
    EXPECT_EQ(skipped, import.report.skipped);
    EXPECT_EQ(refused, import.report.refused);
    EXPECT_EQ(refused, import.refused.size());
    for (const auto& [line, code, text] : import.refused) {
      EXPECT_NE("", text) << "line " << line;
      if (import.refused.size() > refused) ADD_FAILURE() << line << ": " << text;
    }
  }
  // One line alone is refused with that code and writes nothing.
  void ExpectRefused(const std::string& line, latchkey_code expected, const std::string& what) {
    const uint64_t events = store_.Stats().event_number;
    const Import import = Run(line);
    EXPECT_EQ("OK", CodeName(import.code)) << what;
    ASSERT_EQ(1u, import.refused.size()) << what;
    EXPECT_EQ(CodeName(expected), CodeName(import.refused[0].code))
        << what << ": " << import.refused[0].text;
    EXPECT_EQ(1u, import.refused[0].line) << what;
    EXPECT_NE("", import.refused[0].text) << what;
    EXPECT_EQ(events, store_.Stats().event_number) << what;
  }
  latchkey_credential Get(const char* uuid) { return store_.Get(latchkey_test::ParseUuid(uuid)); }

  TestStore store_;
};

TEST_F(ImportTest, TakesEveryShape) {
  ExpectReport(Run(Everything()), 6, 0, 0);
  EXPECT_EQ("allowed", store_.Verify(kSecret));
  EXPECT_EQ("allowed", store_.Verify(kProjectSecret));
  EXPECT_EQ("allowed", store_.Verify(kJwt));
  const latchkey_credential key = Get(kKey);
  EXPECT_EQ("laptop", latchkey_test::NameOf(key));
  EXPECT_STREQ("laptop", key.slug);
  EXPECT_EQ(1769070818, key.creation_s);
  EXPECT_EQ(1895000000, key.expires_s);
  EXPECT_EQ(0, key.revoked_s);
  const latchkey_owner user = store_.GetOwner(LATCHKEY_OWNER_USER, "muriel-bagge");
  EXPECT_EQ(1690000000, user.creation_s);
  EXPECT_STREQ("muriel-bagge@nowhere.com", user.email);
  const latchkey_owner project = store_.GetOwner(LATCHKEY_OWNER_PROJECT, kProject);
  EXPECT_EQ(LATCHKEY_VISIBILITY_PRIVATE, project.visibility);
  EXPECT_CODE(LATCHKEY_OK,
              latchkey_authorize(store_, &user.uuid, &project.uuid, LATCHKEY_ROLE_MAINTAINER));
  store_.Check();
  store_.Reopen();
  EXPECT_EQ("allowed", store_.Verify(kSecret));
  EXPECT_EQ("allowed", store_.Verify(kJwt));
}

TEST_F(ImportTest, AgainSkipsEverything) {
  ExpectReport(Run(Everything()), 6, 0, 0);
  const uint64_t events = store_.Stats().event_number;
  ExpectReport(Run(Everything()), 0, 6, 0);
  EXPECT_EQ(events, store_.Stats().event_number);
  store_.Reopen();
  ExpectReport(Run(Everything()), 0, 6, 0);
  // Within one file too, and without a line feed at its end.
  std::string twice = Everything() + Everything();
  twice.pop_back();
  ExpectReport(Run(twice), 0, 12, 0);
  EXPECT_EQ(events, store_.Stats().event_number);
}

TEST_F(ImportTest, DryRunJudgesAndWritesNothing) {
  const uint64_t events = store_.Stats().event_number;
  ExpectReport(Run(Everything(), true), 6, 0, 0);
  EXPECT_EQ(events, store_.Stats().event_number);
  EXPECT_EQ("unknown", store_.Verify(kSecret));
  EXPECT_EQ(0u, store_.Stats().users);
  const Import bad = Run("nonsense\n" + UserLine(), true);
  ExpectReport(bad, 1, 0, 1);
  ExpectReport(Run(Everything()), 6, 0, 0);
  ExpectReport(Run(Everything(), true), 0, 6, 0);
}

TEST_F(ImportTest, BadLines) {
  ExpectReport(Run(UserLine()), 1, 0, 0);
  const latchkey_code invalid = LATCHKEY_INVALID_ARGUMENT;
  const std::string good = KeyLine();
  const std::string cut = good.substr(0, good.size() - 3);
  const std::pair<const char*, std::string> lines[] = {
      {"not JSON", "nonsense"},
      {"cut off", cut},
      {"an array", "[1,2,3]"},
      {"a string", "\"user\""},
      {"a number", "1"},
      {"no type", "{}"},
      {"no such type", R"({"type":"runner_key","uuid":"01897bd9-864a-7e13-82ca-57501fe07fd9"})"},
      {"type of a number", R"({"type":1})"},
      {"a thousand brackets", R"({"type":)" + std::string(1000, '[')},
      {"a million brackets", std::string(1000000, '[')},
      {"nested members", R"({"type":"user","x":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]})"},
      {"a short digest", KeyLine{.digest = "3e0ab8"}},
      {"an odd digest", KeyLine{.digest = std::string(63, 'a')}},
      {"a long digest", KeyLine{.digest = std::string(66, 'a')}},
      {"a digest of other letters", KeyLine{.digest = std::string(64, 'g')}},
      {"no UUID", KeyLine{.uuid = ""}},
      {"half a UUID", KeyLine{.uuid = "019be4d6"}},
      {"the nil UUID", KeyLine{.uuid = "00000000-0000-0000-0000-000000000000"}},
      {"an empty name", KeyLine{.name = ""}},
      {"a name with white space", KeyLine{.name = " laptop"}},
      {"a name of 65", KeyLine{.name = std::string(65, 'n')}},
      {"bytes of no character", KeyLine{.name = "\xFF"}},
      {"half a surrogate pair", KeyLine{.name = "\\ud800"}},
      {"no creation", KeyLine{.creation = "null"}},
      {"half a second", KeyLine{.creation = "1769070818.5"}},
      {"creation as text", KeyLine{.creation = "\"1769070818\""}},
      {"creation before 1970", KeyLine{.creation = "-1"}},
      {"creation beyond 64 bits", KeyLine{.creation = "99999999999999999999"}},
      {"revoked as true", KeyLine{.revoked = "true"}},
      {"a member twice", good.substr(0, good.size() - 2) + R"(,"name":"desk"})"},
      {"two values", good.substr(0, good.size() - 1) + good},
      {"JWT of another algorithm", TokenLine(std::string("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0") +
                                             std::string(kJwt).substr(36))},
      {"JWT with padding", TokenLine(std::string(kJwt) + "=")},
      {"JWT cut short", TokenLine(std::string(kJwt).substr(0, 80))},
      {"no such role", GrantLine(kProject, "owner")},
      {"a bad slug", UserLine(kOther, "Not A Slug")},
  };
  for (const auto& [what, line] : lines) ExpectRefused(line, invalid, what);
  ExpectRefused(KeyLine{.user = kOther}, LATCHKEY_NOT_FOUND, "an owner that is not there");
  ExpectRefused(GrantLine(), LATCHKEY_NOT_FOUND, "a project that is not there");
  ExpectRefused(KeyLine{.name = std::string(100 << 20, 'n')}, invalid, "100 MB");
  EXPECT_EQ("unknown", store_.Verify(kSecret));
  store_.Check();
}

TEST_F(ImportTest, ABadLineStopsNothing) {
  const std::string text = UserLine() + "nonsense\n" + std::string(100000, 'x') + "\n" +
                           std::string(KeyLine()) + "\n{}\n" + ProjectLine();
  const Import import = Run(text);
  ExpectReport(import, 3, 0, import.refused.size());
  ASSERT_GE(import.refused.size(), 3u);
  EXPECT_EQ(2u, import.refused[0].line);
  EXPECT_EQ(3u, import.refused[1].line);
  EXPECT_EQ(6u, import.refused.back().line);
  EXPECT_EQ("allowed", store_.Verify(kSecret));
}

TEST_F(ImportTest, EscapesAreRead) {
  ExpectReport(
      Run(UserLine() + std::string(KeyLine{.name = "\\u00c9clair \\ud83d\\udd11\\u0000!"})), 2, 0,
      0);
  EXPECT_EQ(std::string_view("\xC3\x89"
                             "clair \xF0\x9F\x94\x91\0!",
                             14),
            latchkey_test::NameOf(Get(kKey)));
}

TEST_F(ImportTest, OnlyRevokedIsARevocation) {
  ExpectReport(Run(Everything()), 6, 0, 0);
  ExpectReport(Run(KeyLine{.revoked = "1770000000"}), 1, 0, 0);
  EXPECT_EQ("revoked", store_.Verify(kSecret));
  EXPECT_EQ(1770000000, Get(kKey).revoked_s);
  ExpectReport(Run(KeyLine{.revoked = "1770000000"}), 0, 1, 0);
  // What is revoked stays so, whatever an older export says.
  const Import older = Run(KeyLine());
  EXPECT_EQ(0u, older.report.imported);
  EXPECT_EQ("revoked", store_.Verify(kSecret));
  ExpectReport(Run(TokenLine(kJwt, "1791000000")), 1, 0, 0);
  EXPECT_EQ("revoked", store_.Verify(kJwt));
  store_.Check();
  store_.Reopen();
  EXPECT_EQ("revoked", store_.Verify(kSecret));
}

TEST_F(ImportTest, AnyOtherDifferenceIsAConflict) {
  ExpectReport(Run(Everything() + UserLine(kOther, "eustace")), 7, 0, 0);
  const latchkey_code conflict = LATCHKEY_CONFLICT;
  ExpectRefused(KeyLine{.user = kOther}, conflict, "another owner");
  ExpectRefused(KeyLine{.digest = std::string(64, 'a')}, conflict, "another digest");
  ExpectRefused(KeyLine{.creation = "1769070819"}, conflict, "another creation");
  ExpectRefused(KeyLine{.expiration = "1895000001"}, conflict, "another expiration");
  ExpectRefused(GrantLine(kProject, "viewer"), conflict, "another role");
  ExpectRefused(UserLine(kOther, "muriel-bagge"), conflict, "a slug that is taken");
  ExpectRefused(UserLine("01897bd9-8a82-707f-9c0c-332f8b123fdf", "eustace"), conflict, "slug");
  ExpectRefused(ProjectLine(kProject, "another-slug"), conflict, "another slug");
  EXPECT_EQ("allowed", store_.Verify(kSecret));
  store_.Check();
}

// One secret can have one record. The second is refused, and should either be revoked, so is the
// one that is kept: somebody revoked that secret.
TEST_F(ImportTest, SameDigestUnderAnotherUuid) {
  ExpectReport(Run(UserLine() + std::string(KeyLine())), 2, 0, 0);
  ExpectRefused(KeyLine{.uuid = kKey2}, LATCHKEY_CONFLICT, "the same digest");
  EXPECT_EQ("allowed", store_.Verify(kSecret));
  const Import import = Run(KeyLine{.uuid = kKey2, .revoked = "1770000000"});
  ExpectReport(import, 0, 0, 1);
  EXPECT_EQ("revoked", store_.Verify(kSecret));
  EXPECT_NE(0, Get(kKey).revoked_s);
  auto none = Sized<latchkey_credential>();
  const latchkey_uuid second = latchkey_test::ParseUuid(kKey2);
  EXPECT_CODE(LATCHKEY_NOT_FOUND, latchkey_credential_get(store_, &second, &none));
  store_.Check();
}

TEST_F(ImportTest, SameDigestWhenTheFirstIsRevoked) {
  ExpectReport(Run(UserLine() + std::string(KeyLine{.revoked = "1770000000"})), 2, 0, 0);
  const Import import = Run(KeyLine{.uuid = kKey2});
  ExpectReport(import, 0, 0, 1);
  EXPECT_EQ("revoked", store_.Verify(kSecret));
  store_.Check();
}

TEST_F(ImportTest, SameDigestInOneFile) {
  const Import import = Run(UserLine() + std::string(KeyLine()) +
                            std::string(KeyLine{.uuid = kKey2, .revoked = "1770000000"}));
  ExpectReport(import, 2, 0, 1);
  EXPECT_EQ("revoked", store_.Verify(kSecret));
  store_.Check();
}

TEST_F(ImportTest, DeletedOwnersKeepTheirGrantsAndCredentials) {
  const std::string text = UserLine() + ProjectLine(kGone, "gone", "1780000000") +
                           GrantLine(kGone) + ProjectKeyLine(kGone, '"' + std::string(kUser) + '"');
  ExpectReport(Run(text), 4, 0, 0);
  EXPECT_EQ("deleted", store_.Verify(kProjectSecret));
  EXPECT_EQ(1780000000, store_.GetOwner(LATCHKEY_OWNER_PROJECT, kGone).deleted_s);
  EXPECT_EQ(0u, store_.Stats().projects);
  ExpectReport(Run(text), 0, 4, 0);
  store_.Check();
  store_.Reopen();
  EXPECT_EQ("deleted", store_.Verify(kProjectSecret));
}

TEST_F(ImportTest, ExpiredOnesAreTaken) {
  ExpectReport(Run(UserLine() + std::string(KeyLine{.expiration = "1795000000"})), 2, 0, 0);
  EXPECT_EQ("expired", store_.Verify(kSecret));
}

TEST_F(ImportTest, IdentifiedByDigest) {
  ExpectReport(Run(Everything()), 6, 0, 0);
  uint8_t digest[32];
  for (size_t i = 0; i < sizeof digest; ++i) {
    digest[i] =
        static_cast<uint8_t>(std::stoul(std::string(kDigest).substr(2 * i, 2), nullptr, 16));
  }
  auto out = Sized<latchkey_credential>();
  ASSERT_CODE(LATCHKEY_OK, latchkey_identify_sha256(store_, digest, &out));
  EXPECT_EQ(kKey, latchkey_test::Text(out.uuid));
  digest[31] ^= 1;
  EXPECT_CODE(LATCHKEY_NOT_FOUND, latchkey_identify_sha256(store_, digest, &out));
}

// A few bytes at a time, so that every line is cut somewhere.
TEST_F(ImportTest, LinesMayComeInPieces) {
  struct Reader {
    std::string text = Everything();
    size_t place = 0;
    static size_t Read(void* context, char* buffer, size_t capacity) {
      auto* self = static_cast<Reader*>(context);
      const size_t size = self->text.copy(buffer, std::min<size_t>(capacity, 7), self->place);
      self->place += size;
      return size;
    }
  } reader;
  auto options = Sized<latchkey_import_options>();
  options.read = Reader::Read;
  options.context = &reader;
  auto report = Sized<latchkey_import_report>();
  ASSERT_CODE(LATCHKEY_OK, latchkey_import(store_, &options, &report));
  EXPECT_EQ(6u, report.lines);
  EXPECT_EQ(6u, report.imported);
  EXPECT_EQ("allowed", store_.Verify(kSecret));
}

TEST_F(ImportTest, ProgressMayStopIt) {
  struct Host {
    bool is_told = false;
    int lines = 0;
    // Goes on until progress is asked for, about once a second; ends by itself long after that.
    static size_t Read(void* context, char* buffer, size_t capacity) {
      auto* self = static_cast<Host*>(context);
      if (self->is_told || ++self->lines > 3000) return 0;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      return UserLine().copy(buffer, capacity);
    }
    static int Progress(void* context, uint64_t, uint64_t) {
      static_cast<Host*>(context)->is_told = true;
      return 1;
    }
  } host;
  auto options = Sized<latchkey_import_options>();
  options.read = Host::Read;
  options.progress = Host::Progress;
  options.context = &host;
  auto report = Sized<latchkey_import_report>();
  EXPECT_CODE(LATCHKEY_BUSY, latchkey_import(store_, &options, &report));
  // What was done stands.
  EXPECT_EQ(1u, report.imported);
  EXPECT_EQ(1u, store_.Stats().users);
  store_.Check();
}

}  // namespace
