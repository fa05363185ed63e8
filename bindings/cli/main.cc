// latchkey: the command line. Splits it into flags and a verb, runs the verb, and turns what it
// could not do into an exit code and a line on standard error.
#include <CLI/CLI.hpp>
#include <cstdlib>

#include "arguments.h"
#include "commands.h"

namespace latchkey::cli {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  latchkey init\n"
    "  latchkey user create --name 'Muriel Bagge'\n"
    "  latchkey user key create muriel-bagge --name ci --ttl 90d\n"
    "  printf %s \"$KEY\" | latchkey verify\n"
    "  latchkey --host http://127.0.0.1:61016 --key-file admin.key user list\n"
    "\n"
    "Every verb has its own --help with an example. Flags can stand before or behind the verb.\n"
    "A flag beats every variable, and LATCHKEY_HOST beats LATCHKEY_STORE.\n"
    "The store itself is needed by init, import, check, repair, backup, restore, epoch and\n"
    "verify --at.\n"
    "Exit codes: 0 done; 1 refused (denied, not found, conflict); 2 wrong usage; 3 failure.";

// CLI11 reads `--flag=` as `--flag` and takes the next argument for its value, so that
// `--email= --admin true` would set the e-mail to "--admin". Apart, it takes the empty one.
std::vector<std::string> SplitEmptyValues(int argc, char** argv) {
  std::vector<std::string> arguments;
  bool flags = true;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    flags = flags && argument != "--";
    if (flags && argument.size() > 3 && argument.starts_with("--") &&
        argument.find('=') == argument.size() - 1) {
      arguments.push_back(argument.substr(0, argument.size() - 1));
      arguments.emplace_back();
    } else {
      arguments.push_back(argument);
    }
  }
  return arguments;
}

void AddGlobals(CLI::App* app, Globals* globals) {
  PlaceFlags* flags = &globals->flags;
  AddText(app, "--store", &flags->store, "DIR (Env:LATCHKEY_STORE)",
          "The store's folder; ./latchkey-data unless given");
  AddText(app, "--pepper-file", &flags->pepper_file, "FILE (Env:LATCHKEY_PEPPER_FILE)",
          "The store's pepper; DIR.pepper unless given");
  AddText(app, "--host", &flags->host, "URL (Env:LATCHKEY_HOST)",
          "Work through the host at this address instead of on a store");
  AddText(app, "--key-file", &flags->key_file, "FILE (Env:LATCHKEY_KEY_FILE)",
          "What to ask the host with: a file of mode 0600 with a user key or a session");
  AddText(app, "--key", &flags->key, "KEY (Env:LATCHKEY_API_KEY, LATCHKEY_API_TOKEN)",
          "The key itself; better not: arguments can be seen by others");
  AddText(app, "--ca-file", &flags->ca_file, "FILE (Env:LATCHKEY_CA_FILE)",
          "The certificates (PEM) that a host's must come from; the system's unless given");
  app->add_option("-o,--output", globals->output,
                  "table for people (unless given), json for programs: one value and nothing else")
      ->type_name("table|json")
      ->envname("LATCHKEY_OUTPUT");
  app->add_flag("--yes", globals->yes, "Revoke and delete without asking")->envname("LATCHKEY_YES");
  app->set_version_flag("--version", std::string("latchkey ") + latchkey_version());
}

void AddVerbs(CLI::App* app, Globals* globals) {
  AddStoreVerbs(app, globals);
  CLI::App* user = AddGroup(app, "user", "Users, and the keys of users");
  AddOwnerVerbs(user, LATCHKEY_OWNER_USER, globals);
  AddCredentialVerbs(AddGroup(user, "key", "Keys of a user"), kUserKey, globals);
  CLI::App* project = AddGroup(app, "project", "Projects, and the keys of projects");
  AddOwnerVerbs(project, LATCHKEY_OWNER_PROJECT, globals);
  AddCredentialVerbs(AddGroup(project, "key", "Keys of a project"), kProjectKey, globals);
  AddGrantVerbs(AddGroup(app, "grant", "Roles of users on projects"), globals);
  AddCredentialVerbs(AddGroup(app, "token", "API tokens of a user (legacy)"), kUserToken, globals);
  AddVerifyVerbs(app, globals);
  AddImportVerb(app, globals);
  AddBackupVerbs(app, globals);
  AddRepairVerbs(app, globals);
  AddSessionVerb(app, globals);
}

// The chosen verb with all its words: "latchkey user key create".
std::string ChosenVerb(const CLI::App& app) {
  std::string words = app.get_name();
  for (const CLI::App* verb = &app; !verb->get_subcommands().empty();) {
    verb = verb->get_subcommands().front();
    words += " " + verb->get_name();
  }
  return words;
}

// An argument that nobody took is the likelier mistake: `--nam ci` leaves --name missing, too.
void ComplainAbout(const CLI::App& app, const CLI::ParseError& error) {
  std::string unknown;
  for (const std::string& argument : app.remaining(true)) unknown += " " + Quoted(argument);
  Complain(unknown.empty() ? EscapeForTerminal(WithoutSecrets(error.what()))
                           : "not understood:" + unknown);
}

int Run(int argc, char** argv) {
  Globals globals;
  CLI::App app("Issues API keys, verifies them, revokes them for good, lists and searches them.",
               "latchkey");
  app.fallthrough();
  app.require_subcommand(1);
  app.footer(kFooter);
  app.get_formatter()->column_width(36);
  AddGlobals(&app, &globals);
  AddVerbs(&app, &globals);
  try {
    std::vector<std::string> arguments = SplitEmptyValues(argc, argv);
    std::reverse(arguments.begin(), arguments.end());
    app.parse(std::move(arguments));
  } catch (const CLI::Success& success) {
    app.exit(success, std::cout, std::cerr);
    std::cout.flush();
    return std::cout.good() ? kDone : kFailure;
  } catch (const CLI::ParseError& error) {
    ComplainAbout(app, error);
    Complain("See " + ChosenVerb(app) + " --help");
    return kUsage;
  }
  FinishGlobals(&globals);
  const int exit_code = globals.run();
  FlushOutput();
  return exit_code;
}

}  // namespace
}  // namespace latchkey::cli

int main(int argc, char** argv) {
  try {
    return latchkey::cli::Run(argc, argv);
  } catch (const latchkey::cli::Refusal& refusal) {
    std::fflush(stdout);  // answers that were given before it stand
    latchkey::cli::Complain(refusal.what());
    return refusal.exit_code();
  } catch (const std::exception& error) {
    latchkey::cli::Complain(latchkey::cli::EscapeForTerminal(error.what()));
    return latchkey::cli::kFailure;
  }
}
