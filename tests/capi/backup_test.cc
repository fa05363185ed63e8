// Backups of a store in use: numbered, listed, verified, dropped, stopped; what is not one is not
// taken for one. And their way back through latchkey_restore().
#include <atomic>

#include "support/fixture.h"

using latchkey_test::Issued;
using latchkey_test::kNowS;
using latchkey_test::ReadFile;
using latchkey_test::Same;
using latchkey_test::Sized;
using latchkey_test::TestStore;
using latchkey_test::WriteFile;

namespace {

class Backup : public testing::Test {
 protected:
  void SetUp() override { muriel_ = store_.CreateUser("Muriel"); }

  std::string Place(const std::string& name) const { return (store_.folder() / name).string(); }

  latchkey_code Make(uint32_t keep = 0, latchkey_backup* out = nullptr) {
    auto options = Sized<latchkey_backup_options>();
    options.path = backups_.c_str();
    options.keep = keep;
    return latchkey_store_backup(store_, &options, out);
  }
  std::vector<uint32_t> Numbers() const {
    std::vector<latchkey_backup> rows(16, Sized<latchkey_backup>());
    size_t count = 0;
    EXPECT_CODE(LATCHKEY_OK, latchkey_backup_list(backups_.c_str(), rows.data(), 16, &count));
    std::vector<uint32_t> numbers;
    for (size_t i = 0; i < count; ++i) numbers.push_back(rows[i].number);
    return numbers;
  }
  latchkey_code Restore(const std::string& to, latchkey_restore_report* report = nullptr,
                        uint32_t number = 0, const char* damaged = nullptr) {
    auto options = Sized<latchkey_restore_options>();
    const std::string pepper = store_.path() + ".pepper";
    options.backup_path = backups_.c_str();
    options.path = to.c_str();
    options.pepper_path = pepper.c_str();
    options.damaged_path = damaged;
    options.number = number;
    return latchkey_restore(&options, report);
  }
  // "allowed" or why not, by a store that was restored to `path`.
  std::string VerifyIn(const std::string& path, const std::string& secret) {
    auto options = store_.options(path, LATCHKEY_OPEN_EXISTING);
    const std::string pepper = store_.path() + ".pepper";
    options.pepper_path = pepper.c_str();
    latchkey_store* opened = nullptr;
    EXPECT_CODE(LATCHKEY_OK, latchkey_store_open(&options, &opened));
    auto verdict = Sized<latchkey_verdict>();
    if (latchkey_verify(opened, secret.data(), secret.size(), nullptr, &verdict) > 4) {
      ADD_FAILURE() << latchkey_error_text();
    }
    EXPECT_CODE(LATCHKEY_OK, latchkey_store_check(opened, nullptr, nullptr));
    EXPECT_CODE(LATCHKEY_OK, latchkey_store_close(opened));
    return latchkey_reason_text(verdict.reason);
  }
  Issued Key(const std::string& name) {
    return store_.CreateKey(muriel_, LATCHKEY_KIND_USER_KEY, name);
  }

