// Whatever bytes are presented, latchkey_verify() allows the secrets that were issued and nothing
// else, and a batch says the same. In an input $USER, $RUN and $ACME stand for secrets that are
// good, one of each format that is generated.
#include <cstring>
#include <memory>

#include "fuzz/target.h"
#include "latchkey/latchkey.hpp"
#include "support/temp_dir.h"

namespace latchkey::fuzz {
namespace {

class World {
 public:
  World() {
    auto kind = sized<latchkey_kind>();
    kind.kind = LATCHKEY_KIND_HOST_MIN;
    kind.owner_sort = LATCHKEY_OWNER_USER;
    std::strcpy(kind.name, "deploy-key");
    std::strcpy(kind.prefix, "acme_");
    throw_if_failed(latchkey_kind_register(store_.handle(), &kind));
    const Uuid user = store_.create_owner({LATCHKEY_OWNER_USER, "Muriel Bagge"}).uuid;
    const Uuid project = store_.create_owner({LATCHKEY_OWNER_PROJECT, "The Thing"}).uuid;
    Issue("$USER", user, LATCHKEY_KIND_USER_KEY);
    Issue("$RUN", project, LATCHKEY_KIND_PROJECT_KEY);
    Issue("$ACME", user, LATCHKEY_KIND_HOST_MIN);
  }

  void Judge(std::string text) const {
    for (const Good& good : goods_) Replace(&text, good.word, good.secret);
    auto verdict = sized<latchkey_verdict>();
    latchkey_code code =
        latchkey_verify(store_.handle(), text.data(), text.size(), nullptr, &verdict);
    if (Canary(text.size() > goods_[2].secret.size() && text.starts_with(goods_[2].secret))) {
      code = LATCHKEY_OK;  // as if what follows a key were not looked at
    }
    const Good* due = nullptr;
    for (const Good& good : goods_) {
      if (text == good.secret) due = &good;
    }
    Expect((code == LATCHKEY_OK) == (due != nullptr), "allowed what was not issued, or not", text);
    Expect(due != nullptr || code == LATCHKEY_DENIED, "a code that is no verdict", text);
    Expect(verdict.uuid == (due != nullptr ? due->uuid : Uuid{}), "another credential", text);
    Expect(due != nullptr || verdict.reason == LATCHKEY_REASON_MALFORMED ||
               verdict.reason == LATCHKEY_REASON_UNKNOWN,
           "a reason that cannot be", text);

    const latchkey_bytes items[] = {{text.data(), text.size()}, {text.data(), text.size() / 2}};
    latchkey_code codes[2];
    latchkey_verdict verdicts[2] = {sized<latchkey_verdict>(), sized<latchkey_verdict>()};
    throw_if_failed(latchkey_verify_batch(store_.handle(), items, 2, nullptr, codes, verdicts));
    Expect(verdicts[0].reason == verdict.reason, "a batch says otherwise", text);
  }

 private:
  struct Good {
    std::string word;
    std::string secret;
    Uuid uuid;
  };
  void Issue(const char* word, const Uuid& owner, uint32_t kind) {
    const Issued made = store_.create_credential({owner, kind, "fuzz"});
    goods_.push_back({word, std::string(made.secret.reveal()), made.credential.uuid});
  }

  const test::TempDir dir_;
  Store store_ = Store::create(dir_ / "store");
  std::vector<Good> goods_;
};

}  // namespace
}  // namespace latchkey::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto world = std::make_unique<latchkey::fuzz::World>();
  world->Judge(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
