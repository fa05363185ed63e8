// What callers get wrong, and what attackers send: each a code of its own and a sentence, and never
// a change to the store.
#include <algorithm>
#include <limits>

#include "support/fixture.h"

using latchkey_test::CodeName;
using latchkey_test::Issued;
using latchkey_test::kNowS;
using latchkey_test::Sized;
using latchkey_test::TestStore;

namespace {

class BadInput : public testing::Test {
 protected:
  void SetUp() override {
    user_ = store_.CreateUser("Muriel Bagge", "muriel.bagge@nowhere.com");
    project_ = store_.CreateProject("The Computer");
    key_ = store_.CreateKey(user_, LATCHKEY_KIND_USER_KEY, "laptop");
    events_ = store_.Stats().event_number;
  }

  // After a refusal: it says why, and nothing has happened.
  void ExpectRefused(latchkey_code expected, latchkey_code actual, const std::string& what) {
    const std::string text = latchkey_error_text();
    EXPECT_EQ(CodeName(expected), CodeName(actual)) << what << ": " << text;
    EXPECT_FALSE(text.empty()) << what;
    EXPECT_EQ(events_, store_.Stats().event_number) << what;
  }
  void ExpectInvalid(latchkey_code actual, const std::string& what) {
    ExpectRefused(LATCHKEY_INVALID_ARGUMENT, actual, what);
  }
  void ExpectFine(latchkey_code actual, const std::string& what) {
    EXPECT_EQ("OK", CodeName(actual)) << what << ": " << latchkey_error_text();
    events_ = store_.Stats().event_number;
  }

  latchkey_code Create(const latchkey_credential_create_options& options) {
    char secret[LATCHKEY_NEW_SECRET_BYTES_MAX];
    std::memset(secret, 'x', sizeof secret);
    const latchkey_code code =
        latchkey_credential_create(store_, &options, secret, sizeof secret, nullptr, nullptr);
    if (code != LATCHKEY_OK) {
      EXPECT_EQ(std::string(sizeof secret, '\0'), std::string(secret, sizeof secret));
    }
    return code;
  }
  latchkey_code CreateNamed(std::string_view name) {
    return Create(TestStore::KeyOptions(user_, LATCHKEY_KIND_USER_KEY, name));
  }
  latchkey_code CreateOwner(std::string_view name, std::string_view slug, std::string_view email) {
    auto options = Sized<latchkey_owner_create_options>();
    options.sort = LATCHKEY_OWNER_USER;
    options.name = name.data();
    options.name_size = name.size();
    options.slug = slug.data();
    options.slug_size = slug.size();
    options.email = email.data();
    options.email_size = email.size();
    return latchkey_owner_create(store_, &options, nullptr);
  }
  latchkey_code SetSlug(std::string_view slug) {
    auto options = Sized<latchkey_owner_update_options>();
    options.uuid = user_;
    options.set = LATCHKEY_OWNER_SET_SLUG;
    options.slug = slug.data();
    options.slug_size = slug.size();
    return latchkey_owner_update(store_, &options, nullptr);
  }

