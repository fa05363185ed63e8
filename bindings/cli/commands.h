// The verbs, a file each noun. Every function adds its verbs to `parent`; a verb that is chosen
// leaves what it does in globals->run. `globals` outlives the parse and the run.
#pragma once

#include "rows.h"

namespace CLI {
class App;
}  // namespace CLI

namespace latchkey::cli {

// init, stats
void AddStoreVerbs(CLI::App* parent, Globals* globals);
// create, list, view, update, delete; for users lock and unlock too
void AddOwnerVerbs(CLI::App* parent, uint32_t sort, Globals* globals);
// set, remove, list
void AddGrantVerbs(CLI::App* parent, Globals* globals);
// list, create, view, update, revoke
void AddCredentialVerbs(CLI::App* parent, const Noun& noun, Globals* globals);
// verify, identify
void AddVerifyVerbs(CLI::App* parent, Globals* globals);
// backup, restore, epoch
void AddBackupVerbs(CLI::App* parent, Globals* globals);
// check, repair
void AddRepairVerbs(CLI::App* parent, Globals* globals);
void AddImportVerb(CLI::App* parent, Globals* globals);
void AddSessionVerb(CLI::App* parent, Globals* globals);

}  // namespace latchkey::cli
