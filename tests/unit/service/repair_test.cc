// Repair: whatever was done to the database, afterwards the check finds nothing, and each key is
// judged as it was before, or, where nothing shows what it was, denied.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "unit/service/tampering.h"

namespace latchkey::test {
namespace {

namespace fs = std::filesystem;

std::map<std::string, Bytes> BytesOf(const std::string& folder) {
  std::map<std::string, Bytes> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files[entry.path().string()] = {std::istreambuf_iterator<char>(in), {}};
  }
  return files;
}

using RepairTable = TamperedRows;

TEST_P(RepairTable, EachIsRepaired) {
  ForEachRow([&](const Tampering& tampering) {
    const auto damaged = BytesOf(dir_ / "store");
    RepairOptions dry;
    dry.dry_run = true;
    const Code looked = RepairNow(dry).code();
    EXPECT_EQ(looked, tampering.needs_accept ? Code::kCorruption : Code::kOk);
    EXPECT_EQ(report_.needs_accept, tampering.needs_accept);
    EXPECT_GE(report_.findings, 1u);
    EXPECT_EQ(told_.size(), report_.findings);
    EXPECT_TRUE(BytesOf(dir_ / "store") == damaged);
    RepairOptions options;
    if (tampering.needs_accept) {
      EXPECT_EQ(RepairNow().code(), Code::kCorruption);
      EXPECT_TRUE(BytesOf(dir_ / "store") == damaged);
      options.accept_broken_events = true;
    }

    const Status repaired = RepairNow(options);
    ASSERT_TRUE(repaired.ok()) << repaired.why();
    EXPECT_EQ(report_.history_begun, tampering.needs_accept);
    if (report_.proof == Proof::kNothing) {
      EXPECT_EQ(report_.active, 0u);
      ExpectNothingRevived();
    } else {
      ExpectAsItWas();
    }
    const auto sound = BytesOf(dir_ / "store");
    const Status again = RepairNow();
    EXPECT_TRUE(again.ok()) << again.why();
    EXPECT_EQ(report_.findings, 0u) << testing::PrintToString(told_);
    EXPECT_TRUE(BytesOf(dir_ / "store") == sound);
  });
}

INSTANTIATE_TEST_SUITE_P(Rows, RepairTable, testing::Range(size_t{0}, TamperedRows::kTests));

using RepairStoreTest = TamperedStore;

TEST_F(RepairStoreTest, ASoundStoreIsLeftAsItIs) {
  const auto before = BytesOf(dir_ / "store");
  ASSERT_TRUE(RepairNow().ok());
  EXPECT_EQ(report_.findings, 0u) << testing::PrintToString(told_);
  EXPECT_EQ(report_.proof, Proof::kSum);
  EXPECT_EQ(report_.active, 6u);
  EXPECT_EQ(report_.revoked, 2u);
  EXPECT_TRUE(BytesOf(dir_ / "store") == before);
  ExpectAsItWas();
}

TEST_F(RepairStoreTest, ATombstoneIsWrittenAgainAsItWas) {
  Bytes own, swept;
  EditStore([&](const Storage& storage, Batch* batch) {
    own = *storage.Get(column::kTombstone, revoked_.uuid.view());
    swept = *storage.Get(column::kTombstone, swept_.uuid.view());
    batch->Delete(column::kTombstone, revoked_.uuid.view());
    batch->Delete(column::kTombstone, swept_.uuid.view());
  });
  ASSERT_TRUE(RepairNow().ok());
  EXPECT_EQ(report_.tombstones_restored, 2u);
  EXPECT_FALSE(report_.history_begun);
  EditStore([&](const Storage& storage, Batch*) {
    EXPECT_EQ(*storage.Get(column::kTombstone, revoked_.uuid.view()), own);
    EXPECT_EQ(*storage.Get(column::kTombstone, swept_.uuid.view()), swept);
  });
  ExpectAsItWas();
}

// With the events gone nothing tells why it is there. It stays, and what it denies stays denied.
TEST_F(RepairStoreTest, ATombstoneIsNeverDropped) {
  Bytes tombstone;
  EditStore([&](const Storage& storage, Batch* batch) {
    tombstone = *storage.Get(column::kTombstone, revoked_.uuid.view());
    Scan scan = storage.ScanPrefix(column::kEvent, {});
    for (; scan.Valid(); scan.Next()) batch->Delete(column::kEvent, scan.key());
    batch->Delete(column::kCredential, revoked_.uuid.view());
    batch->Delete(column::kOwner, muriel_.uuid.view());
  });
  RepairOptions accept;
  accept.accept_broken_events = true;
  ASSERT_TRUE(RepairNow(accept).ok());
  EXPECT_EQ(report_.proof, Proof::kNothing);
  EXPECT_EQ(report_.active, 0u);
  EXPECT_EQ(report_.revoked, due_.size());
  EditStore([&](const Storage& storage, Batch*) {
    EXPECT_EQ(*storage.Get(column::kTombstone, revoked_.uuid.view()), tombstone);
  });
  ExpectNothingRevived();
  // Its tag stays taken: the secret cannot come back under another UUID.
  Open(OpenMode::kExisting);
  EXPECT_EQ(IdentifySecret(*engine_, revoked_.secret)->record.uuid, revoked_.uuid);
  EXPECT_EQ(GetCredential(*engine_, revoked_.uuid)->record.name,
            "Lost " + FormatUuid(revoked_.uuid));
}

// Nothing shows any more what the records were: what gives is taken back.
TEST_F(RepairStoreTest, WhatCannotBeShownIsTakenBack) {
  EditStore([&](const Storage&, Batch* batch) { batch->Delete(column::kDefault, keys::kHead); });
  RepairOptions accept;
  accept.accept_broken_events = true;
  ASSERT_TRUE(RepairNow(accept).ok());
  EXPECT_EQ(report_.proof, Proof::kNothing);
  EXPECT_EQ(report_.credentials_withdrawn, 6u);
  EXPECT_EQ(report_.owners_withdrawn, 3u);
  EXPECT_EQ(report_.grants_withdrawn, 1u);
  EXPECT_GT(report_.events_lost, 0u);
  Open(OpenMode::kExisting);
  for (const auto& [name, due] : due_) EXPECT_EQ(Judge(due.first), Reason::kRevoked) << name;
  EXPECT_NE(Authorize(*engine_, muriel_.uuid, courage_.uuid, Role::kViewer).code(), Code::kOk);
  // It goes on as any other store does.
  UpdateOwner unlock;
  unlock.uuid = muriel_.uuid;
  unlock.locked = false;
  ASSERT_TRUE(UpdateOwnerNow(*engine_, {}, unlock).ok());
  const Key fresh = MakeKey(muriel_.uuid, "fresh");
  EXPECT_EQ(Judge(fresh), Reason::kAllowed);
  Reopen();
  EXPECT_EQ(Judge(fresh), Reason::kAllowed);
  ExpectSound();
}

// A new history shares nothing with the one that was lost; the events of the old one are gone, and
// the numbers go on behind them.
TEST_F(RepairStoreTest, ALostHistoryIsNotPassedForTheOldOne) {
  Open(OpenMode::kExisting);
  const Uuid before = engine_->authority().store().history_id;
  const uint64_t number = engine_->authority().Now()->head.event_number;
  EditStore([&](const Storage&, Batch* batch) {
    batch->Delete(column::kEvent, keys::Event(0, 5).view());
  });
  RepairOptions accept;
  accept.accept_broken_events = true;
  ASSERT_TRUE(RepairNow(accept).ok());
  EXPECT_EQ(report_.proof, Proof::kSum);  // so that nothing need be taken back
  EXPECT_TRUE(report_.history_begun);
  EXPECT_NE(report_.history_id, before);
  EXPECT_EQ(report_.events_lost, number - 1);
  ExpectAsItWas();
  Open(OpenMode::kExisting);
  EXPECT_EQ(engine_->authority().store().history_id, report_.history_id);
  EXPECT_EQ(engine_->authority().store().repaired_history_id, before);
  EXPECT_EQ(engine_->authority().Now()->head.event_number, number);
  EXPECT_EQ(engine_->authority().Now()->head.event_floor, number);
  // What is done from now on is proved by the events again, but not what was before them.
  ASSERT_TRUE(Revoke(*engine_, {}, other_.uuid, {}).ok());
  due_["other"].second = Reason::kRevoked;
  ExpectSound();
  EditStore(
      [&](const Storage&, Batch* batch) { batch->Delete(column::kTombstone, other_.uuid.view()); });
  EXPECT_EQ(RepairNow().code(), Code::kCorruption);
  EXPECT_TRUE(report_.needs_accept);
  ASSERT_TRUE(RepairNow(accept).ok());
  ExpectNothingRevived();
}

TEST_F(RepairStoreTest, AnOlderDatabaseIsNotTakenForTheLatest) {
  const fs::path rocks = (dir_ / "store") + "/rocks";
  fs::copy(rocks, dir_ / "copy", fs::copy_options::recursive);
  Open(OpenMode::kExisting);
  ASSERT_TRUE(Revoke(*engine_, {}, live_.uuid, {}).ok());
  due_["live"].second = Reason::kRevoked;
  Close();
  fs::remove_all(rocks);
  fs::rename(dir_ / "copy", rocks);
  EXPECT_EQ(RepairNow().code(), Code::kCorruption);
  // Nor without the file that tells.
  fs::remove((dir_ / "store") + "/ack");
  EXPECT_EQ(RepairNow().code(), Code::kCorruption);
  EXPECT_TRUE(report_.needs_accept);
  RepairOptions accept;
  accept.accept_broken_events = true;
  ASSERT_TRUE(RepairNow(accept).ok());
  ExpectNothingRevived();
}

TEST_F(RepairStoreTest, IsRefusedWhileTheStoreIsOpen) {
  Open(OpenMode::kExisting);
  RepairOptions options;
  options.path = dir_ / "store";
  options.pepper_path = dir_ / "store.pepper";
  EXPECT_EQ(RepairStore(options, &report_).code(), Code::kBusy);
  Close();
  options.pepper_path = dir_ / "none";
  EXPECT_EQ(RepairStore(options, &report_).code(), Code::kWrongPepper);
  options.path = dir_ / "nowhere";
  EXPECT_EQ(RepairStore(options, &report_).code(), Code::kNotFound);
}

// Each write is a batch of its own here, and the log breaks off after each of them in turn: what is
// left is repaired by the next repair.
class RepairCutOff : public TamperedStore, public testing::WithParamInterface<bool> {};

TEST_P(RepairCutOff, IsEndedByTheNext) {
  const bool loses_history = GetParam();
  EditStore([&](const Storage& storage, Batch* batch) {
    for (const char* name :
         {"TombstoneDeletedAndRecordPutBack", "CredentialAltered", "OwnerPutBack", "GrantDeleted",
          "SweepDeleted", "TagWrong", "NamePlanted", "EmailMissing", "EventDropped"}) {
      const bool is_event = std::string(name) == "EventDropped";
      if (is_event && !loses_history) continue;
      for (const Tampering& tampering : Tamperings()) {
        if (std::string(tampering.name) == name && std::string(name) != "CredentialAltered") {
          tampering.edit(*this, storage, batch);
        }
      }
    }
    Bytes other = *storage.Get(column::kCredential, other_.uuid.view());
    other[3] = static_cast<char>(other[3] ^ 1);
    batch->Put(column::kCredential, other_.uuid.view(), other);
  });
  RepairOptions options;
  options.accept_broken_events = loses_history;
  fs::copy(dir_ / "store", dir_ / "damaged", fs::copy_options::recursive);
  bool cut_off = true;
  uint64_t rounds = 0;
  for (uint64_t last = 1; cut_off; ++last, ++rounds) {
    fs::remove_all(dir_ / "store");
    fs::copy(dir_ / "damaged", dir_ / "store", fs::copy_options::recursive);
    cut_off = false;
    options.batch_bytes = 1;
    options.committed = [&](uint64_t commits) {
      if (commits != last) return;
      cut_off = true;
      env_.files->set_fault(LogFault::kAppend);
    };
    const Status broken_off = RepairNow(options);
    env_.files->set_fault(LogFault::kNone);
    // The last batch may be the one behind which it broke off.
    if (!cut_off) {
      EXPECT_TRUE(broken_off.ok()) << broken_off.why();
    }
    options.committed = {};
    const Status ended = RepairNow(options);
    ASSERT_TRUE(ended.ok()) << last << ": " << ended.why();
    loses_history ? ExpectNothingRevived() : ExpectAsItWas();
    if (HasFailure()) FAIL() << "cut off after commit " << last;
  }
  EXPECT_GE(rounds, loses_history ? 20u : 10u);
}

INSTANTIATE_TEST_SUITE_P(Histories, RepairCutOff, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& row) {
                           return row.param ? "Lost" : "Kept";
                         });

// The last step of a repair that begins a history is `ack`: without it the store is refused, and
// the next repair ends it.
TEST_F(RepairStoreTest, ARepairThatWasCutOffBeforeItsAckIsEnded) {
  EditStore([&](const Storage&, Batch* batch) {
    batch->Delete(column::kEvent, keys::Event(0, 5).view());
  });
  fs::copy((dir_ / "store") + "/ack", dir_ / "ack");
  RepairOptions accept;
  accept.accept_broken_events = true;
  ASSERT_TRUE(RepairNow(accept).ok());
  const Uuid history = report_.history_id;
  fs::copy(dir_ / "ack", (dir_ / "store") + "/ack", fs::copy_options::overwrite_existing);
  EXPECT_EQ(OpenCode(), Code::kRolledBack);
  ASSERT_TRUE(RepairNow().ok());
  EXPECT_EQ(report_.findings, 1u);
  EXPECT_EQ(report_.history_id, history);
  ExpectAsItWas();
}

}  // namespace
}  // namespace latchkey::test
