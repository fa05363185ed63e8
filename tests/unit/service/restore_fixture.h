// A store, its backups, a copy of it that is given up, and what is restored.
#pragma once

#include <filesystem>
#include <string>

#include "service/backup.h"
#include "service/restore.h"
#include "unit/service/fixture.h"

namespace latchkey::test {

class RestoreTest : public EngineTest {
 protected:
  std::string store() const { return dir_ / "store"; }
  std::string damaged() const { return dir_ / "damaged"; }
  std::string rocks() const { return damaged() + "/rocks"; }

  void MakeBackup() {
    const Result<Backup> made = BackUp(*engine_, {dir_ / "backups", 0, nullptr});
    ASSERT_TRUE(made.ok()) << made.status().why();
  }
  // A copy of the store as it lies there, in use or closed.
  void CopyToDamaged() {
    std::error_code failed;
    do {  // a log or table may have gone in between
      std::filesystem::remove_all(damaged());
      std::filesystem::copy(store(), damaged(), std::filesystem::copy_options::recursive, failed);
    } while (failed && std::filesystem::exists(store()));
  }
  Result<RestoreReport> RestoreWith(const std::string& damaged_path,
                                    std::span<const ListedRevocation> list) {
    RestoreWish wish;
    wish.revocations = list;
    wish.backups = dir_ / "backups";
    wish.path = dir_ / "restored";
    wish.pepper_path = dir_ / "store.pepper";
    wish.damaged_path = damaged_path;
    return Restore(wish);
  }
  // From here on engine_ is the restored store.
  void OpenRestored() {
    Close();
    EngineOptions options = Options(OpenMode::kExisting);
    options.store.path = dir_ / "restored";
    OpenWith(std::move(options));
    ASSERT_TRUE(engine_->loader().Wait().ok());
  }
  void RestoreAndOpen(RestoreReport* report = nullptr,
                      std::span<const ListedRevocation> list = {}) {
    const Result<RestoreReport> restored = RestoreWith(damaged(), list);
    ASSERT_TRUE(restored.ok()) << restored.status().why();
    if (report != nullptr) *report = *restored;
    OpenRestored();
    ExpectSound();
  }
  void Lock(const Uuid& user, bool locked) {
    UpdateOwner wish;
    wish.uuid = user;
    wish.locked = locked;
    ASSERT_TRUE(UpdateOwnerNow(*engine_, {}, wish).ok());
  }
};

}  // namespace latchkey::test
