// The stream of an import: lines of any length and in any pieces, and what a second run finds.
#include "service/import.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "base/text.h"
#include "support/seed.h"
#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

constexpr ByteView kUser =
    R"({"type":"user","uuid":"01897bd9-854b-744d-a7f2-370d9e261365","name":"M","slug":"m",)"
    R"("email":null,"admin":false,"locked":false,"created":1690000000})";
constexpr ByteView kKeyStart = R"({"type":"user_key","uuid":"01897bd9-854b-744d-a7f2-370d9e2613)";
constexpr ByteView kKeyMiddle =
    R"(","user":"01897bd9-854b-744d-a7f2-370d9e261365","name":"ci","sha256":")";

Bytes KeyLine(ByteView uuid_end, char digit, ByteView revoked) {
  return Bytes(kKeyStart) + Bytes(uuid_end) + Bytes(kKeyMiddle) + Bytes(64, digit) +
         R"(","creation":1700000000,"expiration":1900000000,"revoked":)" + Bytes(revoked) + "}";
}

class ImportTest : public EngineTest {
 protected:
  ImportReport Run(const Bytes& text, bool dry_run = false, size_t piece = 7) {
    refused_.clear();
    size_t at = 0;
    ImportHooks hooks;
    hooks.read = [&](char* buffer, size_t capacity) -> std::optional<size_t> {
      const size_t size = std::min({capacity, piece, text.size() - at});
      std::memcpy(buffer, text.data() + at, size);
      at += size;
      return size;
    };
    hooks.refused = [&](uint64_t line, Status why) { refused_.emplace_back(line, why.code()); };
    ImportReport report;
    const Status status = Import(*engine_, Uuid{}, dry_run, hooks, &report);
    EXPECT_TRUE(status.ok()) << status.why();
    return report;
  }
  std::vector<std::pair<uint64_t, Code>> refused_;
};

TEST_F(ImportTest, LinesInAnyPiecesAndASecondRunSkips) {
  const Bytes text = Bytes(kUser) + "\n\r\n" + KeyLine("01", 'a', "null") + "\r\n" +
                     KeyLine("02", 'b', "1700000001");  // no newline at the end
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{65536}}) {
    const ImportReport report = Run(text, false, piece);
    EXPECT_EQ(report.lines, 4u);
    EXPECT_EQ(report.imported, piece == 1 ? 3u : 0u);
    EXPECT_EQ(report.skipped, piece == 1 ? 0u : 3u);
  }
  EXPECT_EQ(engine_->authority().state().head.revoked, 1u);
  ExpectSound();
}

TEST_F(ImportTest, ALineOfAnyLengthCostsNoMemoryAndIsRefused) {
  const Bytes text =
      Bytes(kUser) + "\n" + Bytes(3'000'000, '[') + "\n" + KeyLine("01", 'a', "null");
  const ImportReport report = Run(text, false, 65536);
  EXPECT_EQ(report.imported, 2u);
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0], std::pair(uint64_t{2}, Code::kInvalidArgument));
}

TEST_F(ImportTest, DifferingOnlyByBeingRevokedRevokesAnythingElseIsAConflict) {
  Run(Bytes(kUser) + "\n" + KeyLine("01", 'a', "null"));
  EXPECT_EQ(Run(KeyLine("01", 'a', "1700000001")).imported, 1u);
  EXPECT_EQ(engine_->authority().state().head.revoked, 1u);
  EXPECT_EQ(Run(KeyLine("01", 'a', "1700000001")).skipped, 1u);
  EXPECT_EQ(Run(KeyLine("01", 'a', "null")).refused, 1u);  // a revocation is never taken back
  EXPECT_EQ(Run(KeyLine("01", 'c', "1700000001")).refused, 1u);
  EXPECT_EQ(refused_[0].second, Code::kConflict);
  EXPECT_EQ(engine_->authority().state().head.revoked, 1u);
  ExpectSound();
}

