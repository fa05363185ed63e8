// The frames of a RocksDB log, read to tell a torn tail from damage.
#include "storage/log_frames.h"

#include <algorithm>
#include <array>

namespace latchkey {
namespace {

constexpr size_t kBlockSize = 32768;
constexpr size_t kHeaderSize = 7;
constexpr uint8_t kFull = 1;
constexpr uint8_t kFirst = 2;
constexpr uint8_t kMiddle = 3;
constexpr uint8_t kLast = 4;

constexpr std::array<uint32_t, 256> MakeCrc32cTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78u : 0);
    table[i] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrc32cTable = MakeCrc32cTable();

uint8_t At(ByteView bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

// As stored: rotated and shifted, so that a CRC over data that holds CRCs stays a good one.
uint32_t MaskedCrc32c(ByteView bytes) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < bytes.size(); ++i) {
    crc = kCrc32cTable[(crc ^ At(bytes, i)) & 0xff] ^ (crc >> 8);
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

size_t BodySize(ByteView record) {
  return static_cast<size_t>(At(record, 4)) | static_cast<size_t>(At(record, 5)) << 8;
}

bool TypeIsKnown(uint8_t type) { return type >= kFull && type <= kLast; }

// Whether the CRC at the front of `record` is that of all the rest of it.
bool CrcIsRight(ByteView record) {
  uint32_t stored;
  std::memcpy(&stored, record.data(), sizeof stored);
  return MaskedCrc32c(record.substr(6)) == stored;
}

bool AllZero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

// The first place from `at` on where a record begins that is whole by its CRC, inside one block;
// the size of `rest` where there is none.
size_t NextWholeRecord(ByteView rest, size_t at) {
  for (; at + kHeaderSize <= rest.size(); ++at) {
    const ByteView record = rest.substr(at);
    const size_t size = kHeaderSize + BodySize(record);
    if (TypeIsKnown(At(record, 6)) && size <= record.size() && CrcIsRight(record.substr(0, size))) {
      return at;
    }
  }
  return rest.size();
}

// `rest` begins where a record should and runs to the end of the file, inside one block. A write
// that was cut off leaves no whole record in it: if there is one, a length has changed.
bool HoldsWholeRecord(ByteView rest) {
  if (rest.size() >= kHeaderSize && CrcIsRight(rest)) return true;  // whole but for its length
  return NextWholeRecord(rest, 1) != rest.size();
}

}  // namespace

LogEnd CheckLogFrames(ByteView log, size_t* whole_size) {
  size_t unused = 0;
  size_t& whole = whole_size != nullptr ? *whole_size : unused;
  whole = 0;
  bool in_fragments = false;
  size_t at = 0;
  while (at < log.size()) {
    const size_t block_end = at - at % kBlockSize + kBlockSize;
    const size_t end = std::min(block_end, log.size());
    const ByteView rest = log.substr(at, end - at);
    if (block_end - at < kHeaderSize) {
      at = end;
      continue;
    }
    const bool in_last_block = block_end >= log.size();
    if (rest.size() < kHeaderSize) return LogEnd::kTorn;
    const uint8_t type = At(rest, 6);
    if (type == 0 && AllZero(log.substr(at))) return LogEnd::kTorn;
    const size_t size = kHeaderSize + BodySize(rest);
    if (!TypeIsKnown(type)) return LogEnd::kBroken;
    if (size > rest.size()) {
      const bool torn = in_last_block && at + size <= block_end && !HoldsWholeRecord(rest);
      return torn ? LogEnd::kTorn : LogEnd::kBroken;
    }
    if (!CrcIsRight(rest.substr(0, size))) return LogEnd::kBroken;
    const bool begins = type == kFull || type == kFirst;
    if (begins == in_fragments) return LogEnd::kBroken;
    in_fragments = type == kFirst || type == kMiddle;
    at += size;
    if (!in_fragments) whole = at;
  }
  return in_fragments ? LogEnd::kTorn : LogEnd::kWhole;
}

uint64_t ReadLogFrames(ByteView log, const std::function<void(ByteView record)>& take) {
  uint64_t damaged = 0;
  Bytes record;  // the fragments so far
  bool in_fragments = false;
  size_t at = 0;
  while (at < log.size()) {
    const size_t block_end = at - at % kBlockSize + kBlockSize;
    const ByteView rest = log.substr(at, block_end - at);
    const size_t size = rest.size() < kHeaderSize ? 0 : kHeaderSize + BodySize(rest);
    if (rest.size() < kHeaderSize || AllZero(rest)) {
      at = block_end;  // the padding of a block
      continue;
    }
    const uint8_t type = At(rest, 6);
    if (!TypeIsKnown(type) || size > rest.size() || !CrcIsRight(rest.substr(0, size))) {
      ++damaged;  // its length may be, so that the next one is looked for
      in_fragments = false;
      at += NextWholeRecord(rest, 1);
      continue;
    }
    const bool begins = type == kFull || type == kFirst;
    if (begins) record.clear();
    if (begins || in_fragments) record.append(rest.substr(kHeaderSize, size - kHeaderSize));
    if (type == kFull || (type == kLast && in_fragments)) take(record);
    in_fragments = type == kFirst || (type == kMiddle && in_fragments);
    at += size;
  }
  return damaged;
}

}  // namespace latchkey
