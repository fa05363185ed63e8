// What the tests of this room share: a seed that can be replayed, entropy that is known beforehand,
// and a folder that goes away.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace latchkey::test {

// LATCHKEY_TEST_SEED replays a run.
inline uint64_t Seed() {
  const char* given = std::getenv("LATCHKEY_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

// Printed with every failure in the scope that declares it.
class SeededRandom : public std::mt19937_64 {
 public:
  SeededRandom() : SeededRandom(Seed()) {}

 private:
  explicit SeededRandom(uint64_t seed)
      : std::mt19937_64(seed),
        trace_(__FILE__, __LINE__, testing::Message() << "LATCHKEY_TEST_SEED=" << seed) {}
  testing::ScopedTrace trace_;
};

inline std::vector<uint8_t> FromHex(ByteView hex) {
  std::vector<uint8_t> out(hex.size() / 2);
  EXPECT_TRUE(HexDecode(hex, out.data(), out.size()));
  return out;
}

template <typename Octets>
std::string ToHex(const Octets& octets) {
  return HexEncode({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

inline ByteView AsText(const std::vector<uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::vector<uint8_t> Octets(ByteView text) { return {text.begin(), text.end()}; }

// 00 01 02 ...
template <size_t N>
std::array<uint8_t, N> Ascending(uint8_t first = 0) {
  std::array<uint8_t, N> out;
  for (uint8_t& byte : out) byte = first++;
  return out;
}

inline uint64_t SplitMix64(uint64_t* state) {
  uint64_t z = (*state += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

inline void FillBySplitMix(uint64_t* state, uint8_t* out, size_t size) {
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(SplitMix64(state) >> 32);
}

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "latchkey-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() { std::filesystem::remove_all(path_); }

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  bool empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::filesystem::path path_;
};

inline void WriteFile(const std::string& path, ByteView text, mode_t mode = 0600) {
  std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(chmod(path.c_str(), mode), 0);
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace latchkey::test
