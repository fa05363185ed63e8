// latchkey verify: is this secret good? latchkey identify: whose key has this digest?
#include <cstring>
#include <memory>

#include "arguments.h"
#include "commands.h"
#include "secret_input.h"

namespace latchkey::cli {
namespace {

// The last second that RFC 3339 can write.
constexpr uint64_t kTimeMaxS = 253402300799;

struct VerifyFlags {
  TextFlag secret;
  TextFlag at;
  std::vector<std::string> scopes;
  bool each = false;
};

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json VerdictJson(const Verdict& verdict) {
  Json json;
  json["verdict"] = verdict.allowed ? "allowed" : "denied";
  json["reason"] = TextOrNull(verdict.reason);
  json["uuid"] = wire::UuidOrNull(verdict.uuid);
  json["kind"] = TextOrNull(verdict.kind);
  json["owner"] = wire::UuidOrNull(verdict.owner);
  return json;
}

std::string VerdictLine(const Verdict& verdict) {
  std::string line = verdict.allowed ? "allowed" : "denied";
  if (!verdict.allowed && !verdict.reason.empty()) line += "  " + EscapeForTerminal(verdict.reason);
  if (!verdict.kind.empty()) line += "  " + EscapeForTerminal(verdict.kind);
  if (!wire::IsNil(verdict.uuid)) line += "  " + wire::FormatUuid(verdict.uuid);
  if (!wire::IsNil(verdict.owner)) line += "  owner " + wire::FormatUuid(verdict.owner);
  return line;
}

// Judges one secret and prints the answer; whether it was allowed. Anything that is not a judgement
// is thrown, so that a store that fails is never taken for an answer.
bool Judge(const Globals& globals, Backend* backend, const latchkey_bytes& secret,
           const latchkey_verify_options& options) {
  const Verdict verdict = backend->Verify(secret, options);
  if (!globals.json()) {
    PrintText(VerdictLine(verdict) + "\n");
  } else {
    PrintJsonLine(VerdictJson(verdict));
  }
  return verdict.allowed;
}

int Verify(const Globals& globals, VerifyFlags* flags) {
  auto options = Sized<latchkey_verify_options>();
  options.required_scopes = ReadScopes(flags->scopes);
  if (flags->at.given()) {
    RequireStore(globals, "--at");
    options.at_s = static_cast<int64_t>(ReadWhole("--at", flags->at.value, 1, kTimeMaxS));
  }
  const bool as_argument = flags->secret.given();
  if (as_argument && flags->each) {
    RefuseUsage("--each", "it reads its secrets from standard input",
                "Leave the argument out, and send one secret a line.");
  }
  // One verdict that rests on the whole store, not a quick one.
  const std::unique_ptr<Backend> backend = OpenBackend(globals, LATCHKEY_LOAD_FIRST);
  if (as_argument) {
    Complain(
        "a secret in an argument can be seen by everybody on this machine, and stays in the "
        "shell's history. Send it on standard input instead.");
    const bool allowed =
        Judge(globals, backend.get(), {flags->secret.data(), flags->secret.size()}, options);
    explicit_bzero(flags->secret.value.data(), flags->secret.value.size());
    return allowed ? kDone : kRefused;
  }
  SecretInput input;
  if (!flags->each)
    return Judge(globals, backend.get(), input.ReadOne(), options) ? kDone : kRefused;
  for (latchkey_bytes line = {}; input.ReadLine(&line);)
    Judge(globals, backend.get(), line, options);
  return kDone;
}

int Identify(const Globals& globals, const std::string& hex) {
  uint8_t digest[32];
  ReadSha256(hex, digest);
  const std::unique_ptr<Backend> backend = OpenBackend(globals);
  const Credential credential = backend->Identify(
      digest, {"the key with this SHA-256",
               {.not_found = "It was never issued by this store, nor imported into it."}});
  if (!globals.json()) {
    PrintFields(CredentialFields(credential, backend->TimeS()));
    return kDone;
  }
  Json json;
  json["kind"] = credential.kind;
  json.update(wire::CredentialJson(credential.row, credential.token));
  PrintJson(json);
  return kDone;
}

}  // namespace

void AddVerifyVerbs(CLI::App* parent, Globals* globals) {
  auto flags = std::make_shared<VerifyFlags>();
  CLI::App* verify = AddVerb(parent, "verify", "",
                             "Is a secret good? Reads it from standard input, or asks for it",
                             "printf %s \"$KEY\" | latchkey verify");
  AddOptionalPositional(verify, "SECRET", &flags->secret,
                        "Better not: arguments can be seen by others");
  AddFlag(verify, "--each", &flags->each,
          "One secret a line; an answer a line, in the same order; exit 0 when all were "
          "judged");
  AddText(verify, "--at", &flags->at, "UNIX_SECONDS",
          "What if it were then? Replaces the clock for this answer only");
  AddScopes(verify, &flags->scopes,
            "What the key must be good for: verify or 0 to 63; may be repeated");
  OnRun(verify, globals, [=] { return Verify(*globals, flags.get()); });

  auto hex = std::make_shared<TextFlag>();
  CLI::App* identify =
      AddVerb(parent, "identify", "", "Whose key is this? For leak reports, which give a digest",
              "latchkey identify --sha256 "
              "3e0ab8e17529ee01b55573f5c144940e7d57567c5173e5bd0afe30b1c1ed2f1d");
  AddRequiredText(identify, "--sha256", hex.get(), "HEX", "The SHA-256 of the secret, 64 digits");
  OnRun(identify, globals, [=] { return Identify(*globals, hex->value); });
}

}  // namespace latchkey::cli
