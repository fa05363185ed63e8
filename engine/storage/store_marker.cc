// The marker: reading it strictly, writing it.
#include "storage/store_marker.h"

#include <charconv>
#include <limits>

#include "base/limits.h"

namespace latchkey {
namespace {

constexpr ByteView kTitle = "latchkey store\n";
constexpr ByteView kFormatWord = "format ";
constexpr ByteView kIdWord = "id ";
constexpr ByteView kPepperWord = "pepper ";
constexpr ByteView kCrcWord = "crc ";
constexpr size_t kCrcLineSize = 4 + 8 + 1;

constexpr ByteView kAckMagic("LKACK\0\0\1", 8);
constexpr size_t kAckSequenceAt = 8;
constexpr size_t kAckStoreAt = 16;
constexpr size_t kAckHistoryAt = 32;
constexpr size_t kAckEventAt = 48;
constexpr size_t kAckReservedAt = 56;
constexpr size_t kAckCrcAt = 60;

Bytes CrcLine(ByteView above) {
  const uint32_t crc = Crc32(above);
  Bytes big_endian(4, '\0');
  for (int i = 0; i < 4; ++i) big_endian[i] = static_cast<char>(crc >> (24 - 8 * i));
  return Bytes(kCrcWord) + HexEncode(big_endian) + "\n";
}

// Reads from the front of `text` and takes off what it has read.
bool TakeText(ByteView* text, ByteView expected) {
  if (!text->starts_with(expected)) return false;
  text->remove_prefix(expected.size());
  return true;
}

// A number that does not fit is taken as the greatest: it is newer than anything we know.
bool TakeNumber(ByteView* text, uint32_t* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  const size_t digits = static_cast<size_t>(end - text->data());
  if (error == std::errc::invalid_argument) return false;
  if (error == std::errc::result_out_of_range) *number = std::numeric_limits<uint32_t>::max();
  text->remove_prefix(digits);
  return true;
}

bool TakeUuid(ByteView* text, Uuid* uuid) {
  if (text->size() < Uuid::kTextSize) return false;
  const Result<Uuid> parsed = ParseUuid(text->substr(0, Uuid::kTextSize));
  if (!parsed.ok()) return false;
  *uuid = parsed.value();
  text->remove_prefix(Uuid::kTextSize);
  return true;
}

bool TakePepper(ByteView* text, Marker::PepperCheck* pepper) {
  const size_t digits = 2 * pepper->value.size();
  if (!TakeText(text, kPepperWord) || !TakeNumber(text, &pepper->version) || !TakeText(text, " ") ||
      text->size() < digits ||
      !HexDecode(text->substr(0, digits), pepper->value.data(), pepper->value.size())) {
    return false;
  }
  text->remove_prefix(digits);
  return TakeText(text, "\n");
}

bool ParseBody(ByteView text, Marker* marker) {
  if (!TakeText(&text, kTitle) || !TakeText(&text, kFormatWord) ||
      !TakeNumber(&text, &marker->format_reader_min) || !TakeText(&text, " ") ||
      !TakeNumber(&text, &marker->format_writer_min) || !TakeText(&text, "\n") ||
      !TakeText(&text, kIdWord) || !TakeUuid(&text, &marker->store_id) || !TakeText(&text, "\n")) {
    return false;
  }
  while (!text.empty()) {
    Marker::PepperCheck pepper;
    if (!TakePepper(&text, &pepper)) return false;
    if (!marker->peppers.empty() && marker->peppers.back().version >= pepper.version) return false;
    marker->peppers.push_back(pepper);
  }
  return marker->peppers.size() <= limits::kPepperVersionsMax;
}

}  // namespace

Bytes FormatMarker(const Marker& marker) {
  Bytes text(kTitle);
  text.append(kFormatWord).append(std::to_string(marker.format_reader_min)).append(" ");
  text.append(std::to_string(marker.format_writer_min)).append("\n");
  text.append(kIdWord).append(FormatUuid(marker.store_id)).append("\n");
  for (const Marker::PepperCheck& pepper : marker.peppers) {
    text.append(kPepperWord).append(std::to_string(pepper.version)).append(" ");
    text.append(HexEncode(View(pepper.value))).append("\n");
  }
  return text + CrcLine(text);
}

Result<Marker> ParseMarker(ByteView text, uint32_t format) {
  ByteView head = text;
  uint32_t reader_min = 0;
  if (!TakeText(&head, kTitle)) {
    return Status::Error(Code::kInvalidArgument, "this is not the marker of a latchkey store");
  }
  if (TakeText(&head, kFormatWord) && TakeNumber(&head, &reader_min) && head.starts_with(' ') &&
      reader_min > format) {
    return Status::Error(Code::kUnsupported, "the store was made by a newer latchkey");
  }
  const size_t body_size = text.size() < kCrcLineSize ? 0 : text.size() - kCrcLineSize;
  const ByteView body = text.substr(0, body_size);
  if (text.substr(body_size) != CrcLine(body)) {
    return Status::Error(Code::kCorruption, "the marker of the store is damaged");
  }
  Marker marker;
  // One way of writing it only: no leading zeros, no capitals, no number that does not fit.
  if (!ParseBody(body, &marker) || FormatMarker(marker) != text) {
    return Status::Error(Code::kInvalidArgument, "the marker of the store does not parse");
  }
  return marker;
}

std::array<char, kAckSlotSize> FormatAckSlot(const AckSlot& slot) {
  std::array<char, kAckSlotSize> bytes{};
  std::memcpy(bytes.data(), kAckMagic.data(), kAckMagic.size());
  StoreLe64(bytes.data() + kAckSequenceAt, slot.sequence);
  std::memcpy(bytes.data() + kAckStoreAt, slot.ack.store_id.bytes.data(), Uuid::kSize);
  std::memcpy(bytes.data() + kAckHistoryAt, slot.ack.history_id.bytes.data(), Uuid::kSize);
  StoreLe64(bytes.data() + kAckEventAt, slot.ack.event_number);
  const uint32_t crc = Crc32({bytes.data(), kAckCrcAt});
  std::memcpy(bytes.data() + kAckCrcAt, &crc, sizeof crc);
  return bytes;
}

std::optional<AckSlot> ParseAckSlot(ByteView bytes) {
  if (bytes.size() != kAckSlotSize || !bytes.starts_with(kAckMagic)) return std::nullopt;
  uint32_t reserved;
  uint32_t crc;
  std::memcpy(&reserved, bytes.data() + kAckReservedAt, sizeof reserved);
  std::memcpy(&crc, bytes.data() + kAckCrcAt, sizeof crc);
  if (reserved != 0 || crc != Crc32(bytes.substr(0, kAckCrcAt))) return std::nullopt;
  AckSlot slot;
  slot.sequence = LoadLe64(bytes.data() + kAckSequenceAt);
  slot.ack.store_id = Uuid::From(bytes.substr(kAckStoreAt, Uuid::kSize));
  slot.ack.history_id = Uuid::From(bytes.substr(kAckHistoryAt, Uuid::kSize));
  slot.ack.event_number = LoadLe64(bytes.data() + kAckEventAt);
  return slot;
}

}  // namespace latchkey
