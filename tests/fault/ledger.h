// What a store must say, by all that it has acknowledged.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "support/fixture.h"

namespace latchkey_test {

struct Facts {
  struct Owner {
    latchkey_uuid uuid{};
    uint32_t sort = LATCHKEY_OWNER_USER;
    bool locked = false;
    bool deleted = false;
  };
  struct Key {
    latchkey_uuid uuid{};
    size_t owner = 0;
    uint32_t kind = LATCHKEY_KIND_USER_KEY;
    std::string name{};
    std::string secret{};  // empty = nobody was told
    bool revoked = false;
    bool absent = false;  // it was asked for, and is not there
  };
  bool store = false;               // there is one
  std::vector<uint32_t> backups{};  // their numbers
  std::vector<Owner> owners;
  std::vector<Key> keys;
};

// Who is where between two acknowledgements: what held before the change is `before`, and `after`
// is what holds once it is done. They only ever grow, so an owner or key has one place in both.
struct Moment {
  std::string change{};
  size_t begun = 0;  // operations of the disk by then
  size_t done = 0;
  Facts after{};
  bool one_by_one = false;  // several changes, each whole or absent for itself
  uint32_t backup = 0;      // the number of the backup that it made
};

// Compares the store with what held before a change that was not acknowledged, and after it: either
// of the two in full, or, `one_by_one`, either for each owner and key. The differences in words;
// empty when there are none. Also asks latchkey_store_check(). Waits for the tombstones of mass
// revocations, but not once `complaints` says that the store has given one up: of a file that stays
// damaged they would never come.
std::string Differences(latchkey_store* store, const Facts& before, const Facts& after,
                        bool one_by_one, const std::atomic<size_t>* complaints = nullptr);

// The reason of the verdict as text, or the code when there was none.
std::string Judge(latchkey_store* store, const std::string& secret);
std::string DueVerdict(const Facts& facts, const Facts::Key& key);

// The numbers of the backups in FOLDER/backups, each of which must be whole by its checksums. None
// where the folder is not there, or is empty. What is wrong is added to `wrong`.
std::vector<uint32_t> WholeBackups(const std::filesystem::path& folder, std::string* wrong);
// Restores one of them into a folder of its own, and compares that store with the facts.
std::string RestoredDifferences(const std::filesystem::path& folder, uint32_t number,
                                const Facts& facts);
// Makes one. OK, or a code with latchkey_error_text().
latchkey_code BackUp(latchkey_store* store, const std::filesystem::path& folder, uint32_t keep,
                     uint32_t* number);

// Opens what lies in FOLDER/store, reading everything before it returns. Text of the refusal, as
// CODE: sentence, or empty. `complaints`, which is to outlive the store, counts what it warns of.
std::string OpenWhole(const std::filesystem::path& folder, uint32_t mode, latchkey_store** store,
                      std::atomic<size_t>* complaints = nullptr);

}  // namespace latchkey_test
