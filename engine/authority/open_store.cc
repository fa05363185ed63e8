// Opening and making a store. The order is what keeps a refused store untouched: marker, lock and
// pepper are judged before RocksDB is let near it.
#include "authority/local_authority.h"
#include "authority/new_store.h"
#include "schema/keys.h"

namespace latchkey {
namespace {

Status WrongPepper() {
  return Status::Error(Code::kWrongPepper,
                       "the pepper file is not the one that the store was made with");
}

Status TooNew() {
  return Status::Error(Code::kUnsupported, "the store was made by a newer latchkey");
}

}  // namespace

Status CheckPeppers(const PepperRing& ring, const Marker& marker) {
  if (marker.peppers.empty()) {
    return Status::Error(Code::kCorruption, "the marker of the store names no pepper");
  }
  for (const Marker::PepperCheck& check : marker.peppers) {
    if (!ring.has(check.version) || ring.check_value(check.version) != check.value) {
      return WrongPepper();
    }
  }
  return ring.newest_version() == marker.peppers.back().version ? Status::Ok() : WrongPepper();
}

Result<Uuid> NewId(Random& random) {
  std::array<uint8_t, 10> bytes;
  LATCHKEY_TRY(random.Fill(bytes));
  return MakeUuidV7(SystemClock().NowUnixMs(), bytes);
}

Result<std::unique_ptr<LocalAuthority>> LocalAuthority::Open(const AuthorityOptions& options,
                                                             Random& random) {
  Result<std::unique_ptr<StoreDir>> dir = StoreDir::Open(options.path, kFormatVersion);
  const bool missing = dir.code() == Code::kNotFound;
  if (!missing && options.mode == OpenMode::kCreate && dir.code() != Code::kBusy) {
    return Status::Error(Code::kConflict, "there is something at the path of the store already");
  }
  if (missing && options.epoch && options.mode != OpenMode::kExisting) {
    return Status::Error(Code::kRolledBack, "there is no store, and so none that holds the epoch");
  }
  if (missing && options.mode != OpenMode::kExisting) {
    dir = StoreDir::Create(options.path);
    if (!dir.ok()) return dir.status();
    Result<PepperFile> peppers = PepperFile::Create(options.pepper_path, random);
    if (peppers.code() == Code::kConflict) peppers = PepperFile::Load(options.pepper_path);
    if (!peppers.ok()) return peppers.status();
    LATCHKEY_TRY_ASSIGN(const Uuid store_id, NewId(random));
    LATCHKEY_TRY_ASSIGN(PepperRing ring, PepperRing::Make(*peppers, store_id));
    std::unique_ptr<LocalAuthority> made(
        new LocalAuthority(std::move(*dir), std::move(ring), options));
    LATCHKEY_TRY(made->CreateStore(*peppers, store_id, random));
    return made;
  }
  if (!dir.ok()) return dir.status();
  if ((*dir)->marker().format_writer_min > kFormatVersion) return TooNew();

  LATCHKEY_TRY_ASSIGN(const PepperFile peppers, PepperFile::Load(options.pepper_path));
  LATCHKEY_TRY_ASSIGN(PepperRing ring, PepperRing::Make(peppers, (*dir)->marker().store_id));
  LATCHKEY_TRY(CheckPeppers(ring, (*dir)->marker()));
  std::unique_ptr<LocalAuthority> opened(
      new LocalAuthority(std::move(*dir), std::move(ring), options));
  LATCHKEY_TRY(opened->OpenStore());
  return opened;
}

Status LocalAuthority::CreateStore(const PepperFile& peppers, const Uuid& store_id,
                                   Random& random) {
  StorageOptions storage_options;
  storage_options.path = dir_->rocks_path();
  storage_options.columns = kColumns;
  storage_options.create = true;
  storage_options.env = options_.env;
  LATCHKEY_TRY_ASSIGN(storage_, Storage::Open(storage_options, nullptr));

  store_.store_id = store_id;
  LATCHKEY_TRY_ASSIGN(store_.history_id, NewId(random));
  store_.creation_s = SystemClock().NowUnixMs() / 1000;

  Marker marker;
  marker.format_reader_min = kFormatVersion;
  marker.format_writer_min = kFormatVersion;
  marker.store_id = store_id;
  Batch batch(*storage_);
  const auto put = [&](ByteView key, const Bytes& fields) {
    batch.Put(column::kDefault, key, mac_.Close(column::kDefault, key, fields));
  };
  batch.Put(column::kDefault, keys::kFormat, FormatRecord{kFormatVersion, kFormatVersion}.Encode());
  put(keys::kStore, store_.Encode());
  put(keys::kHead, state_->head.Encode());
  for (const PepperFile::Entry& entry : peppers.entries()) {
    const auto check = ring_.check_value(entry.version);
    marker.peppers.push_back({entry.version, check});
    put(keys::Pepper(entry.version).view(), Bytes(latchkey::View(check)));
  }
  LATCHKEY_TRY(storage_->Commit(&batch));
  LATCHKEY_TRY(dir_->CreateAck(Ack{store_.store_id, store_.history_id, 0}));
  // Last: a folder without a marker is not a store, so a creation that was cut off is none.
  return dir_->WriteMarker(marker);
}

Status LocalAuthority::OpenStorage() {
  LATCHKEY_TRY_ASSIGN(const Ack ack, dir_->ReadAck());
  StorageOptions storage_options;
  storage_options.path = dir_->rocks_path();
  storage_options.columns = kColumns;
  storage_options.env = options_.env;
  const auto ends_before_ack = [&](const Storage& storage) -> Result<bool> {
    const StorageSource source(storage);
    LATCHKEY_TRY_ASSIGN(const HeadRecord head, Reader(source, mac_).Head());
    return head.event_number < ack.event_number;
  };
  LATCHKEY_TRY_ASSIGN(storage_,
                      Storage::Open(storage_options, [&](const Storage& shorter) -> Status {
                        LATCHKEY_TRY_ASSIGN(const bool too_short, ends_before_ack(shorter));
                        if (!too_short) return Status::Ok();
                        return Status::Error(
                            Code::kCorruption,
                            "the log of the store is damaged before what was acknowledged: restore "
                            "a backup, which takes over what was revoked here");
                      }));
  LATCHKEY_TRY_ASSIGN(const bool too_short, ends_before_ack(*storage_));
  if (too_short) {
    storage_.reset();
    return Status::Error(Code::kRolledBack,
                         "the store ends before what it has acknowledged: an older copy was put in "
                         "its place; restore a backup, or see what is left by latchkey repair "
                         "--dry-run");
  }
  const StorageSource source(*storage_);
  LATCHKEY_TRY_ASSIGN(StoreRecord store, Reader(source, mac_).Store());
  const bool is_opened_anew = !store_.history_id.is_nil();
  if (store.store_id != dir_->marker().store_id || store.store_id != ack.store_id ||
      store.history_id != ack.history_id ||
      (is_opened_anew && store.history_id != store_.history_id)) {
    storage_.reset();
    return Status::Error(
        Code::kRolledBack,
        "marker, ack file and database are not of one store and history: restore a "
        "backup, or see what is left by latchkey repair --dry-run");
  }
  // Threads read it without a lock, and nothing changes it while the store is in use.
  if (!is_opened_anew) store_ = std::move(store);
  return Status::Ok();
}

Status LocalAuthority::OpenStore() {
  Status opened = OpenStorage();
  if (opened.code() == Code::kNoSpace && dir_->ReleaseReserve()) opened = OpenStorage();
  LATCHKEY_TRY(opened);
  LATCHKEY_TRY_ASSIGN(const Bytes format, storage_->Get(column::kDefault, keys::kFormat));
  LATCHKEY_TRY_ASSIGN(const FormatRecord needs, FormatRecord::Decode(format));
  if (needs.reader_min > kFormatVersion || needs.writer_min > kFormatVersion) {
    return TooNew();
  }
  LATCHKEY_TRY_ASSIGN(AuthorityState state, LoadState(*storage_, mac_));
  if (options_.epoch) {
    LATCHKEY_TRY(CheckEpoch(*storage_, store_, state.head, *options_.epoch));
  }
  state_ = std::make_shared<const AuthorityState>(std::move(state));
  return Status::Ok();
}

}  // namespace latchkey
