// latchkey user create|list|view|update|lock|unlock|delete, latchkey project the same but for the
// locks.
#include <memory>

#include "arguments.h"
#include "commands.h"
#include "terminal.h"

namespace latchkey::cli {
namespace {

struct OwnerFlags {
  TextFlag name;
  TextFlag slug;
  TextFlag email;
  TextFlag admin;       // update: true or false
  TextFlag restricted;  // update --private: true or false
  bool is_admin = false;
  bool is_private = false;
};

std::string TakenRemedy(uint32_t sort) {
  const std::string word = OwnerWord(sort);
  return "Choose another" + std::string(sort == LATCHKEY_OWNER_USER ? " slug or e-mail" : " slug") +
         ". To see who has it: latchkey " + word + " list --search TEXT";
}

int PrintOwner(const Globals& globals, const latchkey_owner& owner) {
  if (globals.json()) {
    PrintJson(wire::OwnerJson(owner));
  } else {
    PrintFields(OwnerFields(owner));
  }
  return kDone;
}

int CreateOwner(const Globals& globals, uint32_t sort, const OwnerFlags& flags) {
  auto options = Sized<latchkey_owner_create_options>();
  options.sort = sort;
  options.admin = flags.is_admin ? 1 : 0;
  options.visibility = flags.is_private ? LATCHKEY_VISIBILITY_PRIVATE : LATCHKEY_VISIBILITY_PUBLIC;
  options.name = flags.name.data();
  options.name_size = flags.name.size();
  options.slug = flags.slug.data();
  options.slug_size = flags.slug.size();
  options.email = flags.email.data();
  options.email_size = flags.email.size();
  const std::string thing = std::string("new ") + OwnerWord(sort) + " " + Quoted(flags.name.value);
  return PrintOwner(globals, OpenBackend(globals)->CreateOwner(
                                 options, {thing, {.conflict = TakenRemedy(sort)}}));
}

int ListOwners(const Globals& globals, uint32_t sort, const ListFlags& flags) {
  latchkey_list_options options = ReadListFlags(flags);
  options.kind = sort;
  const Page<latchkey_owner> page =
      OpenBackend(globals)->ListOwners(options, {std::string(OwnerWord(sort)) + " list"});
  if (globals.json()) {
    Json list = Json::array();
    for (const latchkey_owner& owner : page.rows) list.push_back(wire::OwnerJson(owner));
    PrintJson(list);
    return kDone;
  }
  Table table(OwnerHeadings(sort));
  for (const latchkey_owner& owner : page.rows) table.AddRow(OwnerRow(owner));
  if (!page.rows.empty()) table.Print();
  PrintText(PageSummary(options.page, options.page_size, page.rows.size(), page.total) + "\n");
  return kDone;
}

int UpdateOwner(const Globals& globals, uint32_t sort, const std::string& id,
                const latchkey_owner_update_options& options) {
  const Context context = {
      std::string(OwnerWord(sort)) + " " + Quoted(id),
      {.not_found = "What is deleted cannot be changed.", .conflict = TakenRemedy(sort)}};
  return PrintOwner(globals, OpenBackend(globals)->UpdateOwner(sort, id, options, context));
}

int UpdateOwnerFlags(const Globals& globals, uint32_t sort, const std::string& id,
                     const OwnerFlags& flags) {
  auto options = Sized<latchkey_owner_update_options>();
  if (flags.name.given()) options.set |= LATCHKEY_OWNER_SET_NAME;
  if (flags.slug.given()) options.set |= LATCHKEY_OWNER_SET_SLUG;
  if (flags.email.given()) options.set |= LATCHKEY_OWNER_SET_EMAIL;
  if (flags.admin.given()) {
    options.set |= LATCHKEY_OWNER_SET_ADMIN;
    options.admin = ReadTruth("--admin", flags.admin.value) ? 1 : 0;
  }
  if (flags.restricted.given()) {
    options.set |= LATCHKEY_OWNER_SET_VISIBILITY;
    options.visibility = ReadTruth("--private", flags.restricted.value)
                             ? LATCHKEY_VISIBILITY_PRIVATE
                             : LATCHKEY_VISIBILITY_PUBLIC;
  }
  if (options.set == 0) {
    RefuseUsage(std::string(OwnerWord(sort)) + " " + Quoted(id), "there is nothing to update",
                "Give at least one of the flags; --help shows them.");
  }
  options.name = flags.name.data();
  options.name_size = flags.name.size();
  options.slug = flags.slug.data();
  options.slug_size = flags.slug.size();
  // An empty e-mail takes it away, which the C API spells NULL.
  if (flags.email.size() > 0) {
    options.email = flags.email.data();
    options.email_size = flags.email.size();
  }
  return UpdateOwner(globals, sort, id, options);
}

int LockUser(const Globals& globals, const std::string& id, bool locked) {
  auto options = Sized<latchkey_owner_update_options>();
  options.set = LATCHKEY_OWNER_SET_LOCKED;
  options.locked = locked ? 1 : 0;
  return UpdateOwner(globals, LATCHKEY_OWNER_USER, id, options);
}

int DeleteOwner(const Globals& globals, uint32_t sort, const std::string& id) {
  RequireTerminalOrYes(globals);
  const std::unique_ptr<Backend> backend = OpenBackend(globals);
  const latchkey_owner owner = backend->FindOwner(sort, id);
  const std::string thing = std::string(OwnerWord(sort)) + " '" + EscapeForTerminal(NameOf(owner)) +
                            "' (" + wire::FormatUuid(owner.uuid) + ")";
  if (owner.deleted_s == 0) {
    Confirm(globals, "Delete " + thing + " and refuse every credential of it for good?");
  }
  backend->DeleteOwner(
      owner, {thing, {.conflict = "Nothing is left to do: its credentials are refused."}});
  if (globals.json()) {
    PrintJson(nullptr);
  } else {
    PrintText("Deleted " + thing + "\n");
  }
  return kDone;
}

void AddCreateVerb(CLI::App* parent, uint32_t sort, Globals* globals) {
  const bool user = sort == LATCHKEY_OWNER_USER;
  auto flags = std::make_shared<OwnerFlags>();
  CLI::App* verb =
      AddVerb(parent, "create", "add", user ? "Make a user" : "Make a project",
              user ? "latchkey user create --name 'Muriel Bagge' --email muriel.bagge@nowhere.com"
                   : "latchkey project create --name 'The Computer' --private");
  AddRequiredText(verb, "--name", &flags->name, "NAME", "1 to 64 characters");
  AddText(verb, "--slug", &flags->slug, "SLUG", "Made from the name unless given");
  if (user) {
    AddText(verb, "--email", &flags->email, "EMAIL", "None unless given");
    AddFlag(verb, "--admin", &flags->is_admin, "A server admin: may do everything");
  } else {
    AddFlag(verb, "--private", &flags->is_private, "Shown only to those who have a role on it");
  }
  OnRun(verb, globals, [=] { return CreateOwner(*globals, sort, *flags); });
}

void AddUpdateVerb(CLI::App* parent, uint32_t sort, Globals* globals) {
  const bool user = sort == LATCHKEY_OWNER_USER;
  auto flags = std::make_shared<OwnerFlags>();
  auto id = std::make_shared<std::string>();
  CLI::App* verb = AddVerb(parent, "update", "edit", "Change what is given",
                           user ? "latchkey user update muriel-bagge --email muriel@nowhere.com"
                                : "latchkey project update the-computer --private false");
  AddPositional(verb, user ? "USER" : "PROJECT", id.get(), "Slug or UUID");
  AddText(verb, "--name", &flags->name, "NAME", "1 to 64 characters");
  AddText(verb, "--slug", &flags->slug, "SLUG", "The old one is free at once");
  if (user) {
    AddText(verb, "--email", &flags->email, "EMAIL",
            "Revokes the user's API tokens; empty takes the e-mail away");
    AddText(verb, "--admin", &flags->admin, "true|false", "A server admin: may do everything");
  } else {
    AddText(verb, "--private", &flags->restricted, "true|false",
            "Shown only to those who have a role on it");
  }
  OnRun(verb, globals, [=] { return UpdateOwnerFlags(*globals, sort, *id, *flags); });
}

// A verb that takes an owner and nothing else.
void AddSimpleVerb(CLI::App* parent, uint32_t sort, Globals* globals, const char* name,
                   const char* alias, const char* description,
                   int (*run)(const Globals&, uint32_t sort, const std::string& id)) {
  const bool user = sort == LATCHKEY_OWNER_USER;
  auto id = std::make_shared<std::string>();
  CLI::App* verb = AddVerb(parent, name, alias, description,
                           std::string("latchkey ") + OwnerWord(sort) + " " + name +
                               (user ? " muriel-bagge" : " the-computer"));
  AddPositional(verb, user ? "USER" : "PROJECT", id.get(), "Slug or UUID");
  OnRun(verb, globals, [=] { return run(*globals, sort, *id); });
}

}  // namespace

void AddOwnerVerbs(CLI::App* parent, uint32_t sort, Globals* globals) {
  auto list_flags = std::make_shared<ListFlags>();
  CLI::App* list = AddVerb(parent, "list", "ls", "A page of them, by name",
                           std::string("latchkey ") + OwnerWord(sort) + " list --search bagge");
  AddListFlags(list, "deleted", list_flags.get());
  OnRun(list, globals, [=] { return ListOwners(*globals, sort, *list_flags); });

  AddCreateVerb(parent, sort, globals);
  AddSimpleVerb(parent, sort, globals, "view", "get", "Show one",
                [](const Globals& told, uint32_t owner_sort, const std::string& id) {
                  return PrintOwner(told, OpenBackend(told)->FindOwner(owner_sort, id));
                });
  AddUpdateVerb(parent, sort, globals);
  if (sort == LATCHKEY_OWNER_USER) {
    AddSimpleVerb(parent, sort, globals, "lock", "", "Refuse every credential of a user for now",
                  [](const Globals& told, uint32_t, const std::string& id) {
                    return LockUser(told, id, true);
                  });
    AddSimpleVerb(parent, sort, globals, "unlock", "", "Accept a locked user's credentials again",
                  [](const Globals& told, uint32_t, const std::string& id) {
                    return LockUser(told, id, false);
                  });
  }
  AddSimpleVerb(parent, sort, globals, "delete", "rm",
                "Delete for good: frees the slug, refuses every credential", DeleteOwner);
}

}  // namespace latchkey::cli