  TestStore store_;
  latchkey_uuid muriel_{};
  const std::string backups_ = (store_.folder() / "backups").string();
};

TEST_F(Backup, IsNumberedListedAndDropped) {
  for (uint32_t number = 1; number <= 3; ++number) {
    Key("k" + std::to_string(number));
    auto made = Sized<latchkey_backup>();
    ASSERT_CODE(LATCHKEY_OK, Make(0, &made));
    const latchkey_stats stats = store_.Stats();
    EXPECT_EQ(number, made.number);
    EXPECT_EQ(stats.event_number, made.event_number);
    EXPECT_TRUE(Same(stats.store_id, made.store_id));
    EXPECT_TRUE(Same(stats.history_id, made.history_id));
    EXPECT_GT(made.bytes, 0u);
    EXPECT_GT(made.time_s, 1'600'000'000);
    auto epoch = Sized<latchkey_epoch>();
    ASSERT_CODE(LATCHKEY_OK, latchkey_store_epoch(store_, &epoch));
    EXPECT_EQ(0, std::memcmp(epoch.event_id, made.event_id, sizeof epoch.event_id));
  }
  EXPECT_EQ(Numbers(), (std::vector<uint32_t>{1, 2, 3}));
  for (uint32_t number = 0; number <= 3; ++number) {
    EXPECT_CODE(LATCHKEY_OK, latchkey_backup_verify(backups_.c_str(), number));
  }
  EXPECT_CODE(LATCHKEY_NOT_FOUND, latchkey_backup_verify(backups_.c_str(), 4));
  ASSERT_CODE(LATCHKEY_OK, Make(2));
  EXPECT_EQ(Numbers(), (std::vector<uint32_t>{3, 4}));
  auto row = Sized<latchkey_backup>();
  size_t count = 0;
  EXPECT_CODE(LATCHKEY_OK, latchkey_backup_list(backups_.c_str(), &row, 1, &count));
  EXPECT_EQ(2u, count);  // all that there are, though there was room for one
  EXPECT_EQ(3u, row.number);
}

TEST_F(Backup, HasWhatTheStoreHadAndNothingLater) {
  const Issued before = Key("before");
  const Issued revoked = Key("revoked");
  store_.Revoke(revoked.uuid);
  ASSERT_CODE(LATCHKEY_OK, Make());
  const Issued after = Key("after");
  auto report = Sized<latchkey_restore_report>();
  ASSERT_CODE(LATCHKEY_OK, Restore(Place("restored"), &report));
  EXPECT_EQ(1u, report.active);
  EXPECT_EQ(1u, report.revoked);
  EXPECT_TRUE(Same(store_.Stats().store_id, report.store_id));
  EXPECT_FALSE(Same(store_.Stats().history_id, report.history_id));
  EXPECT_EQ("allowed", VerifyIn(Place("restored"), before.secret));
  EXPECT_EQ("revoked", VerifyIn(Place("restored"), revoked.secret));
  EXPECT_EQ("unknown", VerifyIn(Place("restored"), after.secret));
  EXPECT_EQ("allowed", store_.Verify(after.secret));  // the store itself is as it was
}

TEST_F(Backup, NeverHoldsThePepper) {
  Key("k");
  ASSERT_CODE(LATCHKEY_OK, Make());
  const std::string file = ReadFile(store_.path() + ".pepper");
  const std::string hex = file.substr(file.size() - 65, 64);
  std::string raw;
  for (size_t i = 0; i < 64; i += 2) {
    raw += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  for (const auto& [name, content] : latchkey_test::Snapshot(backups_)) {
    EXPECT_EQ(std::string::npos, content.find(hex)) << name;
    EXPECT_EQ(std::string::npos, content.find(raw)) << name;
  }
}

TEST_F(Backup, SharesWhatHasNotChanged) {
  const std::string metadata(4096, 'm');
  for (int i = 0; i < 100; ++i) {
    auto options = TestStore::KeyOptions(muriel_, LATCHKEY_KIND_USER_KEY, "k");
    options.metadata = metadata.data();
    options.metadata_size = metadata.size();
    store_.Issue(options);
  }
  store_.Reopen();  // what was in the log is in tables now
  uint64_t first = 0;
  uint64_t second = 0;
  const auto count = [](void* context, uint64_t bytes) {
    *static_cast<uint64_t*>(context) = bytes;
    return 0;
  };
  auto options = Sized<latchkey_backup_options>();
  options.path = backups_.c_str();
  options.progress = count;
  options.context = &first;
  ASSERT_CODE(LATCHKEY_OK, latchkey_store_backup(store_, &options, nullptr));
  options.context = &second;
  // Tables may be merged once behind our back, and are then new ones.
  for (int i = 0; i < 4 && (i == 0 || second > first / 2); ++i) {
    ASSERT_CODE(LATCHKEY_OK, latchkey_store_backup(store_, &options, nullptr));
  }
  EXPECT_LT(second, first / 2);
}

TEST_F(Backup, ThatWasStoppedIsNone) {
  Key("k");
  struct Stop {
    int calls = 0;
    int at = 0;
  };
  const auto stop = [](void* context, uint64_t) {
    auto* self = static_cast<Stop*>(context);
    return self->calls++ >= self->at ? 1 : 0;
  };
  latchkey_code code = LATCHKEY_BUSY;
  int stopped = 0;
  for (int at = 0; code == LATCHKEY_BUSY; ++at) {
    Stop how{0, at};
    auto options = Sized<latchkey_backup_options>();
    options.path = backups_.c_str();
    options.progress = stop;
    options.context = &how;
    code = latchkey_store_backup(store_, &options, nullptr);
    if (code != LATCHKEY_BUSY) break;
    ++stopped;
    EXPECT_TRUE(Numbers().empty());
  }
  ASSERT_CODE(LATCHKEY_OK, code);
  EXPECT_GT(stopped, 3);
  ASSERT_EQ(1u, Numbers().size());
  EXPECT_CODE(LATCHKEY_OK, latchkey_backup_verify(backups_.c_str(), 0));
}

// As a crash leaves it: files, but not the last, which says that they are a backup.
TEST_F(Backup, ThatWasCutOffIsNone) {
  const Issued key = Key("k");
  ASSERT_CODE(LATCHKEY_OK, Make());
  ASSERT_CODE(LATCHKEY_OK, Make());
  std::filesystem::rename(backups_ + "/meta/2", backups_ + "/meta/2.tmp");
  EXPECT_EQ(Numbers(), (std::vector<uint32_t>{1}));
  ASSERT_CODE(LATCHKEY_OK, Make());
  EXPECT_EQ(Numbers(), (std::vector<uint32_t>{1, 2}));
  ASSERT_CODE(LATCHKEY_OK, Restore(Place("restored")));
  EXPECT_EQ("allowed", VerifyIn(Place("restored"), key.secret));
}

TEST_F(Backup, ThatIsDamagedIsRefused) {
  Key("k");
  store_.Reopen();
  ASSERT_CODE(LATCHKEY_OK, Make());
  int damaged = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(backups_)) {
    if (!entry.is_regular_file() || entry.path().filename() == "BACKUPS") continue;
    const std::string whole = ReadFile(entry.path());
    if (whole.empty()) continue;
    std::string flipped = whole;
    flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 0x10);
    WriteFile(entry.path(), flipped);
    auto report = Sized<latchkey_restore_report>();
    EXPECT_NE(LATCHKEY_OK, latchkey_backup_verify(backups_.c_str(), 1)) << entry.path();
    EXPECT_NE(LATCHKEY_OK, Restore(Place("restored"), &report)) << entry.path();
    EXPECT_FALSE(std::filesystem::exists(Place("restored") + "/LATCHKEY"));
    WriteFile(entry.path(), whole);
    ++damaged;
  }
  EXPECT_GT(damaged, 5);
  EXPECT_CODE(LATCHKEY_OK, latchkey_backup_verify(backups_.c_str(), 1));
  EXPECT_CODE(LATCHKEY_OK, Restore(Place("restored")));  // what failed has left an empty folder
}

// Who can write to the folder cannot pass an older backup for a later one, where more is revoked.
TEST_F(Backup, ThatIsNotWhatIsWrittenOnItIsRefused) {
  const Issued key = Key("k");
  ASSERT_CODE(LATCHKEY_OK, Make());
  store_.Revoke(key.uuid);
  ASSERT_CODE(LATCHKEY_OK, Make());
  const std::string older = ReadFile(backups_ + "/meta/1");
  const std::string later = ReadFile(backups_ + "/meta/2");
  const auto note_of = [](const std::string& meta) {
    const size_t begins = meta.find("metadata ") + 9;
    return meta.substr(begins, meta.find('\n', begins) - begins);
  };
  ASSERT_EQ(note_of(older).size(), note_of(later).size());
  ASSERT_GT(note_of(older).size(), 100u);
  std::string passed_off = older;
  passed_off.replace(passed_off.find(note_of(older)), note_of(older).size(), note_of(later));
  WriteFile(backups_ + "/meta/1", passed_off);
  EXPECT_CODE(LATCHKEY_OK, latchkey_backup_verify(backups_.c_str(), 1));  // that needs the pepper
  EXPECT_CODE(LATCHKEY_CORRUPTION, Restore(Place("restored"), nullptr, 1));
  // Nor alter what is written on it.
  for (size_t digit : {size_t{10}, note_of(older).size() / 2, note_of(older).size() - 1}) {
    std::string altered = older;
    char& at = altered[older.find(note_of(older)) + digit];
    at = at == '1' ? '2' : '1';
    WriteFile(backups_ + "/meta/1", altered);
    EXPECT_NE(LATCHKEY_OK, Restore(Place("restored"), nullptr, 1)) << digit;
  }
  WriteFile(backups_ + "/meta/1", older);
  EXPECT_CODE(LATCHKEY_OK, Restore(Place("restored"), nullptr, 1));
  EXPECT_EQ("allowed", VerifyIn(Place("restored"), key.secret));
}

TEST_F(Backup, OfAnotherStoreOrOfNothingIsRefused) {
  ASSERT_CODE(LATCHKEY_OK, Make());
  TestStore other;
  auto options = Sized<latchkey_backup_options>();
  options.path = backups_.c_str();
  EXPECT_CODE(LATCHKEY_CONFLICT, latchkey_store_backup(other, &options, nullptr));
  const std::string foreign = Place("foreign");
  std::filesystem::create_directory(foreign);
  WriteFile(foreign + "/letter", "dear");
  options.path = foreign.c_str();
  EXPECT_CODE(LATCHKEY_INVALID_ARGUMENT, latchkey_store_backup(store_, &options, nullptr));
  size_t count = 0;
  EXPECT_CODE(LATCHKEY_INVALID_ARGUMENT, latchkey_backup_list(foreign.c_str(), nullptr, 0, &count));
  EXPECT_CODE(LATCHKEY_NOT_FOUND, latchkey_backup_list(Place("no").c_str(), nullptr, 0, &count));
  const std::string deep = Place("no/deeper");
  options.path = deep.c_str();
  EXPECT_CODE(LATCHKEY_NOT_FOUND, latchkey_store_backup(store_, &options, nullptr));
  // A backup is no store, and a store no backup.
  auto open = store_.options(backups_, LATCHKEY_OPEN_EXISTING);
  latchkey_store* opened = nullptr;
  EXPECT_CODE(LATCHKEY_INVALID_ARGUMENT, latchkey_store_open(&open, &opened));
  options.path = other.path().c_str();
  EXPECT_CODE(LATCHKEY_INVALID_ARGUMENT,
              latchkey_backup_list(other.path().c_str(), nullptr, 0, &count));
}

TEST_F(Backup, RestoringRefusesWhatItCannotDo) {
  ASSERT_CODE(LATCHKEY_OK, Make());
  auto options = Sized<latchkey_restore_options>();
  const std::string to = Place("restored");
  options.backup_path = backups_.c_str();
  options.path = to.c_str();
  EXPECT_CODE(LATCHKEY_WRONG_PEPPER, latchkey_restore(&options, nullptr));
  EXPECT_FALSE(std::filesystem::exists(to));
  EXPECT_FALSE(std::filesystem::exists(to + ".pepper"));
  TestStore other;
  const std::string foreign_pepper = other.path() + ".pepper";
  options.pepper_path = foreign_pepper.c_str();
  EXPECT_CODE(LATCHKEY_WRONG_PEPPER, latchkey_restore(&options, nullptr));
  EXPECT_CODE(LATCHKEY_NOT_FOUND, Restore(to, nullptr, 7));
  EXPECT_CODE(LATCHKEY_BUSY, Restore(to, nullptr, 0, store_.path().c_str()));  // it is open
  EXPECT_CODE(LATCHKEY_NOT_FOUND, Restore(to, nullptr, 0, "/nonexistent/store"));
  EXPECT_CODE(LATCHKEY_BUSY, Restore(store_.path()));
  other.Close();
  EXPECT_CODE(LATCHKEY_CONFLICT, Restore(other.path()));
  EXPECT_CODE(LATCHKEY_INVALID_ARGUMENT, Restore(to, nullptr, 0, other.path().c_str()));
  other.Open();
  EXPECT_FALSE(std::filesystem::exists(to));
}

// Revokes by a list: a credential of the backup, one that is revoked there already, one it does not
// know.
TEST_F(Backup, AListOfRevocationsIsCarriedOut) {
  const Issued live = Key("live");
  const Issued leaked = Key("leaked");
  const Issued revoked = Key("revoked");
  store_.Revoke(revoked.uuid);
  ASSERT_CODE(LATCHKEY_OK, Make());
  const Issued later = Key("later");
  const latchkey_revocation list[] = {
      {leaked.uuid, kNowS}, {revoked.uuid, 0}, {later.uuid, 0}, {leaked.uuid, 0}};
  auto options = Sized<latchkey_restore_options>();
  const std::string to = Place("restored");
  const std::string pepper = store_.path() + ".pepper";
  options.backup_path = backups_.c_str();
  options.path = to.c_str();
  options.pepper_path = pepper.c_str();
  options.revocations = list;
  options.revocations_count = std::size(list);
  auto report = Sized<latchkey_restore_report>();
  ASSERT_CODE(LATCHKEY_OK, latchkey_restore(&options, &report));
  EXPECT_EQ(1u, report.listed);
  EXPECT_EQ(1u, report.listed_unknown);
  EXPECT_EQ("allowed", VerifyIn(to, live.secret));
  EXPECT_EQ("revoked", VerifyIn(to, leaked.secret));
  EXPECT_EQ("revoked", VerifyIn(to, revoked.secret));
  EXPECT_EQ("unknown", VerifyIn(to, later.secret));
}

// An import into a store without credentials is committed by tables that RocksDB takes as they are.
TEST_F(Backup, WhatAnImportRevokedIsCarriedOver) {
  ASSERT_CODE(LATCHKEY_OK, Make());
  std::string lines;
  constexpr int kKeys = 20;
  for (int i = 0; i < kKeys; ++i) {
    const std::string two = {"0123456789abcdef"[i / 16], "0123456789abcdef"[i % 16]};
    lines += R"({"type":"user_key","uuid":"01890000-0000-7000-8000-0000000000)" + two +
             R"(","user":")" + latchkey_test::Text(muriel_) + R"(","name":"k","sha256":")" +
             std::string(62, 'a') + two + R"(","creation":1769070818,"expiration":1895000000,)" +
             R"("revoked":)" + (i % 4 == 0 ? "1770000000" : "null") + "}\n";
  }
  const latchkey_test::Import import(store_, lines);
  ASSERT_CODE(LATCHKEY_OK, import.code);
  ASSERT_EQ(uint64_t{kKeys}, import.report.imported);
  store_.Close();
  auto report = Sized<latchkey_restore_report>();
  EXPECT_CODE(LATCHKEY_OK, Restore(Place("restored"), &report, 0, store_.path().c_str()));
  store_.Open();
  EXPECT_EQ(0u, report.unreadable_files + report.unreadable_records + report.missing_revocations);
  EXPECT_EQ(uint64_t{kKeys / 4}, report.kept_unknown);
  EXPECT_EQ(uint64_t{kKeys / 4}, report.revoked);
  EXPECT_EQ(0u, report.active);
}