TEST_F(ImportTest, TheSameDigestUnderAnotherUuidRevokesTheOneKept) {
  Run(Bytes(kUser) + "\n" + KeyLine("01", 'a', "null") + "\n" + KeyLine("02", 'a', "null"));
  EXPECT_EQ(refused_[0], std::pair(uint64_t{3}, Code::kConflict));
  EXPECT_EQ(engine_->authority().state().head.revoked, 0u);
  Run(KeyLine("03", 'a', "1700000001"));
  EXPECT_EQ(refused_.size(), 1u);
  EXPECT_EQ(engine_->authority().state().head.revoked, 1u);
  EXPECT_EQ(engine_->authority().state().head.active, 0u);
  ExpectSound();
}

TEST_F(ImportTest, ADryRunJudgesAlikeAndWritesNothing) {
  const Bytes text = Bytes(kUser) + "\n" + KeyLine("01", 'a', "null") + "\n" +
                     KeyLine("02", 'a', "null") + "\n{\"type\":\"user_key\"}\n";
  const uint64_t before = engine_->authority().state().head.event_number;
  const ImportReport dry = Run(text, /*dry_run=*/true);
  const auto refused = refused_;
  EXPECT_EQ(engine_->authority().state().head.event_number, before);
  EXPECT_EQ(engine_->memory().table().size(), 0u);
  const ImportReport wet = Run(text);
  EXPECT_EQ(dry.imported, wet.imported);
  EXPECT_EQ(dry.refused, 2u);
  EXPECT_EQ(refused, refused_);
}

// ---- Into a store without credentials: by files, and with the same outcome as by the log

Uuid Numbered(uint64_t number) {
  Uuid uuid;
  StoreLe64(uuid.bytes.data(), number * 0x9E3779B97F4A7C15);
  StoreLe64(uuid.bytes.data() + 8, number + 1);
  return uuid;
}

// Users and their keys, with duplicates of lines, of digests and of slugs, owners that there are
// not, and lines that are wrong.
Bytes ManyLines(std::mt19937_64* random, size_t lines) {
  Bytes text;
  for (uint64_t user = 0; user < 5; ++user) {
    text += R"({"type":"user","uuid":")" + FormatUuid(Numbered(user)) +
            R"(","name":"M","slug":"m)" + std::to_string(user) +
            R"(","created":1690000000})"
            "\n";
  }
  for (size_t i = 0; i < lines; ++i) {
    const uint64_t key = (*random)() % 50 == 0 ? (*random)() % (i + 1) : i;
    const uint64_t digest = (*random)() % 50 == 0 ? (*random)() % (i + 1) : key;
    const uint64_t owner = (*random)() % 100 == 0 ? 9 : key % 5;
    Bytes hex = HexEncode(Numbered(digest).view());
    if ((*random)() % 200 == 0) hex.pop_back();
    text += R"({"type":"user_key","uuid":")" + FormatUuid(Numbered(1000 + key)) + R"(","user":")" +
            FormatUuid(Numbered(owner)) + R"(","name":"name )" + std::to_string(key % 700) +
            R"(","sha256":")" + hex + hex + R"(","creation":1700000000,"expiration":1900000000,)" +
            R"("revoked":)" + ((*random)() % 10 == 0 ? "1700000001" : "null") + "}\n";
  }
  return text;
}

class BulkImportTest : public ImportTest {
 protected:
  struct Seen {
    bool operator==(const Seen&) const = default;
    Bytes name;
    Bytes slug;  // without its random end
    Uuid owner;
    int64_t expires_s;
    int64_t revoked_s;
  };
  std::map<Uuid, Seen> ReadKeys(size_t lines) {
    std::map<Uuid, Seen> keys;
    for (size_t i = 0; i < lines; ++i) {
      const Result<CredentialView> view = GetCredential(*engine_, Numbered(1000 + i));
      if (!view.ok()) continue;
      const CredentialRecord& record = view->record;
      keys[record.uuid] = {record.name, record.slug.substr(0, Slugify(record.name).size()),
                           record.owner, record.expires_s, view->revocation.revoked_s};
    }
    return keys;
  }
  HeadRecord head() { return engine_->authority().state().head; }
};

