// PostgreSQL over a unix socket: one prepared SELECT by digest a question, all in binary.
#include <libpq-fe.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "figures/engines.h"

namespace latchkey_bench {
namespace {

constexpr char kExpiration[] = "6049976706";
constexpr int64_t kNow = 1795000000;

int64_t FromBigEndian(const char* bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<int64_t>(__builtin_bswap64(value));
}

class Postgres : public Engine {
 public:
  // `folder` holds the socket.
  Postgres(const std::string& folder, Group group, size_t population)
      : connection_(PQconnectdb(("host=" + folder + " dbname=postgres user=latchkey").c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) Fail("no connection");
    Load(group, population);
    PQclear(Expect(
        PQprepare(connection_, "find",
                  "SELECT expiration, owner, state FROM credential WHERE digest = $1", 1, nullptr),
        PGRES_COMMAND_OK));
  }
  ~Postgres() override { PQfinish(connection_); }
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  bool Verify(std::string_view secret) override {
    uint8_t digest[32];
    Sha256(secret, digest);
    const char* const values[] = {reinterpret_cast<const char*>(digest)};
    const int sizes[] = {sizeof digest};
    const int formats[] = {1};
    PGresult* const found =
        Expect(PQexecPrepared(connection_, "find", 1, values, sizes, formats, 1), PGRES_TUPLES_OK);
    bool allowed = false;
    if (PQntuples(found) == 1) {
      allowed = FromBigEndian(PQgetvalue(found, 0, 0)) > kNow &&
                FromBigEndian(PQgetvalue(found, 0, 1)) != 0 &&
                FromBigEndian(PQgetvalue(found, 0, 2)) == 1;
    }
    PQclear(found);
    return allowed;
  }

 private:
  void Load(Group group, size_t population) {
    Run("DROP TABLE IF EXISTS credential");
    Run("CREATE UNLOGGED TABLE credential (digest bytea NOT NULL, expiration bigint NOT NULL, "
        "owner bigint NOT NULL, state bigint NOT NULL)");
    PQclear(Expect(PQexec(connection_, "COPY credential FROM STDIN"), PGRES_COPY_IN));
    constexpr char kDigits[] = "0123456789abcdef";
    char secret[kSecretSize];
    std::string lines;
    for (size_t i = 0; i < population; ++i) {
      uint8_t digest[32];
      WriteSecret(group, i, secret);
      Sha256({secret, sizeof secret}, digest);
      lines += "\\\\x";
      for (const uint8_t byte : digest) {
        lines += kDigits[byte >> 4];
        lines += kDigits[byte & 15];
      }
      lines += std::string("\t") + kExpiration + "\t1\t1\n";
      if (lines.size() < (1 << 16) && i + 1 < population) continue;
      if (PQputCopyData(connection_, lines.data(), static_cast<int>(lines.size())) != 1) {
        Fail("it refuses to store");
      }
      lines.clear();
    }
    if (PQputCopyEnd(connection_, nullptr) != 1) Fail("it refuses to store");
    PQclear(Expect(PQgetResult(connection_), PGRES_COMMAND_OK));
    Run("CREATE UNIQUE INDEX ON credential (digest) INCLUDE (expiration, owner, state)");
    Run("VACUUM ANALYZE credential");  // so that the index alone answers
  }

  void Run(const char* statement) {
    PQclear(Expect(PQexec(connection_, statement), PGRES_COMMAND_OK));
  }

  PGresult* Expect(PGresult* result, ExecStatusType due) {
    const ExecStatusType status = PQresultStatus(result);
    if (status != due) Fail(PQerrorMessage(connection_));
    if (due == PGRES_COMMAND_OK) {
      while (PGresult* const next = PQgetResult(connection_)) PQclear(next);
    }
    return result;
  }

  [[noreturn]] void Fail(const char* what) {
    std::fprintf(stderr, "postgres: %s\n", what);
    std::exit(1);
  }

  PGconn* const connection_;
};

}  // namespace

std::unique_ptr<Engine> MakePostgres(const std::string& folder, Group group, size_t population) {
  return std::make_unique<Postgres>(folder, group, population);
}

}  // namespace latchkey_bench
