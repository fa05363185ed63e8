// The local authority: one RocksDB store, one commit queue. It opens and creates stores, turns
// commands into committed events, tells the sink, and heals itself after a failed write.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>

#include "authority/commit_queue.h"
#include "authority/epoch.h"
#include "authority/event_sink.h"
#include "authority/load.h"
#include "base/clock.h"
#include "crypto/pepper.h"
#include "crypto/random.h"
#include "storage/key_filter.h"
#include "storage/store_dir.h"

namespace latchkey {

enum class OpenMode : uint8_t { kExisting = 0, kCreate = 1, kOpenOrCreate = 2 };

struct AuthorityOptions {
  std::string path;
  std::string pepper_path;
  OpenMode mode = OpenMode::kExisting;
  rocksdb::Env* env = nullptr;  // for fault tests
  std::optional<Epoch> epoch;   // that the store must hold
};

class LocalAuthority {
 public:
  // Opens the store, or makes it. Nobody follows it yet: see Follow(). The codes are
  // those of latchkey_store_open(). A refusal changes nothing on disk.
  static Result<std::unique_ptr<LocalAuthority>> Open(const AuthorityOptions& options,
                                                      Random& random);
  ~LocalAuthority();

  // Gives every owner to `take_owner`, and from then on every change to `events`, which outlives
  // this. Call once, before Submit(). CORRUPTION, IO; or what `take_owner` says.
  Status Follow(const std::function<Status(const OwnerRecord&)>& take_owner, EventSink* events);
  // The latest time that the store remembers, to start the clock from; and the clock whose
  // remembered time every later commit carries. Call once, before Submit(); `clock` outlives this.
  int64_t remembered_s() const { return state_->head.clock_s; }
  void set_clock(const GuardedClock* clock) { clock_ = clock; }

  // Runs one command, or several as one atomic group in which each has its own outcome. Returns
  // when what was committed is on the device and applied. BUSY while healing.
  Outcome Submit(Command command);
  std::vector<Outcome> SubmitAll(std::span<const Command> commands);

  // A load of many commands into a store that holds no credential: each call commits its commands
  // as one group by files instead of the log, and what has not been written in the meantime need
  // not be looked for. Everything else is as ever: others may change the store between two calls,
  // and wait for one of them at most.
  class BulkLoad {
   public:
    ~BulkLoad();
    BulkLoad(const BulkLoad&) = delete;
    BulkLoad& operator=(const BulkLoad&) = delete;
    std::vector<Outcome> SubmitAll(std::span<const Command> commands);

   private:
    friend class LocalAuthority;
    explicit BulkLoad(LocalAuthority* authority) : authority_(*authority) {}
    LocalAuthority& authority_;
  };
  // Null if the store holds credentials already, or cannot be written now.
  std::unique_ptr<BulkLoad> StartBulkLoad();

  // A look at the store: holds it open, so keep it short.
  class View {
   public:
    const Storage& storage() const { return storage_; }
    const Reader& reader() const { return reader_; }

   private:
    friend class LocalAuthority;
    View(std::shared_lock<std::shared_mutex> lock, const Storage& storage, const RecordMac& mac)
        : lock_(std::move(lock)), storage_(storage), source_(storage), reader_(source_, mac) {}
    std::shared_lock<std::shared_mutex> lock_;
    const Storage& storage_;
    StorageSource source_;
    Reader reader_;
  };
  // BUSY while the store is being reopened.
  Result<std::unique_ptr<View>> Look() const;

  // Runs commands one after another, each seeing those before it, and commits none. Any thread;
  // holds up nobody but the healing of the store. Memory grows with what the commands would write.
  class DryRun {
   public:
    Outcome Run(const Command& command);

   private:
    friend class LocalAuthority;
    DryRun(std::unique_ptr<View> view, const RecordMac& mac, AuthorityState state)
        : view_(std::move(view)), group_(view_->storage(), mac, std::move(state), &committed_) {}
    std::unique_ptr<View> view_;
    CommittedRecords committed_;
    OpenGroup group_;
  };
  Result<std::unique_ptr<DryRun>> StartDryRun() const;

  // As committed, of one moment; not copied.
  std::shared_ptr<const AuthorityState> Now() const;
  AuthorityState state() const { return *Now(); }
  const RecordMac& mac() const { return mac_; }
  const PepperRing& ring() const { return ring_; }
  const StoreRecord& store() const { return store_; }
  const Marker& marker() const { return dir_->marker(); }
  bool healing() const { return healing_.load(std::memory_order_acquire); }
  uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  uint64_t commands() const { return commands_.load(std::memory_order_relaxed); }

  // Housekeeping, about once a second: fsyncs `ack`, and reopens the store after a failed write.
  Status Tend();
  // Writes out what the log holds, so that the next open has nothing to replay.
  Status Flush();

 private:
  LocalAuthority(std::unique_ptr<StoreDir> dir, PepperRing ring, const AuthorityOptions& options);
  Status CreateStore(const PepperFile& peppers, const Uuid& store_id, Random& random);
  Status OpenStore();
  Status OpenStorage();
  void Run(CommitQueue::Request* request);
  void RunGroup(std::span<CommitQueue::Request* const> group);
  Status RunOpenGroup(std::span<CommitQueue::Request* const> group);
  bool BeginBulkLoad();
  void EndBulkLoad();
  // What the store was known to hold, after a write that failed.
  void ForgetCommitted();
  Status DecideAll(std::span<CommitQueue::Request* const> group, size_t bytes_max, OpenGroup* open,
                   bool* must_commit) const;
  Status Commit(OpenGroup* open, bool by_files);
  Status Heal();
  bool IsNearlyFull() const;
  void KeepReserve();
  Status CatchUp();
  Status Retry();

  std::unique_ptr<StoreDir> dir_;
  PepperRing ring_;
  RecordMac mac_;
  AuthorityOptions options_;
  StoreRecord store_;
  const GuardedClock* clock_ = nullptr;
  EventSink* sink_ = nullptr;

  mutable std::shared_mutex storage_mutex_;  // exclusive only while the store is reopened
  std::unique_ptr<Storage> storage_;
  mutable std::mutex state_mutex_;  // of state_, which only the leader of a group changes
  std::shared_ptr<const AuthorityState> state_ = std::make_shared<const AuthorityState>();
  CommitQueue queue_;
  // Of the leader of a group, and of Heal().
  CommittedRecords committed_;
  std::unique_ptr<KeyFilter> filter_;  // while there are bulk loads
  size_t bulk_loads_ = 0;
  bool can_reserve_ = true;     // of the thread that calls Tend()
  std::vector<Command> retry_;  // restrictive commands of a group whose write failed
  bool retrying_ = false;       // in Heal(): these are submitted again
  std::atomic<bool> healing_{false};
  std::atomic<bool> ack_dirty_{false};
  std::atomic<uint64_t> commits_{0};
  std::atomic<uint64_t> commands_{0};
};

}  // namespace latchkey
