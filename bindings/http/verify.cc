// POST /v0/verify, for hosts that do not link the engine; POST /v0/identify, for leak reports.
#include <wire/wire.h>

#include <algorithm>
#include <array>

#include "caller.h"
#include "json_body.h"
#include "limits.h"
#include "listing.h"
#include "operations.h"
#include "refusal.h"

namespace latchkey::http {
namespace {

using Json = nlohmann::ordered_json;
using Digest = std::array<uint8_t, 32>;

constexpr uint64_t kScopeVerify = 1;
constexpr char kBadForm[] = "unable to parse form body: ";

std::string KindWord(Host* host, uint32_t kind) {
  const char* word = wire::BuiltInKindWord(kind);
  return word != nullptr ? word : host->store().get_kind(kind).name;
}

// The e-mail of a user, as in the claims of his JWTs; for who has none, and for projects, the UUID.
std::string SubjectOf(Host* host, const latchkey_verdict& verdict) {
  std::string uuid = to_string(verdict.owner);
  if (verdict.kind == LATCHKEY_KIND_PROJECT_KEY) return uuid;
  auto owner = sized<Owner>();
  const latchkey_code code = latchkey_owner_get(host->store().handle(), LATCHKEY_OWNER_USER,
                                                uuid.data(), uuid.size(), &owner);
  // A kind of a host's own may belong to projects.
  if (code != LATCHKEY_OK && code != LATCHKEY_NOT_FOUND) throw RefusalOf(Error(code));
  return owner.email[0] == '\0' ? uuid : std::string(owner.email);
}

int64_t CreationOf(Host* host, const Uuid& uuid) {
  return host->remembered().Creation(uuid,
                                     [&] { return host->store().get_credential(uuid).creation_s; });
}

void AppendText(const char* member, const std::string& text, std::string* out) {
  out->append(",\"").append(member).append("\":").append(Json(text).dump());
}

void AppendUuid(const char* member, const Uuid& uuid, std::string* out) {
  char text[LATCHKEY_UUID_TEXT_SIZE];
  latchkey_uuid_format(&uuid, text);
  out->append(",\"").append(member).append("\":");
  is_nil(uuid) ? out->append("null") : out->append("\"").append(text).append("\"");
}

void AppendNumber(const char* member, int64_t number, std::string* out) {
  out->append(",\"").append(member).append("\":").append(std::to_string(number));
}

// One object: RFC 7662, section 2.2; of what is not active nothing more is told. Written in place,
// since to build the object first and then print it took a quarter of the whole request's time.
void AppendVerdict(Host* host, bool allowed, const latchkey_verdict& verdict, bool with_reason,
                   std::string* out) {
  out->append(allowed ? "{\"active\":true" : "{\"active\":false");
  if (with_reason) AppendText("reason", latchkey_reason_text(verdict.reason), out);
  if (allowed || (with_reason && verdict.kind != 0)) {
    AppendText("kind", KindWord(host, verdict.kind), out);
    AppendUuid("uuid", verdict.uuid, out);
    AppendUuid("owner", verdict.owner, out);
  }
  if (allowed) {
    AppendText("sub", SubjectOf(host, verdict), out);
    if (is_nil(verdict.uuid)) {
      // What the store does not hold has no creation that it knows of.
      out->append(",\"iat\":null");
    } else {
      AppendNumber("iat", CreationOf(host, verdict.uuid), out);
    }
    AppendNumber("exp", verdict.expires_s, out);
    AppendText("scope", wire::ScopesText(verdict.scopes, " "), out);
  }
  out->append("}");
}

// What is to be judged, from either sort of body. Borrows from it.
struct Question {
  std::vector<std::string_view> tokens;
  bool is_batch = false;
  uint64_t required_scopes = 0;
};

Question ReadJsonQuestion(const JsonBody& body) {
  Question question;
  const std::optional<std::string_view> token = body.Text("token");
  std::optional<std::vector<std::string_view>> tokens = body.Texts("tokens", limits::kBatchMax);
  if (token.has_value() == tokens.has_value()) {
    JsonBody::Refuse("token", "give either token or tokens");
  }
  question.is_batch = tokens.has_value();
  question.tokens = tokens ? std::move(*tokens) : std::vector<std::string_view>{*token};
  question.required_scopes = body.Scopes("scopes").value_or(0);
  return question;
}

Question ReadFormQuestion(const Form& form) {
  const std::string* token = form.Find("token");
  if (token == nullptr) form.Refuse("token", "it is missing");
  return {{*token}, false, 0};
}

std::string Answer(Host* host, const Question& question, bool with_reason) {
  constexpr size_t kUsualSize = 256;
  auto options = sized<latchkey_verify_options>();
  options.required_scopes = question.required_scopes;
  const std::shared_ptr<const JwtSecret> jwt_secret = host->jwt_secret();
  latchkey_jwt_key jwt_key = {};
  if (jwt_secret != nullptr && host->options().accept_untracked_tokens) {
    jwt_key = jwt_secret->key();
    options.untracked_tokens = &jwt_key;
  }
  std::string out;
  out.reserve(question.tokens.size() * kUsualSize);
  if (question.is_batch) out += "{\"results\":[";
  for (size_t i = 0; i < question.tokens.size(); ++i) {
    if (i > 0) out += ',';
    const Verdict verdict = host->store().verify(question.tokens[i], options);
    if (verdict.code != LATCHKEY_OK && verdict.code != LATCHKEY_DENIED) {
      throw RefusalOf(Error(verdict.code));
    }
    host->metrics().CountVerdict(verdict.detail.kind, verdict.detail.reason);
    AppendVerdict(host, bool(verdict), verdict.detail, with_reason, &out);
  }
  if (question.is_batch) out += "]}";
  return out;
}

void RequireVerifier(const Caller& caller) {
  if (caller.admin || (caller.scopes & kScopeVerify) != 0) return;
  throw Refusal(403, "The scope verify is needed, or an administrator");
}

bool IsForm(const Request& request) {
  constexpr std::string_view kForm = "application/x-www-form-urlencoded";
  const std::string_view type = request.content_type.substr(0, kForm.size());
  const std::string_view rest = request.content_type.substr(type.size());
  return std::equal(type.begin(), type.end(), kForm.begin(), kForm.end(),
                    [](char a, char b) {
                      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
                    }) &&
         (rest.empty() || rest[0] == ';' || rest[0] == ' ');
}

// 64 hexadecimal digits.
Digest ReadSha256(std::string_view hex) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  size_t values[64];
  for (size_t i = 0; i < std::size(values); ++i) {
    const char c = i < hex.size() ? hex[i] : '\0';
    values[i] = kDigits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + ('a' - 'A')) : c);
    if (values[i] == std::string_view::npos || hex.size() != std::size(values)) {
      JsonBody::Refuse("sha256", "a SHA-256 is 64 hexadecimal digits");
    }
  }
  Digest digest;
  for (size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<uint8_t>(values[2 * i] * 16 + values[2 * i + 1]);
  }
  return digest;
}

