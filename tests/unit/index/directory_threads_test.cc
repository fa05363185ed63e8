// Readers beside a writer: a page and its total are of one moment.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "index/directory.h"
#include "support/seed.h"
#include "unit/index/directory_model.h"

namespace latchkey {
namespace {

// A renamed row is there under one name, never under none or both, and no row is half changed.
TEST(DirectoryThreads, APageIsOfOneMoment) {
  LATCHKEY_TEST_RANDOM(random);
  constexpr size_t kRows = 1200;
  test::DirectoryModel model;
  while (model.rows().size() < kRows) {
    DirectoryRow row = test::RandomRow(random);
    row.revoked = false;
    row.slug.clear();
    model.Insert(row);
  }
  const std::shared_ptr<Directory> made = test::MakeDirectory(model.Sorted());
  Directory& directory = *made;
  std::atomic<bool> stop{false};
  std::atomic<bool> failed{false};
  std::atomic<int> pages{0};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      while (!stop.load() && !failed.load()) {
        DirectoryFilter filter;
        filter.descending = reader == 1;
        DirectoryPage page = directory.Page(filter, 0, 2 * kRows);
        std::vector<Uuid> uuids;
        for (const DirectoryRow& row : page.rows) uuids.push_back(row.position.uuid);
        std::sort(uuids.begin(), uuids.end());
        if (page.total != kRows || page.rows.size() != kRows ||
            std::adjacent_find(uuids.begin(), uuids.end()) != uuids.end()) {
          failed = true;
        }
        filter.search = "f";
        page = directory.Page(filter, 0, 2 * kRows);
        if (page.total != page.rows.size()) failed = true;
        for (const DirectoryRow& row : page.rows) {
          if (!row.slug.empty() && row.slug != row.payload) failed = true;
        }
        ++pages;
      }
    });
  }
  for (int step = 0; pages.load() < 1500 && !failed.load(); ++step) {
    const RowPosition position = model.Any(random).position;
    const Bytes name = test::ShortText(random);
    if (step % 2) {
      EXPECT_TRUE(directory.Rename(position, name));
      model.Rename(position, name);
    } else {
      const Bytes text = std::to_string(random());
      EXPECT_TRUE(directory.Update(position, text, false, text));
    }
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(failed.load());
}

}  // namespace
}  // namespace latchkey
