// Looks for secrets in the writable memory of a process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace latchkey_memory {

// Something that should not be found: 16 bytes of it in a row are enough. Kept under a mask, so
// that the search does not find what it searches with.
class Needle {
 public:
  static constexpr size_t kRun = 16;

  // In guarded memory (locked, outside core dumps) it may lie.
  Needle(std::string name, const void* bytes, size_t size, bool may_be_guarded);
  const std::string& name() const { return name_; }
  bool may_be_guarded() const { return may_be_guarded_; }
  size_t size() const { return masked_.size(); }
  uint8_t at(size_t i) const { return static_cast<uint8_t>(masked_[i] ^ kMask); }

 private:
  static constexpr uint8_t kMask = 0x5A;
  std::string name_;
  std::vector<uint8_t> masked_;
  bool may_be_guarded_;
};

struct Range {
  uintptr_t begin;
  uintptr_t end;
};

struct Hit {
  std::string needle;
  std::string where;   // the mapping, as the kernel writes it
  std::string around;  // what lies before and behind: printable characters, and # for the secret
  uintptr_t address;
  uintptr_t offset;  // in the mapping
  bool guarded;
};
std::string Describe(const Hit& hit);

// All mappings of the process that can be written, but for the ranges. `guarded` of a hit: its
// mapping is left out of core dumps. Throws std::runtime_error when the memory cannot be read.
std::vector<Hit> Scan(pid_t process, const std::vector<Needle>& needles,
                      const std::vector<Range>& ignored);
// The same in a file.
std::vector<Hit> ScanFile(const std::string& path, const std::vector<Needle>& needles);

}  // namespace latchkey_memory
