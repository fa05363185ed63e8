// What making and opening a store share with restoring one.
#pragma once

#include "crypto/pepper.h"
#include "crypto/random.h"
#include "storage/store_dir.h"

namespace latchkey {

// Every version that the store knows must be there, and give the check value of that time.
// WRONG_PEPPER, CORRUPTION.
Status CheckPeppers(const PepperRing& ring, const Marker& marker);

// A new store or history id.
Result<Uuid> NewId(Random& random);

}  // namespace latchkey
