#include "index/directory.h"

#include <gtest/gtest.h>

#include <set>

#include "index/directory_root.h"
#include "support/seed.h"
#include "unit/index/allocation_faults.h"
#include "unit/index/directory_model.h"

namespace latchkey {
namespace {

using test::DirectoryModel;
using test::OwnedFilter;
using test::Randomise;
using test::RandomRow;
using test::Same;
using test::ShortText;

void ExpectSame(const DirectoryPage& page, const DirectoryPage& due) {
  ASSERT_EQ(page.total, due.total);
  ASSERT_EQ(page.rows.size(), due.rows.size());
  for (size_t i = 0; i < due.rows.size(); ++i) ASSERT_TRUE(Same(page.rows[i], due.rows[i])) << i;
}

void CompareOnce(std::mt19937_64& random, const Directory& directory, const DirectoryModel& model) {
  OwnedFilter owned;
  Randomise(random, model, &owned);
  const size_t limit = random() % 20;
  const uint64_t offset =
      random() % 8 == 0 ? UINT64_MAX - random() % 3 : random() % (model.rows().size() + 2);
  ASSERT_NO_FATAL_FAILURE(ExpectSame(directory.Page(owned.filter, offset, limit),
                                     model.Page(owned.filter, offset, limit)));
  // Row by row, as a list without a directory does it.
  const RowQuery query(owned.filter);
  uint64_t fitting = 0;
  for (const auto& [position, row] : model.rows()) {
    if ((!owned.filter.name || position.name == *owned.filter.name) && query.Fits(row.View())) {
      ++fitting;
    };
  }
  ASSERT_EQ(fitting, model.Page(owned.filter, 0, 0).total);
  std::optional<RowPosition> after;
  if (random() % 8 != 0) after = RandomRow(random).position;  // mostly between rows
  if (!model.rows().empty() && random() % 2 == 0) after = model.Any(random).position;
  ASSERT_NO_FATAL_FAILURE(ExpectSame(directory.After(owned.filter, after, limit),
                                     model.After(owned.filter, after, limit)));
}

void ChangeOnce(std::mt19937_64& random, Directory& directory, DirectoryModel& model) {
  DirectoryRow row = RandomRow(random);
  if (!model.rows().empty() && random() % 4 != 0) row.position = model.Any(random).position;
  switch (random() % 3) {
    case 0:
      directory.Insert(row);
      model.Insert(row);
      break;
    case 1: {
      const Bytes name = ShortText(random);
      ASSERT_EQ(directory.Rename(row.position, name), model.Rename(row.position, name));
      break;
    }
    default:
      ASSERT_EQ(directory.Update(row.position, row.slug, row.revoked, row.payload),
                model.Update(row.position, row.slug, row.revoked, row.payload));
  }
  ASSERT_EQ(directory.size(), model.rows().size());
}

void CompareWithModel(std::mt19937_64& random, size_t rows, int steps, int changes = 1) {
  DirectoryModel model;
  for (size_t i = 0; i < rows; ++i) model.Insert(RandomRow(random));
  const std::shared_ptr<Directory> made = test::MakeDirectory(model.Sorted());
  Directory& directory = *made;
  for (int step = 0; step < steps; ++step) {
    for (int i = 0; i < changes; ++i) {
      ASSERT_NO_FATAL_FAILURE(ChangeOnce(random, directory, model)) << "step " << step;
    }
    ASSERT_NO_FATAL_FAILURE(CompareOnce(random, directory, model)) << "step " << step;
  }
}

TEST(Directory, SmallOnesAgreeWithModel) {
  LATCHKEY_TEST_RANDOM(random);
  for (int round = 0; round < 40; ++round) {
    ASSERT_NO_FATAL_FAILURE(CompareWithModel(random, random() % 5, 300));
  }
}

TEST(Directory, LargeOnesAgreeWithModel) {
  LATCHKEY_TEST_RANDOM(random);
  for (const size_t rows : {511u, 512u, 513u, 1024u, 3000u}) {
    ASSERT_NO_FATAL_FAILURE(CompareWithModel(random, rows, 400));
  }
}

// A look shows its own moment, whatever becomes of the rows and of the directory.
TEST(Directory, ALookOutlivesChangesAndTheDirectory) {
  LATCHKEY_TEST_RANDOM(random);
  DirectoryModel model;
  while (model.rows().size() < 1200) model.Insert(RandomRow(random));
  std::shared_ptr<Directory> directory = test::MakeDirectory(model.Sorted());
  const DirectoryPage due = model.Page({}, 0, 2000);
  const DirectoryLook look = directory->Look({}, 0, 2000);
  for (const auto& [position, row] : model.rows()) {
    directory->Update(position, "other", !row.revoked, "other");
  }
  directory.reset();
  ASSERT_EQ(look.total(), due.total);
  ASSERT_EQ(look.size(), due.rows.size());
  for (size_t i = 0; i < look.size(); ++i) {
    const DirectoryRowView row = look.row(i);
    const DirectoryRow& same = due.rows[i];
    ASSERT_TRUE(row.name == same.position.name && row.creation_s == same.position.creation_s &&
                row.uuid == same.position.uuid && row.slug == same.slug &&
                row.revoked == same.revoked && row.payload == same.payload);
  }
}

// So many rows that their blocks are more than one group's.
TEST(Directory, VeryLargeOnesAgreeWithModel) {
  LATCHKEY_TEST_RANDOM(random);
  ASSERT_NO_FATAL_FAILURE(CompareWithModel(random, 40'000, 25, 10));
}

TEST(Directory, GrowsFromNothingInAnyOrder) {
  LATCHKEY_TEST_RANDOM(random);
  constexpr int kRows = 25'000;  // as blocks that are half full, more than one group's
  for (int order = 0; order < 3; ++order) {
    DirectoryModel model;
    const std::shared_ptr<Directory> made = test::MakeDirectory({});
    Directory& directory = *made;
    for (int i = 0; i < kRows; ++i) {
      DirectoryRow row = RandomRow(random);
      const int number = order == 0   ? i
                         : order == 1 ? kRows - i
                                      : static_cast<int>(random() % kRows);
      row.position.name = std::to_string(100'000 + number);
      directory.Insert(row);
      model.Insert(row);
    }
    ASSERT_NO_FATAL_FAILURE(ExpectSame(directory.Page({}, 0, kRows), model.Page({}, 0, kRows)));
    for (int step = 0; step < 20; ++step) {
      ASSERT_NO_FATAL_FAILURE(CompareOnce(random, directory, model));
    }
    // Names that come in order fill their blocks; others leave them half full at the least.
    const size_t compact = test::MakeDirectory(model.Sorted())->memory_bytes();
    EXPECT_LE(directory.memory_bytes(), order == 0 ? compact * 21 / 20 : compact * 5 / 2);
  }
}

TEST(Directory, DescendingIsTheExactReverse) {
  LATCHKEY_TEST_RANDOM(random);
  DirectoryModel model;
  for (int i = 0; i < 2000; ++i) model.Insert(RandomRow(random));
  const std::shared_ptr<const Directory> made = test::MakeDirectory(model.Sorted());
  const Directory& directory = *made;
  DirectoryFilter filter;
  for (const ByteView search : {"", "a"}) {
    filter.search = search;
    filter.descending = false;
    DirectoryPage up = directory.Page(filter, 0, 5000);
    filter.descending = true;
    const DirectoryPage down = directory.Page(filter, 0, 5000);
    std::reverse(up.rows.begin(), up.rows.end());
    ExpectSame(up, down);
    EXPECT_GT(down.rows.size(), 500u);
  }
}

TEST(Directory, OrderIsBytewiseThenCreationThenUuid) {
  std::vector<RowPosition> due;
  Uuid low, high;
  low.bytes[0] = 0x7F;
  high.bytes[0] = 0x80;  // bytes are unsigned
  for (const ByteView name :
       {ByteView(""), ByteView("\0", 1), ByteView("\0a", 2), ByteView("A"), ByteView("a"),
        ByteView("a\0", 2), ByteView("ab"), ByteView("\x7F"), ByteView("\x80"), ByteView("\xFF")}) {
    for (const int64_t creation_s : {-1, 0, 1}) {
      for (const Uuid& uuid : {low, high}) due.push_back({Bytes(name), creation_s, uuid});
    }
  }
  const std::shared_ptr<Directory> made = test::MakeDirectory({});
  Directory& directory = *made;
  for (size_t i = 0; i < due.size(); ++i) {
    DirectoryRow row;
    row.position = due[(i * 7 + 3) % due.size()];  // 60 rows, and 7 shares no factor with 60
    directory.Insert(row);
  }
  const DirectoryPage page = directory.Page({}, 0, 100);
  ASSERT_EQ(page.rows.size(), due.size());
  for (size_t i = 0; i < due.size(); ++i) EXPECT_EQ(page.rows[i].position, due[i]) << i;
}

// A walk by cursor while rows come, go and change their names: each row that is left alone is met
// exactly once and in order.
TEST(Directory, ACursorNeitherSkipsNorRepeats) {
  LATCHKEY_TEST_RANDOM(random);
  for (int round = 0; round < 20; ++round) {
    DirectoryModel model;
    std::set<RowPosition> untouched;
    for (int i = 0; i < 1500; ++i) {
      DirectoryRow row = RandomRow(random);
      row.revoked = false;
      model.Insert(row);
      if (random() % 2) untouched.insert(row.position);
    }
    const std::shared_ptr<Directory> made = test::MakeDirectory(model.Sorted());
    Directory& directory = *made;
    DirectoryFilter filter;
    filter.descending = round % 2 == 1;
    std::vector<RowPosition> met;
    std::optional<RowPosition> after;
    for (;;) {
      const DirectoryPage page = directory.After(filter, after, 1 + random() % 40);
      if (page.rows.empty()) break;
      for (const DirectoryRow& row : page.rows) met.push_back(row.position);
      after = met.back();
      for (int change = 0; change < 60; ++change) {
        const DirectoryRow row = RandomRow(random);
        const RowPosition& some = model.Any(random).position;
        if (random() % 4 == 0) directory.Insert(row);
        if (untouched.count(some) != 0) continue;
        if (random() % 2) directory.Rename(some, row.position.name);
        if (random() % 2) directory.Update(some, row.slug, row.revoked, row.payload);
      }
    }
    if (filter.descending) std::reverse(met.begin(), met.end());
    ASSERT_TRUE(std::is_sorted(met.begin(), met.end()));
    ASSERT_EQ(std::adjacent_find(met.begin(), met.end()), met.end());
    ASSERT_TRUE(std::includes(met.begin(), met.end(), untouched.begin(), untouched.end()));
  }
}

DirectoryRoot RootOf(std::span<const DirectoryRow> rows) {
  std::vector<DirectoryRoot::BlockPointer> blocks;
  for (; !rows.empty(); rows = rows.subspan(blocks.back()->size())) {
    blocks.push_back(std::make_shared<const DirectoryBlock>(
        rows.first(std::min(rows.size(), Directory::kBlockRows))));
  }
  return DirectoryRoot(blocks);
}

// A directory that was drained, here and there a row left, does not lie in as many blocks as
// before.
TEST(Directory, SmallBlocksAreMerged) {
  std::vector<DirectoryRow> rows(36'000);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].position.name = "m" + std::to_string(100'000 + i);
  }
  DirectoryRoot root = RootOf(rows);
  std::vector<DirectoryRow> left;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i % 600 == 0) {
      left.push_back(rows[i]);
    } else {
      root.Remove(root.LowerBound(rows[i].position));
    }
  }
  EXPECT_EQ(root.size(), left.size());
  for (const DirectoryRow& row : left) {
    EXPECT_TRUE(root.IsAt(root.LowerBound(row.position), row.position));
  }
  EXPECT_LE(root.memory_bytes(), RootOf(left).memory_bytes() * 2);
  for (const DirectoryRow& row : left) root.Remove(root.LowerBound(row.position));
  EXPECT_EQ(root.memory_bytes(), RootOf({}).memory_bytes());
}

// Words that no other row has, brought in by each kind of change: what a block knows of its texts
// beyond the texts themselves must learn of them.
TEST(Directory, ASearchFindsWhatCameLater) {
  LATCHKEY_TEST_RANDOM(random);
  DirectoryModel model;
  for (int i = 0; i < 1000; ++i) model.Insert(RandomRow(random));
  const std::shared_ptr<Directory> made = test::MakeDirectory(model.Sorted());
  Directory& directory = *made;
  const auto word = [&random] {
    Bytes text(6, 'q');
    for (char& c : text) c = static_cast<char>((random() % 2 ? 'g' : 'G') + random() % 20);
    return text;
  };
  for (int step = 0; step < 1000; ++step) {
    const Bytes name = word();
    const Bytes slug = word();
    DirectoryRow row = model.Any(random);
    if (step % 3 == 0) {
      row.position.name = name;
      row.slug = slug;
      directory.Insert(row);
      model.Insert(row);
    } else if (step % 3 == 1) {
      ASSERT_TRUE(directory.Rename(row.position, name));
      ASSERT_TRUE(model.Rename(row.position, name));
    } else {
      ASSERT_TRUE(directory.Update(row.position, slug, row.revoked, row.payload));
      ASSERT_TRUE(model.Update(row.position, slug, row.revoked, row.payload));
    }
    DirectoryFilter filter;
    filter.revoked = row.revoked;
    filter.search_slug = true;
    for (const Bytes& term : {name, slug}) {
      filter.search = term;
      ASSERT_NO_FATAL_FAILURE(ExpectSame(directory.Page(filter, 0, 9), model.Page(filter, 0, 9)));
    }
  }
}

TEST(Directory, FindGivesTheRowAtAPosition) {
  LATCHKEY_TEST_RANDOM(random);
  DirectoryModel model;
  for (int i = 0; i < 1000; ++i) model.Insert(RandomRow(random));
  const std::shared_ptr<const Directory> made = test::MakeDirectory(model.Sorted());
  const Directory& directory = *made;
  for (const auto& [position, row] : model.rows()) {
    const std::optional<DirectoryRow> found = directory.Find(position);
    ASSERT_TRUE(found.has_value() && Same(*found, row));
    RowPosition other = position;
    ++other.creation_s;
    ASSERT_FALSE(directory.Find(other).has_value());
  }
  EXPECT_FALSE(test::MakeDirectory({})->Find({}).has_value());
}

// With no memory a change throws and changes nothing, whichever of its allocations it is that
// fails.
TEST(Directory, AChangeThatThrowsChangesNothing) {
  LATCHKEY_TEST_RANDOM(random);
  DirectoryModel model;
  for (int i = 0; i < 1024; ++i) {
    DirectoryRow row = RandomRow(random);
    row.position.name += " with a name that no small string holds";
    model.Insert(row);
  }
  const std::shared_ptr<Directory> made = test::MakeDirectory(model.Sorted());
  Directory& directory = *made;
  const DirectoryPage before = directory.Page({}, 0, 2000);
  const DirectoryRow added = RandomRow(random);
  const RowPosition position = model.Any(random).position;
  const Bytes name = "another name that no small string holds";
  for (int change = 0; change < 3; ++change) {
    size_t failures = 0;
    for (;; ++failures) {
      DirectoryRow row = added;
      try {
        const test::AllocationFaults faults(failures);
        if (change == 0) directory.Insert(std::move(row));
        if (change == 1) directory.Rename(position, name);
        if (change == 2)
          directory.Update({name, position.creation_s, position.uuid}, name, true, name);
        break;
      } catch (const std::bad_alloc&) {
        if (change == 0) {
          ASSERT_NO_FATAL_FAILURE(ExpectSame(directory.Page({}, 0, 2000), before));
        }
      }
    }
    EXPECT_GE(failures, 8u);
  }
  model.Insert(added);
  model.Rename(position, name);
  model.Update({name, position.creation_s, position.uuid}, name, true, name);
  ExpectSame(directory.Page({}, 0, 2000), model.Page({}, 0, 2000));
}

}  // namespace
}  // namespace latchkey
