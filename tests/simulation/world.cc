#include "world.h"

#include <fcntl.h>
#include <unistd.h>

#include <random>
#include <stdexcept>
#include <vector>

#include "seams.h"

namespace latchkey_test {
namespace {

constexpr int64_t kFirstBootS = 5;
constexpr std::string_view kStorePrefix = "store/";
constexpr std::string_view kBackupsPrefix = "backups/";
constexpr std::string_view kGivenUpPrefix = "given-up/";
constexpr std::string_view kRocksPrefix = "given-up/rocks/";

// Of a store that is given up a damage may have taken this file.
bool IsTaken(Damage damage, const std::string& path) {
  if (damage == Damage::kOfTheFolder) return !path.starts_with(kRocksPrefix);
  const bool is_list =
      path.starts_with("given-up/rocks/CURRENT") || path.starts_with("given-up/rocks/MANIFEST");
  return damage == Damage::kOfTheList && is_list;
}

void Sync(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!synced) throw std::runtime_error("cannot sync " + path.string());
}

// So that the disk has seen each file made, and made to last.
void WriteSynced(const Image& image, const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> folders = {folder};
  for (const auto& [path, content] : image) {
    const std::filesystem::path place = folder / path;
    if (path.ends_with('/')) {
      std::filesystem::create_directories(place.parent_path());
      folders.push_back(place.parent_path());
      continue;
    }
    const int fd = ::open(place.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    size_t written = 0;
    while (fd >= 0 && written < content.size()) {
      const ssize_t size = ::write(fd, content.data() + written, content.size() - written);
      if (size <= 0) break;
      written += static_cast<size_t>(size);
    }
    if (fd >= 0) ::close(fd);
    if (fd < 0 || written != content.size()) throw std::runtime_error("cannot write " + path);
    Sync(place);
  }
  for (const std::filesystem::path& each : folders) Sync(each);
}

}  // namespace

World::World(uint64_t seed, uint64_t directory_budget_bytes)
    : store_(folder_.path() / "0", directory_budget_bytes) {
  SeedRandomness(seed);
  SetBootTimeMs(kFirstBootS * 1000);
  HoldBackground();
  OnQueued([this] { crew_.Queued(); });
  NewDisk();
  store_.Open(LATCHKEY_OPEN_CREATE);
  guard_.Open(kNowS, kFirstBootS, 0);
}

World::~World() {
  if (static_cast<latchkey_store*>(store_) != nullptr) Close();
  OnQueued(nullptr);
  StopHolding();
  SetBootTimeMs(-1);
  UnseedRandomness();
}

void World::NewDisk() {
  const std::filesystem::path place = folder_.path() / std::to_string(disks_++);
  std::filesystem::create_directories(place);
  disk_ = std::make_unique<Disk>(place);
  // What is done to the backups is done by one thread of RocksDB's, for whom a call waits.
  disk_->Choose(
      [](const std::string& path) { return IsInSimulation() || path.starts_with(kBackupsPrefix); });
  disk_->BeforeSync([this](const std::string& path) { crew_.Syncing(path); });
  disk_->Record();
  store_.MoveTo(place);
}

void World::RunBackground() { RunBackgroundOnce(); }

int64_t World::boot_s() const { return BootTimeMs() / 1000; }

void World::PassTime(int64_t passed_s, int64_t set_s) {
  PassTimeClosed(passed_s, set_s);
  guard_.Observe(store_.clock().now_s(), boot_s());
  latest_s_ = std::max(latest_s_, guard_.time_s());
  const latchkey_stats stats = store_.Stats();
  EXPECT_EQ(guard_.time_s(), stats.time_s) << "after " << passed_s << " s, set by " << set_s;
  EXPECT_EQ(guard_.jump_pending(), stats.clock_jump_pending != 0)
      << "after " << passed_s << " s, set by " << set_s;
}

void World::PassTimeClosed(int64_t passed_s, int64_t set_s) {
  true_s_ += passed_s;
  SetBootTimeMs(BootTimeMs() + passed_s * 1000);
  store_.clock().Advance(passed_s + set_s);
}

void World::Close() {
  ReleaseBackground();
  store_.Close();
}

void World::Cut(const std::vector<Operation>& operations, size_t count, Unsynced unsynced,
                uint64_t seed) {
  std::mt19937_64 random(seed);
  const Image image = AfterPowerCut(std::span(operations).first(count), unsynced, random);
  const std::filesystem::path before = store_.folder();
  NewDisk();
  WriteSynced(image, store_.folder());
  std::filesystem::remove_all(before);
}

void World::GiveUpStore(Damage damage) {
  Image image;
  for (auto& [path, content] : ReadImage(store_.folder())) {
    if (path.starts_with(kGivenUpPrefix) || path == "store/reserve") continue;
    if (!path.starts_with(kStorePrefix)) {
      image[path] = std::move(content);
      continue;
    }
    const std::string place = std::string(kGivenUpPrefix) + path.substr(kStorePrefix.size());
    if (damage != Damage::kLost && (place.ends_with('/') || !IsTaken(damage, place))) {
      image[place] = std::move(content);
    }
  }
  const std::filesystem::path before = store_.folder();
  NewDisk();
  WriteSynced(image, store_.folder());
  std::filesystem::remove_all(before);
}

void World::Reboot() { SetBootTimeMs(kFirstBootS * 1000); }

latchkey_code World::TryOpen() {
  HoldBackground();
  const latchkey_code code = store_.TryOpen(LATCHKEY_OPEN_EXISTING);
  if (code != LATCHKEY_OK) return code;
  AwaitBackground();
  const int64_t wall_s = store_.clock().now_s();
  const int64_t time_s = store_.Stats().time_s;
  EXPECT_GE(time_s, std::max(wall_s, durable_s_)) << "the store has forgotten what time it was";
  EXPECT_LE(time_s, std::max(wall_s, guard_.remembered_s()));
  guard_.Open(wall_s, boot_s(), time_s);
  latest_s_ = std::max(latest_s_, time_s);
  return code;
}

}  // namespace latchkey_test
