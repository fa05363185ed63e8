// The budget of the directories: which one makes room, and what happens to one that is too large.
#include "service/directories.h"

#include "support/seed.h"
#include "unit/index/allocation_faults.h"
#include "unit/service/credential_commands.h"
#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

class DirectoriesTest : public EngineTest {
 protected:
  static constexpr size_t kKeys = 300;

  Uuid MakeOwnerWith(std::mt19937_64& random, size_t keys, size_t name_bytes) {
    const Uuid owner = MakeUser("u" + std::to_string(owners_++)).uuid;
    CreateMany(*engine_, random, owner, keys, name_bytes);
    return owner;
  }
  static std::shared_ptr<const Directory> Get(Directories& directories, const Uuid& owner) {
    const auto got = directories.Get({owner, kind::kUserKey});
    EXPECT_TRUE(got.ok()) << got.status().why();
    EXPECT_LE(directories.stats().memory_bytes, directories.budget_bytes());
    return got.ok() ? *got : nullptr;
  }
  template <typename Call>
  static size_t AllocationsOf(Call&& call) {
    const AllocationFaults faults(AllocationFaults::kNever);
    call();
    return faults.allocations();
  }
  size_t BytesOf(const Uuid& owner) {
    Directories alone(engine_->authority(), Directories::kBudgetBytesDefault);
    Get(alone, owner);
    return alone.stats().memory_bytes;
  }
  // The event of a key's creation, as the committing thread would give it.
  Event CreationOf(const CredentialRecord& record) {
    return Event{engine_->authority().Now()->head.event_number, 0, {}, CredentialCreated{record}};
  }

  int owners_ = 0;
};

TEST_F(DirectoriesTest, TheOneListedLongestAgoMakesRoom) {
  LATCHKEY_TEST_RANDOM(random);
  std::vector<Uuid> owners;
  for (int i = 0; i < 4; ++i) owners.push_back(MakeOwnerWith(random, kKeys, 20));
  Directories directories(engine_->authority(), BytesOf(owners[0]) * 7 / 2);  // room for three
  std::vector<std::shared_ptr<const Directory>> first;
  for (int i = 0; i < 3; ++i) first.push_back(Get(directories, owners[i]));
  EXPECT_EQ(directories.stats().count, 3u);
  EXPECT_EQ(Get(directories, owners[0]), first[0]) << "it was kept";
  Get(directories, owners[3]);  // drops 1
  EXPECT_EQ(directories.stats().count, 3u);
  EXPECT_EQ(directories.stats().evicted, 1u);
  EXPECT_EQ(Get(directories, owners[0]), first[0]);
  EXPECT_EQ(Get(directories, owners[2]), first[2]);
  EXPECT_EQ(directories.stats().evicted, 1u);
  EXPECT_NE(Get(directories, owners[1]), first[1]) << "it was built anew";
  EXPECT_EQ(directories.stats().evicted, 2u);
  EXPECT_EQ(first[1]->size(), kKeys) << "what a list still reads goes on";
}

// Random use beside a list of what should be there.
TEST_F(DirectoriesTest, RandomUseKeepsTheLatest) {
  LATCHKEY_TEST_RANDOM(random);
  std::vector<Uuid> owners;
  for (int i = 0; i < 8; ++i) owners.push_back(MakeOwnerWith(random, 64, 20));
  Directories directories(engine_->authority(), BytesOf(owners[0]) * 9 / 2);  // four
  std::vector<size_t> latest;
  uint64_t misses = 0;
  for (int step = 0; step < 400; ++step) {
    const size_t owner = random() % owners.size();
    const auto known = std::find(latest.begin(), latest.end(), owner);
    if (known == latest.end()) ++misses;
    if (known != latest.end()) latest.erase(known);
    latest.insert(latest.begin(), owner);
    if (latest.size() > 4) latest.pop_back();
    ASSERT_NE(Get(directories, owners[owner]), nullptr);
    ASSERT_EQ(directories.stats().count, latest.size());
    ASSERT_EQ(directories.stats().evicted + latest.size(), misses) << step;
  }
}

TEST_F(DirectoriesTest, OneThatIsTooLargeIsNotBuilt) {
  LATCHKEY_TEST_RANDOM(random);
  const Uuid small = MakeOwnerWith(random, 10, 20);
  const Uuid large = MakeOwnerWith(random, 2000, 20);
  Directories directories(engine_->authority(), BytesOf(large) / 2);
  const auto kept = Get(directories, small);
  EXPECT_EQ(Get(directories, large), nullptr);
  EXPECT_EQ(Get(directories, small), kept) << "and it drove nothing out";
  EXPECT_EQ(directories.stats().evicted, 0u);
}

