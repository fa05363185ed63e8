// The stream of an import: lines of any length and in any pieces, and what a second run finds.
#include "service/import.h"

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

}  // namespace
}  // namespace latchkey::test
