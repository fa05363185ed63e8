// Putting a damaged store right, while nobody has it open.
#pragma once

#include "authority/repair.h"

namespace latchkey {

// As Repair(): fills *report whatever it returns.
Status RepairStore(const RepairOptions& options, RepairReport* report);

}  // namespace latchkey
