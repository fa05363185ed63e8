// What is written on a backup, closed and opened like a record.
#include "authority/backup_note.h"

namespace latchkey {
namespace {

// No column of the store has this number: a note is no record.
constexpr uint8_t kNoteColumn = 255;
constexpr ByteView kNoteKey = "backup";

}  // namespace

Bytes CloseNote(const RecordMac& mac, const BackupRecord& record) {
  return mac.Close(kNoteColumn, kNoteKey, record.Encode());
}

Result<BackupRecord> OpenNote(const RecordMac& mac, ByteView note) {
  LATCHKEY_TRY_ASSIGN(const ByteView fields, mac.Open(kNoteColumn, kNoteKey, note));
  return BackupRecord::Decode(fields);
}

Result<BackupRecord> ReadNote(ByteView note) {
  if (note.size() < RecordMac::kTrailerSize) {
    return Status::Error(Code::kCorruption, "what is written on the backup is damaged");
  }
  return BackupRecord::Decode(note.substr(0, note.size() - RecordMac::kTrailerSize));
}

}  // namespace latchkey
