// A list without a directory is the same list: beside a model that is searched row by row, and
// beside the directory of the same owner, byte for byte.
#include "service/list_scan.h"

#include "support/seed.h"
#include "unit/index/directory_model.h"
#include "unit/service/credential_commands.h"
#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

class ListScan : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    user_ = MakeUser("muriel").uuid;
    other_ = MakeUser("eustace").uuid;
  }
  // Any bytes as names: the decisions leave them to the use cases. All times from 1970 on.
  CredentialRecord Draw(std::mt19937_64& random) {
    return RandomCredential(random, random() % 8 ? user_ : other_, ShortText(random),
                            static_cast<int64_t>(random() % 3));
  }
  void CreateSome(std::mt19937_64& random, size_t count) {
    std::vector<CredentialRecord> wishes;
    for (size_t i = 0; i < count; ++i) wishes.push_back(Draw(random));
    for (const CredentialRecord& created : Create(*engine_, std::move(wishes))) {
      if (created.owner == user_) model_.Insert(RowOf(created));
    }
  }
  static DirectoryRow RowOf(const CredentialRecord& record) {
    return {{record.name, record.creation_s, record.uuid},
            record.slug,
            false,
            ListRowOf(record).Encode()};
  }
  void ChangeOnce(std::mt19937_64& random) {
    if (model_.rows().empty() || random() % 3 == 0) return CreateSome(random, 1 + random() % 3);
    const DirectoryRow row = model_.Any(random);
    const Uuid& uuid = row.position.uuid;
    if (random() % 2 == 0) {
      const Bytes name = ShortText(random);
      ASSERT_TRUE(engine_->Run({}, RenameCredential{uuid, name}).ok());
      model_.Rename(row.position, name);
    } else if (!row.revoked) {
      ASSERT_TRUE(engine_->Run({}, RevokeCredential{uuid, {}}).ok());
      Result<ListRow> shown = ListRow::Decode(row.payload);
      ASSERT_TRUE(shown.ok());
      shown->revoked_s = engine_->clock().NowS();
      model_.Update(row.position, row.slug, true, shown->Encode());
    }
  }
  static void ExpectSame(const Result<DirectoryPage>& page, const DirectoryPage& due) {
    ASSERT_TRUE(page.ok()) << page.status().why();
    ASSERT_EQ(page->total, due.total);
    ASSERT_EQ(page->rows.size(), due.rows.size());
    for (size_t i = 0; i < due.rows.size(); ++i) {
      ASSERT_TRUE(Same(page->rows[i], due.rows[i])) << i;
    }
  }
  void CompareOnce(std::mt19937_64& random) {
    OwnedFilter owned;
    Randomise(random, model_, &owned);
    const DirectoryFilter& filter = owned.filter;
    const size_t rows = model_.rows().size();
    const size_t limit = random() % 4 == 0 ? random() % (rows + 5) : random() % 20;
    const uint64_t offset = random() % 8 == 0 ? UINT64_MAX - random() % 3 : random() % (rows + 2);
    const LocalAuthority& authority = engine_->authority();
    const DirectoryKey key{user_, kind::kUserKey};
    const Result<DirectoryPage> page = ScanPage(authority, key, filter, offset, limit);
    ASSERT_NO_FATAL_FAILURE(ExpectSame(page, model_.Page(filter, offset, limit)));
    std::optional<RowPosition> after;
    if (random() % 8 != 0) after = RandomRow(random).position;  // some before 1970
    if (!model_.rows().empty() && random() % 2 == 0) after = model_.Any(random).position;
    const Result<DirectoryPage> next = ScanAfter(authority, key, filter, after, limit);
    ASSERT_NO_FATAL_FAILURE(ExpectSame(next, model_.After(filter, after, limit)));
    const auto directory = engine_->memory().directories().Get(key);
    ASSERT_TRUE(directory.ok() && *directory != nullptr);
    ASSERT_NO_FATAL_FAILURE(ExpectSame(page, (*directory)->Page(filter, offset, limit)));
    ASSERT_NO_FATAL_FAILURE(ExpectSame(next, (*directory)->After(filter, after, limit)));
  }

  Uuid user_;
  Uuid other_;
  DirectoryModel model_;
};

