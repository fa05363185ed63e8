// Imports that others change the store amid, and that fail.
#include <cerrno>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "simulation.h"

namespace latchkey_test {
namespace {

using latchkey_model::Key;
using latchkey_model::Owner;

constexpr size_t kImportedMax = 30;

std::string LineOf(const Key& key) {
  return R"({"type":"user_key","uuid":")" + key.uuid + R"(","user":")" + key.owner +
         R"(","name":")" + key.name + R"(","sha256":")" +
         latchkey::HexEncode(latchkey::View(latchkey::Sha256BySodium(key.secret).bytes)) +
         R"(","creation":)" + std::to_string(key.creation_s) + R"(,"expiration":)" +
         std::to_string(key.expires_s) + R"(,"revoked":)" +
         (key.revoked_s == 0 ? "null" : std::to_string(key.revoked_s)) + "}\n";
}

}  // namespace

std::vector<Key> Simulation::DrawImported(const std::string& user) {
  static constexpr std::string_view kCharacters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::vector<Key> keys;
  for (uint64_t i = 1 + Draw(kImportedMax); i > 0; --i) {
    Key key;
    latchkey_uuid uuid{};
    for (uint8_t& byte : uuid.bytes) byte = static_cast<uint8_t>(random_());
    key.uuid = Text(uuid);
    key.owner = user;
    key.kind = LATCHKEY_KIND_USER_KEY;
    key.name = "imported " + std::to_string(Draw(20));
    key.secret = "bencher_user_";
    for (int c = 0; c < 30; ++c) key.secret += kCharacters[Draw(kCharacters.size())];
    key.creation_s = 1769070818;
    key.expires_s = Chance(3) ? now_s() + static_cast<int64_t>(Draw(100'000)) : 4'000'000'000;
    key.revoked_s = Chance(4) ? 1770000000 : 0;
    keys.push_back(std::move(key));
  }
  return keys;
}

// Other threads make changes while the import asks for its lines. With `fails` a write or sync of
// it or of theirs fails: a line that was not refused is there, any other is whole or is not.
void Simulation::ImportSome(bool fails) {
  if (model_.keys.size() + kImportedMax > kKeysMax) return;
  const Owner* user = AnyOwner(LATCHKEY_OWNER_USER, /*live=*/true);
  if (user == nullptr) return;
  struct Amid {
    Simulation& self;
    const std::vector<Key> keys;
    const std::set<latchkey_code> refusals;
    size_t next = 0;
    std::set<size_t> refused = {};

    static size_t Read(void* context, char* buffer, size_t) {
      auto& import = *static_cast<Amid*>(context);
      if (import.next == import.keys.size()) return 0;
      Simulation& self = import.self;
      std::optional<Wish> wish;
      if (self.Chance(4)) wish = self.DrawWish(/*may_create=*/false);
      if (wish && self.model_.keys.contains(wish->key)) {
        self.MakeOn(1, &*wish);
        self.Settle(*wish, import.refusals);
      }
      const std::string line = LineOf(import.keys[import.next++]);
      return line.copy(buffer, line.size());
    }
    static void Refused(void* context, uint64_t line, latchkey_code code, const char* text) {
      auto& import = *static_cast<Amid*>(context);
      import.refused.insert(line - 1);
      EXPECT_TRUE(import.refusals.contains(code)) << CodeName(code) << ": " << text;
    }
  } import{*this, DrawImported(user->uuid), fails ? kOfAFault : std::set<latchkey_code>()};
  auto options = Sized<latchkey_import_options>();
  options.read = Amid::Read;
  options.refused = Amid::Refused;
  options.context = &import;
  auto report = Sized<latchkey_import_report>();
  const uint64_t failed_before = disk().failed();
  if (fails) disk().Fail(Chance(2) ? Call::kSync : Call::kWrite, 1 + Draw(6), EIO, Chance(3));
  latchkey_code code = LATCHKEY_INTERNAL;
  crew().Run(0, [&] { code = latchkey_import(store(), &options, &report); });
  const bool failed = disk().failed() != failed_before;
  tally_.faults += disk().failed() - failed_before;
  if (failed) {
    unhealed_ = true;
    EXPECT_TRUE(code == LATCHKEY_OK || kOfAFault.contains(code)) << CodeName(code);
  } else {
    EXPECT_CODE(LATCHKEY_OK, code);
    EXPECT_EQ(import.keys.size(), report.imported);
  }
  EXPECT_EQ(import.refused.size(), report.refused);
  const bool told_of_all = report.imported + report.skipped + report.refused == import.keys.size();
  for (size_t i = 0; i < import.keys.size(); ++i) {
    KeyDoubt& doubt = key_doubts_[import.keys[i].uuid];
    doubt.made = import.keys[i];
    doubt.must_be_there = told_of_all && !import.refused.contains(i);
  }
  Happens(failed ? "an import that fails" : "import");
  if (failed) return EndStorm();
  disk().Mend();
  Resolve(/*died=*/false);
}

}  // namespace latchkey_test
