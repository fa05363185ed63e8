// The power is cut after the first, second, third ... file operation of a host's life: the store
// opens with all that it had acknowledged, or, while it was being made, is none. So is a backup.
#include "power_cut.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <unordered_map>

#include "crypto/digest.h"
#include "workload.h"

namespace latchkey_test {
namespace {

struct Recording {
  uint64_t seed = 0;
  std::vector<Operation> operations;
  std::vector<Moment> moments;
  std::vector<std::string> secrets;
  Image left;     // in the folder, in the end
  Image by_list;  // the same by the list of operations
};

// Of one life, for all tests of the process.
const Recording& TheRecording() {
  static const Recording recording = [] {
    Recording made;
    made.seed = TestSeed();
    const TempFolder folder;
    Disk disk(folder.path());
    disk.Record();
    Workload workload(&disk, folder.path(), made.seed);
    workload.Run(IsLongRun() ? 12 : 10);
    made.operations = disk.operations();
    made.moments = workload.moments();
    made.secrets = workload.secrets();
    made.left = ReadImage(folder.path());
    std::mt19937_64 unused;
    made.by_list = AfterPowerCut(made.operations, Unsynced::kKept, unused);
    return made;
  }();
  return recording;
}

TEST(Recorder, SeesEverythingThatIsWritten) {
  const Recording& recording = TheRecording();
  std::map<std::string, bool> names;
  for (const auto& [path, content] : recording.left) names[path];
  for (const auto& [path, content] : recording.by_list) names[path];
  for (const auto& [path, unused] : names) {
    const auto left = recording.left.find(path);
    const auto by_list = recording.by_list.find(path);
    ASSERT_TRUE(left != recording.left.end()) << path << " is not in the folder";
    ASSERT_TRUE(by_list != recording.by_list.end()) << path << " was not noted";
    EXPECT_TRUE(left->second == by_list->second) << path;
  }
}

// What was ever written, not only what is left; but for what a table holds compressed.
TEST(Recorder, NoSecretAndNoPepperIsWrittenToTheStore) {
  const Recording& recording = TheRecording();
  std::vector<std::string> needles;
  for (const std::string& secret : recording.secrets) {
    const auto digest = latchkey::Sha256BySodium(secret).bytes;
    needles.push_back(secret.substr(secret.rfind('_') + 1));
    needles.emplace_back(digest.begin(), digest.end());
  }
  const std::string& pepper = recording.left.at("store.pepper");
  const size_t digits = pepper.rfind(' ') + 1;
  needles.push_back(pepper.substr(digits, 64));
  std::string raw;
  for (size_t i = digits; i < digits + 64; i += 2) {
    raw += static_cast<char>(std::stoul(pepper.substr(i, 2), nullptr, 16));
  }
  needles.push_back(raw);
  std::unordered_map<std::string_view, std::string_view> by_head;
  for (const std::string& needle : needles) {
    by_head[std::string_view(needle).substr(0, 8)] = needle;
  }
  std::map<std::string, std::string> written;
  for (const Operation& operation : recording.operations) {
    if (operation.path.starts_with("store/") || operation.path.starts_with("backups/")) {
      written[operation.path] += operation.data;
    }
  }
  ASSERT_FALSE(written.empty());
  for (const auto& [path, text] : written) {
    for (size_t i = 0; i + 8 <= text.size(); ++i) {
      const auto found = by_head.find(std::string_view(text).substr(i, 8));
      if (found == by_head.end()) continue;
      EXPECT_NE(found->second, std::string_view(text).substr(i, found->second.size()))
          << path << " holds a secret at " << i;
    }
  }
}

struct Counts {
  size_t cuts = 0;
  size_t opened = 0;
  size_t wrong = 0;
  size_t restored = 0;
  std::map<std::string, size_t> refused;  // by code
};

// A backup is restored after each cut in the midst of one, and after one in so many others.
constexpr size_t kRestoredEvery = 8;

// The first key that is allowed, to be revoked; none = its number is that of all keys.
size_t FirstAllowed(const Facts& facts) {
  size_t key = 0;
  while (key < facts.keys.size() && DueVerdict(facts, facts.keys[key]) != "allowed") ++key;
  return key;
}

// Each backup that is listed is whole, none that was acknowledged is missing, and with `restore`
// the newest gives back what held when it was made.
std::string JudgeBackups(const Recording& recording, const Facts& before, const Facts& after,
                         const std::filesystem::path& folder, bool restore, Counts* counts) {
  std::string wrong;
  const std::vector<uint32_t> listed = WholeBackups(folder, &wrong);
  const auto is_in = [](const std::vector<uint32_t>& numbers, uint32_t number) {
    return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
  };
  for (const uint32_t number : before.backups) {
    if (is_in(after.backups, number) && !is_in(listed, number)) {
      wrong += "backup " + std::to_string(number) + " is lost\n";
    }
  }
  if (listed.empty() || !restore || !wrong.empty()) return wrong;
  const auto made = std::find_if(recording.moments.begin(), recording.moments.end(),
                                 [&](const Moment& each) { return each.backup == listed.back(); });
  if (made == recording.moments.end()) return "a backup that nobody made\n";
  ++counts->restored;
  wrong = RestoredDifferences(folder, listed.back(), made->after);
  return wrong.empty() ? "" : "restored: " + wrong;
}

// What is wrong with what a cut has left. Opened, compared, changed, closed, and all that again.
std::string JudgeCut(const Recording& recording, size_t operations,
                     const std::filesystem::path& folder, Counts* counts) {
  const bool in_turn = counts->cuts % kRestoredEvery == 0;
  const std::vector<Moment>& moments = recording.moments;
  size_t last = 0;
  while (last + 1 < moments.size() && moments[last + 1].done <= operations) ++last;
  const bool in_midst = last + 1 < moments.size() && moments[last + 1].begun <= operations;
  const Moment& next = moments[in_midst ? last + 1 : last];
  Facts before = moments[last].after;
  Facts after = next.after;

  latchkey_store* store = nullptr;
  const std::string refused = OpenWhole(folder, LATCHKEY_OPEN_EXISTING, &store);
  if (!refused.empty()) {
    ++counts->refused[refused];
    const bool is_none =
        refused.starts_with("NOT_FOUND") || refused.starts_with("INVALID_ARGUMENT");
    return is_none && !before.store ? "" : refused + "\n";
  }
  ++counts->opened;
  std::string wrong = Differences(store, before, after, next.one_by_one);
  const bool in_backup = in_midst && next.backup != 0;
  if (wrong.empty()) {
    wrong = JudgeBackups(recording, before, after, folder, in_backup || in_turn, counts);
  }
  uint32_t number = 0;
  if (wrong.empty() && in_backup && BackUp(store, folder, 0, &number) != LATCHKEY_OK) {
    wrong += std::string("no backup after the cut: ") + latchkey_error_text() + "\n";
  }
  const size_t key = FirstAllowed(before);
  if (wrong.empty() && key < before.keys.size() &&
      Judge(store, before.keys[key].secret) == "allowed") {
    if (latchkey_credential_revoke(store, &before.keys[key].uuid, nullptr, nullptr, 0, nullptr) !=
        LATCHKEY_OK) {
      wrong += "no revocation after the cut\n";
    }
    before.keys[key].revoked = after.keys[key].revoked = true;
  }
  if (latchkey_store_close(store) != LATCHKEY_OK) wrong += "no close after the cut\n";
  if (!wrong.empty()) return wrong;
  if (number != 0) {
    wrong = RestoredDifferences(folder, number, next.after);
    if (!wrong.empty()) return "the backup after the cut: " + wrong;
  }
  const std::string refused_later = OpenWhole(folder, LATCHKEY_OPEN_EXISTING, &store);
  if (!refused_later.empty()) return "later: " + refused_later + "\n";
  wrong = Differences(store, before, after, true);
  static_cast<void>(latchkey_store_close(store));
  return wrong.empty() ? "" : "later: " + wrong;
}

class PowerCut : public testing::TestWithParam<size_t> {
 protected:
  static constexpr size_t kHalves = 2;  // which ctest runs beside each other
  // One cut in so many, unless LATCHKEY_CHECK is set.
  static constexpr size_t kEvery = 19;

