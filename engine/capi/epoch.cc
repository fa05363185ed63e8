// Epochs, and their text.
#include <charconv>

#include "capi/handles.h"
#include "capi/translate.h"
#include "service/backup.h"

namespace latchkey {
namespace {

constexpr size_t kIdTextSize = 32;
static_assert(LATCHKEY_EPOCH_TEXT_SIZE == Uuid::kTextSize + 1 + 20 + 1 + kIdTextSize + 1);

latchkey_epoch GiveEpoch(const Epoch& epoch) {
  latchkey_epoch given{};
  given.history_id = GiveUuid(epoch.history_id);
  given.event_number = epoch.event_number;
  std::memcpy(given.event_id, epoch.event_id.data(), epoch.event_id.size());
  return given;
}

Status ParseEpoch(ByteView text, Epoch* epoch) {
  const Status bad = Status::Error(Code::kInvalidArgument,
                                   "an epoch reads HISTORY/NUMBER/ID: a UUID, a number, "
                                   "32 hexadecimal digits");
  const size_t first = text.find('/');
  const size_t second = text.find('/', first == ByteView::npos ? first : first + 1);
  if (first != Uuid::kTextSize || second == ByteView::npos) return bad;
  const Result<Uuid> history_id = ParseUuid(text.substr(0, first));
  const ByteView number = text.substr(first + 1, second - first - 1);
  const char* end = number.data() + number.size();
  const auto [stopped, error] = std::from_chars(number.data(), end, epoch->event_number);
  if (!history_id.ok() || number.empty() || error != std::errc() || stopped != end ||
      !HexDecode(text.substr(second + 1), epoch->event_id.data(), epoch->event_id.size())) {
    return bad;
  }
  epoch->history_id = *history_id;
  return Status::Ok();
}

}  // namespace

Epoch TakeEpoch(const latchkey_epoch& epoch) {
  Epoch taken;
  taken.history_id = TakeUuid(epoch.history_id);
  taken.event_number = epoch.event_number;
  std::memcpy(taken.event_id.data(), epoch.event_id, taken.event_id.size());
  return taken;
}

extern "C" {

LATCHKEY_API latchkey_code latchkey_store_epoch(latchkey_store* store, latchkey_epoch* out) {
  Out<latchkey_epoch> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.Required());
    result.Give(GiveEpoch(EpochOf(engine)));
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_epoch_parse(const char* text, size_t text_size,
                                                latchkey_epoch* out) {
  Out<latchkey_epoch> result(out);
  return Guard([&]() -> Status {
    LATCHKEY_TRY(result.Required());
    ByteView taken;
    LATCHKEY_TRY(TakeRequiredText(text, text_size, &taken));
    Epoch epoch;
    LATCHKEY_TRY(ParseEpoch(taken, &epoch));
    result.Give(GiveEpoch(epoch));
    return Status::Ok();
  });
}

LATCHKEY_API void latchkey_epoch_format(const latchkey_epoch* epoch,
                                        char text[LATCHKEY_EPOCH_TEXT_SIZE]) {
  const Epoch taken = TakeEpoch(*epoch);
  char* at = text;
  FormatUuid(taken.history_id, at);
  at += Uuid::kTextSize;
  *at++ = '/';
  at = std::to_chars(at, at + 20, taken.event_number).ptr;
  *at++ = '/';
  constexpr char kDigits[] = "0123456789abcdef";
  for (const uint8_t byte : taken.event_id) {
    *at++ = kDigits[byte >> 4];
    *at++ = kDigits[byte & 15];
  }
  *at = '\0';
}

}  // extern "C"

}  // namespace latchkey
