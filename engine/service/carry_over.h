// What was taken away after a backup was made, carried over into the store that is made from it.
#pragma once

#include <string>

#include "service/restore.h"
#include "service/restored_history.h"

namespace latchkey {

// Appends what the damaged store says was revoked, locked or deleted and the restored one does not
// know yet. `store` is the restored one's record: it names the histories that it goes on from.
// Counts in *report; what cannot be read of the damaged store is counted too and stops nothing.
Status CarryOver(const std::string& damaged_path, const RecordMac& mac, const StoreRecord& store,
                 RestoredHistory* history, RestoreReport* report);

}  // namespace latchkey
