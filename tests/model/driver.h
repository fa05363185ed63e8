// Does the same to a store and to its model, and compares what both then hold and answer.
#pragma once

#include <iterator>
#include <set>

#include "model.h"
#include "support/fixture.h"

namespace latchkey_model {

constexpr uint32_t kHostKind = LATCHKEY_KIND_HOST_MIN;
constexpr uint32_t kProjectKinds[] = {LATCHKEY_KIND_PROJECT_KEY, kHostKind};

inline latchkey_uuid ToUuid(const Id& id) {
  return id.empty() ? latchkey_uuid{} : latchkey_test::ParseUuid(id);
}
inline Id ToId(const latchkey_uuid& uuid) {
  return latchkey_test::Same(uuid, latchkey_uuid{}) ? Id() : latchkey_test::Text(uuid);
}

class Driver {
 public:
  // The store is open and empty.
  Driver(uint64_t seed, latchkey_test::TestStore* store);
  virtual ~Driver() = default;

  // Draws which kinds of steps there will be for a while, and how often: some not at all, since
  // what only happens without something else would never be seen if everything happened all the
  // time.
  void DrawWeights();
  const char* Step();  // what it was
  // Closes, opens, checks and compares everything.
  void Reopen();

 protected:
  using Action = void (Driver::*)();
  struct Choice {
    const char* name;
    Action action;
    bool changes;  // may happen in the middle of a walk over a list
  };
  static const std::vector<Choice>& Choices();

  // Changes.
  void CreateOwner();
  void UpdateOwner();
  void DeleteOwner();
  void SetGrant();
  void RemoveGrant();
  void CreateKey();
  void RenameKey();
  void RevokeKey();
  void RevokeAll();
  virtual void StepClock();

  // Questions.
  void ListPages();
  void WalkList();
  void VerifySome();
  void VerifyBatch();
  void Identify();
  void FindKey();
  void FindOwner();
  void ListGrants();
  void Authorize();

  void Expect(latchkey_code expected, latchkey_code actual, const std::string& what);
  void CompareEverything();
  void CompareCounts();
  void CompareOwner(const latchkey_owner& row, const Owner& due);
  void CompareKey(const latchkey_credential& row, const Key& due);
  void CompareVerdict(const Key& key, uint64_t scopes, int64_t at_s);
  void CompareList(const Query& query, uint32_t page_size);
  // One page of keys or owners, each compared with the model; returns their UUIDs.
  std::vector<Id> ReadPage(const Query& query, uint32_t page, uint32_t page_size, uint64_t* total);
  latchkey_list_options ListOptions(const Query& query) const;
  void AdoptSlug(Owner* owner, const latchkey_owner& row, bool was_given, bool was_taken);

  uint64_t Draw(uint64_t below) { return random_() % below; }
  bool Chance(uint64_t one_in) { return Draw(one_in) == 0; }
  template <typename Map>
  typename Map::mapped_type* Any(Map* map) {
    if (map->empty()) return nullptr;
    return &std::next(map->begin(), static_cast<std::ptrdiff_t>(Draw(map->size())))->second;
  }
  Owner* AnyOwner(uint32_t sort, bool live);
  Id SomeUuid();  // of an owner or key, or of nothing
  std::string DrawName();
  std::string DrawSearch();
  Query DrawQuery();
  // The time of verdicts, and the latest there ever was.
  virtual int64_t now_s() const { return store_.clock().now_s(); }
  virtual int64_t latest_s() const { return now_s(); }

  std::mt19937_64 random_;
  latchkey_test::TestStore& store_;
  Model model_;
  std::vector<uint64_t> weights_;
  std::set<Id> touched_;  // by changes since the start of a walk
};

}  // namespace latchkey_model