TEST_F(BulkImportTest, ByFilesAndByTheLogComeToTheSame) {
  constexpr size_t kLines = 5000;
  LATCHKEY_TEST_RANDOM(random);
  const Bytes text = ManyLines(&random, kLines);
  const uint64_t commits_before = engine_->authority().commits();
  const ImportReport by_files = Run(text, false, 65536);
  EXPECT_LT(engine_->authority().commits() - commits_before, 10u) << "not in large groups";
  const auto refused_by_files = refused_;
  const auto keys_by_files = ReadKeys(kLines);
  const HeadRecord head_by_files = head();
  ExpectSound();
  Reopen();
  ExpectSound();
  EXPECT_EQ(ReadKeys(kLines), keys_by_files);
  EXPECT_EQ(head().event_id, head_by_files.event_id);

  Close();
  std::filesystem::remove_all(dir_ / "store");
  std::filesystem::remove(dir_ / "store.pepper");
  Open(OpenMode::kCreate);
  const Key there = MakeKey(MakeUser("there").uuid, "already");
  const ImportReport by_log = Run(text, false, 65536);
  EXPECT_EQ(by_files.imported, by_log.imported);
  EXPECT_EQ(by_files.skipped, by_log.skipped);
  EXPECT_EQ(by_files.refused, by_log.refused);
  EXPECT_GT(by_files.refused, 0u);
  EXPECT_GT(by_files.skipped, 0u);
  EXPECT_EQ(refused_by_files, refused_);
  EXPECT_TRUE(std::is_sorted(refused_.begin(), refused_.end(),
                             [](const auto& a, const auto& b) { return a.first < b.first; }));
  EXPECT_EQ(keys_by_files, ReadKeys(kLines));
  EXPECT_EQ(head_by_files.active + 1, head().active);
  EXPECT_EQ(head_by_files.revoked, head().revoked);
  EXPECT_EQ(head_by_files.users + 1, head().users);
  EXPECT_EQ(Judge(there), Reason::kAllowed);
  ExpectSound();
}

// Between two groups, and by the log: what others change is in the next group's sight.
TEST_F(BulkImportTest, OthersChangeTheStoreMeanwhile) {
  LATCHKEY_TEST_RANDOM(random);
  const Uuid user = MakeUser("muriel").uuid;
  const Bytes text = ManyLines(&random, 6000);
  std::vector<Key> made;
  size_t at = 0;
  size_t reads = 0;
  ImportHooks hooks;
  hooks.read = [&](char* buffer, size_t capacity) -> std::optional<size_t> {
    if (++reads % 3 == 0) {
      made.push_back(MakeKey(user, "own"));
      if (reads % 2 == 0) {
        EXPECT_TRUE(Revoke(*engine_, {}, made.back().uuid, "").ok());
      }
    }
    const size_t size = text.copy(buffer, capacity, at);
    at += size;
    return size;
  };
  ImportReport report;
  ASSERT_TRUE(Import(*engine_, Uuid{}, false, hooks, &report).ok());
  ASSERT_GT(made.size(), 3u);
  ExpectSound();
  const uint64_t credentials = report.imported - 5 + made.size();
  EXPECT_LE(head().active + head().revoked, credentials);  // some only revoked what was there
  const ImportReport again = Run(text, false, 65536);
  EXPECT_EQ(again.imported, 0u);
  ExpectSound();
  Reopen();
  ExpectSound();
}

TEST_F(BulkImportTest, AWriteThatFailsLeavesWholeGroupsAndHeals) {
  LATCHKEY_TEST_RANDOM(random);
  const Bytes text = ManyLines(&random, 9000);
  size_t at = 0;
  size_t reads = 0;
  ImportHooks hooks;
  hooks.read = [&](char* buffer, size_t capacity) -> std::optional<size_t> {
    if (++reads == 20) env_.files->set_fault(LogFault::kTableAppend);
    const size_t size = text.copy(buffer, capacity, at);
    at += size;
    return size;
  };
  ImportReport report;
  EXPECT_EQ(Import(*engine_, Uuid{}, false, hooks, &report).code(), Code::kOutcomeUnknown);
  env_.files->set_fault(LogFault::kNone);
  for (int i = 0; i < 600 && engine_->authority().healing(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_FALSE(engine_->authority().healing());
  ExpectSound();
  const uint64_t there = head().active + head().revoked;
  const ImportReport again = Run(text, false, 65536);
  EXPECT_GT(again.imported, 0u);
  EXPECT_GT(head().active + head().revoked, there);
  EXPECT_EQ(again.imported + again.skipped + again.refused, again.lines);
  ExpectSound();
}

}  // namespace
}  // namespace latchkey::test
