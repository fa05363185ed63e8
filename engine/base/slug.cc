// Slugs from names. What letters outside ASCII become is data, in slug_table.cc.
#include "base/limits.h"
#include "base/slug_table.h"
#include "base/text.h"
#include "base/utf8.h"

namespace latchkey {
namespace {

// Puts a slug together; anything but a letter or a digit ends a word, and a word's hyphen
// is only written once the next word begins.
class SlugBuilder {
 public:
  void Put(char c) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) {
      word_ended_ = true;
      return;
    }
    if (word_ended_ && !slug_.empty()) slug_.push_back('-');
    word_ended_ = false;
    slug_.push_back(c);
  }
  bool full() const { return slug_.size() >= limits::kSlugBytesMax; }
  ByteView slug() const { return slug_; }

 private:
  Bytes slug_;
  bool word_ended_ = false;
};

// The first `size` bytes at most, without a hyphen at the end.
ByteView Cut(ByteView slug, size_t size) {
  slug = slug.substr(0, size);
  while (slug.ends_with('-')) slug.remove_suffix(1);
  return slug;
}

}  // namespace

Bytes Slugify(ByteView name) {
  SlugBuilder builder;
  while (!name.empty() && !builder.full()) {
    char32_t c = 0;
    if (!TakeCodePoint(&name, &c)) {
      name.remove_prefix(1);
      builder.Put('-');
    } else if (c < 0x80) {
      builder.Put(static_cast<char>(c));
    } else if (const char* text = SlugText(c); text != nullptr) {
      while (*text != '\0') builder.Put(*text++);
    } else {
      builder.Put('-');
    }
  }
  return Bytes(Cut(builder.slug(), limits::kSlugBytesMax));
}

Bytes SlugWithSuffix(ByteView slug, ByteView suffix) {
  const size_t taken = suffix.size() + 1;
  const size_t room = taken < limits::kSlugBytesMax ? limits::kSlugBytesMax - taken : 0;
  Bytes out(Cut(slug, room));
  if (!out.empty()) out.push_back('-');
  out.append(suffix);
  return out;
}

}  // namespace latchkey
