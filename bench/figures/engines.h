// The engines that are compared. Each answers one question: may whoever presents this secret come
// in? Each begins with the same SHA-256, and each sees at once what another connection changed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "figures/keys.h"
#include "latchkey/latchkey.h"

namespace latchkey_bench {

class Engine {
 public:
  virtual ~Engine() = default;
  virtual bool Verify(std::string_view secret) = 0;
};

// SHA-256 by the fastest of the packaged implementations, found by timing them at the first call.
// `out` has room for 32 bytes.
void Sha256(std::string_view text, uint8_t* out);
const char* Sha256Name();

// What no engine can do without: SHA-256, SipHash-2-4-128 of it, and one line of 64 bytes from a
// table as large as the population needs, at a place that depends on both. In huge pages where the
// system gives them.
std::unique_ptr<Engine> MakeFloor(size_t population);

std::unique_ptr<Engine> MakeLatchkey(latchkey_store* store);

// The peers hold `population` live keys of the group, in a file in `folder`.
std::unique_ptr<Engine> MakeSqliteTuned(const std::string& folder, Group group, size_t population);
// With the reference system's tables, index, join and settings.
std::unique_ptr<Engine> MakeSqliteReference(const std::string& folder, Group group,
                                            size_t population);
std::unique_ptr<Engine> MakeLmdb(const std::string& folder, Group group, size_t population);
// `socket`: of a server that listens, and is empty.
std::unique_ptr<Engine> MakeRedis(const std::string& socket, Group group, size_t population);
// `folder`: of the socket of a server that has a user latchkey.
std::unique_ptr<Engine> MakePostgres(const std::string& folder, Group group, size_t population);

// A list in SQLite as fast as it can be: the index holds the whole row.
class SqliteList {
 public:
  virtual ~SqliteList() = default;
  // The number of rows of the page of 8 that begins at `offset`.
  virtual int Page(int64_t offset) = 0;
};
std::unique_ptr<SqliteList> MakeSqliteList(const std::string& folder, size_t population);

}  // namespace latchkey_bench
