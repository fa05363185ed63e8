#include "crypto/jwt.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include <string>
#include <vector>

#include "base/limits.h"
#include "unit/crypto/support.h"

namespace latchkey {
namespace {

using test::Octets;

constexpr ByteView kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr ByteView kHeaderJson = R"({"typ":"JWT","alg":"HS256"})";

// The default secret that the reference system publishes, and a token of it. Confirmed by Python:
//   base64.urlsafe_b64encode(hmac.new(SECRET, HEADER_DOT_PAYLOAD, 'sha256').digest())
const std::vector<uint8_t> kSecret = Octets("DO_NOT_USE_THIS_IN_PRODUCTION");
constexpr ByteView kToken =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
    "eyJhdWQiOiJhcGlfa2V5IiwiZXhwIjo1OTk3MzYyOTgwLCJpYXQiOjE3MDIzOTU2ODUsImlzcyI6Imh0dHA6Ly9sb2NhbG"
    "hvc3Q6MzAwMC8iLCJzdWIiOiJ1c2VyLjExQG5vd2hlcmUuY29tIiwib3JnIjpudWxsLCJzdGF0ZSI6bnVsbCwib2NpIjpu"
    "dWxsfQ."
    "op6SkA55MZccF3CBk6IoUZazDFZ-YfLo4ZjIWUHMujs";
constexpr ByteView kTokenClaims =
    R"({"aud":"api_key","exp":5997362980,"iat":1702395685,"iss":"http://localhost:3000/",)"
    R"("sub":"user.11@nowhere.com","org":null,"state":null,"oci":null})";

std::string Base64Url(ByteView bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string out(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const uint8_t*>(bytes.data()),
                    bytes.size(), kVariant);
  out.pop_back();  // its terminator
  return out;
}

// Another implementation of HMAC than the one under test.
std::string SignedText(const std::string& text, const std::vector<uint8_t>& secret = kSecret) {
  unsigned char mac[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return text + "." + Base64Url({reinterpret_cast<const char*>(mac), sizeof mac});
}

std::string Signed(ByteView header_json, ByteView payload) {
  return SignedText(Base64Url(header_json) + "." + Base64Url(payload));
}

std::string WithClaims(ByteView payload) { return Signed(kHeaderJson, payload); }

std::string SignedByUs(const JwtClaims& claims, const std::vector<uint8_t>& secret = kSecret) {
  JwtBuffer jwt;
  const Status status = SignJwt(claims, secret, &jwt);
  EXPECT_TRUE(status.ok()) << status.why();
  return std::string(jwt.Expose());
}

TEST(Jwt, PublishedTokenIsWellFormedValidAndRead) {
  ASSERT_TRUE(IsWellFormedJwt(kToken));
  EXPECT_TRUE(HasValidSignature(kToken, kSecret));
  const Result<JwtClaims> claims = ReadClaims(kToken);
  ASSERT_TRUE(claims.ok()) << claims.status().why();
  EXPECT_EQ(claims->audience, "api_key");
  EXPECT_EQ(claims->issuer, "http://localhost:3000/");
  EXPECT_EQ(claims->subject, "user.11@nowhere.com");
  EXPECT_EQ(claims->issued_s, 1702395685);
  EXPECT_EQ(claims->expires_s, 5997362980);
  const Result<Bytes> json = ClaimsJson(kToken);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(*json, kTokenClaims);
}

// The signature's last character has two bits to spare: three more spellings of the same bytes.
TEST(Jwt, OfItsLastCharacterOnlyTheOriginalIsTaken) {
  int well_formed = 0;
  for (char last : kCharacters) {
    std::string changed(kToken);
    changed.back() = last;
    const size_t value = kCharacters.find(last);
    const bool canonical = value % 4 == 0;
    EXPECT_EQ(IsWellFormedJwt(changed), canonical) << last;
    EXPECT_EQ(HasValidSignature(changed, kSecret), last == kToken.back()) << last;
    well_formed += IsWellFormedJwt(changed);
  }
  EXPECT_EQ(well_formed, 16);
}

TEST(Jwt, PayloadHasOneSpellingToo) {
  for (const char* payload : {R"({"a":1})", R"({"a":12})", R"({"a":123})"}) {
    std::string text = Base64Url(kHeaderJson) + "." + Base64Url(payload);
    const char original = text.back();
    for (char last : kCharacters) {
      text.back() = last;
      const size_t spare = text.size() - Base64Url(kHeaderJson).size() - 1;
      const size_t spare_values = spare % 4 == 2 ? 16 : spare % 4 == 3 ? 4 : 1;
      const bool canonical = kCharacters.find(last) % spare_values == 0;
      ASSERT_EQ(IsWellFormedJwt(SignedText(text)), canonical) << payload << last;
      ASSERT_EQ(HasValidSignature(SignedText(text), kSecret), canonical);
    }
    text.back() = original;
    ASSERT_TRUE(HasValidSignature(SignedText(text), kSecret));
  }
}

TEST(Jwt, EveryOtherByteAtEveryPlaceIsRefused) {
  const std::string good = WithClaims(R"({"aud":"client"})");
  ASSERT_TRUE(HasValidSignature(good, kSecret));
  for (size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = good;
      changed[at] = static_cast<char>(byte);
      if (changed == good) continue;
      ASSERT_FALSE(HasValidSignature(changed, kSecret)) << at << " " << byte;
      if (changed[at] != '.' && kCharacters.find(changed[at]) == ByteView::npos) {
        ASSERT_FALSE(IsWellFormedJwt(changed)) << at << " " << byte;
      }
    }
  }
}

TEST(Jwt, HeaderIsOneOfTwoTexts) {
  const ByteView payload = R"({"aud":"client"})";
  for (const char* header : {R"({"typ":"JWT","alg":"HS256"})", R"({"alg":"HS256","typ":"JWT"})"}) {
    EXPECT_TRUE(IsWellFormedJwt(Signed(header, payload))) << header;
    EXPECT_TRUE(HasValidSignature(Signed(header, payload), kSecret)) << header;
  }
  for (const char* header :
       {R"({"alg":"none","typ":"JWT"})", R"({"typ":"JWT","alg":"none"})", R"({"alg":"HS256"})",
        R"({"typ":"JWT"})", R"({"alg":"HS512","typ":"JWT"})", R"({"alg":"RS256","typ":"JWT"})",
        R"({"alg":"hs256","typ":"JWT"})", R"({"alg":"HS256","typ":"jwt"})",
        R"({"alg": "HS256", "typ": "JWT"})", R"( {"typ":"JWT","alg":"HS256"})",
        R"({"typ":"JWT","alg":"HS256"} )", R"({"typ":"JWT","alg":"HS256","kid":"1"})",
        R"({"kid":"1","typ":"JWT","alg":"HS256"})", R"({"typ":"JWT","alg":"HS256","alg":"none"})",
        "{}", "", "\n{\"typ\":\"JWT\",\"alg\":\"HS256\"}"}) {
    EXPECT_FALSE(IsWellFormedJwt(Signed(header, payload))) << header;
    EXPECT_FALSE(HasValidSignature(Signed(header, payload), kSecret)) << header;
    EXPECT_EQ(ReadClaims(Signed(header, payload)).code(), Code::kInvalidArgument) << header;
  }
}

TEST(Jwt, OtherFormsAreRefused) {
  const std::string token(kToken);
  const size_t first = token.find('.');
  const size_t second = token.rfind('.');
  const std::string header = token.substr(0, first);
  const std::string payload = token.substr(first + 1, second - first - 1);
  const std::string signature = token.substr(second + 1);
  const std::string refused[] = {
      "",
      ".",
      "..",
      "...",
      header,
      header + "." + payload,
      header + "." + payload + ".",     // no signature
      header + ".." + signature,        // no payload
      "." + payload + "." + signature,  // no header
      token + ".",
      "." + token,
      token + "." + signature,  // four parts
      token + "=",
      header + "." + payload + "=." + signature,
      header + "=." + payload + "." + signature,
      token + " ",
      " " + token,
      token + "\n",
      "Bearer " + token,
      token.substr(0, token.size() - 1),
      token + "A",
      token + "AAAA",
      header + "." + payload + "." + signature.substr(0, 40),
      token + std::string(1, '\0'),
  };
  for (const std::string& jwt : refused) {
    EXPECT_FALSE(IsWellFormedJwt(jwt)) << jwt;
    EXPECT_FALSE(HasValidSignature(jwt, kSecret)) << jwt;
    EXPECT_EQ(ClaimsJson(jwt).code(), Code::kInvalidArgument) << jwt;
  }
}

TEST(Jwt, SizeIsBounded) {
  const auto of_size = [](size_t size) {
    const size_t payload_size = size - Base64Url(kHeaderJson).size() - 2 - 43;
    return SignedText(Base64Url(kHeaderJson) + "." + std::string(payload_size, 'A'));
  };
  EXPECT_TRUE(IsWellFormedJwt(of_size(limits::kSecretBytesMax)));
  EXPECT_TRUE(HasValidSignature(of_size(limits::kSecretBytesMax), kSecret));
  EXPECT_FALSE(IsWellFormedJwt(of_size(limits::kSecretBytesMax + 2)));
  EXPECT_FALSE(HasValidSignature(of_size(limits::kSecretBytesMax + 2), kSecret));
  const std::string huge = WithClaims(R"({"aud":")" + std::string(1 << 20, 'a') + R"("})");
  EXPECT_FALSE(IsWellFormedJwt(huge));
  EXPECT_FALSE(HasValidSignature(huge, kSecret));
  EXPECT_EQ(ReadClaims(huge).code(), Code::kInvalidArgument);
}

TEST(Jwt, SignatureNeedsTheSecret) {
  std::vector<uint8_t> other = kSecret;
  other[0] ^= 1;
  EXPECT_FALSE(HasValidSignature(kToken, other));
  other = kSecret;
  other.push_back(0);  // HMAC pads short keys with zeros, so these two secrets are one
  EXPECT_TRUE(HasValidSignature(kToken, other));
  other.back() = 'x';
  EXPECT_FALSE(HasValidSignature(kToken, other));
  EXPECT_FALSE(HasValidSignature(kToken, {}));
}

TEST(Jwt, SecretsOfEverySizeUpToTheLimit) {
  for (size_t size : {1, 31, 32, 33, 63, 64, 65, 200, 4096}) {
    const std::vector<uint8_t> secret(size, 0x5A);
    const std::string jwt = SignedText(Base64Url(kHeaderJson) + "." + Base64Url("{}"), secret);
    EXPECT_TRUE(HasValidSignature(jwt, secret)) << size;
    EXPECT_TRUE(HasValidSignature(SignedByUs({}, secret), secret)) << size;
  }
  const std::vector<uint8_t> too_long(limits::kJwtSecretBytesMax + 1, 0x5A);
  const std::string jwt = SignedText(Base64Url(kHeaderJson) + "." + Base64Url("{}"), too_long);
  EXPECT_FALSE(HasValidSignature(jwt, too_long));
}

TEST(ReadClaims, AbsentAndNullAreTheSame) {
  for (const char* payload :
       {"{}", R"({"aud":null,"exp":null,"iat":null,"iss":null,"sub":null})"}) {
    const Result<JwtClaims> claims = ReadClaims(WithClaims(payload));
    ASSERT_TRUE(claims.ok()) << payload;
    EXPECT_TRUE(claims->audience.empty() && claims->issuer.empty() && claims->subject.empty());
    EXPECT_FALSE(claims->issued_s.has_value());
    EXPECT_FALSE(claims->expires_s.has_value());
  }
}

TEST(ReadClaims, RefusesWhatIsNotAClaim) {
  for (const char* payload : {"",
                              "null",
                              "[]",
                              "1",
                              "{",
                              R"({"aud":"a"}x)",
                              R"({"aud":["api_key"]})",
                              R"({"aud":1})",
                              R"({"iss":{}})",
                              R"({"sub":true})",
                              R"({"aud":"a","aud":"a"})",
                              R"({"exp":1,"exp":2})",
                              R"({"exp":"1"})",
                              R"({"exp":1.5})",
                              R"({"iat":-1})",
                              R"({"exp":-1})",
                              R"({"exp":253402300800})",
                              R"({"exp":9223372036854775808})",
                              R"({"iat":1e400})",
                              "{\"aud\":\"\xff\"}"}) {
    EXPECT_EQ(ReadClaims(WithClaims(payload)).code(), Code::kInvalidArgument) << payload;
  }
  const Result<JwtClaims> edges = ReadClaims(WithClaims(R"({"iat":0,"exp":253402300799})"));
  ASSERT_TRUE(edges.ok());
  EXPECT_EQ(edges->issued_s, 0);
  EXPECT_EQ(edges->expires_s, limits::kTimeMaxS);
}

// By the Python of the token above.
TEST(SignJwt, GivesTheAnswerOfAnotherImplementation) {
  const JwtClaims claims = {.audience = "client",
                            .issuer = "http://localhost:3000/",
                            .subject = "muriel.bagge@nowhere.com",
                            .issued_s = 1795000000,
                            .expires_s = 1795003600};
  EXPECT_EQ(SignedByUs(claims),
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
            "eyJhdWQiOiJjbGllbnQiLCJleHAiOjE3OTUwMDM2MDAsImlhdCI6MTc5NTAwMDAwMCwiaXNzIjoiaHR0cDov"
            "L2xvY2FsaG9zdDozMDAwLyIsInN1YiI6Im11cmllbC5iYWdnZUBub3doZXJlLmNvbSJ9."
            "E_x0YkfqZqqfwEt60bYuBsxh3aoN9vkx2VoE0eVoD8U");
}

TEST(SignJwt, WhatIsSignedIsRead) {
  test::SeededRandom seeded;
  const std::string pieces[] = {"a", "\"", "\\", "\n", "\x01", "\xc3\xa4", "\xf0\x9f\x94\x91", " "};
  const auto text = [&] {
    std::string out;
    for (size_t i = seeded() % 12; i > 0; --i) out += pieces[seeded() % std::size(pieces)];
    return out;
  };
  const auto time = [&]() -> std::optional<int64_t> {
    if (seeded() % 4 == 0) return std::nullopt;
    return static_cast<int64_t>(seeded() % (limits::kTimeMaxS + 1));
  };
  for (int step = 0; step < 2'000; ++step) {
    const JwtClaims claims = {.audience = text(),
                              .issuer = text(),
                              .subject = text(),
                              .issued_s = time(),
                              .expires_s = time()};
    const std::string jwt = SignedByUs(claims);
    ASSERT_TRUE(IsWellFormedJwt(jwt));
    ASSERT_TRUE(HasValidSignature(jwt, kSecret));
    ASSERT_EQ(SignedText(jwt.substr(0, jwt.rfind('.'))), jwt);
    const Result<JwtClaims> read = ReadClaims(jwt);
    ASSERT_TRUE(read.ok()) << read.status().why();
    ASSERT_EQ(read->audience, claims.audience);
    ASSERT_EQ(read->issuer, claims.issuer);
    ASSERT_EQ(read->subject, claims.subject);
    ASSERT_EQ(read->issued_s, claims.issued_s);
    ASSERT_EQ(read->expires_s, claims.expires_s);
  }
}

TEST(SignJwt, RefusalsLeaveNothing) {
  const auto refused = [](const JwtClaims& claims, const std::vector<uint8_t>& secret = kSecret) {
    JwtBuffer jwt;
    jwt.set_size(1);
    const Status status = SignJwt(claims, secret, &jwt);
    return status.code() == Code::kInvalidArgument && jwt.size() == 0;
  };
  EXPECT_TRUE(refused({}, {}));
  EXPECT_TRUE(refused({}, std::vector<uint8_t>(limits::kJwtSecretBytesMax + 1)));
  EXPECT_TRUE(refused({.audience = "\xff"}));
  EXPECT_TRUE(refused({.issuer = "\xed\xa0\x80"}));
  EXPECT_TRUE(refused({.subject = "\xc0\x80"}));
  EXPECT_TRUE(refused({.issued_s = -1}));
  EXPECT_TRUE(refused({.expires_s = limits::kTimeMaxS + 1}));
  EXPECT_TRUE(refused({.subject = std::string(1 << 20, 'a')}));
  EXPECT_TRUE(refused({.subject = std::string(1100, '\x01')}));  // six bytes each, once escaped
}

// The longest JWT that fits is made whole, and what is one byte longer is refused.
TEST(SignJwt, FillsItsBufferToTheEdge) {
  size_t longest = 0;
  bool refused = false;
  for (size_t size = 6000; size < 6144; ++size) {
    JwtBuffer jwt;
    if (!SignJwt({.subject = std::string(size, 'a')}, kSecret, &jwt).ok()) {
      refused = true;
      continue;
    }
    ASSERT_FALSE(refused) << "a longer one was taken after a shorter one was not";
    ASSERT_TRUE(HasValidSignature(jwt.Expose(), kSecret)) << size;
    longest = jwt.size();
  }
  EXPECT_TRUE(refused);
  EXPECT_GE(longest, limits::kSecretBytesMax - 1);
}

TEST(RedactedJwt, KeepsHeaderAndPayloadOnly) {
  const std::string redacted = RedactedJwt(kTokenClaims);
  EXPECT_EQ(redacted, std::string(kToken.substr(0, kToken.rfind('.'))) + ".REDACTED");
  EXPECT_FALSE(IsWellFormedJwt(redacted));
}

}  // namespace
}  // namespace latchkey
