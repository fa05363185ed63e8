// Whatever is imported: each line is imported, skipped or refused; a refusal names a line that
// there is and says nothing of it; and the store adds up afterwards. Only what an import brings may
// be there: no secret that it did not name is ever allowed.
#include <algorithm>
#include <functional>
#include <memory>

#include "fuzz/target.h"
#include "latchkey/latchkey.hpp"
#include "support/temp_dir.h"

namespace latchkey::fuzz {
namespace {

// In no text of the engine; driver.cc sows it.
constexpr std::string_view kEcho = "c4n4ry";
constexpr uint64_t kImportsACheck = 50;

struct Import {
  std::string_view rest;
  size_t piece;  // bytes that are given at a time
  uint64_t last_line = 0;
  uint64_t refused = 0;
  bool echoed = false;
};

size_t Read(void* context, char* buffer, size_t capacity) {
  auto* const import = static_cast<Import*>(context);
  const size_t size = import->rest.copy(buffer, std::min(capacity, import->piece));
  import->rest.remove_prefix(size);
  return size;
}

void Refuse(void* context, uint64_t line, latchkey_code code, const char* text) {
  auto* const import = static_cast<Import*>(context);
  Expect(line > import->last_line, "refusals out of order");
  Expect(code != LATCHKEY_OK && code != LATCHKEY_INTERNAL && text[0] != '\0',
         "a refusal without a reason");
  import->last_line = line;
  ++import->refused;
  import->echoed |= std::string_view(text).find(kEcho) != std::string_view::npos;
}

// What an import should count.
struct Lines {
  explicit Lines(std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      ++all;
      blank += line.find_first_not_of(" \t\r") == std::string_view::npos ? 1 : 0;
    }
  }
  uint64_t all = 0;
  uint64_t blank = 0;
};

class World {
 public:
  // An import into a store without credentials is by files, which takes many times as long: such a
  // store is one of its own, and a new one before it has grown much.
  World(bool has_key, uint64_t imports_a_store)
      : has_key_(has_key), imports_a_store_(imports_a_store) {
    Renew();
  }

  void Take(std::string_view text) {
    const Lines lines(text);
    Run(text, 7, 1, lines);  // in small pieces, and nothing is written
    const latchkey_import_report done = Run(text, 4096, 0, lines);
    const latchkey_import_report again = Run(text, 4096, 0, lines);
    Expect(again.imported <= done.imported + done.refused, "a line was imported twice", text);
    const bool is_last = ++imports_ % imports_a_store_ == 0;
    if (is_last || imports_ % kImportsACheck == 0) Check();
    if (is_last) Renew();
  }

 private:
  latchkey_import_report Run(std::string_view text, size_t piece, uint32_t dry_run,
                             const Lines& lines) {
    Import import{text, piece};
    auto options = sized<latchkey_import_options>();
    options.read = Read;
    options.refused = Refuse;
    options.context = &import;
    options.dry_run = dry_run;
    auto report = sized<latchkey_import_report>();
    const latchkey_code code = latchkey_import(store_->handle(), &options, &report);
    Expect(code == LATCHKEY_OK, "an import did not end well", latchkey_error_text());
    if (Canary(report.refused > 6)) ++report.skipped;
    Expect(report.lines == lines.all &&
               report.lines == report.imported + report.skipped + report.refused + lines.blank,
           "the lines do not add up", text);
    Expect(report.refused == import.refused && import.last_line <= lines.all,
           "a refusal of no line", text);
    Expect(!import.echoed, "a refusal repeats its line", text);
    return report;
  }
  void Check() const {
    const auto found = [](void*, const char* what, const latchkey_uuid*) { Fail(what); };
    Expect(latchkey_store_check(store_->handle(), found, nullptr) == LATCHKEY_OK,
           "the store does not add up");
  }
  void Renew() {
    store_.reset();
    dir_ = std::make_unique<test::TempDir>();
    store_ = std::make_unique<Store>(Store::create(*dir_ / "store"));
    if (!has_key_) return;
    const Uuid user = store_->create_owner({LATCHKEY_OWNER_USER, "Eustace Bagge"}).uuid;
    store_->create_credential({user, LATCHKEY_KIND_USER_KEY, "ci"});
  }

  const bool has_key_;
  const uint64_t imports_a_store_;
  std::unique_ptr<test::TempDir> dir_;
  std::unique_ptr<Store> store_;
  uint64_t imports_ = 0;
};

}  // namespace
}  // namespace latchkey::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using latchkey::fuzz::World;
  static const auto with_key = std::make_unique<World>(/*has_key=*/true, 1000);
  static const auto without = std::make_unique<World>(/*has_key=*/false, 20);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // By the input alone, so that it can be had again.
  World& world = std::hash<std::string_view>()(text) % 128 == 0 ? *without : *with_key;
  world.Take(text);
  return 0;
}
