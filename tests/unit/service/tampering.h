// A small store of every sort of record, and what somebody may do to its database who does not have
// the pepper: one row a tampering, with who finds it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "schema/keys.h"
#include "service/repair.h"
#include "support/edit_store.h"
#include "unit/service/fixture.h"

namespace latchkey::test {

using Contents = std::map<std::pair<uint8_t, Bytes>, Bytes>;  // (column, key) -> value

// What is in it.
struct SmallWorld {
  using Key = EngineTest::Key;
  OwnerRecord muriel_;   // with an e-mail address
  OwnerRecord eustace_;  // whose keys were swept
  OwnerRecord katz_;     // locked
  OwnerRecord courage_;  // a project
  Key live_, other_, renamed_, revoked_, swept_, late_, locked_, run_;
  std::map<std::string, std::pair<Key, Reason>> due_;  // what is due to each
  Contents before_;  // before anything was revoked, locked or taken back
};

class TamperedStore : public EngineTest, public SmallWorld {
 public:
  using Key = EngineTest::Key;
  void SetUp() override { Renew(); }
  // The store as it was in the beginning.
  void Renew();

  // Writes to the database behind the engine's back, which is closed first.
  template <typename Edit>
  void EditStore(Edit&& edit) {
    Close();
    EditStoreAt(dir_ / "store", std::forward<Edit>(edit));
  }
  Contents ReadStore();
  Code OpenCode() {
    EngineOptions options = Options(OpenMode::kExisting);
    options.load_first = true;
    return Engine::Open(std::move(options)).code();
  }
  // What the open store's check says.
  std::vector<std::string> Findings();

  // Repairs, collecting what was found in `told_`.
  Status RepairNow(RepairOptions options = {});
  // Each key is judged as it should be, and the check finds nothing.
  void ExpectAsItWas();
  // No key is allowed that should not be, and the check finds nothing.
  void ExpectNothingRevived();

  static CredentialRecord RecordOf(const Storage& storage, const Uuid& uuid);
  static Bytes ByNameKey(const Storage& storage, const Uuid& uuid);
  static Bytes BySlugKey(const Storage& storage, const Uuid& uuid);

  RepairReport report_;
  std::vector<std::string> told_;

 private:
  void MakeWorld();
};

struct Tampering {
  const char* name;
  void (*edit)(TamperedStore&, const Storage&, Batch*);
  Code load;            // what the full load says
  const char* finding;  // what the check says, where the load says OK
  bool needs_accept;    // the history is lost with it
};
const std::vector<Tampering>& Tamperings();

// A test of every eighth row, from the one of its parameter on: each as a process of its own, as
// ctest has it, would spend its time on making the store.
class TamperedRows : public TamperedStore, public testing::WithParamInterface<size_t> {
 public:
  static constexpr size_t kTests = 8;

 protected:
  template <typename Test>
  void ForEachRow(Test&& test) {
    for (size_t row = GetParam(); row < Tamperings().size(); row += kTests) {
      const Tampering& tampering = Tamperings()[row];
      SCOPED_TRACE(tampering.name);
      Renew();
      EditStore(
          [&](const Storage& storage, Batch* batch) { tampering.edit(*this, storage, batch); });
      test(tampering);
    }
  }
};

}  // namespace latchkey::test
