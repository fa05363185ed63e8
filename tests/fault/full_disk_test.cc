// The disk fills up, a byte later each time: what takes away is in force whatever is answered, and
// lasts; what gives is refused; and all goes on when there is room again.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "trial.h"

namespace latchkey_test {
namespace {

constexpr size_t kThreads = 12;  // they sleep most of the time, waiting for a store to heal

// Bytes that can still be written: each of the first few, and then in growing steps.
std::vector<uint64_t> Rooms() {
  std::vector<uint64_t> rooms;
  const uint64_t every = IsLongRun() ? 61 : 1021;
  for (uint64_t room = 0; room < 20000; room += every) rooms.push_back(room);
  for (uint64_t room = 20000; room < 1 << 20; room += room / (IsLongRun() ? 8 : 2)) {
    rooms.push_back(room);
  }
  return rooms;
}

latchkey_code Rename(latchkey_store* store, const Facts::Key& key) {
  return latchkey_credential_rename(store, &key.uuid, "n", 1, nullptr, nullptr);
}
latchkey_code Revoke(latchkey_store* store, const Facts::Key& key) {
  return latchkey_credential_revoke(store, &key.uuid, nullptr, nullptr, 0, nullptr);
}

// A store that is open on a disk that can be filled.
class OnADisk : public testing::Test {
 protected:
  void SetUp() override {
    WriteImage(TheBase().image, folder_.path());
    ASSERT_EQ("", OpenWhole(folder_.path(), LATCHKEY_OPEN_EXISTING, &store_));
  }
  void TearDown() override {
    disk_.Mend();
    if (store_ == nullptr) return;
    EXPECT_CODE(LATCHKEY_OK, latchkey_store_close(store_));
  }
  bool HasReserve() const { return std::filesystem::exists(folder_.path() / kReserve); }
  // Made, and made again, about once a second.
  void WaitForReserve() const {
    for (int i = 0; i < 1000 && !HasReserve(); ++i) std::this_thread::sleep_for(kStep);
    ASSERT_TRUE(HasReserve());
  }
  bool IsRevokedOnDisk(const Facts::Key& key) const {
    auto credential = Sized<latchkey_credential>();
    return latchkey_credential_get(store_, &key.uuid, &credential) == LATCHKEY_OK &&
           credential.revoked_s != 0;
  }

  static constexpr const char* kReserve = "store/reserve";
  static constexpr auto kStep = std::chrono::milliseconds(10);
  const TempFolder folder_;
  Disk disk_{folder_.path()};
  latchkey_store* store_ = nullptr;
  const Facts::Key& key_ = TheBase().facts.keys[1];
};

// Not a byte to be had was once taken for a file system that does not say how much there is.
TEST_F(OnADisk, WithoutAFreeByteNothingIsWrittenButWhatTakesAway) {
  disk_.Fill(0, kReserve);
  EXPECT_CODE(LATCHKEY_NO_SPACE, Rename(store_, key_));
  EXPECT_CODE(LATCHKEY_NO_SPACE, Rename(store_, key_));  // no write has failed, nothing heals
  EXPECT_EQ(0u, disk_.failed());
}

TEST_F(OnADisk, ARevocationLastsWhileTheDiskIsFull) {
  WaitForReserve();
  disk_.Fill(0, kReserve);
  EXPECT_CODE(LATCHKEY_OUTCOME_UNKNOWN, Revoke(store_, key_));
  EXPECT_EQ("revoked", Judge(store_, key_.secret));
  for (int i = 0; i < 1000 && !IsRevokedOnDisk(key_); ++i) std::this_thread::sleep_for(kStep);
  EXPECT_TRUE(IsRevokedOnDisk(key_));
  EXPECT_FALSE(HasReserve());
  EXPECT_CODE(LATCHKEY_NO_SPACE, Rename(store_, key_));
  disk_.Mend();
  WaitForReserve();
  EXPECT_CODE(LATCHKEY_OK, Rename(store_, key_));
}

TEST_F(OnADisk, AFullDiskIsOpenedByTheReserve) {
  WaitForReserve();
  ASSERT_CODE(LATCHKEY_OK, latchkey_store_close(store_));
  store_ = nullptr;
  disk_.Fill(0, kReserve);
  ASSERT_EQ("", OpenWhole(folder_.path(), LATCHKEY_OPEN_EXISTING, &store_));
  EXPECT_CODE(LATCHKEY_OK, Revoke(store_, key_));
}

class FullDisk : public testing::TestWithParam<bool> {};

TEST_P(FullDisk, RevokesAreInForceAndLast) {
  TheBase();
  Counts counts;
  const std::vector<uint64_t> rooms = Rooms();
  std::atomic<size_t> next{0};
  const auto try_some = [&] {
    for (size_t i = next++; i < rooms.size(); i = next++) {
      Fault fault;
      fault.begin = [&](Disk* disk) { disk->Fill(rooms[i], "store/reserve"); };
      fault.before_open = GetParam();
      fault.lasting = true;
      fault.code = LATCHKEY_NO_SPACE;
      bool hit = false;
      const std::string wrong = Trial(fault, &counts).Run(&hit);
      const std::lock_guard lock(counts.mutex);
      ++counts.faults;
      if (wrong.empty() || ++counts.wrong > 10) continue;
      ADD_FAILURE() << "room for " << rooms[i] << " bytes: " << wrong;
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) threads.emplace_back(try_some);
  for (std::thread& thread : threads) thread.join();
  Print(GetParam() ? "full disk, opened on it" : "full disk", counts);
}

INSTANTIATE_TEST_SUITE_P(When, FullDisk, testing::Bool(), [](const auto& before_open) {
  return before_open.param ? "BeforeOpen" : "WhileOpen";
});

}  // namespace
}  // namespace latchkey_test