// Their number alone does not tell that these rows are long.
TEST_F(DirectoriesTest, OneThatTurnsOutTooLargeIsLeftHalfway) {
  LATCHKEY_TEST_RANDOM(random);
  const Uuid large = MakeOwnerWith(random, 2000, 250);
  const size_t bytes = BytesOf(large);
  ASSERT_GT(bytes, 2000u * 250);
  Directories directories(engine_->authority(), bytes - 1);
  EXPECT_EQ(Get(directories, large), nullptr);
  EXPECT_LT(directories.stats().memory_bytes, 10'000u) << "only that it is too large is kept";
  EXPECT_EQ(Get(directories, large), nullptr);
  Directories enough(engine_->authority(), bytes);
  const size_t for_all = AllocationsOf([&] { EXPECT_NE(Get(enough, large), nullptr); });
  Directories few(engine_->authority(), bytes / 3);
  EXPECT_LT(AllocationsOf([&] { EXPECT_EQ(Get(few, large), nullptr); }), for_all * 3 / 4);
}

TEST_F(DirectoriesTest, GrowthCountsAndDropsWhatIsTooLarge) {
  LATCHKEY_TEST_RANDOM(random);
  const Uuid first = MakeOwnerWith(random, kKeys, 20);
  const Uuid second = MakeOwnerWith(random, kKeys, 20);
  Directories directories(engine_->authority(), BytesOf(first) * 5 / 2);
  Get(directories, first);
  Get(directories, second);
  ASSERT_EQ(directories.stats().count, 2u);
  size_t count_before = 2;
  size_t bytes_before = directories.stats().memory_bytes;
  for (int i = 0; i < 2000; ++i) {
    const Event event = CreationOf(RandomCredential(random, second, "a long name of a new key", 1));
    directories.Apply({&event, 1});
    const Directories::Stats stats = directories.stats();
    ASSERT_LE(stats.memory_bytes, directories.budget_bytes());
    ASSERT_LE(stats.count, count_before);
    ASSERT_TRUE(stats.count < count_before || stats.count == 0 ||
                stats.memory_bytes > bytes_before);
    count_before = stats.count;
    bytes_before = stats.memory_bytes;
  }
  EXPECT_EQ(directories.stats().count, 0u) << "the other one first, then it was too large itself";
}

TEST_F(DirectoriesTest, ASweepGivesItsMemoryBack) {
  LATCHKEY_TEST_RANDOM(random);
  const Uuid first = MakeOwnerWith(random, kKeys, 20);
  const Uuid second = MakeOwnerWith(random, kKeys, 20);
  Directories directories(engine_->authority(), Directories::kBudgetBytesDefault);
  Get(directories, first);
  const size_t bytes = directories.stats().memory_bytes;
  Get(directories, second);
  SweepRecord sweep;
  sweep.owner = second;
  const Event event{1, 0, {}, SweepStarted{sweep}};
  directories.Apply({&event, 1});
  EXPECT_EQ(directories.stats().count, 1u);
  EXPECT_EQ(directories.stats().memory_bytes, bytes);
}

// The lists of owners count like any other; one that is too large is made and not kept.
TEST_F(DirectoriesTest, ListsOfOwnersObeyTheBudget) {
  LATCHKEY_TEST_RANDOM(random);
  for (int i = 0; i < 50; ++i) MakeUser("user " + std::to_string(i));
  const DirectoryKey users{Uuid{}, static_cast<uint16_t>(OwnerSort::kUser)};
  for (const size_t budget_bytes : {size_t{1}, size_t{2000}, Directories::kBudgetBytesDefault}) {
    Directories directories(engine_->authority(), budget_bytes);
    const auto listed = directories.Get(users);
    ASSERT_TRUE(listed.ok() && *listed != nullptr);
    EXPECT_EQ((*listed)->size(), 50u);
    EXPECT_EQ(directories.stats().count, budget_bytes > 2000 ? 1u : 0u);
    EXPECT_LE(directories.stats().memory_bytes, budget_bytes);
  }
}

// A change for which there is no memory drops the directory; the next list has it.
TEST_F(DirectoriesTest, AChangeWithoutMemoryIsNotLost) {
  LATCHKEY_TEST_RANDOM(random);
  const Uuid owner = MakeOwnerWith(random, kKeys, 20);
  Directories directories(engine_->authority(), Directories::kBudgetBytesDefault);
  size_t keys = kKeys;
  size_t failures = 0;
  for (bool failed = true; failed; ++failures) {
    Get(directories, owner);
    const std::vector<CredentialRecord> created = CreateMany(*engine_, random, owner, 1, 40);
    const Event event = CreationOf(created.front());
    {
      const AllocationFaults faults(failures);
      directories.Apply({&event, 1});
    }
    failed = directories.stats().count == 0;
    ASSERT_EQ(directories.stats().memory_bytes == 0, failed);
    ASSERT_EQ(Get(directories, owner)->size(), ++keys);
  }
  EXPECT_GE(failures, 8u);
}

}  // namespace
}  // namespace latchkey::test
