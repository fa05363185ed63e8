// One line of an import, read and checked for form.
#pragma once

#include "codec/json.h"
#include "schema/commands.h"
#include "service/engine.h"

namespace latchkey {

// The command that a line asks for. INVALID_ARGUMENT says what is wrong with the line.
Result<Command> ReadImportLine(Engine& engine, const Uuid& actor, ByteView line,
                               JsonObjectReader* json);

}  // namespace latchkey
