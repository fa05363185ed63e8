// What a disk may hold after the power was cut, worked out from the list of operations.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "disk.h"

namespace latchkey_test {

// What became of what no sync had made last. Of names: those of a folder are kept in the order in
// which they changed, as a journal does, each folder for itself; a file's sync keeps no name.
enum class Unsynced : uint8_t {
  kLost,       // nothing is there
  kKept,       // everything is there
  kPart,       // the first so many writes of each file, cut between two sectors
  kTorn,       // and cut within a sector; overwritten sectors are of different moments
  kSizeFirst,  // files have grown, and the data has not arrived: not what ext4 does by default
};
inline constexpr std::array kCuts = {Unsynced::kLost, Unsynced::kKept, Unsynced::kPart,
                                     Unsynced::kTorn};
const char* NameOf(Unsynced unsynced);

// Files and folders by their paths; a folder's path ends in a slash.
using Image = std::map<std::string, std::string>;

// A folder that was empty, as the operations told to it have left it. They are not copied.
class DiskState {
 public:
  struct File {
    std::string synced;
    std::vector<const Operation*> unsynced;
  };
  struct Names {
    std::map<std::string, uint32_t> files;
    std::set<std::string> folders{""};

    void Change(const Operation& operation);
  };

  void Do(const Operation& operation);
  // What may be there if the power is cut now.
  Image Cut(Unsynced unsynced, std::mt19937_64& random) const;

 private:
  std::map<uint32_t, File> files_;
  Names names_;  // as of the last sync of each folder
  std::map<std::string, std::vector<const Operation*>> changed_;  // since then, by folder
};

// After the last of them.
Image AfterPowerCut(std::span<const Operation> operations, Unsynced unsynced,
                    std::mt19937_64& random);
// Into a folder that is emptied before.
void WriteImage(const Image& image, const std::filesystem::path& folder);
Image ReadImage(const std::filesystem::path& folder);

}  // namespace latchkey_test
