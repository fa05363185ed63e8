// One store, one fault: a host that goes on changing the store while its disk fails, and what must
// be true then, after the fault, and when the store has been opened anew.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "power_cut.h"
#include "workload.h"

namespace latchkey_test {

// A closed store that each fault begins with.
struct Base {
  Image image;
  Facts facts;
};
// A new store, owned by three users, with what `fill` does.
Base MakeBase(const std::function<void(Workload*)>& fill);
const Base& TheBase();

// Of many trials at once.
struct Counts {
  std::mutex mutex;
  size_t faults = 0;
  size_t wrong = 0;
  std::map<std::string, size_t> codes;  // of the calls that a fault made fail
};
void Print(const std::string& suite, const Counts& counts);

struct Fault {
  std::function<void(Disk* disk)> begin;
  bool before_open = true;           // otherwise the store is open when it begins
  bool lasting = false;              // wait until the store has tried to heal in vain
  latchkey_code code = LATCHKEY_IO;  // what calls may answer besides OUTCOME_UNKNOWN and BUSY
};

class Trial {
 public:
  Trial(const Fault& fault, Counts* counts);
  ~Trial();
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  // What went wrong; empty when nothing did. `hit` is whether there was a call to fail.
  std::string Run(bool* hit);

 private:
  void Wrong(const std::string& what) { wrong_ += what + "\n"; }
  void Open(const char* when);
  bool OpenOrRefuse();
  void Count(const std::string& what);
  bool Happened(const char* change, latchkey_code code, bool* unknown);
  void Create(size_t owner);
  void Revoke(size_t key);
  void Rename(size_t key);
  void Lock(size_t owner);
  void RevokeAll(size_t owner);
  void BackUp();
  size_t NextAllowed(size_t from) const;
  void Change();
  void JudgeAll(const char* when);
  void Heal();
  void Compare();
  void JudgeBackups();

  const Fault fault_;
  Counts& counts_;
  const TempFolder folder_;
  Disk disk_;
  latchkey_store* store_ = nullptr;
  // Without what may or may not have happened, and with it.
  Facts before_;
  Facts after_;
  bool may_be_doubted_ = false;  // by a mass revocation of unknown outcome
  uint32_t backup_ = 0;          // the number of the one that was made while the disk failed
  std::string wrong_;
};

}  // namespace latchkey_test
