// A host's life with a store, through the C API: every change with what holds after it.
#pragma once

#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "disk.h"
#include "ledger.h"

namespace latchkey_test {

class Workload {
 public:
  // The store will be FOLDER/store, its pepper FOLDER/store.pepper; the disk is that folder.
  Workload(Disk* disk, std::filesystem::path folder, uint64_t seed)
      : disk_(*disk), folder_(std::move(folder)), random_(seed) {}
  ~Workload();
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  // All of it: some dozens of credentials, an import by files and one by the log, revocations of
  // each sort, `rounds` times closed and opened anew, which makes RocksDB flush and compact, and
  // from the fourth time on three backups. Throws when a call fails. The store is closed at the
  // end.
  void Run(size_t rounds);

  // Its parts, each a change or a few.
  void Open(uint32_t mode);
  void Close();
  void CreateOwner(uint32_t sort);
  void CreateKey(size_t owner);
  void Rename(size_t key);
  void Revoke(size_t key);
  void RevokeAll(size_t owner);
  void SetLocked(size_t owner, bool locked);
  void DeleteOwner(size_t owner);
  void ImportKeys(size_t owner, size_t count);
  void BackUp(uint32_t keep);  // to FOLDER/backups
  size_t DrawActive();         // a key that is not revoked

  latchkey_store* store() const { return store_; }
  const Facts& facts() const { return facts_; }
  // One for each change, in order; the first is an empty folder.
  const std::vector<Moment>& moments() const { return moments_; }
  std::vector<std::string> secrets() const;

 private:
  void Do(const std::string& change, const std::function<latchkey_code()>& call,
          const std::function<void(Facts*)>& then, bool one_by_one = false);
  latchkey_uuid NewUuid();

  Disk& disk_;
  const std::filesystem::path folder_;
  std::mt19937_64 random_;
  latchkey_store* store_ = nullptr;
  Facts facts_;
  std::vector<Moment> moments_{1};
};

}  // namespace latchkey_test
