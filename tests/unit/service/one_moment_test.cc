// What is shown of a credential is of one moment, whatever is committed while it is read.
#include <array>
#include <atomic>
#include <thread>

#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

using OneMoment = EngineTest;

// In one commit: nobody may see the one without the other.
TEST_F(OneMoment, ARenameAndARevocationAreSeenAsTheyWereCommitted) {
  constexpr size_t kRounds = 200;
  const Uuid user = MakeUser("muriel").uuid;
  std::vector<Uuid> keys;
  for (size_t i = 0; i < kRounds; ++i) keys.push_back(MakeKey(user, "before").uuid);

  std::atomic<size_t> round = 0;
  std::atomic<size_t> reads = 0;
  std::atomic<size_t> torn = 0;
  std::thread reader([&] {
    for (size_t i; (i = round.load()) < kRounds; ++reads) {
      const Result<CredentialView> view = GetCredential(*engine_, keys[i]);
      if (!view.ok() || (view->record.name == "after") != (view->revocation.revoked_s != 0)) ++torn;
    }
  });
  for (; round < kRounds; ++round) {
    for (const size_t seen = reads; reads == seen;) std::this_thread::yield();
    const std::array<Command, 2> commands = {
        Command{engine_->clock().NowS(), Uuid{}, RenameCredential{keys[round], "after"}},
        Command{engine_->clock().NowS(), Uuid{}, RevokeCredential{keys[round], ""}}};
    for (const Outcome& outcome : engine_->authority().SubmitAll(commands)) {
      EXPECT_TRUE(outcome.status.ok()) << outcome.status.why();
    }
  }
  reader.join();
  EXPECT_EQ(0u, torn) << "of " << reads << " reads";
}

}  // namespace
}  // namespace latchkey::test
