// The small files of a store, as any bytes: the marker, a slot of `ack`, a pepper file, a log. What
// is taken has no other spelling. The first byte of an input says which file the rest is; of marker
// and slot the CRC is also made right, so that what lies behind it is reached.
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "crypto/pepper.h"
#include "fuzz/target.h"
#include "storage/log_frames.h"
#include "storage/store_marker.h"
#include "support/temp_dir.h"

namespace latchkey::fuzz {
namespace {

constexpr uint32_t kFormat = 1;

void ReadMarkerText(ByteView text) {
  const Result<Marker> marker = ParseMarker(text, kFormat);
  if (!marker.ok()) {
    Expect(marker.code() == Code::kUnsupported || marker.code() == Code::kCorruption ||
               marker.code() == Code::kInvalidArgument,
           "a code that a marker does not have", text);
    return;
  }
  Expect(FormatMarker(*marker) == text && !Canary(marker->format_writer_min > 1),
         "a marker with two spellings", text);
}

void ReadMarker(ByteView text) {
  ReadMarkerText(text);
  const Bytes body(text.substr(0, text.rfind("crc ")));
  const uint32_t crc = Crc32(body);
  Bytes big_endian(4, '\0');
  for (int i = 0; i < 4; ++i) big_endian[i] = static_cast<char>(crc >> (24 - 8 * i));
  ReadMarkerText(body + "crc " + HexEncode(big_endian) + "\n");
}

void ReadSlotBytes(ByteView bytes) {
  const std::optional<AckSlot> slot = ParseAckSlot(bytes);
  if (!slot.has_value()) return;
  const auto again = FormatAckSlot(*slot);
  Expect(ByteView(again.data(), again.size()) == bytes, "a slot with two spellings");
}

void ReadSlot(ByteView bytes) {
  ReadSlotBytes(bytes);
  if (bytes.size() != kAckSlotSize) return;
  Bytes mended(bytes);
  const uint32_t crc = Crc32(bytes.substr(0, kAckSlotSize - 4));
  std::memcpy(mended.data() + kAckSlotSize - 4, &crc, sizeof crc);
  ReadSlotBytes(mended);
}

void ReadPepper(ByteView text) {
  static const auto dir = std::make_unique<test::TempDir>();
  const std::string path = *dir / "pepper";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  Expect(fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
             close(fd) == 0,
         "the file could not be written");
  const Result<PepperFile> file = PepperFile::Load(path);
  if (!file.ok()) {
    Expect(file.code() == Code::kWrongPepper, "a code that a pepper file does not have", text);
    return;
  }
  Bytes again = "latchkey-pepper 1\n";
  for (const PepperFile::Entry& entry : file->entries()) {
    const auto pepper = entry.pepper.Expose();
    again += std::to_string(entry.version) + " ";
    again += HexEncode({reinterpret_cast<const char*>(pepper.data()), pepper.size()}) + "\n";
  }
  Expect(again == text, "a pepper file with two spellings", text);
}

// A log that is whole cannot be cut by a byte and still be whole, but between two records. Of one
// that is damaged what can be read is read, and never more than there is.
void ReadLog(ByteView bytes) {
  size_t read = 0;
  const uint64_t damaged = ReadLogFrames(bytes, [&](ByteView record) { read += record.size(); });
  Expect(read <= bytes.size(), "more was read than there is");
  Expect(damaged == 0 || CheckLogFrames(bytes) != LogEnd::kWhole, "a whole log is damaged");
  if (CheckLogFrames(bytes) != LogEnd::kWhole || bytes.size() < 8) return;
  CheckLogFrames(bytes.substr(0, bytes.size() - 1));
}

void Read(uint8_t which, ByteView bytes) {
  switch (which % 4) {
    case 0:
      return ReadMarker(bytes);
    case 1:
      return ReadSlot(bytes);
    case 2:
      return ReadPepper(bytes);
    default:
      return ReadLog(bytes);
  }
}

}  // namespace
}  // namespace latchkey::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  latchkey::fuzz::Read(data[0], {reinterpret_cast<const char*>(data + 1), size - 1});
  return 0;
}
