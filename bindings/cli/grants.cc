// latchkey grant set|remove|list: who has which role on a project.
#include <algorithm>
#include <memory>

#include "arguments.h"
#include "commands.h"

namespace latchkey::cli {
namespace {

struct GrantArguments {
  std::string project;
  std::string user;
  std::string role;
};

uint32_t ReadRole(const std::string& text) {
  const uint32_t role = wire::ParseRole(text);
  if (role == LATCHKEY_ROLE_NONE) {
    RefuseUsage("role " + Quoted(text), "a role is viewer, developer or maintainer",
                "Give one of the three.");
  }
  return role;
}

std::string Describe(const GrantArguments& arguments) {
  return "grant of " + Quoted(arguments.user) + " on " + Quoted(arguments.project);
}

int SetGrant(const Globals& globals, const GrantArguments& arguments) {
  const uint32_t role = ReadRole(arguments.role);
  const latchkey_grant grant = OpenBackend(globals)->SetGrant(
      arguments.project, arguments.user, role,
      {Describe(arguments), {.not_found = "What is deleted cannot be granted a role."}});
  if (globals.json()) {
    PrintJson(wire::GrantJson(grant));
  } else {
    PrintText(Quoted(arguments.user) + " is " + wire::RoleWord(grant.role) + " of " +
              Quoted(arguments.project) + "\n");
  }
  return kDone;
}

int RemoveGrant(const Globals& globals, const GrantArguments& arguments) {
  OpenBackend(globals)->RemoveGrant(
      arguments.project, arguments.user,
      {Describe(arguments),
       {.not_found = "To see the roles there are: latchkey grant list PROJECT"}});
  if (globals.json()) {
    PrintJson(nullptr);
  } else {
    PrintText(Quoted(arguments.user) + " has no role on " + Quoted(arguments.project) +
              " any more\n");
  }
  return kDone;
}

int ListGrants(const Globals& globals, const GrantArguments& arguments) {
  const std::unique_ptr<Backend> backend = OpenBackend(globals);
  const std::vector<latchkey_grant> grants =
      backend->ListGrants(arguments.project, {"grants of " + Quoted(arguments.project)});
  if (globals.json()) {
    Json list = Json::array();
    for (const latchkey_grant& grant : grants) list.push_back(wire::GrantJson(grant));
    PrintJson(list);
    return kDone;
  }
  Table table({"USER", "ROLE", "SLUG"});
  for (const latchkey_grant& grant : grants) {
    const std::string user = wire::FormatUuid(grant.user);
    table.AddRow(
        {user, wire::RoleWord(grant.role), backend->FindOwner(LATCHKEY_OWNER_USER, user).slug});
  }
  if (!grants.empty()) table.Print();
  PrintText(PageSummary(1, 0, grants.size(), grants.size()) + "\n");
  return kDone;
}

}  // namespace

void AddGrantVerbs(CLI::App* parent, Globals* globals) {
  auto arguments = std::make_shared<GrantArguments>();
  CLI::App* set = AddVerb(parent, "set", "", "Give a user a role on a project, or another role",
                          "latchkey grant set the-computer muriel-bagge maintainer");
  AddPositional(set, "PROJECT", &arguments->project, "Slug or UUID");
  AddPositional(set, "USER", &arguments->user, "Slug or UUID");
  AddPositional(set, "ROLE", &arguments->role, "viewer, developer or maintainer");
  OnRun(set, globals, [=] { return SetGrant(*globals, *arguments); });

  CLI::App* remove = AddVerb(parent, "remove", "rm", "Take a user's role on a project away",
                             "latchkey grant remove the-computer muriel-bagge");
  AddPositional(remove, "PROJECT", &arguments->project, "Slug or UUID");
  AddPositional(remove, "USER", &arguments->user, "Slug or UUID");
  OnRun(remove, globals, [=] { return RemoveGrant(*globals, *arguments); });

  CLI::App* list = AddVerb(parent, "list", "ls", "Who has a role on a project",
                           "latchkey grant list the-computer");
  AddPositional(list, "PROJECT", &arguments->project, "Slug or UUID");
  OnRun(list, globals, [=] { return ListGrants(*globals, *arguments); });
}

}  // namespace latchkey::cli
