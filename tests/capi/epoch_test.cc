// Epochs: the store must hold this very change. Older copies, other histories and forged events do
// not pass; newer states of the same history do, and a restored store answers for its lineage.
#include "support/fixture.h"

using latchkey_test::Issued;
using latchkey_test::Sized;
using latchkey_test::TestStore;

namespace fs = std::filesystem;

namespace {

class EpochTest : public testing::Test {
 protected:
  latchkey_epoch Now() {
    auto epoch = Sized<latchkey_epoch>();
    EXPECT_CODE(LATCHKEY_OK, latchkey_store_epoch(store_, &epoch));
    return epoch;
  }
  void Change() { store_.CreateUser("user " + std::to_string(++users_)); }
  // Opens what is at `path` (closed), demanding the epoch.
  latchkey_code OpenAt(const std::string& path, const latchkey_epoch& epoch,
                       uint32_t mode = LATCHKEY_OPEN_EXISTING) {
    auto options = store_.options(path, mode);
    const std::string pepper = store_.path() + ".pepper";
    options.pepper_path = pepper.c_str();
    options.epoch = &epoch;
    latchkey_store* opened = nullptr;
    const latchkey_code code = latchkey_store_open(&options, &opened);
    EXPECT_CODE(LATCHKEY_OK, latchkey_store_close(opened));
    return code;
  }
  latchkey_code OpenWith(const latchkey_epoch& epoch) {
    store_.Close();
    const latchkey_code code = OpenAt(store_.path(), epoch);
    store_.Open();
    return code;
  }
  std::string Place(const std::string& name) const { return (store_.folder() / name).string(); }
  // A backup of now; later restored to `to`, with a history of its own.
  void MakeBackup(const std::string& at) {
    auto options = Sized<latchkey_backup_options>();
    options.path = at.c_str();
    ASSERT_CODE(LATCHKEY_OK, latchkey_store_backup(store_, &options, nullptr));
  }
  void Restore(const std::string& from, const std::string& to) {
    auto options = Sized<latchkey_restore_options>();
    const std::string pepper = store_.path() + ".pepper";
    options.backup_path = from.c_str();
    options.path = to.c_str();
    options.pepper_path = pepper.c_str();
    ASSERT_CODE(LATCHKEY_OK, latchkey_restore(&options, nullptr));
  }

