// latchkey session: a client JWT, with which a user or a script talks to a REST host.
#include <array>
#include <memory>

#include "arguments.h"
#include "commands.h"

namespace latchkey::cli {
namespace {

constexpr size_t kJwtSecretBytesMax = 4096;
constexpr int64_t kTtlDefaultS = 3600;
constexpr const char* kIssuerDefault = "http://localhost:3000/";

struct SessionFlags {
  std::string user;
  TextFlag ttl;
  TextFlag secret_file;
  TextFlag issuer;
};

// `sub`: the user's e-mail, or UUID when there is none. An e-mail is taken as it stands: whether
// there is such a user, the host looks up anyway.
std::string SubjectOf(const Globals& globals, const std::string& user) {
  const size_t at = user.find('@');
  if (at != std::string::npos) {
    if (at == 0 || at + 1 == user.size() || user.find('@', at + 1) != std::string::npos ||
        user.size() > LATCHKEY_EMAIL_BYTES_MAX) {
      RefuseUsage("user " + Quoted(user), "this is no e-mail address",
                  "Give the user's e-mail, slug or UUID.");
    }
    return user;
  }
  const latchkey_owner owner = OpenBackend(globals)->FindOwner(LATCHKEY_OWNER_USER, user);
  if (owner.deleted_s != 0) {
    throw Refusal(kRefused, "user " + Quoted(user), "the user is deleted",
                  "To see who is there: latchkey user list");
  }
  if (owner.locked != 0) {
    Complain("user " + Quoted(user) +
             " is locked: hosts refuse this token until: latchkey user unlock " +
             EscapeForTerminal(owner.slug));
  }
  return owner.email[0] == '\0' ? wire::FormatUuid(owner.uuid) : owner.email;
}

int IssueSession(const Globals& globals, const SessionFlags& flags) {
  auto options = Sized<latchkey_session_options>();
  options.ttl_s = ReadTtl(flags.ttl, LATCHKEY_SESSION_TTL_MAX_S, kTtlDefaultS);
  if (!flags.secret_file.given()) {
    RefuseUsage("--jwt-secret-file", "a session is signed with the host's secret",
                "Name the file that holds it, or set LATCHKEY_JWT_SECRET_FILE.");
  }
  const SecretText secret = ReadSecretFile(flags.secret_file.value, "--jwt-secret-file",
                                           "a signing secret", kJwtSecretBytesMax, false);
  const std::string issuer = flags.issuer.given() ? flags.issuer.value : kIssuerDefault;
  auto key = Sized<latchkey_jwt_key>();
  key.secret = secret.data();
  key.secret_size = secret.size();
  key.issuer = issuer.data();
  key.issuer_size = issuer.size();

  const std::string subject = SubjectOf(globals, flags.user);
  options.subject = subject.data();
  options.subject_size = subject.size();
  std::array<char, LATCHKEY_JWT_BYTES_MAX> token;
  size_t size = 0;
  int64_t expires_s = 0;
  Require(latchkey_session_issue(&options, &key, token.data(), token.size(), &size, &expires_s),
          "session of " + Quoted(flags.user));
  const std::string text(token.data(), size);
  if (!globals.json()) {
    PrintText(text + "\n");
    return kDone;
  }
  Json json;
  json["token"] = text;
  json["user"] = subject;
  json["expiration"] = wire::FormatTime(expires_s);
  PrintJson(json);
  return kDone;
}

}  // namespace

void AddSessionVerb(CLI::App* parent, Globals* globals) {
  auto flags = std::make_shared<SessionFlags>();
  CLI::App* verb =
      AddVerb(parent, "session", "", "Sign a client JWT for REST hosts",
              "latchkey session muriel.bagge@nowhere.com --jwt-secret-file jwt.secret");
  AddPositional(verb, "USER", &flags->user,
                "Slug, UUID or e-mail; given an e-mail, no store is opened and no host asked");
  AddTextWithEnvironment(verb, "--ttl", &flags->ttl, "TTL",
                         "Lifetime: seconds, or 12h, 30m; at most 30d; 3600 unless given");
  AddTextWithEnvironment(verb, "--jwt-secret-file", &flags->secret_file, "FILE",
                         "The secret that the host checks with; one newline at its end is dropped");
  AddTextWithEnvironment(
      verb, "--issuer", &flags->issuer, "URL",
      std::string("The host's issuer, exactly; ") + kIssuerDefault + " unless given");
  OnRun(verb, globals, [=] { return IssueSession(*globals, *flags); });
}

}  // namespace latchkey::cli
