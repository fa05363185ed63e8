// The power is cut after the first, second, third ... file operation of a host's life: the store
// opens with all that it had acknowledged, or, while it was being made, is none. So is a backup.
#include "power_cut.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

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
    workload.Run(10);
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

  Counts& operator+=(const Counts& other) {
    cuts += other.cuts;
    opened += other.opened;
    wrong += other.wrong;
    restored += other.restored;
    for (const auto& [why, count] : other.refused) refused[why] += count;
    return *this;
  }
};

// A backup is restored after each cut in the midst of one, and after one in so many others.
constexpr size_t kRestoredEvery = 8;
// What was changed after a cut is looked at once more, in a store opened anew, for one in so many.
constexpr size_t kReopenedEvery = 2;

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

// Which acknowledgements had been given after so many operations, and which change was being made.
std::pair<size_t, size_t> PlaceOf(const std::vector<Moment>& moments, size_t operations) {
  size_t last = 0;
  while (last + 1 < moments.size() && moments[last + 1].done <= operations) ++last;
  const bool in_midst = last + 1 < moments.size() && moments[last + 1].begun <= operations;
  return {last, last + (in_midst ? 1 : 0)};
}

// What is wrong with what a cut has left. Opened, compared, changed, closed; and in turn all again.
std::string JudgeCut(const Recording& recording, size_t operations,
                     const std::filesystem::path& folder, Counts* counts) {
  const bool in_turn = counts->cuts % kRestoredEvery == 0;
  const std::vector<Moment>& moments = recording.moments;
  const auto [last, change] = PlaceOf(moments, operations);
  const bool in_midst = change != last;
  const Moment& next = moments[change];
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
  if (counts->cuts % kReopenedEvery != 0) return "";
  const std::string refused_later = OpenWhole(folder, LATCHKEY_OPEN_EXISTING, &store);
  if (!refused_later.empty()) return "later: " + refused_later + "\n";
  wrong = Differences(store, before, after, true);
  static_cast<void>(latchkey_store_close(store));
  return wrong.empty() ? "" : "later: " + wrong;
}

uint64_t HashOf(const Image& image) {
  const std::hash<std::string_view> hash;
  uint64_t sum = 0;
  for (const auto& [path, content] : image) {
    sum = sum * 0x9e3779b97f4a7c15u + hash(path);
    sum = sum * 0x9e3779b97f4a7c15u + hash(content);
  }
  return sum;
}

struct Cut {
  size_t operations = 0;
  Unsynced unsynced{};
  Image image{};
};

// Every cut of the recording of these kinds, from its beginning, or as many as a sample has, drawn
// by the seed. What another cut has left at the same moment is not given again. Any thread.
class Cuts {
 public:
  Cuts(std::span<const Unsynced> kinds, size_t sample) : kinds_(kinds) {
    const Recording& recording = TheRecording();
    const size_t all = (recording.operations.size() + 1) * kinds.size();
    std::mt19937_64 random(recording.seed);
    for (size_t i = 0; i < sample; ++i) sample_.insert(random() % all);
  }

  // False: there is none left.
  bool Next(Cut* cut) {
    const Recording& recording = TheRecording();
    const std::lock_guard lock(mutex_);
    for (; next_ < (recording.operations.size() + 1) * kinds_.size(); ++next_) {
      if (!sample_.empty() && !sample_.contains(next_)) continue;
      cut->operations = next_ / kinds_.size();
      cut->unsynced = kinds_[next_ % kinds_.size()];
      while (told_ < cut->operations) state_.Do(recording.operations[told_++]);
      std::mt19937_64 random(recording.seed + next_);
      cut->image = state_.Cut(cut->unsynced, random);
      const auto place = PlaceOf(recording.moments, cut->operations);
      if (!seen_.insert({place, HashOf(cut->image)}).second) {
        ++same_;
        continue;
      }
      ++next_;
      return true;
    }
    return false;
  }
  size_t same() const {
    const std::lock_guard lock(mutex_);
    return same_;
  }

 private:
  const std::span<const Unsynced> kinds_;
  std::set<size_t> sample_;  // empty = all
  mutable std::mutex mutex_;
  size_t next_ = 0;
  size_t told_ = 0;
  DiskState state_;
  std::set<std::pair<std::pair<size_t, size_t>, uint64_t>> seen_;
  size_t same_ = 0;
};

constexpr size_t kThreads = 2;
constexpr size_t kSample = 150;    // unless LATCHKEY_CHECK is set
constexpr size_t kWrongMax = 10;   // what is to be seen has been seen then
constexpr size_t kProgress = 100;  // cuts between two signs of life

// A store may be refused with the code `refusal`; empty = with none.
void Walk(const char* suite, std::span<const Unsynced> kinds, const std::string& refusal) {
  const Recording& recording = TheRecording();
  Cuts cuts(kinds, IsLongRun() ? 0 : kSample);
  std::array<Counts, kThreads> counts;
  std::atomic<size_t> wrong{0};
  const auto walk = [&](Counts* counted) {
    const TempFolder folder;
    const Disk disk(folder.path());
    Cut cut;
    while (wrong < kWrongMax && cuts.Next(&cut)) {
      WriteImage(cut.image, folder.path());
      if (++counted->cuts % kProgress == 0) {
        std::cout << suite << ": operation " << cut.operations << " of "
                  << recording.operations.size() << std::endl;
      }
      const std::string what = JudgeCut(recording, cut.operations, folder.path(), counted);
      if (what.empty() || (!refusal.empty() && what.starts_with(refusal))) continue;
      ++counted->wrong;
      ++wrong;
      ADD_FAILURE() << "operation " << cut.operations << ", " << NameOf(cut.unsynced) << ": "
                    << what;
    }
  };
  std::vector<std::thread> threads;
  for (Counts& counted : counts) threads.emplace_back(walk, &counted);
  for (std::thread& thread : threads) thread.join();
  Counts sum;
  for (const Counts& counted : counts) sum += counted;
  std::printf(
      "%s: faults %zu, wrong %zu, opened %zu, restored %zu, operations %zu, "
      "the same as another %zu",
      suite, sum.cuts, sum.wrong, sum.opened, sum.restored, recording.operations.size(),
      cuts.same());
  for (const auto& [why, count] : sum.refused) std::printf(", %s %zu", why.c_str(), count);
  std::printf("\n");
}

TEST(PowerCut, KeepsWhatWasAcknowledged) { Walk("power cut", kCuts, ""); }

// Where a file grows before its data is there, a last record of the right size and with a wrong
// CRC cannot be told from a changed one: the store may then be refused as CORRUPTION, never opened
// without what it had acknowledged.
TEST(PowerCut, RefusesOrKeepsWhereFilesGrowFirst) {
  if (!IsLongRun()) GTEST_SKIP() << "only with LATCHKEY_CHECK";
  static constexpr Unsynced kKinds[] = {Unsynced::kSizeFirst};
  Walk("power cut, size first", kKinds, "CORRUPTION");
}

}  // namespace
}  // namespace latchkey_test