  TestStore store_;
  latchkey_uuid user_{};
  latchkey_uuid project_{};
  Issued key_;
  uint64_t events_ = 0;
};

std::string Repeat(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

struct NameCase {
  const char* what;
  std::string name;
};

std::vector<NameCase> BadNames() {
  return {
      {"empty", std::string("", 0)},
      {"65 characters", std::string(65, 'a')},
      {"65 characters of four bytes", Repeat("\xF0\x9F\x94\x91", 65)},
      {"a million bytes", std::string(1000000, 'a')},
      {"leading blank", " a"},
      {"trailing blank", "a "},
      {"leading U+00A0",
       "\xC2\xA0"
       "a"},
      {"trailing U+2003", "a\xE2\x80\x83"},
      {"trailing U+3000", "a\xE3\x80\x80"},
      {"leading line feed", "\na"},
      {"only white space", " \t "},
      {"a byte of no character", "a\xFF"},
      {"a continuation alone", "\x80"},
      {"cut in a character", "a\xE2\x82"},
      {"overlong", "\xC0\xAF"},
      {"overlong NUL", "\xC0\x80"},
      {"a surrogate", "\xED\xA0\x80"},
      {"beyond U+10FFFF", "\xF4\x90\x80\x80"},
  };
}

TEST_F(BadInput, Names) {
  for (const auto& [what, name] : BadNames()) {
    ExpectInvalid(CreateNamed(name), what);
    ExpectInvalid(
        latchkey_credential_rename(store_, &key_.uuid, name.data(), name.size(), nullptr, nullptr),
        what);
    ExpectInvalid(CreateOwner(name, {}, {}), what);
  }
}

TEST_F(BadInput, NamesAtTheLimitAreFine) {
  const std::string names[] = {
      std::string(64, 'a'),
      Repeat("\xF0\x9F\x94\x91", 64),
      std::string("a\0b", 3),
      std::string("\0", 1),
      "a\nb",
      "\xE2\x80\x8B",
      "\xEF\xBB\xBF"
      "byte order mark",
      "<script>'; DROP TABLE--",
  };
  for (const std::string& name : names) {
    ExpectFine(CreateNamed(name), name);
    ExpectFine(CreateOwner(name, {}, {}), name);
  }
}

TEST_F(BadInput, Slugs) {
  for (const std::string slug :
       {"Muriel", "a--b", "-a", "a-", "a b", "a_b", "\xC3\xA9",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    ExpectInvalid(CreateOwner("A name", slug, {}), slug);
    ExpectInvalid(SetSlug(slug), slug);
  }
  ExpectInvalid(SetSlug(std::string_view("", 0)), "empty");
  ExpectInvalid(SetSlug(std::string_view("a\0b", 3)), "with a NUL");
  ExpectRefused(LATCHKEY_CONFLICT, CreateOwner("A name", "muriel-bagge", {}), "taken");
  ExpectFine(SetSlug(std::string(64, 'a')), "64 characters");
}

TEST_F(BadInput, Emails) {
  for (const std::string email : {"a", "a@", "@b", "a@b@c", "a b@c", "a@b\xFF", "a\n@b"}) {
    ExpectInvalid(CreateOwner("A name", {}, email), email);
  }
  ExpectInvalid(CreateOwner("A name", {}, std::string(253, 'a') + "@b"), "255 bytes");
  ExpectRefused(LATCHKEY_CONFLICT, CreateOwner("A name", {}, "MURIEL.bagge@nowhere.com"), "taken");
  ExpectFine(CreateOwner("A name", {}, std::string(252, 'a') + "@b"), "254 bytes");
  auto options = Sized<latchkey_owner_create_options>();
  options.sort = LATCHKEY_OWNER_PROJECT;
  options.name = "A project";
  options.name_size = 9;
  options.email = "a@b.c";
  options.email_size = 5;
  ExpectInvalid(latchkey_owner_create(store_, &options, nullptr), "a project's e-mail");
}

TEST_F(BadInput, CreateOptions) {
  const auto good = TestStore::KeyOptions(user_, LATCHKEY_KIND_USER_KEY, "name");
  for (const int64_t ttl_s :
       {int64_t{0}, int64_t{-1}, int64_t{1} << 32, std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min()}) {
    auto options = good;
    options.has_ttl = 1;
    options.ttl_s = ttl_s;
    ExpectInvalid(Create(options), "ttl " + std::to_string(ttl_s));
  }
  for (const int64_t ttl_s : {int64_t{1}, int64_t{LATCHKEY_TTL_MAX_S}}) {
    auto options = good;
    options.has_ttl = 1;
    options.ttl_s = ttl_s;
    ExpectFine(Create(options), "ttl " + std::to_string(ttl_s));
  }
  auto options = good;
  options.not_before_s = -1;
  ExpectInvalid(Create(options), "not before 1970");
  options = good;
  const std::string metadata(LATCHKEY_METADATA_BYTES_MAX + 1, 'm');
  options.metadata = metadata.data();
  options.metadata_size = metadata.size();
  ExpectInvalid(Create(options), "metadata of 4097 bytes");
  options.metadata_size = LATCHKEY_METADATA_BYTES_MAX;
  ExpectFine(Create(options), "metadata of 4096 bytes");
  options = good;
  options.owner = {};
  EXPECT_NE(LATCHKEY_OK, Create(options));
  options.owner.bytes[0] = 7;
  ExpectRefused(LATCHKEY_NOT_FOUND, Create(options), "no such owner");
  options = good;
  options.kind = LATCHKEY_KIND_USER_TOKEN;
  ExpectRefused(LATCHKEY_UNSUPPORTED, Create(options), "a legacy token");
  options.kind = LATCHKEY_KIND_PROJECT_KEY;
  ExpectRefused(LATCHKEY_UNSUPPORTED, Create(options), "a project key for a user");
  options.kind = LATCHKEY_KIND_HOST_MIN;
  ExpectRefused(LATCHKEY_UNSUPPORTED, Create(options), "a kind that is not registered");
  options = good;
  options.uuid = key_.uuid;
  ExpectRefused(LATCHKEY_CONFLICT, Create(options), "a UUID that is taken");
  char small[LATCHKEY_NEW_SECRET_BYTES_MAX - 1];
  ExpectInvalid(latchkey_credential_create(store_, &good, small, sizeof small, nullptr, nullptr),
                "no room for the secret");
}

TEST_F(BadInput, Kinds) {
  auto good = Sized<latchkey_kind>();
  good.kind = LATCHKEY_KIND_HOST_MIN;
  good.owner_sort = LATCHKEY_OWNER_PROJECT;
  std::strcpy(good.name, "deploy-key");
  std::strcpy(good.prefix, "acme_");
  const auto refuse = [&](auto change, latchkey_code expected, const char* what) {
    latchkey_kind kind = good;
    change(kind);
    ExpectRefused(expected, latchkey_kind_register(store_, &kind), what);
  };
  const latchkey_code invalid = LATCHKEY_INVALID_ARGUMENT;
  refuse([](auto& k) { k.kind = 255; }, invalid, "number 255");
  refuse([](auto& k) { k.kind = 512; }, invalid, "number 512");
  refuse([](auto& k) { k.format = LATCHKEY_FORMAT_JWT; }, invalid, "JWT");
  refuse([](auto& k) { k.format = 99; }, invalid, "no such format");
  refuse([](auto& k) { k.owner_sort = 3; }, invalid, "no such owner");
  refuse([](auto& k) { k.owner_sort = 0; }, invalid, "no owner");
  refuse([](auto& k) { k.reserved = 1; }, invalid, "reserved");
  refuse([](auto& k) { std::strcpy(k.name, "Deploy Key"); }, invalid, "name");
  refuse([](auto& k) { k.name[0] = '\0'; }, invalid, "no name");
  refuse([](auto& k) { std::memset(k.name, 'a', sizeof k.name); }, invalid, "name without end");
  refuse([](auto& k) { std::strcpy(k.prefix, "acme"); }, invalid, "prefix without _");
  refuse([](auto& k) { std::strcpy(k.prefix, "_"); }, invalid, "prefix of _");
  refuse([](auto& k) { std::strcpy(k.prefix, "Acme_"); }, invalid, "prefix with a capital");
  refuse([](auto& k) { std::strcpy(k.prefix, "1acme_"); }, invalid, "prefix with a digit first");
  refuse([](auto& k) { std::memset(k.prefix, 'a', sizeof k.prefix); }, invalid, "endless prefix");
  refuse([](auto& k) { std::strcpy(k.prefix, "bencher_run_"); }, LATCHKEY_CONFLICT, "taken");
  refuse([](auto& k) { std::strcpy(k.prefix, "bencher_"); }, LATCHKEY_CONFLICT, "begins another");
  refuse([](auto& k) { std::strcpy(k.prefix, "bencher_user_x_"); }, LATCHKEY_CONFLICT,
         "begins with another");
  ExpectFine(latchkey_kind_register(store_, &good), "a good kind");
  ExpectFine(latchkey_kind_register(store_, &good), "again");
  refuse([](auto& k) { k.kind = 257; }, LATCHKEY_CONFLICT, "name and prefix are taken");
  refuse([](auto& k) { std::strcpy(k.prefix, "other_"); }, LATCHKEY_CONFLICT, "number is taken");
}

// Whatever is presented is judged, never refused as a call.
TEST_F(BadInput, Secrets) {
  const std::string good = key_.secret;
  const std::string jwt =
      "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJhcGlfa2V5IiwiZXhwIjoxODkwMDAwMDAwfQ."
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const size_t dot = jwt.find('.');
  const std::string body = jwt.substr(dot);
  std::string other = good;
  other.back() = other.back() == 'a' ? 'b' : 'a';
  std::string foreign_prefix = good;
  foreign_prefix.replace(0, 13, "Bencher_user_");
  const std::pair<const char*, std::pair<std::string, std::string>> cases[] = {
      {"empty", {"", "malformed"}},
      {"one short", {good.substr(0, good.size() - 1), "malformed"}},
      {"one long", {good + "a", "malformed"}},
      {"one over", {other, "unknown"}},
      {"NUL behind", {good + std::string(1, '\0'), "malformed"}},
      {"NUL within", {good.substr(0, 20) + std::string(1, '\0') + good.substr(21), "malformed"}},
      {"blank behind", {good + " ", "malformed"}},
      {"line feed behind", {good + "\n", "malformed"}},
      {"capital prefix", {foreign_prefix, "malformed"}},
      {"prefix alone", {"bencher_user_", "malformed"}},
      {"not of 62", {good.substr(0, 42) + "-", "malformed"}},
      {"8192 bytes", {std::string(8192, 'a'), "malformed"}},
      {"8193 bytes", {std::string(8193, 'a'), "malformed"}},
      {"10 MB", {std::string(10 << 20, 'a'), "malformed"}},
      {"10 MB behind a key", {good + std::string(10 << 20, 'a'), "malformed"}},
      {"every byte", {"\x01\x7F\x80\xFE\xFF", "malformed"}},
      {"JWT unknown", {jwt, "unknown"}},
      {"JWT alg none", {"eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0" + body, "malformed"}},
      {"JWT alg HS512", {"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9" + body, "malformed"}},
      {"JWT with padding", {jwt + "=", "malformed"}},
      {"JWT with spare bits", {jwt.substr(0, jwt.size() - 1) + "B", "malformed"}},
      {"JWT without signature", {jwt.substr(0, jwt.rfind('.') + 1), "malformed"}},
      {"JWT of two parts", {jwt.substr(0, jwt.rfind('.')), "malformed"}},
      {"JWT of four parts", {jwt + ".AAAA", "malformed"}},
      {"JWT of +", {jwt.substr(0, jwt.size() - 2) + "+A", "malformed"}},
      {"JWT of 1 MB", {jwt.substr(0, dot + 1) + std::string(1 << 20, 'A') + ".AAAA", "malformed"}},
      {"dots", {"..", "malformed"}},
  };
  for (const auto& [what, secret_and_reason] : cases) {
    const auto& [secret, reason] = secret_and_reason;
    EXPECT_EQ(reason, store_.Verify(secret)) << what;
    EXPECT_STRNE("", latchkey_error_text()) << what;
  }
  EXPECT_EQ("allowed", store_.Verify(good));
  EXPECT_EQ(events_, store_.Stats().event_number);
}

TEST_F(BadInput, Sessions) {
  const auto issue = [](size_t subject_size, int64_t now_s, int64_t ttl_s, size_t secret_size,
                        size_t issuer_size, size_t capacity) {
    const std::string bytes(8192, 'x');
    const std::string email = "a@" + bytes;
    auto options = Sized<latchkey_session_options>();
    options.subject = email.data();
    options.subject_size = subject_size;
    options.now_s = now_s;
    options.ttl_s = ttl_s;
    auto key = Sized<latchkey_jwt_key>();
    key.secret = bytes.data();
    key.secret_size = secret_size;
    key.issuer = bytes.data();
    key.issuer_size = issuer_size;
    std::string jwt(LATCHKEY_JWT_BYTES_MAX, '\0');
    return latchkey_session_issue(&options, &key, jwt.data(), capacity, nullptr, nullptr);
  };
  const size_t room = LATCHKEY_JWT_BYTES_MAX;
  ExpectFine(issue(254, kNowS, LATCHKEY_SESSION_TTL_MAX_S, 4096, 256, room), "the largest");
  ExpectFine(issue(3, kNowS, 1, 1, 1, room), "the smallest");
  ExpectInvalid(issue(0, kNowS, 60, 1, 1, room), "no subject");
  ExpectInvalid(issue(2, kNowS, 60, 1, 1, room), "neither an e-mail address nor a UUID");
  ExpectInvalid(issue(255, kNowS, 60, 1, 1, room), "an e-mail address of 255 bytes");
  ExpectInvalid(issue(3, kNowS, 0, 1, 1, room), "ttl 0");
  ExpectInvalid(issue(3, kNowS, -1, 1, 1, room), "ttl -1");
  ExpectInvalid(issue(3, kNowS, LATCHKEY_SESSION_TTL_MAX_S + 1, 1, 1, room), "ttl of 31 days");
  ExpectInvalid(issue(3, -1, 60, 1, 1, room), "before 1970");
  ExpectInvalid(issue(3, std::numeric_limits<int64_t>::max(), 60, 1, 1, room), "the end of time");
  ExpectInvalid(issue(3, kNowS, 60, 0, 1, room), "no secret");
  ExpectInvalid(issue(3, kNowS, 60, 4097, 1, room), "secret of 4097 bytes");
  ExpectInvalid(issue(3, kNowS, 60, 1, 0, room), "no issuer");
  ExpectInvalid(issue(3, kNowS, 60, 1, 257, room), "issuer of 257 bytes");
  ExpectInvalid(issue(3, kNowS, 60, 1, 1, 10), "no room");
}

TEST_F(BadInput, Pages) {
  auto options = Sized<latchkey_list_options>();
  options.owner = user_;
  options.kind = LATCHKEY_KIND_USER_KEY;
  options.page_size = 8;
  std::vector<latchkey_credential> rows(8, Sized<latchkey_credential>());
  size_t count = 99;
  uint64_t total = 99;
  const auto list = [&] {
    return latchkey_credential_list(store_, &options, rows.data(), rows.size(), &count, &total);
  };
  options.page = 4294967295;
  ExpectFine(list(), "the last page there is");
  EXPECT_EQ(0u, count);
  EXPECT_EQ(1u, total);
  options.page = 0;
  ExpectFine(list(), "page 0");
  EXPECT_EQ(1u, count);
  options.page_size = 0;
  ExpectFine(list(), "page size 0");
  EXPECT_EQ(0u, count);
  EXPECT_EQ(1u, total);
  options.page_size = 4294967295;
  ExpectFine(list(), "a page larger than the array");
  EXPECT_EQ(1u, count);
  store_.CreateKey(user_, LATCHKEY_KIND_USER_KEY, "second");
  rows.resize(1);
  ExpectFine(list(), "more rows than the array holds");
  EXPECT_EQ(1u, count);
  EXPECT_EQ(2u, total);
  rows.resize(8, Sized<latchkey_credential>());
  options.page_size = 8;
  options.owner.bytes[3] ^= 1;
  ExpectRefused(LATCHKEY_NOT_FOUND, list(), "no such owner");
  options.owner = user_;
  options.reserved = 1;
  ExpectInvalid(list(), "reserved");
  options.reserved = 0;
  options.revoked = 2;
  ExpectInvalid(list(), "revoked 2");
  options.revoked = 0;
  options.kind = 0;
  EXPECT_NE(LATCHKEY_OK, list());
  options.kind = LATCHKEY_KIND_USER_KEY;
  const std::string search(LATCHKEY_SEARCH_BYTES_MAX + 1, 'a');
  options.search = search.data();
  options.search_size = search.size();
  ExpectInvalid(list(), "search of 1025 bytes");
  options.search_size = LATCHKEY_SEARCH_BYTES_MAX;
  ExpectFine(list(), "search of 1024 bytes");
  EXPECT_EQ(0u, total);
}

TEST_F(BadInput, Uuids) {
  const std::string good = "01890a5d-ac96-774b-bcce-b302099a8057";
  latchkey_uuid expected{};
  ExpectFine(latchkey_uuid_parse(good.data(), good.size(), &expected), good);
  EXPECT_EQ(good, latchkey_test::Text(expected));
  for (const std::string text :
       {"01890A5D-AC96-774B-BCCE-B302099A8057", "01890a5dac96774bbcceb302099a8057",
        "{01890a5d-ac96-774b-bcce-b302099a8057}", "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057",
        "URN:UUID:01890a5d-AC96-774b-bcce-b302099a8057"}) {
    latchkey_uuid uuid{};
    ExpectFine(latchkey_uuid_parse(text.data(), text.size(), &uuid), text);
    EXPECT_TRUE(latchkey_test::Same(expected, uuid)) << text;
  }
  for (const std::string& text :
       {std::string(), good.substr(1), good + "0", " " + good, good + " ", "{" + good, good + "}",
        "(" + good + ")", good.substr(0, 35) + "g", good.substr(0, 35) + std::string(1, '\0'),
        std::string("0189-0a5dac96-774b-bcce-b302099a8057"), std::string("urn:uuid:"),
        std::string("01890a5d_ac96_774b_bcce_b302099a8057"), std::string(1 << 20, '0')}) {
    latchkey_uuid uuid{};
    ExpectInvalid(latchkey_uuid_parse(text.data(), text.size(), &uuid), text.substr(0, 64));
  }
}

TEST_F(BadInput, Lookups) {
  auto owner = Sized<latchkey_owner>();
  auto credential = Sized<latchkey_credential>();
  const auto get = [&](uint32_t sort, std::string_view id) {
    return latchkey_owner_get(store_, sort, id.data(), id.size(), &owner);
  };
  ExpectRefused(LATCHKEY_NOT_FOUND, get(LATCHKEY_OWNER_USER, "nobody"), "no such slug");
  ExpectRefused(LATCHKEY_NOT_FOUND, get(LATCHKEY_OWNER_USER, "nobody@nowhere.com"),
                "no such e-mail");
  ExpectRefused(LATCHKEY_NOT_FOUND, get(LATCHKEY_OWNER_PROJECT, "muriel-bagge"), "another sort");
  ExpectRefused(LATCHKEY_NOT_FOUND, get(LATCHKEY_OWNER_PROJECT, latchkey_test::Text(user_)),
                "UUID of another sort");
  ExpectInvalid(get(LATCHKEY_OWNER_USER, "No Such Thing"), "neither UUID nor slug nor e-mail");
  ExpectInvalid(get(3, "muriel-bagge"), "no such sort");
  const auto find = [&](const latchkey_uuid& of, uint32_t kind, std::string_view id) {
    return latchkey_credential_find(store_, &of, kind, id.data(), id.size(), &credential);
  };
  ExpectFine(find(user_, LATCHKEY_KIND_USER_KEY, "laptop"), "laptop");
  ExpectRefused(LATCHKEY_NOT_FOUND, find(project_, LATCHKEY_KIND_PROJECT_KEY, "laptop"), "slug");
  ExpectRefused(LATCHKEY_NOT_FOUND,
                find(project_, LATCHKEY_KIND_PROJECT_KEY, latchkey_test::Text(key_.uuid)),
                "of another owner");
  const latchkey_uuid none{};
  ExpectRefused(LATCHKEY_NOT_FOUND, latchkey_credential_get(store_, &none, &credential), "nil");
  ExpectRefused(LATCHKEY_NOT_FOUND,
                latchkey_credential_revoke(store_, &user_, nullptr, nullptr, 0, nullptr),
                "an owner's UUID");
}

TEST_F(BadInput, Changes) {
  auto update = Sized<latchkey_owner_update_options>();
  update.uuid = user_;
  ExpectInvalid(latchkey_owner_update(store_, &update, nullptr), "nothing to set");
  update.set = 64;
  ExpectInvalid(latchkey_owner_update(store_, &update, nullptr), "an unknown bit");
  update.set = LATCHKEY_OWNER_SET_LOCKED;
  update.locked = 2;
  ExpectInvalid(latchkey_owner_update(store_, &update, nullptr), "locked 2");
  update.set = LATCHKEY_OWNER_SET_VISIBILITY;
  ExpectInvalid(latchkey_owner_update(store_, &update, nullptr), "a user's visibility");
  update.uuid = project_;
  update.visibility = 2;
  ExpectInvalid(latchkey_owner_update(store_, &update, nullptr), "visibility 2");
  update.set = LATCHKEY_OWNER_SET_LOCKED;
  update.locked = 1;
  ExpectInvalid(latchkey_owner_update(store_, &update, nullptr), "a locked project");
  for (const uint32_t role : {LATCHKEY_ROLE_NONE, LATCHKEY_ROLE_MAINTAINER + 1}) {
    ExpectInvalid(latchkey_grant_set(store_, &project_, &user_, role, nullptr), "role");
  }
  ExpectRefused(LATCHKEY_NOT_FOUND,
                latchkey_grant_set(store_, &user_, &project_, LATCHKEY_ROLE_VIEWER, nullptr),
                "the wrong way round");
  const std::string reason(LATCHKEY_REASON_BYTES_MAX + 1, 'r');
  const auto revoke = [&](std::string_view why) {
    return latchkey_credential_revoke(store_, &key_.uuid, nullptr, why.data(), why.size(), nullptr);
  };
  ExpectInvalid(revoke(reason), "reason of 257 bytes");
  ExpectInvalid(revoke("\xFF"), "reason that is not UTF-8");
  EXPECT_EQ("allowed", store_.Verify(key_.secret));
  auto sweep = Sized<latchkey_sweep_options>();
  const auto sweep_refused = [&](const char* what) {
    uint64_t covered = 0;
    ExpectInvalid(latchkey_revoke_all(store_, &sweep, &covered), what);
  };
  sweep_refused("nothing narrows it");
  sweep.everything = 1;
  sweep.owner = user_;
  sweep_refused("everything, and an owner");
  sweep.everything = 2;
  sweep.owner = {};
  sweep_refused("everything 2");
  sweep.everything = 0;
  sweep.issued_before_s = -1;
  sweep_refused("before 1970");
  sweep = Sized<latchkey_sweep_options>();
  sweep.owner.bytes[5] = 9;
  ExpectRefused(LATCHKEY_NOT_FOUND, latchkey_revoke_all(store_, &sweep, nullptr), "no such owner");
  ExpectFine(revoke(reason.substr(1)), "reason of 256 bytes");
}

TEST_F(BadInput, Batches) {
  const std::vector<latchkey_bytes> secrets(LATCHKEY_VERIFY_BATCH_MAX + 1, {"x", 1});
  std::vector<latchkey_code> codes(secrets.size(), LATCHKEY_OK);
  ExpectInvalid(
      latchkey_verify_batch(store_, secrets.data(), secrets.size(), nullptr, codes.data(), nullptr),
      "65537 secrets");
  ExpectFine(latchkey_verify_batch(store_, secrets.data(), secrets.size() - 1, nullptr,
                                   codes.data(), nullptr),
             "65536 secrets");
  EXPECT_EQ(static_cast<std::ptrdiff_t>(LATCHKEY_VERIFY_BATCH_MAX),
            std::count(codes.begin(), codes.end() - 1, LATCHKEY_DENIED));
}

}  // namespace
