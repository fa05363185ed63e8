// The checks on names, slugs and e-mail addresses, each broken rule with its own fixed text.
#include "base/text.h"

#include "base/limits.h"
#include "base/utf8.h"

namespace latchkey {
namespace {

bool IsControl(char32_t c) { return c < 0x20 || (c >= 0x7F && c <= 0x9F); }

Status Refuse(Literal why) { return Status::Error(Code::kInvalidArgument, why); }

}  // namespace

int64_t CountCodePoints(ByteView utf8) {
  int64_t count = 0;
  for (char32_t ignored; !utf8.empty(); ++count) {
    if (!TakeCodePoint(&utf8, &ignored)) return -1;
  }
  return count;
}

Status CheckName(ByteView name) {
  if (name.empty()) return Refuse("the name is empty");
  // Whatever is longer in bytes is longer in characters, if it is characters at all; so a name of
  // many megabytes costs nothing.
  if (name.size() > limits::kNameBytesMax) return Refuse("the name has more than 64 characters");
  size_t count = 0;
  char32_t first = 0;
  char32_t last = 0;
  while (!name.empty()) {
    if (!TakeCodePoint(&name, &last)) return Refuse("the name is not valid UTF-8");
    if (count++ == 0) first = last;
  }
  if (count > limits::kNameCodePointsMax) return Refuse("the name has more than 64 characters");
  if (IsWhiteSpace(first) || IsWhiteSpace(last)) {
    return Refuse("the name begins or ends with white space");
  }
  return Status::Ok();
}

Status CheckSlug(ByteView slug) {
  if (slug.empty()) return Refuse("the slug is empty");
  if (slug.size() > limits::kSlugBytesMax) return Refuse("the slug has more than 64 characters");
  for (const char c : slug) {
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') {
      return Refuse("the slug holds something other than a-z, 0-9 and hyphens");
    }
  }
  if (slug.front() == '-' || slug.back() == '-') {
    return Refuse("the slug begins or ends with a hyphen");
  }
  if (slug.find("--") != ByteView::npos) return Refuse("the slug has two hyphens in a row");
  return Status::Ok();
}

Status CheckEmail(ByteView email) {
  if (email.size() < limits::kEmailBytesMin) {
    return Refuse("the e-mail address has fewer than 3 bytes");
  }
  if (email.size() > limits::kEmailBytesMax) {
    return Refuse("the e-mail address has more than 254 bytes");
  }
  for (ByteView rest = email; !rest.empty();) {
    char32_t c = 0;
    if (!TakeCodePoint(&rest, &c)) return Refuse("the e-mail address is not valid UTF-8");
    if (IsWhiteSpace(c) || IsControl(c)) {
      return Refuse("the e-mail address holds white space or a control character");
    }
  }
  const size_t at = email.find('@');
  if (at == ByteView::npos || email.find('@', at + 1) != ByteView::npos) {
    return Refuse("the e-mail address does not hold exactly one @");
  }
  if (at == 0 || at + 1 == email.size()) {
    return Refuse("the e-mail address has nothing before or after its @");
  }
  return Status::Ok();
}

Bytes FoldAscii(ByteView text) {
  Bytes out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace latchkey
