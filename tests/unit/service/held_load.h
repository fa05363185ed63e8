// An engine whose load a test holds where it likes.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "unit/service/fixture.h"

namespace latchkey::test {

// Lets so many hand-overs of the loader through, and tells when it waits before the next.
class Gate {
 public:
  void Pass() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return arrived_ <= allowed_ || open_; });
  }
  // Waits until so many have passed, and the next one stands before the gate.
  void LetThrough(uint64_t count) {
    std::unique_lock lock(mutex_);
    allowed_ = count;
    changed_.notify_all();
    changed_.wait(lock, [&] { return arrived_ > count; });
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t arrived_ = 0;
  uint64_t allowed_ = 0;
  bool open_ = false;
};

class HeldLoadTest : public EngineTest {
 protected:
  void TearDown() override {
    if (gate_ != nullptr) gate_->Open();
    EngineTest::TearDown();
  }
  // Closes and opens; so many hand-overs of 256 credentials are loaded, the rest is not.
  void ReopenHeld(uint64_t loaded) {
    Close();
    gate_ = std::make_shared<Gate>();
    EngineOptions options = Options(OpenMode::kExisting);
    options.load.hold = [gate = gate_](uint64_t) { gate->Pass(); };
    OpenWith(std::move(options));
    gate_->LetThrough(loaded);
  }
  void FinishLoad() {
    gate_->Open();
    const Status loaded = engine_->loader().Wait();
    EXPECT_TRUE(loaded.ok()) << loaded.why();
    EXPECT_TRUE(engine_->memory().complete());
  }
  bool IsInTable(const Key& key) {
    const Result<CredentialView> view = GetCredential(*engine_, key.uuid);
    TableEntry entry;
    return view.ok() && engine_->memory().table().Find(view->record.tag, &entry);
  }
  std::vector<Key> MakeKeys(const Uuid& user, size_t count) {
    constexpr size_t kThreads = 16;  // share their fsyncs
    std::vector<Key> keys(count);
    std::vector<std::thread> threads;
    for (size_t first = 0; first < kThreads; ++first) {
      threads.emplace_back([&, first] {
        for (size_t i = first; i < count; i += kThreads) {
          keys[i] = MakeKey(user, "k" + std::to_string(i));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return keys;
  }
  // Splits keys into those that the table holds and the others.
  void Split(const std::vector<Key>& keys, std::vector<Key>* resident, std::vector<Key>* stored) {
    for (const Key& key : keys) (IsInTable(key) ? resident : stored)->push_back(key);
    ASSERT_FALSE(resident->empty());
    ASSERT_FALSE(stored->empty());
  }
  void SetLocked(const Uuid& user, bool locked) {
    UpdateOwner update;
    update.uuid = user;
    update.locked = locked;
    const auto updated = UpdateOwnerNow(*engine_, {}, update);
    ASSERT_TRUE(updated.ok()) << updated.status().why();
  }

  std::shared_ptr<Gate> gate_;
};

}  // namespace latchkey::test
