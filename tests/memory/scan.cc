// Reads the mappings of a process one by one, and looks for runs of a needle's bytes.
#include "memory/scan.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace latchkey_memory {
namespace {

constexpr size_t kWindow = 1 << 20;
constexpr size_t kOverlap = 8192;  // longer than any needle

constexpr size_t kAround = 48;

struct Mapping {
  Range range;
  std::string line;
  bool guarded = false;
};

std::vector<Mapping> MappingsOf(pid_t process) {
  std::ifstream maps("/proc/" + std::to_string(process) + "/smaps");
  if (!maps) throw std::runtime_error("the mappings of the process cannot be read");
  std::vector<Mapping> mappings;
  bool is_wanted = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights) == 3) {
      is_wanted = rights[0] == 'r' && rights[1] == 'w';
      if (is_wanted) mappings.push_back({{begin, end}, line});
    } else if (is_wanted && line.starts_with("VmFlags:")) {
      mappings.back().guarded = line.find(" dd") != std::string::npos;
    }
  }
  return mappings;
}

// Where to look closer: every needle has an anchor in each kRun bytes, so a run of kRun bytes, by
// whatever byte it begins, covers one.
class Anchors {
 public:
  explicit Anchors(const std::vector<Needle>& needles) : needles_(needles) {
    for (size_t n = 0; n < needles.size(); ++n) {
      for (size_t at = Needle::kRun - 1; at < needles[n].size(); at += Needle::kRun) {
        anchors_.push_back({n, at});
        is_first_[needles[n].at(at)] = true;
      }
    }
  }
  // Notes every run in the bytes, which are those at `address`.
  void Find(const uint8_t* bytes, size_t size, uintptr_t address, const Mapping& mapping,
            std::vector<Hit>* hits) const {
    for (size_t i = 0; i < size; ++i) {
      if (!is_first_[bytes[i]]) continue;
      for (const auto& [n, at] : anchors_) {
        const auto [begin, end] = RunAt(needles_[n], at, bytes, size, i);
        if (end - begin < Needle::kRun) continue;
        const Hit hit{needles_[n].name(),
                      mapping.line,
                      Around(bytes, size, begin, end),
                      address + i,
                      address + i - mapping.range.begin,
                      mapping.guarded};
        // Windows overlap: what lies in two of them is still one.
        const auto is_same = [&](const Hit& other) {
          return other.address == hit.address && other.needle == hit.needle;
        };
        if (std::none_of(hits->begin(), hits->end(), is_same)) hits->push_back(hit);
      }
    }
  }

 private:
  struct Anchor {
    size_t needle;
    size_t at;
  };
  // Which bytes around the anchor are the needle's.
  static std::pair<size_t, size_t> RunAt(const Needle& needle, size_t at, const uint8_t* bytes,
                                         size_t size, size_t i) {
    if (bytes[i] != needle.at(at)) return {i, i};
    size_t before = 0;
    while (before < at && before < i && bytes[i - before - 1] == needle.at(at - before - 1)) {
      ++before;
    }
    size_t after = 0;
    while (at + after + 1 < needle.size() && i + after + 1 < size &&
           bytes[i + after + 1] == needle.at(at + after + 1)) {
      ++after;
    }
    return {i - before, i + 1 + after};
  }
  static std::string Around(const uint8_t* bytes, size_t size, size_t begin, size_t end) {
    std::string text;
    for (size_t i = begin - std::min(begin, kAround); i < std::min(size, end + kAround); ++i) {
      const bool is_printable = bytes[i] >= ' ' && bytes[i] <= '~';
      text += i >= begin && i < end ? '#' : is_printable ? static_cast<char>(bytes[i]) : '.';
    }
    return text;
  }

  const std::vector<Needle>& needles_;
  std::vector<Anchor> anchors_;
  std::array<bool, 256> is_first_{};
};

// What is read lies here while it is searched: the search leaves this out, and wipes it.
class Buffer {
 public:
  ~Buffer() { explicit_bzero(bytes_.data(), bytes_.size()); }
  uint8_t* data() { return bytes_.data(); }
  Range range() const {
    const auto begin = reinterpret_cast<uintptr_t>(bytes_.data());
    return {begin, begin + bytes_.size()};
  }

 private:
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(kWindow);
};

bool Overlaps(const Range& range, uintptr_t address) {
  return range.begin <= address && address < range.end;
}

}  // namespace

Needle::Needle(std::string name, const void* bytes, size_t size, bool may_be_guarded)
    : name_(std::move(name)), may_be_guarded_(may_be_guarded) {
  const auto* from = static_cast<const uint8_t*>(bytes);
  for (size_t i = 0; i < size; ++i) masked_.push_back(from[i] ^ kMask);
}

std::string Describe(const Hit& hit) {
  char place[64];
  std::snprintf(place, sizeof place, " lies at %#lx in ", hit.offset);
  return hit.needle + place + hit.where + ": " + hit.around;
}

std::vector<Hit> Scan(pid_t process, const std::vector<Needle>& needles,
                      const std::vector<Range>& ignored) {
  const Anchors anchors(needles);
  Buffer buffer;
  std::vector<Range> skipped = ignored;
  if (process == getpid()) skipped.push_back(buffer.range());
  std::vector<Hit> hits;
  for (const Mapping& mapping : MappingsOf(process)) {
    for (uintptr_t at = mapping.range.begin; at < mapping.range.end;) {
      const size_t size = std::min<size_t>(kWindow, mapping.range.end - at);
      const iovec to = {buffer.data(), size};
      const iovec from = {reinterpret_cast<void*>(at), size};
      const ssize_t got = process_vm_readv(process, &to, 1, &from, 1, 0);
      if (got <= 0) break;  // a device, or gone meanwhile
      anchors.Find(buffer.data(), static_cast<size_t>(got), at, mapping, &hits);
      if (static_cast<size_t>(got) < kWindow) break;
      at += kWindow - kOverlap;
    }
  }
  std::erase_if(hits, [&](const Hit& hit) {
    return std::any_of(skipped.begin(), skipped.end(),
                       [&](const Range& range) { return Overlaps(range, hit.address); });
  });
  return hits;
}

std::vector<Hit> ScanFile(const std::string& path, const std::vector<Needle>& needles) {
  const Anchors anchors(needles);
  Buffer buffer;
  const Mapping whole{{0, 0}, "the core"};
  std::vector<Hit> hits;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("the file cannot be read");
  for (uintptr_t at = 0;
       file.read(reinterpret_cast<char*>(buffer.data()), kWindow), file.gcount() > 0;
       at += kWindow - kOverlap) {
    const auto got = static_cast<size_t>(file.gcount());
    anchors.Find(buffer.data(), got, at, whole, &hits);
    if (got < kWindow) break;
    file.seekg(static_cast<std::streamoff>(at + kWindow - kOverlap));
  }
  return hits;
}

}  // namespace latchkey_memory
