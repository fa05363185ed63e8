// LMDB at its fastest: the digest is the key, the table is written in order of its keys, and one
// read-only transaction is renewed for each question, so that a change is seen by the next one.
#include <lmdb.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "figures/engines.h"

namespace latchkey_bench {
namespace {

struct Record {
  int64_t expiration;
  uint64_t owner;
  uint64_t state;
  uint8_t uuid[16];
};

void Check(int code) {
  if (code == MDB_SUCCESS) return;
  std::fprintf(stderr, "lmdb: %s\n", mdb_strerror(code));
  std::exit(1);
}

class Lmdb : public Engine {
 public:
  Lmdb(const std::string& folder, Group group, size_t population) {
    const std::string path = folder + "/lmdb";
    mkdir(path.c_str(), 0700);
    Check(mdb_env_create(&environment_));
    Check(mdb_env_set_mapsize(environment_, size_t{8} << 30));
    Check(mdb_env_open(environment_, path.c_str(), MDB_NOTLS | MDB_NOSYNC | MDB_NORDAHEAD, 0600));
    Load(group, population);
    Check(mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &read_));
    mdb_txn_reset(read_);
  }
  ~Lmdb() override {
    mdb_txn_abort(read_);
    mdb_env_close(environment_);
  }
  Lmdb(const Lmdb&) = delete;
  Lmdb& operator=(const Lmdb&) = delete;

  bool Verify(std::string_view secret) override {
    uint8_t digest[32];
    Sha256(secret, digest);
    MDB_val key{sizeof digest, digest};
    MDB_val value{};
    if (mdb_txn_renew(read_) != MDB_SUCCESS) return false;
    bool allowed = false;
    if (mdb_get(read_, table_, &key, &value) == MDB_SUCCESS) {
      Record record;
      std::memcpy(&record, value.mv_data, sizeof record);
      allowed = record.state == 1 && record.expiration > 1795000000 && record.owner != 0;
    }
    mdb_txn_reset(read_);
    return allowed;
  }

 private:
  void Load(Group group, size_t population) {
    std::vector<std::array<uint8_t, 32>> digests(population);
    char secret[kSecretSize];
    for (size_t i = 0; i < population; ++i) {
      WriteSecret(group, i, secret);
      Sha256({secret, sizeof secret}, digests[i].data());
    }
    std::sort(digests.begin(), digests.end());
    MDB_txn* write = nullptr;
    Check(mdb_txn_begin(environment_, nullptr, 0, &write));
    Check(mdb_dbi_open(write, nullptr, 0, &table_));
    Record record{6049976706, 1, 1, {}};
    for (auto& digest : digests) {
      MDB_val key{digest.size(), digest.data()};
      MDB_val value{sizeof record, &record};
      Check(mdb_put(write, table_, &key, &value, MDB_APPEND));
    }
    Check(mdb_txn_commit(write));
  }

  MDB_env* environment_ = nullptr;
  MDB_dbi table_ = 0;
  MDB_txn* read_ = nullptr;
};

}  // namespace

std::unique_ptr<Engine> MakeLmdb(const std::string& folder, Group group, size_t population) {
  return std::make_unique<Lmdb>(folder, group, population);
}

}  // namespace latchkey_bench
