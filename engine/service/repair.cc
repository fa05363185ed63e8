// The offline repair needs no engine: only randomness for the id of a new history.
#include "service/repair.h"

namespace latchkey {

Status RepairStore(const RepairOptions& options, RepairReport* report) {
  *report = RepairReport();
  LATCHKEY_TRY(InitCrypto());
  Random random;
  return Repair(options, random, report);
}

}  // namespace latchkey
