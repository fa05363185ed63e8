// latchkey token, latchkey user key, latchkey project key: list|create|view|update|revoke. One set
// of verbs; a Noun says what differs.
#include <csignal>
#include <memory>

#include "arguments.h"
#include "commands.h"
#include "terminal.h"

namespace latchkey::cli {
namespace {

struct CreateFlags {
  std::string owner;
  TextFlag name;
  TextFlag ttl;
  std::vector<std::string> scopes;
};

struct Target {
  std::string owner;
  std::string id;
};

std::string Describe(const Noun& noun, const Target& target) {
  return std::string(noun.words) + " " + Quoted(target.id) + " of " + noun.owner_word + " " +
         Quoted(target.owner);
}

Credential Find(Backend* backend, const Noun& noun, const Target& target) {
  return backend->FindCredential(
      noun, target.owner, target.id,
      {Describe(noun, target),
       {.not_found = std::string("To see what there is: latchkey ") + noun.command + " list " +
                     noun.owner_name + " [--revoked]",
        .invalid = "Give its UUID or its slug."}});
}

int PrintCredential(const Globals& globals, Backend* backend, const Credential& credential) {
  if (globals.json()) {
    PrintJson(wire::CredentialJson(credential.row, credential.token));
  } else {
    PrintFields(CredentialFields(credential, backend->TimeS()));
  }
  return kDone;
}

int List(const Globals& globals, const Noun& noun, const std::string& owner,
         const ListFlags& flags) {
  const latchkey_list_options options = ReadListFlags(flags);
  const std::unique_ptr<Backend> backend = OpenBackend(globals);
  const Page<Credential> page = backend->ListCredentials(
      noun, owner, options, {std::string(noun.words) + " list of " + Quoted(owner)});
  if (globals.json()) {
    Json list = Json::array();
    for (const Credential& credential : page.rows) {
      list.push_back(wire::CredentialJson(credential.row, credential.token));
    }
    PrintJson(list);
    return kDone;
  }
  const int64_t now_s = backend->TimeS();
  Table table(CredentialHeadings());
  for (const Credential& credential : page.rows) {
    table.AddRow(CredentialRow(credential.row, now_s));
  }
  if (!page.rows.empty()) table.Print();
  PrintText(PageSummary(options.page, options.page_size, page.rows.size(), page.total) + "\n");
  return kDone;
}

// What has been made is made, but who cannot read the secret has nothing from it.
void FlushSecret(const Noun& noun, const CreateFlags& flags, const std::string& uuid) {
  try {
    FlushOutput();
  } catch (const Refusal&) {
    throw Refusal(kFailure, std::string(noun.words) + " " + uuid,
                  "it was made, but its secret could not be written and is lost",
                  std::string("Revoke it and make another: latchkey ") + noun.command + " revoke " +
                      EscapeForTerminal(flags.owner) + " " + uuid);
  }
}

int Create(const Globals& globals, const Noun& noun, const CreateFlags& flags) {
  auto options = Sized<latchkey_credential_create_options>();
  options.has_ttl = flags.ttl.given() ? 1 : 0;
  options.ttl_s = ReadTtl(flags.ttl, LATCHKEY_TTL_MAX_S, 0);
  options.scopes = ReadScopes(flags.scopes);
  options.name = flags.name.data();
  options.name_size = flags.name.size();
  const std::unique_ptr<Backend> backend = OpenBackend(globals);
  // The pipe that the secret is to go into may be closed: to be told, not to die of it.
  std::signal(SIGPIPE, SIG_IGN);
  SecretText secret;
  const Credential credential =
      backend->CreateCredential(noun, flags.owner, options, &secret,
                                {std::string("new ") + noun.words + " " + Quoted(flags.name.value) +
                                     " of " + noun.owner_word + " " + Quoted(flags.owner),
                                 {.not_found = "What is deleted cannot be given a key."}});
  if (globals.json()) {
    PrintJson(wire::CreatedJson(credential.row, secret));
  } else {
    PrintFields({{"key", std::string(secret)}});
    PrintText("This is the only time that it is shown: keep it now.\n\n");
    PrintFields(CredentialFields(credential, backend->TimeS()));
  }
  FlushSecret(noun, flags, wire::FormatUuid(credential.row.uuid));
  return kDone;
}

[[noreturn]] int RefuseTokenCreate() {
  throw Refusal(kRefused, "",
                "User API tokens are deprecated and can no longer be created. Create a user API "
                "key instead: latchkey user key create USER --name NAME");
}

int Rename(const Globals& globals, const Noun& noun, const Target& target, const TextFlag& name) {
  if (!name.given()) {
    RefuseUsage(Describe(noun, target), "there is nothing to update",
                "Give the new name with --name.");
  }
  const std::unique_ptr<Backend> backend = OpenBackend(globals);
  const Credential renamed =
      backend->RenameCredential(noun, Find(backend.get(), noun, target), name.value,
                                {Describe(noun, target) + " to " + Quoted(name.value)});
  return PrintCredential(globals, backend.get(), renamed);
}

int Revoke(const Globals& globals, const Noun& noun, const Target& target) {
  RequireTerminalOrYes(globals);
  const std::unique_ptr<Backend> backend = OpenBackend(globals);
  const Credential credential = Find(backend.get(), noun, target);
  const std::string thing = std::string(noun.words) + " '" +
                            EscapeForTerminal(NameOf(credential.row)) + "' (" +
                            wire::FormatUuid(credential.row.uuid) + ")";
  if (credential.row.revoked_s == 0) Confirm(globals, "Revoke " + thing + " for good?");
  backend->RevokeCredential(
      noun, credential,
      {thing, {.conflict = "Nothing is left to do: it is refused, and stays so."}});
  if (globals.json()) {
    PrintJson(nullptr);
  } else {
    PrintText("Revoked " + thing + "\n");
  }
  return kDone;
}

void AddCreateVerb(CLI::App* parent, const Noun& noun, const std::string& example,
                   Globals* globals) {
  const bool token = noun.kind == LATCHKEY_KIND_USER_TOKEN;
  auto flags = std::make_shared<CreateFlags>();
  CLI::App* verb = AddVerb(parent, "create", "add",
                           token ? "Refused: tokens are deprecated, make a user key instead"
                                 : "Make one; its secret is shown once",
                           token ? "latchkey user key create muriel-bagge --name ci"
                                 : "latchkey " + example + " --name ci --ttl 90d");
  AddPositional(verb, noun.owner_name, &flags->owner, "Slug or UUID");
  AddRequiredText(verb, "--name", &flags->name, "NAME", "1 to 64 characters");
  AddTextWithEnvironment(verb, "--ttl", &flags->ttl, "TTL",
                         "Lifetime: seconds, or 90d, 12h, 30m; the longest, over 128 years, "
                         "unless given");
  AddScopes(verb, &flags->scopes, "What it is limited to: verify or 0 to 63; may be repeated");
  OnRun(verb, globals,
        [=] { return token ? RefuseTokenCreate() : Create(*globals, noun, *flags); });
}

// A verb on one credential.
CLI::App* AddTargetVerb(CLI::App* parent, const Noun& noun, const std::string& name,
                        const std::string& alias, const std::string& description,
                        const std::string& example, Target* target) {
  CLI::App* verb = AddVerb(parent, name, alias, description, "latchkey " + example);
  AddPositional(verb, noun.owner_name, &target->owner, "Slug or UUID");
  AddPositional(verb, noun.kind == LATCHKEY_KIND_USER_TOKEN ? "TOKEN" : "KEY", &target->id,
                "UUID or slug");
  return verb;
}

}  // namespace

void AddCredentialVerbs(CLI::App* parent, const Noun& noun, Globals* globals) {
  const std::string command = noun.command;
  const std::string owner =
      noun.owner_sort == LATCHKEY_OWNER_USER ? " muriel-bagge" : " the-computer";

  auto list_flags = std::make_shared<ListFlags>();
  auto list_owner = std::make_shared<std::string>();
  CLI::App* list = AddVerb(parent, "list", "ls", "A page of them, by name",
                           "latchkey " + command + " list" + owner + " --search ci");
  AddPositional(list, noun.owner_name, list_owner.get(), "Slug or UUID");
  AddListFlags(list, "revoked", list_flags.get());
  OnRun(list, globals, [=] { return List(*globals, noun, *list_owner, *list_flags); });

  AddCreateVerb(parent, noun, command + " create" + owner, globals);

  auto target = std::make_shared<Target>();
  CLI::App* view = AddTargetVerb(parent, noun, "view", "get", "Show one",
                                 command + " view" + owner + " ci", target.get());
  OnRun(view, globals, [=] {
    const std::unique_ptr<Backend> backend = OpenBackend(*globals);
    return PrintCredential(*globals, backend.get(), Find(backend.get(), noun, *target));
  });

  auto name = std::make_shared<TextFlag>();
  CLI::App* update =
      AddTargetVerb(parent, noun, "update", "edit", "Give one another name",
                    command + " update" + owner + " ci --name 'CI runner'", target.get());
  AddText(update, "--name", name.get(), "NAME", "1 to 64 characters; the slug stays");
  OnRun(update, globals, [=] { return Rename(*globals, noun, *target, *name); });

  CLI::App* revoke = AddTargetVerb(parent, noun, "revoke", "rm", "Refuse one for good",
                                   command + " revoke" + owner + " ci", target.get());
  OnRun(revoke, globals, [=] { return Revoke(*globals, noun, *target); });
}

}  // namespace latchkey::cli