  // Half of all cuts. A store may be refused with the code `refusal`; empty = with none.
  static void Walk(std::span<const Unsynced> kinds, size_t half, const std::string& refusal,
                   Counts* counts) {
    const Recording& recording = TheRecording();
    const bool every = IsLongRun();
    const TempFolder folder;
    const Disk disk(folder.path());
    const size_t stride = every ? 1 : kEvery;
    for (size_t n = half * stride; n <= recording.operations.size(); n += stride * kHalves) {
      for (size_t i = 0; i < kinds.size(); ++i) {
        if (!every && i != n / stride / kHalves % kinds.size()) continue;
        std::mt19937_64 random(recording.seed + n * kinds.size() + i);
        WriteImage(AfterPowerCut(std::span(recording.operations).first(n), kinds[i], random),
                   folder.path());
        ++counts->cuts;
        const std::string wrong = JudgeCut(recording, n, folder.path(), counts);
        if (wrong.empty() || (!refusal.empty() && wrong.starts_with(refusal))) continue;
        ++counts->wrong;
        if (counts->wrong <= 10) {
          ADD_FAILURE() << "operation " << n << ", " << NameOf(kinds[i]) << ": " << wrong;
        }
      }
    }
  }
  static void Print(const char* suite, const Counts& counts) {
    std::printf("%s: faults %zu, wrong %zu, opened %zu, restored %zu, operations %zu", suite,
                counts.cuts, counts.wrong, counts.opened, counts.restored,
                TheRecording().operations.size());
    for (const auto& [why, count] : counts.refused) std::printf(", %s %zu", why.c_str(), count);
    std::printf("\n");
  }
};

TEST_P(PowerCut, KeepsWhatWasAcknowledged) {
  Counts counts;
  Walk(kCuts, GetParam(), "", &counts);
  Print("power cut", counts);
}

// Where a file grows before its data is there, a last record of the right size and with a wrong
// CRC cannot be told from a changed one: the store may then be refused as CORRUPTION, never opened
// without what it had acknowledged.
TEST_P(PowerCut, RefusesOrKeepsWhereFilesGrowFirst) {
  if (!IsLongRun()) GTEST_SKIP() << "only with LATCHKEY_CHECK";
  const Unsynced kinds[] = {Unsynced::kSizeFirst};
  Counts counts;
  Walk(kinds, GetParam(), "CORRUPTION", &counts);
  Print("power cut, size first", counts);
}

INSTANTIATE_TEST_SUITE_P(Half, PowerCut, testing::Range<size_t>(0, 2));

}  // namespace
}  // namespace latchkey_test
