// latchkey_repair() and latchkey_store_check_report() from outside: what they report, what they
// refuse, and that what they refuse is left as it was. What they find is tests/unit/service's.
#include "support/fixture.h"

namespace {

using latchkey_test::Issued;
using latchkey_test::Sized;
using latchkey_test::Snapshot;
using latchkey_test::TestStore;

class Repair : public testing::Test {
 protected:
  struct Told {
    std::vector<std::string> findings;
    uint64_t calls = 0;
    bool stop = false;
  };
  latchkey_code Run(uint32_t dry_run = 0, uint32_t accept = 0) {
    const std::string path = store_.path();
    auto options = Sized<latchkey_repair_options>();
    options.path = path.c_str();
    options.dry_run = dry_run;
    options.accept_broken_events = accept;
    options.found = [](void* context, const char* what, const latchkey_uuid*) {
      static_cast<Told*>(context)->findings.push_back(what);
    };
    options.progress = [](void* context, uint64_t) -> int {
      ++static_cast<Told*>(context)->calls;
      return static_cast<Told*>(context)->stop ? 1 : 0;
    };
    options.context = &told_;
    told_.findings.clear();
    told_.calls = 0;
    report_ = Sized<latchkey_repair_report>();
    return latchkey_repair(&options, &report_);
  }

  TestStore store_;
  latchkey_uuid user_ = store_.CreateUser("Muriel");
  Issued live_ = store_.CreateKey(user_, LATCHKEY_KIND_USER_KEY, "live");
  Told told_;
  latchkey_repair_report report_{};
};

TEST_F(Repair, LeavesASoundStoreAsItIs) {
  store_.Close();
  const auto before = Snapshot(store_.folder());
  EXPECT_CODE(LATCHKEY_OK, Run());
  EXPECT_EQ(0u, report_.findings);
  EXPECT_EQ(LATCHKEY_PROOF_SUM, report_.proof);
  EXPECT_EQ(1u, report_.active);
  EXPECT_EQ(0u, report_.history_begun);
  EXPECT_EQ(before, Snapshot(store_.folder()));
  store_.Open();
  EXPECT_EQ("allowed", store_.Verify(live_.secret));
}

TEST_F(Repair, RefusesALostHistoryUnlessItIsAccepted) {
  const latchkey_uuid history = store_.Stats().history_id;
  store_.Close();
  std::filesystem::remove(store_.path() + "/ack");
  const auto before = Snapshot(store_.folder());
  for (const uint32_t dry_run : {0u, 1u}) {
    EXPECT_CODE(LATCHKEY_CORRUPTION, Run(dry_run));
    EXPECT_EQ(1u, report_.needs_accept);
    EXPECT_EQ(LATCHKEY_PROOF_NOTHING, report_.proof);
    EXPECT_EQ(1u, report_.credentials_withdrawn);
    EXPECT_EQ(told_.findings.size(), report_.findings);
  }
  EXPECT_CODE(LATCHKEY_OK, Run(1, 1));
  EXPECT_EQ(before, Snapshot(store_.folder()));
  EXPECT_CODE(LATCHKEY_OK, Run(0, 1));
  EXPECT_EQ(1u, report_.history_begun);
  EXPECT_EQ(1u, report_.revoked);
  store_.Open();
  store_.Check();
  EXPECT_EQ("revoked", store_.Verify(live_.secret));
  EXPECT_TRUE(latchkey_test::Same(report_.history_id, store_.Stats().history_id));
  EXPECT_FALSE(latchkey_test::Same(history, store_.Stats().history_id));
  EXPECT_EQ(report_.event_number, store_.Stats().event_number);
}

TEST_F(Repair, RefusesWhatIsNoStoreOrIsInUse) {
  EXPECT_CODE(LATCHKEY_BUSY, Run());
  EXPECT_EQ(0u, report_.proof);
  store_.Close();
  EXPECT_CODE(LATCHKEY_INVALID_ARGUMENT, Run(2, 0));
  EXPECT_CODE(LATCHKEY_INVALID_ARGUMENT, Run(0, 2));
  const std::string nowhere = store_.path() + "-none";
  const std::string folder = store_.folder().string();
  const std::string path = store_.path();
  auto options = Sized<latchkey_repair_options>();
  options.path = nowhere.c_str();
  EXPECT_CODE(LATCHKEY_NOT_FOUND, latchkey_repair(&options, nullptr));
  options.path = folder.c_str();
  EXPECT_CODE(LATCHKEY_INVALID_ARGUMENT, latchkey_repair(&options, nullptr));
  options.path = path.c_str();
  options.pepper_path = nowhere.c_str();
  EXPECT_CODE(LATCHKEY_WRONG_PEPPER, latchkey_repair(&options, nullptr));
  EXPECT_FALSE(std::filesystem::exists(nowhere));
  store_.Open();
}

// One that was stopped has written nothing, or a part of it, and the next one ends it.
TEST_F(Repair, CanBeStopped) {
  for (int i = 0; i < 1500; ++i) {
    store_.CreateKey(user_, LATCHKEY_KIND_USER_KEY, "k" + std::to_string(i));
  }
  store_.Close();
  std::filesystem::remove(store_.path() + "/ack");
  told_.stop = true;
  EXPECT_CODE(LATCHKEY_BUSY, Run(0, 1));
  EXPECT_EQ(1u, told_.calls);
  told_.stop = false;
  EXPECT_CODE(LATCHKEY_OK, Run(0, 1));
  EXPECT_GT(told_.calls, 1u);
  EXPECT_EQ(1501u, report_.credentials_withdrawn);
  store_.Open();
  store_.Check();
}

TEST_F(Repair, TheCheckReports) {
  store_.Revoke(live_.uuid);
  auto options = Sized<latchkey_check_options>();
  options.progress = [](void* context, uint64_t done, uint64_t total) -> int {
    EXPECT_LE(done, total);
    ++static_cast<Told*>(context)->calls;
    return static_cast<Told*>(context)->stop ? 1 : 0;
  };
  options.context = &told_;
  auto report = Sized<latchkey_check_report>();
  EXPECT_CODE(LATCHKEY_OK, latchkey_store_check_report(store_, &options, &report));
  EXPECT_EQ(0u, report.findings);
  EXPECT_EQ(1u, report.owners);
  EXPECT_EQ(1u, report.credentials);
  EXPECT_EQ(1u, report.tombstones);
  EXPECT_EQ(3u, report.events);
  EXPECT_GE(told_.calls, 1u);
  told_.stop = true;
  EXPECT_CODE(LATCHKEY_BUSY, latchkey_store_check_report(store_, &options, &report));
}

}  // namespace
