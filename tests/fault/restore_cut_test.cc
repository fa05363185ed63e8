// The power is cut after the first, second, third ... file operation of a restore: there is no
// store until all is done, and then it is whole, with what was to be revoked.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "power_cut.h"
#include "workload.h"

namespace latchkey_test {
namespace {

constexpr const char* kPepper = "store.pepper";

// One restore, as its disk has seen it.
struct Restoration {
  uint64_t seed = 0;
  std::string pepper;
  Facts facts;
  std::vector<Operation> operations;
};

// With `folder_is_there` into a folder that somebody has made, and not synced.
Restoration MakeRestoration(bool folder_is_there) {
  Restoration made;
  made.seed = TestSeed();
  const TempFolder source;
  Disk unrecorded(source.path());
  Workload workload(&unrecorded, source.path(), made.seed);
  workload.Open(LATCHKEY_OPEN_CREATE);
  for (int i = 0; i < 2; ++i) workload.CreateOwner(LATCHKEY_OWNER_USER);
  workload.ImportKeys(0, 30);
  for (size_t i = 0; i < 4; ++i) workload.CreateKey(i % 2);
  workload.Close();
  workload.Open(LATCHKEY_OPEN_EXISTING);
  workload.Revoke(workload.DrawActive());
  workload.SetLocked(1, true);
  workload.BackUp(0);
  made.facts = workload.facts();
  std::vector<latchkey_revocation> list;
  for (size_t key = 1; key < 10; key += 2) {
    made.facts.keys[key].revoked = true;
    list.push_back({made.facts.keys[key].uuid, 0});
  }
  // After the backup, so that it is carried over.
  const size_t later = workload.DrawActive();
  workload.Revoke(later);
  made.facts.keys[later].revoked = true;
  workload.Close();
  made.pepper = ReadFile(source.path() / kPepper);

  const TempFolder target;
  Disk disk(target.path());
  WriteFile(target.path() / kPepper, made.pepper);
  std::filesystem::permissions(target.path() / kPepper, std::filesystem::perms(0600));
  disk.Record();
  const std::string backups = (source.path() / "backups").string();
  const std::string damaged = (source.path() / "store").string();
  const std::string path = (target.path() / "store").string();
  if (folder_is_there) std::filesystem::create_directory(path);
  auto options = Sized<latchkey_restore_options>();
  options.backup_path = backups.c_str();
  options.damaged_path = damaged.c_str();
  options.path = path.c_str();
  options.revocations = list.data();
  options.revocations_count = list.size();
  EXPECT_CODE(LATCHKEY_OK, latchkey_restore(&options, nullptr));
  made.operations = disk.operations();
  return made;
}

// What is left of the first so many operations, and the pepper.
void WriteCut(const Restoration& restoration, size_t operations, Unsynced unsynced, uint64_t seed,
              const std::filesystem::path& folder) {
  std::mt19937_64 random(seed);
  WriteImage(AfterPowerCut(std::span(restoration.operations).first(operations), unsynced, random),
             folder);
  WriteFile(folder / kPepper, restoration.pepper);
  std::filesystem::permissions(folder / kPepper, std::filesystem::perms(0600));
}

TEST(RestoreCut, LeavesNoStoreOrAWholeOne) {
  const Restoration restoration = MakeRestoration(/*folder_is_there=*/false);
  const size_t all = restoration.operations.size();
  const size_t stride = IsLongRun() ? 1 : 5;
  const TempFolder folder;
  const Disk disk(folder.path());
  size_t cuts = 0;
  size_t opened = 0;
  size_t wrong = 0;
  for (size_t n = all % stride; n <= all; n += stride) {
    for (size_t i = 0; i < kCuts.size(); ++i) {
      if (!IsLongRun() && n != all && i != n / stride % kCuts.size()) continue;
      WriteCut(restoration, n, kCuts[i], restoration.seed + n * kCuts.size() + i, folder.path());
      ++cuts;
      latchkey_store* store = nullptr;
      std::string refused = OpenWhole(folder.path(), LATCHKEY_OPEN_EXISTING, &store);
      std::string differences;
      if (store != nullptr) {
        ++opened;
        differences = Differences(store, restoration.facts, restoration.facts, false);
        EXPECT_CODE(LATCHKEY_OK, latchkey_store_close(store));
      } else if (n < all &&
                 (refused.starts_with("NOT_FOUND") || refused.starts_with("INVALID_ARGUMENT"))) {
        refused.clear();  // there is none
      }
      if ((refused + differences).empty() || ++wrong > 10) continue;
      ADD_FAILURE() << "operation " << n << " of " << all << ", " << NameOf(kCuts[i]) << ": "
                    << refused << differences;
    }
  }
  EXPECT_GE(opened, kCuts.size());
  std::printf("restore cut: faults %zu, wrong %zu, opened %zu, operations %zu\n", cuts, wrong,
              opened, all);
}

// The name of the folder was synced only by whoever had made it: a restore that failed there had,
// and the store of the next one was gone with the power.
TEST(RestoreCut, LastsInAFolderThatWasThere) {
  const Restoration restoration = MakeRestoration(/*folder_is_there=*/true);
  const TempFolder folder;
  for (const Unsynced unsynced : kCuts) {
    WriteCut(restoration, restoration.operations.size(), unsynced, restoration.seed, folder.path());
    latchkey_store* store = nullptr;
    EXPECT_EQ("", OpenWhole(folder.path(), LATCHKEY_OPEN_EXISTING, &store)) << NameOf(unsynced);
    if (store == nullptr) continue;
    EXPECT_CODE(LATCHKEY_OK, latchkey_store_close(store));
  }
  std::printf("restore into a folder: faults %zu, wrong %d\n", kCuts.size(), HasFailure() ? 1 : 0);
}

// A restore whose last sync failed left its marker behind, and the next was refused: there was
// something in its place.
TEST(RestoreCut, LeavesAnEmptyFolderWhereASyncFails) {
  const TempFolder source;
  Disk unseen(source.path());
  Workload workload(&unseen, source.path(), TestSeed());
  workload.Open(LATCHKEY_OPEN_CREATE);
  workload.CreateOwner(LATCHKEY_OWNER_USER);
  workload.CreateKey(0);
  workload.BackUp(0);
  workload.Close();
  const std::string backups = (source.path() / "backups").string();
  const std::string pepper = (source.path() / kPepper).string();
  const TempFolder target;
  Disk disk(target.path());
  // The syncs of the store's own folder, of which there are always as many.
  disk.Choose([](const std::string& name) { return name == "store"; });
  const std::string path = (target.path() / "store").string();
  auto options = Sized<latchkey_restore_options>();
  options.backup_path = backups.c_str();
  options.pepper_path = pepper.c_str();
  options.path = path.c_str();
  size_t faults = 0;
  for (uint64_t nth = 1;; ++nth) {
    const uint64_t failed = disk.failed();
    disk.Fail(Call::kSync, nth, EIO, /*lasting=*/false);
    const latchkey_code code = latchkey_restore(&options, nullptr);
    disk.Mend();
    if (disk.failed() == failed) break;  // there are no more
    ++faults;
    EXPECT_CODE(LATCHKEY_IO, code);
    EXPECT_TRUE(std::filesystem::is_empty(path)) << "sync " << nth;
    std::filesystem::remove_all(path);
  }
  EXPECT_GE(faults, 2u);
  std::printf("restore, failing syncs: faults %zu, wrong %d\n", faults, HasFailure() ? 1 : 0);
}

// The same of the folder of the backups: a backup that failed at that sync had left its marker.
TEST(BackupCut, LastsWhereAnEarlierOneFailed) {
  const TempFolder source;
  Disk disk(source.path());
  disk.Choose([](const std::string& name) { return name.empty() || name == "."; });
  disk.Record();
  Workload workload(&disk, source.path(), TestSeed());
  workload.Open(LATCHKEY_OPEN_CREATE);
  workload.CreateOwner(LATCHKEY_OWNER_USER);
  disk.Fail(Call::kSync, 1, EIO, /*lasting=*/false);
  uint32_t number = 0;
  EXPECT_CODE(LATCHKEY_IO, BackUp(workload.store(), source.path(), 0, &number));
  disk.Mend();
  EXPECT_EQ(1u, disk.failed());
  EXPECT_CODE(LATCHKEY_OK, BackUp(workload.store(), source.path(), 0, &number));
  const std::vector<Operation> operations = disk.operations();
  workload.Close();
  const TempFolder folder;
  std::mt19937_64 random(1);
  WriteImage(AfterPowerCut(operations, Unsynced::kLost, random), folder.path());
  std::string wrong;
  EXPECT_EQ(std::vector<uint32_t>{number}, WholeBackups(folder.path(), &wrong)) << wrong;
  std::printf("backup cut: faults 1, wrong %d\n", HasFailure() ? 1 : 0);
}

}  // namespace
}  // namespace latchkey_test
