// Functions without a store: texts, version, UUIDs.
#include "base/text.h"
#include "capi/handles.h"
#include "capi/translate.h"

using latchkey::Guard;
using latchkey::Status;

extern "C" {

const char* latchkey_code_text(latchkey_code code) {
  switch (code) {
    case LATCHKEY_OK:
      return "ok";
    case LATCHKEY_INVALID_ARGUMENT:
      return "invalid argument";
    case LATCHKEY_NOT_FOUND:
      return "not found";
    case LATCHKEY_CONFLICT:
      return "conflict with what is there";
    case LATCHKEY_DENIED:
      return "the credential is denied";
    case LATCHKEY_FORBIDDEN:
      return "forbidden by role";
    case LATCHKEY_BUSY:
      return "busy, try again later";
    case LATCHKEY_OUTCOME_UNKNOWN:
      return "the outcome of a write is unknown";
    case LATCHKEY_IO:
      return "input or output failed";
    case LATCHKEY_NO_SPACE:
      return "no space left on the device";
    case LATCHKEY_CORRUPTION:
      return "the store is damaged";
    case LATCHKEY_WRONG_PEPPER:
      return "the pepper is missing or not the store's";
    case LATCHKEY_ROLLED_BACK:
      return "the store is older than what it acknowledged";
    case LATCHKEY_GONE:
      return "that part of the history is gone";
    case LATCHKEY_UNSUPPORTED:
      return "not supported";
    case LATCHKEY_INTERNAL:
      return "internal error";
    default:
      return "unknown code";
  }
}

const char* latchkey_reason_text(uint32_t reason) {
  switch (reason) {
    case LATCHKEY_REASON_ALLOWED:
      return "allowed";
    case LATCHKEY_REASON_MALFORMED:
      return "malformed";
    case LATCHKEY_REASON_UNKNOWN:
      return "unknown";
    case LATCHKEY_REASON_REVOKED:
      return "revoked";
    case LATCHKEY_REASON_EXPIRED:
      return "expired";
    case LATCHKEY_REASON_NOT_YET:
      return "not_yet";
    case LATCHKEY_REASON_LOCKED:
      return "locked";
    case LATCHKEY_REASON_DELETED:
      return "deleted";
    case LATCHKEY_REASON_SCOPE:
      return "scope";
    default:
      return "other";
  }
}

const char* latchkey_version(void) { return LATCHKEY_VERSION; }

uint32_t latchkey_abi(void) { return LATCHKEY_ABI; }

latchkey_code latchkey_uuid_parse(const char* text, size_t text_size, latchkey_uuid* out) {
  return Guard([&]() -> Status {
    latchkey::ByteView view;
    LATCHKEY_TRY(latchkey::TakeRequiredText(text, text_size, &view));
    if (out == nullptr) {
      return Status::Error(latchkey::Code::kInvalidArgument, "the result is NULL");
    }
    *out = latchkey_uuid{};
    LATCHKEY_TRY_ASSIGN(const latchkey::Uuid uuid, latchkey::ParseUuid(view));
    *out = latchkey::GiveUuid(uuid);
    return Status::Ok();
  });
}

latchkey_code latchkey_name_check(const char* text, size_t text_size) {
  return Guard([&]() -> Status {
    latchkey::ByteView view;
    LATCHKEY_TRY(latchkey::TakeRequiredText(text, text_size, &view));
    return latchkey::CheckName(view);
  });
}

latchkey_code latchkey_slug_check(const char* text, size_t text_size) {
  return Guard([&]() -> Status {
    latchkey::ByteView view;
    LATCHKEY_TRY(latchkey::TakeRequiredText(text, text_size, &view));
    return latchkey::CheckSlug(view);
  });
}

void latchkey_uuid_format(const latchkey_uuid* uuid, char text[LATCHKEY_UUID_TEXT_SIZE]) {
  if (uuid == nullptr || text == nullptr) return;
  latchkey::FormatUuid(latchkey::TakeUuid(uuid), text);
  text[LATCHKEY_UUID_TEXT_SIZE - 1] = '\0';
}

}  // extern "C"
