// SQLite, twice: as fast as it can be made, and as the reference system uses it.
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "figures/engines.h"

namespace latchkey_bench {
namespace {

constexpr int64_t kNow = 1795000000;
constexpr int64_t kExpires = 6049976706;

class Database {
 public:
  explicit Database(const std::string& path) {
    Check(sqlite3_open_v2(path.c_str(), &db_,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                          nullptr));
  }
  ~Database() {
    for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void Run(const char* sql) { Check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }

  sqlite3_stmt* Prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    Check(sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    statements_.push_back(statement);
    return statement;
  }

  void Check(int code) {
    if (code == SQLITE_OK) return;
    std::fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db_));
    std::exit(1);
  }

 private:
  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
};

void StepAndReset(Database* database, sqlite3_stmt* statement) {
  sqlite3_step(statement);
  database->Check(sqlite3_reset(statement));
}

int Size(std::string_view text) { return static_cast<int>(text.size()); }

// WAL; a page cache and a mapping that hold everything; one process, so that a transaction takes no
// lock of the file system (which the store demands as well); the digest itself is the key of the
// table, without a second tree.
constexpr const char* kTuned =
    "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY;"
    "PRAGMA mmap_size=17179869184; PRAGMA cache_size=-4194304;";

class Tuned : public Engine {
 public:
  Tuned(const std::string& folder, Group group, size_t population)
      : database_(folder + "/tuned.db") {
    database_.Run(kTuned);
    database_.Run(
        "CREATE TABLE credential (digest BLOB PRIMARY KEY, owner INTEGER, expiration INTEGER,"
        " revoked INTEGER) WITHOUT ROWID; BEGIN");
    std::vector<std::array<uint8_t, 32>> digests(population);
    char secret[kSecretSize];
    for (size_t i = 0; i < population; ++i) {
      WriteSecret(group, i, secret);
      Sha256({secret, sizeof secret}, digests[i].data());
    }
    std::sort(digests.begin(), digests.end());
    sqlite3_stmt* insert = database_.Prepare("INSERT INTO credential VALUES (?, 1, ?, NULL)");
    for (const auto& digest : digests) {
      sqlite3_bind_blob(insert, 1, digest.data(), 32, SQLITE_STATIC);
      sqlite3_bind_int64(insert, 2, kExpires);
      StepAndReset(&database_, insert);
    }
    database_.Run("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    find_ = database_.Prepare("SELECT owner, expiration, revoked FROM credential WHERE digest = ?");
  }

  bool Verify(std::string_view secret) override {
    uint8_t digest[32];
    Sha256(secret, digest);
    sqlite3_bind_blob(find_, 1, digest, 32, SQLITE_STATIC);
    const bool allowed = sqlite3_step(find_) == SQLITE_ROW && sqlite3_column_int64(find_, 0) != 0 &&
                         sqlite3_column_int64(find_, 1) > kNow &&
                         sqlite3_column_type(find_, 2) == SQLITE_NULL;
    sqlite3_reset(find_);
    return allowed;
  }

 private:
  Database database_;
  sqlite3_stmt* find_ = nullptr;
};

void WriteHex(const uint8_t* digest, char* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < 32; ++i) {
    out[2 * i] = kDigits[digest[i] >> 4];
    out[2 * i + 1] = kDigits[digest[i] & 15];
  }
}

class Reference : public Engine {
 public:
  Reference(const std::string& folder, Group group, size_t population)
      : database_(folder + "/reference.db") {
    database_.Run(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "CREATE TABLE user (id INTEGER PRIMARY KEY NOT NULL, uuid TEXT NOT NULL UNIQUE,"
        " name TEXT NOT NULL, slug TEXT NOT NULL UNIQUE, email TEXT NOT NULL UNIQUE,"
        " admin BOOLEAN NOT NULL, locked BOOLEAN NOT NULL);"
        "CREATE TABLE user_key (id INTEGER PRIMARY KEY NOT NULL, uuid TEXT NOT NULL UNIQUE,"
        " user_id INTEGER NOT NULL REFERENCES user(id), name TEXT NOT NULL,"
        " key_hash TEXT NOT NULL, creation BIGINT NOT NULL, expiration BIGINT NOT NULL,"
        " revoked BIGINT);"
        "INSERT INTO user VALUES (1, '7d0a1b60-0000-7000-8000-000000000001', 'Bench', 'bench',"
        " 'bench@example.com', 0, 0); BEGIN");
    sqlite3_stmt* insert = database_.Prepare(
        "INSERT INTO user_key (uuid, user_id, name, key_hash, creation, expiration)"
        " VALUES (?, 1, ?, ?, 1755009411, ?)");
    for (size_t i = 0; i < population; ++i) {
      const std::string uuid = UuidText(Uuid(group, i));
      const std::string name = Name(group, i);
      uint8_t digest[32];
      char hex[64];
      Sha256(Secret(group, i), digest);
      WriteHex(digest, hex);
      sqlite3_bind_text(insert, 1, uuid.data(), Size(uuid), SQLITE_STATIC);
      sqlite3_bind_text(insert, 2, name.data(), Size(name), SQLITE_STATIC);
      sqlite3_bind_text(insert, 3, hex, sizeof hex, SQLITE_STATIC);
      sqlite3_bind_int64(insert, 4, kExpires);
      StepAndReset(&database_, insert);
    }
    database_.Run(
        "CREATE UNIQUE INDEX index_user_key_hash ON user_key(key_hash);"
        "CREATE INDEX index_user_key_user_id ON user_key(user_id);"
        "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    find_ = database_.Prepare(
        "SELECT user_key.id, user_key.expiration, user_key.revoked, user.id, user.uuid,"
        " user.locked FROM user_key INNER JOIN user ON user_key.user_id = user.id"
        " WHERE user_key.key_hash = ?");
  }

