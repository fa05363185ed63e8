#include "index/row_set.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "support/seed.h"

namespace latchkey {
namespace {

std::vector<size_t> MembersOf(const RowSet& set) {
  std::vector<size_t> members;
  set.ForEach([&](size_t row) { members.push_back(row); });
  return members;
}

TEST(RowSet, AgreesWithSet) {
  LATCHKEY_TEST_RANDOM(random);
  for (int round = 0; round < 300; ++round) {
    RowSet set;
    std::set<size_t> model;
    for (size_t i = random() % 600; i > 0; --i) {
      const size_t row = random() % RowSet::kRows;
      set.Add(row);
      model.insert(row);
    }
    const std::vector<size_t> members(model.begin(), model.end());
    ASSERT_EQ(MembersOf(set), members);
    ASSERT_EQ(set.Count(), members.size());
    ASSERT_EQ(set.empty(), members.empty());
    for (size_t rank = 0; rank < members.size(); ++rank) ASSERT_EQ(set.Nth(rank), members[rank]);
    for (size_t row = 0; row < RowSet::kRows; ++row) ASSERT_EQ(set.Has(row), model.count(row) != 0);
    for (size_t end = 0; end <= RowSet::kRows; ++end) {
      const auto below = static_cast<size_t>(std::distance(model.begin(), model.lower_bound(end)));
      ASSERT_EQ(set.CountBelow(end), below);
      ASSERT_EQ(set.Before(end), below == 0 ? RowSet::kRows : members[below - 1]);
      ASSERT_EQ(set.AtOrAfter(end), below == members.size() ? RowSet::kRows : members[below]);
    }
    const size_t begin = random() % (RowSet::kRows + 1);
    const size_t end = begin + random() % (RowSet::kRows + 1 - begin);
    std::vector<size_t> inside;
    std::vector<size_t> outside;
    for (const size_t row : members) (row >= begin && row < end ? inside : outside).push_back(row);
    ASSERT_EQ(MembersOf(set & RowSet::Range(begin, end)), inside);
    ASSERT_EQ(MembersOf(set.Without(RowSet::Range(begin, end))), outside);
  }
}

}  // namespace
}  // namespace latchkey