Json IdentifiedJson(Host* host, const Digest& digest) {
  auto row = sized<Credential>();
  const latchkey_code code = latchkey_identify_sha256(host->store().handle(), digest.data(), &row);
  if (code == LATCHKEY_NOT_FOUND) return nullptr;
  if (code != LATCHKEY_OK) throw RefusalOf(Error(code));
  Json json;
  json["kind"] = KindWord(host, row.kind);
  json.update(wire::CredentialJson(row, row.kind == LATCHKEY_KIND_USER_TOKEN
                                            ? host->store().redacted_token(row.uuid)
                                            : std::string()));
  return json;
}

}  // namespace

Reply VerifySecrets(Host* host, Request* request) {
  const Bearer bearer = ReadAnyBearer(*request);
  const bool with_reason = Form(request->target.query, kBadQuery).Truth("reason");
  std::optional<Form> form;
  std::optional<JsonBody> json;
  Question question;
  if (IsForm(*request)) {
    question = ReadFormQuestion(form.emplace(request->body.view(), kBadForm));
  } else {
    RequireJson(*request);
    question = ReadJsonQuestion(json.emplace(request->body));
  }
  const Caller caller = Authenticate(host, request, bearer);
  RequireVerifier(caller);
  if (with_reason && !caller.admin) throw Refusal(403, "Only an administrator can ask for reasons");
  Reply reply(200, Answer(host, question, with_reason));
  reply.Add("X-Total-Count", "1");
  return reply;
}

Reply IdentifyDigests(Host* host, Request* request) {
  const Bearer bearer = ReadUserBearer(*request);
  RequireJson(*request);
  const JsonBody body(request->body);
  const auto texts = body.Texts("sha256", limits::kBatchMax);
  if (!texts) JsonBody::Refuse("sha256", "it is missing");
  std::vector<Digest> digests;
  for (const std::string_view text : *texts) digests.push_back(ReadSha256(text));
  RequireAdmin(Authenticate(host, request, bearer));
  Json results = Json::array();
  for (const Digest& digest : digests) results.push_back(IdentifiedJson(host, digest));
  Json json;
  json["results"] = std::move(results);
  return JsonReply(200, json);
}

}  // namespace latchkey::http
