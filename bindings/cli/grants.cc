// latchkey grant set|remove|list: who has which role on a project.
#include <algorithm>
#include <memory>

#include "arguments.h"
#include "commands.h"

namespace latchkey::cli {
namespace {

constexpr size_t kRowsRead = 256;

struct GrantArguments {
  std::string project;
  std::string user;
  std::string role;
};

uint32_t ReadRole(const std::string& text) {
  for (uint32_t role : {LATCHKEY_ROLE_VIEWER, LATCHKEY_ROLE_DEVELOPER, LATCHKEY_ROLE_MAINTAINER}) {
    if (text == RoleWord(role)) return role;
  }
  RefuseUsage("role " + Quoted(text), "a role is viewer, developer or maintainer",
              "Give one of the three.");
}

std::string Describe(const GrantArguments& arguments) {
  return "grant of " + Quoted(arguments.user) + " on " + Quoted(arguments.project);
}

int SetGrant(const Globals& globals, const GrantArguments& arguments) {
  auto grant = Sized<latchkey_grant>();
  grant.role = ReadRole(arguments.role);
  const Store store(globals);
  grant.project = store.FindOwner(LATCHKEY_OWNER_PROJECT, arguments.project).uuid;
  grant.user = store.FindOwner(LATCHKEY_OWNER_USER, arguments.user).uuid;
  Require(latchkey_grant_set(store.get(), &grant.project, &grant.user, grant.role, nullptr),
          Describe(arguments), {.not_found = "What is deleted cannot be granted a role."});
  if (globals.json()) {
    PrintJson(GrantJson(grant));
  } else {
    PrintText(Quoted(arguments.user) + " is " + RoleWord(grant.role) + " of " +
              Quoted(arguments.project) + "\n");
  }
  return kDone;
}

int RemoveGrant(const Globals& globals, const GrantArguments& arguments) {
  const Store store(globals);
  const latchkey_uuid project = store.FindOwner(LATCHKEY_OWNER_PROJECT, arguments.project).uuid;
  const latchkey_uuid user = store.FindOwner(LATCHKEY_OWNER_USER, arguments.user).uuid;
  Require(latchkey_grant_remove(store.get(), &project, &user, nullptr), Describe(arguments),
          {.not_found = "To see the roles there are: latchkey grant list PROJECT"});
  if (globals.json()) {
    PrintJson(nullptr);
  } else {
    PrintText(Quoted(arguments.user) + " has no role on " + Quoted(arguments.project) +
              " any more\n");
  }
  return kDone;
}

int ListGrants(const Globals& globals, const GrantArguments& arguments) {
  const Store store(globals);
  const latchkey_uuid project = store.FindOwner(LATCHKEY_OWNER_PROJECT, arguments.project).uuid;
  std::vector<latchkey_grant> grants;
  for (size_t count = kRowsRead; count == kRowsRead;) {
    std::vector<latchkey_grant> rows(kRowsRead, Sized<latchkey_grant>());
    const latchkey_uuid* after = grants.empty() ? nullptr : &grants.back().user;
    uint64_t total = 0;
    Require(
        latchkey_grant_list(store.get(), &project, after, rows.data(), rows.size(), &count, &total),
        "grants of " + Quoted(arguments.project));
    grants.insert(grants.end(), rows.begin(), rows.begin() + static_cast<ptrdiff_t>(count));
  }
  if (globals.json()) {
    Json list = Json::array();
    for (const latchkey_grant& grant : grants) list.push_back(GrantJson(grant));
    PrintJson(list);
    return kDone;
  }
  Table table({"USER", "ROLE", "SLUG"});
  for (const latchkey_grant& grant : grants) {
    const std::string user = FormatUuid(grant.user);
    table.AddRow({user, RoleWord(grant.role), store.FindOwner(LATCHKEY_OWNER_USER, user).slug});
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
