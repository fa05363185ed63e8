// What is written on a backup: which store and moment it is of. MACed like a record, so that nobody
// without the pepper can pass an old backup for a new one.
#pragma once

#include "authority/record_mac.h"
#include "schema/records.h"

namespace latchkey {

Bytes CloseNote(const RecordMac& mac, const BackupRecord& record);
// CORRUPTION if the MAC does not hold.
Result<BackupRecord> OpenNote(const RecordMac& mac, ByteView note);
// As it stands there: to be shown, not to be relied on.
Result<BackupRecord> ReadNote(ByteView note);

}  // namespace latchkey
