// The process kills itself at a place of its own path to the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "../fault/disk.h"

namespace latchkey_test {

// While it lives, syncs below the folder do not reach the device: a killed process loses nothing
// that it has written.
class Death {
 public:
  // SIGKILL when the files below `folder` come to `point` for the `nth` time (1 = the first). Says
  // `dies POINT` on the standard output before. The points are listed in death.cc.
  Death(const std::filesystem::path& folder, const std::string& point, uint64_t nth);
  Death(const Death&) = delete;
  Death& operator=(const Death&) = delete;

  static bool IsPoint(const std::string& point);
};

// A mass revocation has been acknowledged: what the log is given from now on may be its tombstones.
void SweepIsOut();

}  // namespace latchkey_test
