// Looking first, without writing; writing only where there is something to write.
#include "authority/repair.h"

#include "authority/new_store.h"
#include "authority/repair_pass.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

// A folder that is a store, whose pepper is at hand, and which nobody else has open.
struct LockedStore {
  std::unique_ptr<StoreDir> dir;
  std::unique_ptr<PepperRing> ring;
};

Result<LockedStore> Lock(const RepairOptions& options) {
  LockedStore store;
  LATCHKEY_TRY_ASSIGN(store.dir, StoreDir::Open(options.path, kFormatVersion));
  if (store.dir->marker().format_writer_min > kFormatVersion) {
    return Status::Error(Code::kUnsupported, "the store was made by a newer latchkey");
  }
  LATCHKEY_TRY_ASSIGN(const PepperFile peppers, PepperFile::Load(options.pepper_path));
  LATCHKEY_TRY_ASSIGN(PepperRing ring, PepperRing::Make(peppers, store.dir->marker().store_id));
  store.ring = std::make_unique<PepperRing>(std::move(ring));
  LATCHKEY_TRY(CheckPeppers(*store.ring, store.dir->marker()));
  return store;
}

Result<std::unique_ptr<Storage>> OpenStorage(const RepairOptions& options, const LockedStore& store,
                                             const Result<Ack>& ack, bool read_only) {
  StorageOptions storage;
  storage.path = store.dir->rocks_path();
  storage.columns = kColumns;
  storage.env = options.env;
  storage.read_only = read_only;
  return Storage::Open(storage, [&](const Storage& shorter) -> Status {
    if (options.accept_broken_events) return Status::Ok();
    const RecordMac mac(*store.ring);
    const StorageSource source(shorter);
    const Result<HeadRecord> head = Reader(source, mac).Head();
    if (ack.ok() && head.ok() && head.value().event_number >= ack.value().event_number) {
      return Status::Ok();
    }
    return Status::Error(Code::kCorruption,
                         "the log of the store is damaged before what was acknowledged: restore a "
                         "backup, or accept the loss (--accept-broken-events)");
  });
}

}  // namespace

Status Repair(const RepairOptions& options, Random& random, RepairReport* report) {
  LATCHKEY_TRY_ASSIGN(const LockedStore store, Lock(options));
  const Result<Ack> ack = store.dir->ReadAck();
  if (!ack.ok() && ack.code() != Code::kCorruption) return ack.status();
  {
    LATCHKEY_TRY_ASSIGN(const auto storage, OpenStorage(options, store, ack, true));
    RepairPass look(options, store.dir->marker(), *store.ring, storage.get(), false, random,
                    report);
    const Status status = look.Run(ack);
    if (!status.ok() || look.is_sound() || options.dry_run) return status;
  }
  LATCHKEY_TRY_ASSIGN(const auto storage, OpenStorage(options, store, ack, false));
  Ack mended;
  {
    RepairPass mend(options, store.dir->marker(), *store.ring, storage.get(), true, random, report);
    LATCHKEY_TRY(mend.Run(ack));
    mended = mend.ack();
    if (!mend.needs_ack()) return storage->Flush();
  }
  LATCHKEY_TRY(storage->Flush());
  return store.dir->CreateAck(mended);
}

}  // namespace latchkey
