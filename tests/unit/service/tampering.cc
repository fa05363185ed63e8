#include "unit/service/tampering.h"

#include <filesystem>
#include <memory>
#include <thread>

namespace latchkey::test {
namespace {

using T = TamperedStore;

Bytes At(const Storage& storage, uint8_t column, ByteView key) {
  const Result<Bytes> value = storage.Get(column, key);
  EXPECT_TRUE(value.ok()) << "column " << int{column};
  return value.ok() ? *value : Bytes();
}
Bytes Flipped(Bytes value, size_t at) {
  value[at] = static_cast<char>(value[at] ^ 1);
  return value;
}
// Puts one value under another key.
void Plant(const Storage& storage, Batch* batch, uint8_t column, ByteView from, ByteView to) {
  batch->Put(column, to, At(storage, column, from));
}
void Flip(const Storage& storage, Batch* batch, uint8_t column, ByteView key, size_t at = 0) {
  batch->Put(column, key, Flipped(At(storage, column, key), at));
}
void Swap(const Storage& storage, Batch* batch, uint8_t column, ByteView a, ByteView b) {
  Plant(storage, batch, column, a, b);
  Plant(storage, batch, column, b, a);
}
void PutBack(const T& t, Batch* batch, uint8_t column, ByteView key) {
  batch->Put(column, key, t.before_.at({column, Bytes(key)}));
}
Bytes FirstKey(const Storage& storage, uint8_t column) {
  const Scan scan = storage.ScanPrefix(column, {});
  return Bytes(scan.key());
}
Bytes EventKey(uint64_t number) { return Bytes(keys::Event(0, number).view()); }
Bytes SlugKey(const OwnerRecord& owner) {
  return Bytes(keys::OwnerSlug(owner.sort, owner.slug).view());
}
Bytes CountKeyOf(const OwnerRecord& owner, uint16_t kind) {
  return Bytes(keys::Count(owner.uuid, kind).view());
}
Bytes GrantKey(const T& t) { return Bytes(keys::Grant(t.courage_.uuid, t.muriel_.uuid).view()); }
const Uuid kStranger = Uuid::From("sixteen letters!");
constexpr ByteView kForeignKey = "no key of ours";
constexpr auto kByTagWrong = "the tag of a credential does not lead to it";
constexpr auto kBySlugWrong = "the slug of a credential does not lead to it";
constexpr auto kByNameWrong = "the name index does not show a credential as it is";
constexpr auto kOwnerSlugWrong = "the slug of an owner does not lead to it";
constexpr auto kEmailWrong = "the e-mail address of a user does not lead to him";
constexpr auto kCountWrong = "an owner's count of credentials is wrong";
constexpr auto kChainBroken = "the chain of events is broken";

}  // namespace

const std::vector<Tampering>& Tamperings() {
  static const std::vector<Tampering> all = {
      // Records.
      {"CredentialPlanted",
       [](T& t, const Storage& s, Batch* b) {
         Plant(s, b, column::kCredential, t.live_.uuid.view(), kStranger.view());
       },
       Code::kCorruption, nullptr, false},
      {"CredentialAltered",
       [](T& t, const Storage& s, Batch* b) {
         Flip(s, b, column::kCredential, t.live_.uuid.view(), 3);
       },
       Code::kCorruption, nullptr, false},
      {"CredentialDeleted",
       [](T& t, const Storage&, Batch* b) { b->Delete(column::kCredential, t.live_.uuid.view()); },
       Code::kCorruption, nullptr, false},
      {"CredentialsSwapped",
       [](T& t, const Storage& s, Batch* b) {
         Swap(s, b, column::kCredential, t.live_.uuid.view(), t.revoked_.uuid.view());
       },
       Code::kCorruption, nullptr, false},
      {"CredentialPutBack",
       [](T& t, const Storage&, Batch* b) {
         PutBack(t, b, column::kCredential, t.renamed_.uuid.view());
       },
       Code::kCorruption, nullptr, false},
      {"CredentialUnderForeignKey",
       [](T& t, const Storage& s, Batch* b) {
         Plant(s, b, column::kCredential, t.live_.uuid.view(), kForeignKey);
       },
       Code::kCorruption, nullptr, false},
      {"TombstoneDeleted",
       [](T& t, const Storage&, Batch* b) {
         b->Delete(column::kTombstone, t.revoked_.uuid.view());
       },
       Code::kCorruption, nullptr, false},
      {"TombstoneOfASweepDeleted",
       [](T& t, const Storage&, Batch* b) { b->Delete(column::kTombstone, t.swept_.uuid.view()); },
       Code::kCorruption, nullptr, false},
      {"TombstoneDeletedAndRecordPutBack",
       [](T& t, const Storage& s, Batch* b) {
         b->Delete(column::kTombstone, t.revoked_.uuid.view());
         PutBack(t, b, column::kByName, T::ByNameKey(s, t.revoked_.uuid));
         PutBack(t, b, column::kDefault, CountKeyOf(t.muriel_, kind::kUserKey));
       },
       Code::kCorruption, nullptr, false},
      {"TombstonePlanted",
       [](T& t, const Storage& s, Batch* b) {
         Plant(s, b, column::kTombstone, t.revoked_.uuid.view(), t.live_.uuid.view());
       },
       Code::kCorruption, nullptr, false},
      {"TombstoneAltered",
       [](T& t, const Storage& s, Batch* b) {
         Flip(s, b, column::kTombstone, t.revoked_.uuid.view(), 5);
       },
       Code::kCorruption, nullptr, false},
      {"SweepDeleted",
       [](T&, const Storage& s, Batch* b) {
         b->Delete(column::kSweep, FirstKey(s, column::kSweep));
       },
       Code::kCorruption, nullptr, false},
      {"SweepAltered",
       [](T&, const Storage& s, Batch* b) {
         Flip(s, b, column::kSweep, FirstKey(s, column::kSweep));
       },
       Code::kCorruption, nullptr, false},
      {"OwnerPutBack",
       [](T& t, const Storage&, Batch* b) {
         PutBack(t, b, column::kOwner, t.katz_.uuid.view());  // not locked yet
       },
       Code::kCorruption, nullptr, false},
      {"OwnerDeleted",
       [](T& t, const Storage&, Batch* b) { b->Delete(column::kOwner, t.courage_.uuid.view()); },
       Code::kCorruption, nullptr, false},
      {"OwnerPlanted",
       [](T& t, const Storage& s, Batch* b) {
         Plant(s, b, column::kOwner, t.muriel_.uuid.view(), kStranger.view());
       },
       Code::kCorruption, nullptr, false},
      {"GrantDeleted",
       [](T& t, const Storage&, Batch* b) { b->Delete(column::kGrant, GrantKey(t)); },
       Code::kCorruption, nullptr, false},
      {"GrantPutBack",
       [](T& t, const Storage&, Batch* b) {
         PutBack(t, b, column::kGrant, keys::Grant(t.courage_.uuid, t.katz_.uuid).view());
       },
       Code::kCorruption, nullptr, false},
      {"KindDeleted",
       [](T&, const Storage& s, Batch* b) { b->Delete(column::kKind, FirstKey(s, column::kKind)); },
       Code::kCorruption, nullptr, false},
      // The head and what is beside it.
      {"HeadPutBack",
       [](T& t, const Storage&, Batch* b) { PutBack(t, b, column::kDefault, keys::kHead); },
       Code::kRolledBack, nullptr, true},
      {"HeadAltered",
       [](T&, const Storage& s, Batch* b) { Flip(s, b, column::kDefault, keys::kHead, 1); },
       Code::kCorruption, nullptr, true},
      {"StoreRecordAltered",
       [](T&, const Storage& s, Batch* b) { Flip(s, b, column::kDefault, keys::kStore, 2); },
       Code::kCorruption, nullptr, true},
      // Events.
      {"EventAltered",
       [](T&, const Storage& s, Batch* b) {
         const Bytes key = EventKey(2);
         Flip(s, b, column::kEvent, key, At(s, column::kEvent, key).size() - 1);
       },
       Code::kOk, kChainBroken, true},
      {"EventDropped", [](T&, const Storage&, Batch* b) { b->Delete(column::kEvent, EventKey(3)); },
       Code::kOk, "the numbers of the events have a gap", true},
      {"EventsReordered",
       [](T&, const Storage& s, Batch* b) { Swap(s, b, column::kEvent, EventKey(2), EventKey(3)); },
       Code::kOk, kChainBroken, true},
      {"LastEventDropped",
       [](T&, const Storage& s, Batch* b) {
         b->Delete(column::kEvent, *s.LastKey(column::kEvent, {}));
       },
       Code::kCorruption, nullptr, true},
      {"EventPlantedBehind",
       [](T&, const Storage& s, Batch* b) {
         Plant(s, b, column::kEvent, EventKey(2), EventKey(1'000'000));
       },
       Code::kCorruption, nullptr, false},
      // Counts.
      {"CountAltered",
       [](T& t, const Storage& s, Batch* b) {
         Flip(s, b, column::kDefault, CountKeyOf(t.muriel_, kind::kUserKey), 2);
       },
       Code::kOk, kCountWrong, false},
      {"CountPutBack",
       [](T& t, const Storage&, Batch* b) {
         PutBack(t, b, column::kDefault, CountKeyOf(t.muriel_, kind::kUserKey));
       },
       Code::kOk, kCountWrong, false},
      {"CountDeleted",
       [](T& t, const Storage&, Batch* b) {
         b->Delete(column::kDefault, CountKeyOf(t.muriel_, kind::kUserKey));
       },
       Code::kOk, kCountWrong, false},
      {"CountPlanted",
       [](T& t, const Storage& s, Batch* b) {
         Plant(s, b, column::kDefault, CountKeyOf(t.muriel_, kind::kUserKey),
               CountKeyOf(t.muriel_, kind::kUserToken));
       },
       Code::kOk, "there is a count of credentials that there are not", false},
      // Indexes: an entry missing, wrong, or too many.
      {"TagMissing",
       [](T& t, const Storage& s, Batch* b) {
         b->Delete(column::kByTag, View(T::RecordOf(s, t.live_.uuid).tag));
       },
       Code::kOk, kByTagWrong, false},
      {"TagWrong",
       [](T& t, const Storage& s, Batch* b) {
         b->Put(column::kByTag, View(T::RecordOf(s, t.live_.uuid).tag), t.other_.uuid.view());
       },
       Code::kOk, kByTagWrong, false},
      {"TagPlanted",
       [](T& t, const Storage&, Batch* b) {
         b->Put(column::kByTag, kStranger.view(), t.live_.uuid.view());
       },
       Code::kOk, "the tag index has stray entries", false},
      {"NameMissing",
       [](T& t, const Storage& s, Batch* b) {
         b->Delete(column::kByName, T::ByNameKey(s, t.live_.uuid));
       },
       Code::kOk, kByNameWrong, false},
      {"NameWrong",  // as if it had not been revoked
       [](T& t, const Storage& s, Batch* b) {
         PutBack(t, b, column::kByName, T::ByNameKey(s, t.revoked_.uuid));
       },
       Code::kOk, kByNameWrong, false},
      {"NamePlanted",  // as it was before it was renamed
       [](T& t, const Storage&, Batch* b) {
         for (const auto& [key, value] : t.before_) {
           if (key.first == column::kByName && key.second.ends_with(t.renamed_.uuid.view())) {
             b->Put(column::kByName, key.second, value);
           }
         }
       },
       Code::kOk, "the name index has stray entries", false},
      {"SlugMissing",
       [](T& t, const Storage& s, Batch* b) {
         b->Delete(column::kBySlug, T::BySlugKey(s, t.live_.uuid));
       },
       Code::kOk, kBySlugWrong, false},
      {"SlugWrong",
       [](T& t, const Storage& s, Batch* b) {
         b->Put(column::kBySlug, T::BySlugKey(s, t.live_.uuid), t.other_.uuid.view());
       },
       Code::kOk, kBySlugWrong, false},
      {"SlugPlanted",
       [](T& t, const Storage&, Batch* b) {
         b->Put(column::kBySlug, keys::BySlug(t.muriel_.uuid, kind::kUserKey, "stray").view(),
                t.live_.uuid.view());
       },
       Code::kOk, "the slug index has stray entries", false},
      {"OwnerSlugMissing",
       [](T& t, const Storage&, Batch* b) { b->Delete(column::kOwnerSlug, SlugKey(t.muriel_)); },
       Code::kOk, kOwnerSlugWrong, false},
      {"OwnerSlugWrong",
       [](T& t, const Storage&, Batch* b) {
         b->Put(column::kOwnerSlug, SlugKey(t.muriel_), t.katz_.uuid.view());
       },
       Code::kOk, kOwnerSlugWrong, false},
      {"OwnerSlugPlanted",
       [](T& t, const Storage&, Batch* b) {
         b->Put(column::kOwnerSlug, keys::OwnerSlug(OwnerSort::kUser, "stray").view(),
                t.muriel_.uuid.view());
       },
       Code::kOk, "the slug index of owners has stray entries", false},
      {"EmailMissing",
       [](T& t, const Storage&, Batch* b) { b->Delete(column::kOwnerEmail, t.muriel_.email); },
       Code::kOk, kEmailWrong, false},
      {"EmailWrong",
       [](T& t, const Storage&, Batch* b) {
         b->Put(column::kOwnerEmail, t.muriel_.email, t.katz_.uuid.view());
       },
       Code::kOk, kEmailWrong, false},
      {"EmailPlanted",
       [](T& t, const Storage&, Batch* b) {
         b->Put(column::kOwnerEmail, "stray@nowhere.com", t.muriel_.uuid.view());
       },
       Code::kOk, "the e-mail index has stray entries", false},
  };
  return all;
}

// Made once for all tests of the program, and copied.
void TamperedStore::Renew() {
  Close();
  struct Made {
    TempDir dir;
    SmallWorld world;
  };
  static std::unique_ptr<Made> made;
  namespace fs = std::filesystem;
  if (made == nullptr) {
    EngineTest::SetUp();
    MakeWorld();
    if (HasFatalFailure()) return;
    made = std::make_unique<Made>();
    made->world = *this;
    fs::remove((dir_ / "store") + "/reserve");
    fs::copy(dir_.path(), made->dir.path(), fs::copy_options::recursive);
  }
  SmallWorld::operator=(made->world);
  fs::remove_all(dir_ / "store");
  fs::copy(made->dir.path(), dir_.path(),
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
}

void TamperedStore::MakeWorld() {
  NewOwner wish;
  wish.name = "muriel";
  wish.email = "muriel@nowhere.com";
  muriel_ = *CreateOwnerNow(*engine_, {}, wish);
  eustace_ = MakeUser("eustace");
  katz_ = MakeUser("katz");
  wish = NewOwner{};
  wish.sort = OwnerSort::kProject;
  wish.name = "courage";
  courage_ = *CreateOwnerNow(*engine_, {}, wish);
  for (const OwnerRecord* user : {&muriel_, &katz_}) {
    ASSERT_TRUE(SetGrantNow(*engine_, {}, {courage_.uuid, user->uuid, Role::kMaintainer}).ok());
  }
  KindRecord kind;
  kind.kind = 256;
  kind.name = "deploy-key";
  kind.prefix = "deploy_";
  kind.owner_sort = OwnerSort::kProject;
  ASSERT_TRUE(RegisterKindNow(*engine_, kind).ok());
  live_ = MakeKey(muriel_.uuid, "live");
  other_ = MakeKey(muriel_.uuid, "other");
  renamed_ = MakeKey(muriel_.uuid, "before");
  revoked_ = MakeKey(muriel_.uuid, "revoked");
  swept_ = MakeKey(eustace_.uuid, "swept");
  locked_ = MakeKey(katz_.uuid, "locked");
  NewCredential run;
  run.owner = courage_.uuid;
  run.kind = kind::kProjectKey;
  run.ttl_s = 1000;
  run.name = "run";
  GeneratedSecret secret;
  run_.uuid = Issue(*engine_, run, &secret)->record.uuid;
  run_.secret = Bytes(secret.Expose());
  before_ = ReadStore();

  Open(OpenMode::kExisting);
  ASSERT_TRUE(Revoke(*engine_, muriel_.uuid, revoked_.uuid, "leaked").ok());
  ASSERT_TRUE(Rename(*engine_, {}, renamed_.uuid, "after").ok());
  UpdateOwner lock;
  lock.uuid = katz_.uuid;
  lock.locked = true;
  ASSERT_TRUE(UpdateOwnerNow(*engine_, {}, lock).ok());
  ASSERT_TRUE(RemoveGrantNow(*engine_, {}, {courage_.uuid, katz_.uuid}).ok());
  SweepRecord sweep;
  sweep.owner = eustace_.uuid;
  sweep.reason = "gone";
  ASSERT_TRUE(RevokeAll(*engine_, {}, sweep, false).ok());
  while (!engine_->authority().Now()->pending_sweeps.empty()) std::this_thread::yield();
  late_ = MakeKey(eustace_.uuid, "late");
  due_ = {{"live", {live_, Reason::kAllowed}},       {"other", {other_, Reason::kAllowed}},
          {"renamed", {renamed_, Reason::kAllowed}}, {"revoked", {revoked_, Reason::kRevoked}},
          {"swept", {swept_, Reason::kRevoked}},     {"late", {late_, Reason::kAllowed}},
          {"locked", {locked_, Reason::kLocked}},    {"run", {run_, Reason::kAllowed}}};
  Close();
}

Contents TamperedStore::ReadStore() {
  Contents contents;
  EditStore([&](const Storage& storage, Batch*) {
    for (const ColumnSpec& column : kColumns) {
      Scan scan = storage.ScanPrefix(column.id, {});
      for (; scan.Valid(); scan.Next()) {
        contents[{column.id, Bytes(scan.key())}] = Bytes(scan.value());
      }
    }
  });
  return contents;
}

std::vector<std::string> TamperedStore::Findings() {
  std::vector<std::string> findings;
  const Status status =
      CheckStore(*engine_, [&](Literal what, const Uuid&) { findings.push_back(what.text); });
  EXPECT_EQ(status.code(), findings.empty() ? Code::kOk : Code::kCorruption) << status.why();
  return findings;
}

Status TamperedStore::RepairNow(RepairOptions options) {
  Close();
  told_.clear();
  options.path = dir_ / "store";
  options.pepper_path = dir_ / "store.pepper";
  options.env = env_.env.get();
  options.found = [this](Literal what, const Uuid&) { told_.push_back(what.text); };
  return RepairStore(options, &report_);
}

void TamperedStore::ExpectAsItWas() {
  Open(OpenMode::kExisting);
  ASSERT_NE(engine_, nullptr);
  ExpectSound();
  for (const auto& [name, due] : due_) EXPECT_EQ(Judge(due.first), due.second) << name;
  EXPECT_EQ(Authorize(*engine_, muriel_.uuid, courage_.uuid, Role::kMaintainer).code(), Code::kOk);
  EXPECT_NE(Authorize(*engine_, katz_.uuid, courage_.uuid, Role::kViewer).code(), Code::kOk);
  EXPECT_EQ(CountKeys(muriel_.uuid, false), 3u);
  EXPECT_EQ(CountKeys(muriel_.uuid, true), 1u);
  EXPECT_EQ(GetCredential(*engine_, renamed_.uuid)->record.name, "after");
  Close();
}

void TamperedStore::ExpectNothingRevived() {
  Open(OpenMode::kExisting);
  ASSERT_NE(engine_, nullptr);
  ExpectSound();
  for (const auto& [name, due] : due_) {
    if (due.second != Reason::kAllowed) {
      EXPECT_NE(Judge(due.first), Reason::kAllowed) << name;
    }
  }
  EXPECT_NE(Authorize(*engine_, katz_.uuid, courage_.uuid, Role::kViewer).code(), Code::kOk);
  Close();
}

CredentialRecord TamperedStore::RecordOf(const Storage& storage, const Uuid& uuid) {
  const Bytes value = At(storage, column::kCredential, uuid.view());
  return *CredentialRecord::Decode(
      uuid, ByteView(value).substr(0, value.size() - RecordMac::kTrailerSize));
}
Bytes TamperedStore::ByNameKey(const Storage& storage, const Uuid& uuid) {
  const CredentialRecord record = RecordOf(storage, uuid);
  return Bytes(
      keys::ByName(record.owner, record.kind, record.name, record.creation_s, uuid).view());
}
Bytes TamperedStore::BySlugKey(const Storage& storage, const Uuid& uuid) {
  const CredentialRecord record = RecordOf(storage, uuid);
  return Bytes(keys::BySlug(record.owner, record.kind, record.slug).view());
}

}  // namespace latchkey::test
