// kill -9 while batches are written and logs are changed: what was acknowledged is there, in order,
// whole, and the store opens.
#include "unit/storage/child.h"
#include "unit/storage/fixture.h"

namespace latchkey::test {
namespace {

Bytes Numbered(size_t number) {
  Bytes key(4, '\0');
  for (size_t i = 0; i < 4; ++i) key[i] = static_cast<char>(number >> (24 - 8 * i));
  return key;
}

// The rows of a store that ends where the last batch ended; -1 if anything is torn or missing.
int CountWhole(const Storage& storage) {
  size_t number = 0;
  for (const auto& [key, value] : ReadAll(storage, kEvents)) {
    if (key != Numbered(number)) return -1;
    if (!storage.Get(kPoint, key).ok() || !storage.Get(kNames, key).ok()) return -1;
    ++number;
  }
  if (ReadAll(storage, kPoint).size() != number) return -1;
  return static_cast<int>(number);
}

TEST(CrashChild, DISABLED_WriteUntilKilled) {
  const char* folder = getenv(kChildFolder);
  ASSERT_NE(folder, nullptr);
  const bool create = !std::filesystem::exists(folder);
  const auto storage = MustOpen(Options(folder, create), AcceptTail);
  const Bytes value(30'000, 'x');  // a log is full after 70 batches
  for (int number = create ? 0 : CountWhole(*storage); Tell(number); ++number) {
    Batch batch(*storage);
    batch.Put(kPoint, Numbered(static_cast<size_t>(number)), value);
    batch.Put(kNames, Numbered(static_cast<size_t>(number)), value);
    batch.Put(kEvents, Numbered(static_cast<size_t>(number)), "event");
    ASSERT_TRUE(storage->Commit(&batch).ok());
  }
}

TEST(Crash, KilledWritersLoseNothingAcknowledged) {
  LATCHKEY_TEST_RANDOM(random);
  const TempDir temp;
  const std::string path = temp / "rocks";
  int rows = 0;
  for (int round = 0; round < 8; ++round) {
    SCOPED_TRACE(testing::Message() << "round " << round);
    int acknowledged = -1;  // the child tells n when n batches are committed
    {
      Child child("CrashChild.DISABLED_WriteUntilKilled", path);
      for (int heard = 0; heard < static_cast<int>(1 + random() % 250); ++heard) {
        ASSERT_TRUE(child.Hear(&acknowledged));
      }
      child.Kill();
      for (int late; child.Hear(&late);) acknowledged = late;
    }
    ASSERT_GE(acknowledged, rows);
    const TailCheck only_if_whole = [&](const Storage& shorter) {
      return CountWhole(shorter) >= acknowledged ? Status::Ok() : RefuseTail(shorter);
    };
    const auto storage = MustOpen(Options(path), only_if_whole);
    ASSERT_NE(storage, nullptr);
    rows = CountWhole(*storage);
    ASSERT_GE(rows, acknowledged);
  }
}

TEST(Crash, AnotherProcessHoldsTheStore) {
  const TempDir temp;
  const std::string path = temp / "rocks";
  int number = 0;
  Child child("CrashChild.DISABLED_WriteUntilKilled", path);
  ASSERT_TRUE(child.Hear(&number));
  EXPECT_EQ(Storage::Open(Options(path), AcceptTail).code(), Code::kBusy);
  child.Kill();
  EXPECT_TRUE(Storage::Open(Options(path), AcceptTail).ok());
}

}  // namespace
}  // namespace latchkey::test