  bool Verify(std::string_view secret) override {
    uint8_t digest[32];
    char hex[64];
    Sha256(secret, digest);
    WriteHex(digest, hex);
    sqlite3_bind_text(find_, 1, hex, sizeof hex, SQLITE_STATIC);
    const bool allowed =
        sqlite3_step(find_) == SQLITE_ROW && sqlite3_column_int64(find_, 1) > kNow &&
        sqlite3_column_type(find_, 2) == SQLITE_NULL && sqlite3_column_int64(find_, 5) == 0;
    sqlite3_reset(find_);
    return allowed;
  }

 private:
  Database database_;
  sqlite3_stmt* find_ = nullptr;
};

class List : public SqliteList {
 public:
  List(const std::string& folder, size_t population) : database_(folder + "/list.db") {
    database_.Run(kTuned);
    database_.Run(
        "CREATE TABLE credential (owner INTEGER, name TEXT, creation INTEGER, uuid BLOB,"
        " slug TEXT, expiration INTEGER, PRIMARY KEY (owner, name, creation, uuid)) WITHOUT ROWID;"
        "BEGIN");
    sqlite3_stmt* insert =
        database_.Prepare("INSERT INTO credential VALUES (1, ?, 1755009411, ?, ?, ?)");
    for (size_t i = 0; i < population; ++i) {
      const std::string name = Name(Group::kRight, i);
      const latchkey_uuid uuid = Uuid(Group::kRight, i);
      sqlite3_bind_text(insert, 1, name.data(), Size(name), SQLITE_STATIC);
      sqlite3_bind_blob(insert, 2, uuid.bytes, sizeof uuid.bytes, SQLITE_STATIC);
      sqlite3_bind_text(insert, 3, name.data(), Size(name), SQLITE_STATIC);
      sqlite3_bind_int64(insert, 4, kExpires);
      StepAndReset(&database_, insert);
    }
    database_.Run("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    page_ = database_.Prepare(
        "SELECT name, creation, uuid, slug, expiration FROM credential WHERE owner = 1"
        " ORDER BY name, creation, uuid LIMIT 8 OFFSET ?");
  }

  int Page(int64_t offset) override {
    sqlite3_bind_int64(page_, 1, offset);
    int rows = 0;
    for (; sqlite3_step(page_) == SQLITE_ROW; ++rows) {
      Copy(0);
      Copy(2);
      Copy(3);
      row_.times[0] = sqlite3_column_int64(page_, 1);
      row_.times[1] = sqlite3_column_int64(page_, 4);
    }
    sqlite3_reset(page_);
    return rows;
  }

 private:
  void Copy(int column) {
    const void* bytes = sqlite3_column_blob(page_, column);
    const int size = sqlite3_column_bytes(page_, column);
    if (size > 0) std::memcpy(row_.text, bytes, std::min<size_t>(static_cast<size_t>(size), 64));
  }

  Database database_;
  sqlite3_stmt* page_ = nullptr;
  struct {
    char text[64];
    int64_t times[2];
  } row_{};
};

}  // namespace

std::unique_ptr<Engine> MakeSqliteTuned(const std::string& folder, Group group, size_t population) {
  return std::make_unique<Tuned>(folder, group, population);
}

std::unique_ptr<Engine> MakeSqliteReference(const std::string& folder, Group group,
                                            size_t population) {
  return std::make_unique<Reference>(folder, group, population);
}

std::unique_ptr<SqliteList> MakeSqliteList(const std::string& folder, size_t population) {
  return std::make_unique<List>(folder, population);
}

}  // namespace latchkey_bench
