// The events with which a restored store begins its own history. Nobody else has the store yet, so
// there is no queue; some hundred of them are committed at a time.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "authority/open_group.h"

namespace latchkey {

// An error of Append() or Commit() leaves it, and the store, unusable.
class RestoredHistory {
 public:
  // `storage` and `mac` outlive it.
  RestoredHistory(Storage* storage, const RecordMac& mac, AuthorityState state)
      : storage_(*storage), mac_(mac) {
    OpenNext(std::move(state));
  }
  RestoredHistory(const RestoredHistory&) = delete;
  RestoredHistory& operator=(const RestoredHistory&) = delete;

  // With all that has been appended.
  const Reader& reader() const { return open_->reader(); }
  const HeadRecord& head() const { return open_->state().head; }
  // Does a sweep revoke it that has not written its tombstone yet?
  bool IsSwept(const CredentialRecord& credential) const {
    const std::vector<SweepRecord>& pending = open_->state().pending_sweeps;
    return std::any_of(pending.begin(), pending.end(),
                       [&](const SweepRecord& sweep) { return sweep.Covers(credential); });
  }
  const KindRecord* FindKind(uint16_t kind) const { return open_->FindKind(kind); }

  // The latest time that the store is to remember.
  void set_clock_s(int64_t clock_s) { clock_s_ = clock_s; }
  Status Append(int64_t time_s, const Uuid& actor, EventBody body) {
    LATCHKEY_TRY(AppendWithNext(time_s, actor, std::move(body)));
    return open_->events().size() < kGroupEvents ? Status::Ok() : Commit();
  }
  // Committed together with the event that is appended next.
  Status AppendWithNext(int64_t time_s, const Uuid& actor, EventBody body) {
    return open_->Append(Event{0, time_s, actor, std::move(body)});
  }
  // What has been appended since; the head in any case.
  Status Commit() {
    open_->set_clock_s(clock_s_);
    open_->WriteHead();
    LATCHKEY_TRY(storage_.Commit(&open_->batch()));
    open_->Remember();
    OpenNext(open_->TakeState());
    return Status::Ok();
  }

 private:
  static constexpr size_t kGroupEvents = 256;

  void OpenNext(AuthorityState state) {
    open_ = std::make_unique<OpenGroup>(storage_, mac_, std::move(state), &committed_);
  }

  Storage& storage_;
  const RecordMac& mac_;
  CommittedRecords committed_;
  std::unique_ptr<OpenGroup> open_;
  int64_t clock_s_ = 0;
};

}  // namespace latchkey
