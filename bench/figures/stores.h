// Stores of a known population, built by import and opened by the processes that measure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "figures/keys.h"
#include "latchkey/latchkey.h"

namespace latchkey_bench {

// A population of n: n live keys of one project; beside them n/20 that are revoked, n/20 that have
// expired, and n/20 of a user who is locked.
struct Part {
  Group group;
  size_t size;
};
std::vector<Part> PartsOf(size_t population);

// Loaded when it returns, so that nothing is measured beside the load; unless `load` says
// otherwise.
latchkey_store* OpenStore(const std::string& folder, uint32_t mode,
                          uint32_t load = LATCHKEY_LOAD_FIRST);

// Imports the keys [first, first + size) of each part, as they are read: they take no memory.
// `with_owners`: their owners before them. Returns how many credentials were imported.
uint64_t ImportParts(latchkey_store* store, const std::vector<Part>& parts, size_t first,
                     bool with_owners);

latchkey_code CreateKey(latchkey_store* store, latchkey_uuid* uuid, std::string* secret);

// `work(i)` on `threads` threads at once, i from 0; until all return.
void OnThreads(size_t threads, const std::function<void(size_t)>& work);

// One write and fdatasync that grows a file: the least that a change that survives a power cut
// costs.
class GrowingFile {
 public:
  explicit GrowingFile(const std::string& folder);
  ~GrowingFile();
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  double WriteMs();

 private:
  std::string path_;
  int file_;
};

}  // namespace latchkey_bench