  TestStore store_;
  int users_ = 0;
};

TEST_F(EpochTest, OfTheSameHistoryFitsForEver) {
  const latchkey_epoch none = Now();
  EXPECT_EQ(0u, none.event_number);
  std::vector<latchkey_epoch> epochs = {none};
  for (int i = 0; i < 5; ++i) {
    Change();
    epochs.push_back(Now());
    EXPECT_EQ(epochs.size() - 1, epochs.back().event_number);
  }
  for (const latchkey_epoch& epoch : epochs) EXPECT_CODE(LATCHKEY_OK, OpenWith(epoch));
}

TEST_F(EpochTest, ThatDiffersInOneThingDoesNot) {
  for (int i = 0; i < 3; ++i) Change();
  const latchkey_epoch epoch = Now();
  Change();
  ASSERT_CODE(LATCHKEY_OK, OpenWith(epoch));
  latchkey_epoch other = epoch;
  other.event_id[0] ^= 1;
  EXPECT_CODE(LATCHKEY_ROLLED_BACK, OpenWith(other));
  other = epoch;
  other.event_id[15] ^= 0x80;
  EXPECT_CODE(LATCHKEY_ROLLED_BACK, OpenWith(other));
  other = epoch;
  other.history_id.bytes[8] ^= 1;
  EXPECT_CODE(LATCHKEY_ROLLED_BACK, OpenWith(other));
  for (const uint64_t number :
       {epoch.event_number - 1, epoch.event_number + 1, uint64_t{100}, UINT64_MAX}) {
    other = epoch;
    other.event_number = number;
    EXPECT_CODE(LATCHKEY_ROLLED_BACK, OpenWith(other)) << number;
  }
}

// A copy of the whole folder, put back later: it acknowledges itself, so only an epoch can tell.
// That it goes on from there, past the number, does not help it.
TEST_F(EpochTest, AnOlderCopyDoesNotFitEvenWhenItHasGoneOn) {
  Change();
  store_.Close();
  fs::copy(store_.path(), Place("older"), fs::copy_options::recursive);
  store_.Open();
  Change();
  const latchkey_epoch epoch = Now();
  store_.Close();
  fs::remove_all(store_.path());
  fs::rename(Place("older"), store_.path());
  store_.Open();
  EXPECT_CODE(LATCHKEY_ROLLED_BACK, OpenWith(epoch));
  Change();
  Change();
  EXPECT_GT(Now().event_number, epoch.event_number);
  EXPECT_CODE(LATCHKEY_ROLLED_BACK, OpenWith(epoch));
}

TEST_F(EpochTest, ARefusedOpenChangesNothing) {
  Change();
  latchkey_epoch epoch = Now();
  epoch.event_id[3] ^= 4;
  store_.Close();
  EXPECT_CODE(LATCHKEY_ROLLED_BACK, OpenAt(store_.path(), epoch));
  // Nor is a store made where there should have been one.
  EXPECT_CODE(LATCHKEY_ROLLED_BACK, OpenAt(Place("gone"), epoch, LATCHKEY_OPEN_OR_CREATE));
  EXPECT_CODE(LATCHKEY_NOT_FOUND, OpenAt(Place("gone"), epoch));
  EXPECT_FALSE(fs::exists(Place("gone")));
  store_.Open();
}

TEST_F(EpochTest, ARestoredStoreKeepsItsLineage) {
  Change();
  const latchkey_epoch before = Now();
  Change();
  const latchkey_epoch at = Now();
  MakeBackup(Place("backups"));
  Change();
  const latchkey_epoch after = Now();
  Restore(Place("backups"), Place("restored"));
  EXPECT_CODE(LATCHKEY_OK, OpenAt(Place("restored"), before));
  EXPECT_CODE(LATCHKEY_OK, OpenAt(Place("restored"), at));
  EXPECT_CODE(LATCHKEY_ROLLED_BACK, OpenAt(Place("restored"), after));

  // It goes on for itself: past the number of `after`, which still does not fit.
  auto options = store_.options(Place("restored"), LATCHKEY_OPEN_EXISTING);
  const std::string path = Place("restored");
  const std::string pepper = store_.path() + ".pepper";
  options.path = path.c_str();
  options.pepper_path = pepper.c_str();
  latchkey_store* restored = nullptr;
  ASSERT_CODE(LATCHKEY_OK, latchkey_store_open(&options, &restored));
  auto user = Sized<latchkey_owner_create_options>();
  user.sort = LATCHKEY_OWNER_USER;
  user.name = "another";
  user.name_size = 7;
  for (int i = 0; i < 3; ++i) {
    ASSERT_CODE(LATCHKEY_OK, latchkey_owner_create(restored, &user, nullptr));
  }
  auto own = Sized<latchkey_epoch>();
  ASSERT_CODE(LATCHKEY_OK, latchkey_store_epoch(restored, &own));
  auto again = Sized<latchkey_backup_options>();
  const std::string second = Place("second backups");
  again.path = second.c_str();
  ASSERT_CODE(LATCHKEY_OK, latchkey_store_backup(restored, &again, nullptr));
  ASSERT_CODE(LATCHKEY_OK, latchkey_store_close(restored));
  EXPECT_GT(own.event_number, after.event_number);
  EXPECT_CODE(LATCHKEY_OK, OpenAt(path, own));
  EXPECT_CODE(LATCHKEY_ROLLED_BACK, OpenAt(path, after));
  EXPECT_CODE(LATCHKEY_ROLLED_BACK, OpenWith(own));  // the first store has never seen that

  Restore(second, Place("twice"));  // the lineage grows
  for (const latchkey_epoch& epoch : {before, at, own}) {
    EXPECT_CODE(LATCHKEY_OK, OpenAt(Place("twice"), epoch));
  }
  EXPECT_CODE(LATCHKEY_ROLLED_BACK, OpenAt(Place("twice"), after));
}

TEST_F(EpochTest, HasAText) {
  for (int i = 0; i < 12; ++i) Change();
  const latchkey_epoch epoch = Now();
  char text[LATCHKEY_EPOCH_TEXT_SIZE];
  latchkey_epoch_format(&epoch, text);
  const std::string written = text;
  EXPECT_EQ(latchkey_test::Text(epoch.history_id) + "/12/", written.substr(0, 40));
  auto parsed = Sized<latchkey_epoch>();
  ASSERT_CODE(LATCHKEY_OK, latchkey_epoch_parse(written.data(), written.size(), &parsed));
  EXPECT_EQ(0, std::memcmp(&epoch, &parsed, sizeof epoch));
  latchkey_epoch last = epoch;
  last.event_number = UINT64_MAX;
  latchkey_epoch_format(&last, text);
  EXPECT_EQ(size_t{LATCHKEY_EPOCH_TEXT_SIZE - 1}, std::strlen(text));
  ASSERT_CODE(LATCHKEY_OK, latchkey_epoch_parse(text, std::strlen(text), &parsed));
  EXPECT_EQ(UINT64_MAX, parsed.event_number);
  const std::string id = written.substr(40);
  const std::string history = written.substr(0, 37);
  for (const std::string& bad :
       {std::string(), std::string("/"), std::string("//"), written + "0", written.substr(1),
        written.substr(0, written.size() - 1), history + "/" + id, history + "-1/" + id,
        history + "+1/" + id, history + " 1/" + id, history + "18446744073709551616/" + id,
        history + "12", history + "12/" + id.substr(0, 31) + "g"}) {
    EXPECT_CODE(LATCHKEY_INVALID_ARGUMENT, latchkey_epoch_parse(bad.data(), bad.size(), &parsed))
        << bad;
  }
}

}  // namespace