// The room that a store sets aside is no part of a backup; the restored store makes its own.
TEST_F(Backup, ARestoredStoreSetsRoomAside) {
  const auto has_reserve = [](const std::string& path) {
    for (int i = 0; i < 1000 && !std::filesystem::exists(path + "/reserve"); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return std::filesystem::exists(path + "/reserve");
  };
  ASSERT_TRUE(has_reserve(store_.path()));
  auto made = Sized<latchkey_backup>();
  ASSERT_CODE(LATCHKEY_OK, Make(0, &made));
  EXPECT_LT(made.bytes, uint64_t{8} << 20);
  const std::string to = Place("restored");
  ASSERT_CODE(LATCHKEY_OK, Restore(to));
  EXPECT_FALSE(std::filesystem::exists(to + "/reserve"));
  auto options = store_.options(to, LATCHKEY_OPEN_EXISTING);
  const std::string pepper = store_.path() + ".pepper";
  options.pepper_path = pepper.c_str();
  latchkey_store* opened = nullptr;
  ASSERT_CODE(LATCHKEY_OK, latchkey_store_open(&options, &opened));
  EXPECT_TRUE(has_reserve(to));
  EXPECT_CODE(LATCHKEY_OK, latchkey_store_close(opened));
}

// While others change the store, each backup holds all that was acknowledged before it began.
TEST_F(Backup, HoldsWhatWasAcknowledgedBeforeItBegan) {
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop.load() && i < 3000; ++i) {
      const Issued key = Key("w" + std::to_string(i));
      if (i % 3 == 0) store_.Revoke(key.uuid);
    }
  });
  std::vector<latchkey_backup> made;
  std::vector<Issued> revoked;
  for (int i = 0; i < 4; ++i) {
    const Issued key = Key("b" + std::to_string(i));
    store_.Revoke(key.uuid);
    revoked.push_back(key);
    made.push_back(Sized<latchkey_backup>());
    EXPECT_CODE(LATCHKEY_OK, Make(0, &made.back()));
  }
  stop.store(true);
  writer.join();
  for (size_t i = 0; i < made.size(); ++i) {
    const std::string to = Place("restored" + std::to_string(i));
    auto report = Sized<latchkey_restore_report>();
    ASSERT_CODE(LATCHKEY_OK, Restore(to, &report, made[i].number));
    EXPECT_GE(report.shared_number, made[i].event_number);
    for (size_t j = 0; j <= i; ++j) EXPECT_EQ("revoked", VerifyIn(to, revoked[j].secret));
  }
}

}  // namespace
