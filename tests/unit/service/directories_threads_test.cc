// Lists on threads beside a writer, under a budget that holds few of them: whatever is dropped and
// built anew, or read from the store, a page and its total are of one moment, and that moment is
// never before what the writer has been told.
#include <array>
#include <atomic>
#include <set>
#include <thread>

#include "support/seed.h"
#include "unit/service/credential_commands.h"
#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

class DirectoriesThreads : public EngineTest, public testing::WithParamInterface<size_t> {
 protected:
  void SetUp() override {
    directory_budget_bytes_ = GetParam();
    EngineTest::SetUp();
  }
};

TEST_P(DirectoriesThreads, EveryListIsOfOneMomentAndNotOfThePast) {
  LATCHKEY_TEST_RANDOM(random);
  constexpr size_t kOwners = 6;
  constexpr size_t kKeys = 100;
  std::array<Uuid, kOwners> owners;
  std::array<std::atomic<uint64_t>, kOwners> keys;
  std::array<std::atomic<uint64_t>, kOwners> revoked;
  std::vector<CredentialRecord> all;
  for (size_t i = 0; i < kOwners; ++i) {
    owners[i] = MakeUser("u" + std::to_string(i)).uuid;
    for (CredentialRecord& made : CreateMany(*engine_, random, owners[i], kKeys, 20)) {
      all.push_back(std::move(made));
    }
    keys[i] = kKeys;
    revoked[i] = 0;
  }
  std::atomic<bool> done{false};
  std::atomic<bool> failed{false};
  std::atomic<uint64_t> lists{0};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, seed = random()] {
      std::mt19937_64 draw(seed);
      while (!done.load() && !failed.load()) {
        const size_t i = draw() % kOwners;
        ListQuery query;
        query.owner = owners[i];
        query.kind = kind::kUserKey;
        query.filter.descending = draw() % 2 == 0;
        if (draw() % 3 == 0) query.filter.search = "n";  // all have one
        const uint64_t keys_due = keys[i].load();
        const uint64_t revoked_due = revoked[i].load();
        query.filter.revoked = true;
        const Result<CredentialPage> gone = ListCredentials(*engine_, query, 0, 10'000);
        query.filter.revoked = false;
        const Result<CredentialPage> live = ListCredentials(*engine_, query, 0, 10'000);
        if (!gone.ok() || !live.ok()) {
          ADD_FAILURE() << gone.status().why() << ", " << live.status().why();
          failed = true;
          break;
        }
        std::set<Uuid> seen;
        for (const ListedCredential& row : live->rows) seen.insert(row.row.uuid);
        // The second list is later: it lacks at least what the first had, and has what was made.
        if (gone->total != gone->rows.size() || live->total != live->rows.size() ||
            seen.size() != live->total || gone->total < revoked_due ||
            live->total + revoked[i].load() + 1 < keys_due) {
          ADD_FAILURE() << gone->total << " of " << gone->rows.size() << " revoked, " << revoked_due
                        << " at the least; " << live->total << " of " << live->rows.size()
                        << " active, " << seen.size() << " different, " << keys_due
                        << " made at the least";
          failed = true;
        }
        ++lists;
      }
    });
  }
  for (int step = 0; (step < 300 || lists.load() < 300) && !failed.load(); ++step) {
    const size_t i = random() % kOwners;
    const CredentialRecord& some = all[random() % all.size()];
    if (step % 3 == 0) {
      Create(*engine_, {RandomCredential(random, owners[i], "another n", 1)});
      ++keys[i];
    } else if (step % 3 == 1) {
      const Bytes name = "renamed n " + std::to_string(step);
      EXPECT_TRUE(engine_->Run({}, RenameCredential{some.uuid, name}).ok());
    } else if (engine_->Run({}, RevokeCredential{some.uuid, {}}).ok()) {
      const auto owner = std::find(owners.begin(), owners.end(), some.owner) - owners.begin();
      ++revoked[static_cast<size_t>(owner)];
    }
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(failed.load());
  const Directories::Stats stats = engine_->memory().directories().stats();
  EXPECT_LE(stats.memory_bytes, GetParam());
  EXPECT_EQ(stats.evicted > 0, GetParam() == 60'000);
}

INSTANTIATE_TEST_SUITE_P(Budgets, DirectoriesThreads,
                         testing::Values(1, 60'000, Directories::kBudgetBytesDefault),
                         [](const auto& budget) { return std::to_string(budget.param); });

}  // namespace
}  // namespace latchkey::test