TEST_F(ListScan, AgreesWithModelAndDirectory) {
  LATCHKEY_TEST_RANDOM(random);
  for (const size_t rows : {0u, 3u, 40u, 1200u}) {
    CreateSome(random, rows);
    for (int step = 0; step < (rows < 1000 ? 150 : 60); ++step) {
      ASSERT_NO_FATAL_FAILURE(ChangeOnce(random)) << "step " << step;
      for (int i = 0; i < 3; ++i) {
        ASSERT_NO_FATAL_FAILURE(CompareOnce(random)) << "step " << step;
      }
    }
  }
}

TEST_F(ListScan, ACursorNeitherSkipsNorRepeats) {
  LATCHKEY_TEST_RANDOM(random);
  CreateSome(random, 600);
  for (int round = 0; round < 6; ++round) {
    DirectoryFilter filter;
    filter.descending = round % 2 == 1;
    const std::vector<DirectoryRow> due = model_.Fitting(filter);
    std::set<Uuid> touched;
    std::vector<RowPosition> met;
    std::optional<RowPosition> after;
    for (;;) {
      const Result<DirectoryPage> page = ScanAfter(engine_->authority(), {user_, kind::kUserKey},
                                                   filter, after, 1 + random() % 40);
      ASSERT_TRUE(page.ok());
      if (page->rows.empty()) break;
      for (const DirectoryRow& row : page->rows) met.push_back(row.position);
      after = met.back();
      const DirectoryModel before = model_;
      ASSERT_NO_FATAL_FAILURE(ChangeOnce(random));
      for (const auto& [position, row] : before.rows()) {
        const auto now = model_.rows().find(position);
        if (now == model_.rows().end() || !Same(now->second, row)) touched.insert(position.uuid);
      }
    }
    if (filter.descending) std::reverse(met.begin(), met.end());
    ASSERT_TRUE(std::is_sorted(met.begin(), met.end()));
    ASSERT_EQ(std::adjacent_find(met.begin(), met.end()), met.end());
    for (const DirectoryRow& row : due) {
      if (touched.contains(row.position.uuid)) continue;
      ASSERT_TRUE(std::binary_search(met.begin(), met.end(), row.position,
                                     [&](const auto& a, const auto& b) { return a < b; }));
    }
  }
}

// While the tombstones are written a few at a time, every list shows them all.
TEST_F(ListScan, APendingSweepIsInTheTotalsAndInThePage) {
  LATCHKEY_TEST_RANDOM(random);
  constexpr size_t kKeys = 3000;
  CreateMany(*engine_, random, user_, kKeys, 8);
  const DirectoryKey key{user_, kind::kUserKey};
  for (const bool by_owner : {true, false}) {
    SweepRecord sweep;
    if (by_owner) sweep.owner = user_;
    sweep.scopes = by_owner ? 1 : 0;  // a part of them, then the others
    ASSERT_TRUE(RevokeAll(*engine_, {}, sweep, !by_owner).ok());
    std::optional<uint64_t> revoked;
    int looks_while_pending = 0;
    for (bool pending = true; pending;) {
      pending = !engine_->authority().Now()->pending_sweeps.empty();
      if (pending) ++looks_while_pending;
      DirectoryFilter filter;
      const Result<DirectoryPage> active = ScanPage(engine_->authority(), key, filter, 0, 5);
      filter.revoked = true;
      const Result<DirectoryPage> gone = ScanPage(engine_->authority(), key, filter, 0, kKeys);
      ASSERT_TRUE(active.ok() && gone.ok());
      ASSERT_EQ(gone->rows.size(), gone->total);
      ASSERT_EQ(active->total + gone->total, kKeys);
      ASSERT_EQ(gone->total, revoked.value_or(gone->total));
      revoked = gone->total;
    }
    EXPECT_GT(looks_while_pending, 0);
    if (!by_owner) {
      EXPECT_EQ(revoked, kKeys);
    }
  }
}

}  // namespace
}  // namespace latchkey::test
