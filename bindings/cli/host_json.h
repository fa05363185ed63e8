// The replies of a host, read back into the structs of the C API: the other way of <wire/wire.h>.
// Each throws std::invalid_argument or a Json::exception for what no latchkey host sends; neither
// holds bytes of the reply.
#pragma once

#include "backend.h"

namespace latchkey::cli {

latchkey_owner ReadOwner(const Json& json, uint32_t sort);
latchkey_grant ReadGrant(const Json& json);
// The reply to a create is one without a creator and with a secret, which is left in `json`.
Credential ReadCredential(const Json& json, const Noun& noun);
// One that says itself of which kind it is.
Credential ReadIdentified(const Json& json);
Verdict ReadVerdict(const Json& json);

}  // namespace latchkey::cli
