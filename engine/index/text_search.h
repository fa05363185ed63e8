// A search term: a literal fragment that a text or a UUID's text holds, ASCII case ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"

namespace latchkey {

constexpr char FoldAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Which three-byte sequences occur in some texts, case ignored: a set that may say yes for one that
// does not, and never no for one that does.
class TrigramFilter {
 public:
  // What one block of a directory needs: a few thousand different sequences set a tenth of the
  // bits.
  static constexpr int kBitsLog2 = 15;

  bool empty() const { return words_.empty(); }
  void Add(ByteView text);
  // Everything that `other` holds, too.
  void Add(const TrigramFilter& other);
  bool Has(uint32_t bit) const { return (words_[bit / 64] >> bit % 64 & 1) != 0; }
  size_t memory_bytes() const { return words_.capacity() * sizeof(uint64_t); }

 private:
  std::vector<uint64_t> words_;  // none until something is added
};

class SearchTerm {
 public:
  explicit SearchTerm(ByteView term);

  bool empty() const { return folded_.empty(); }
  size_t size() const { return folded_.size(); }

  // The first place at or after `from` where the term begins in `text`, or npos.
  size_t FindIn(ByteView text, size_t from) const;
  // False: no text that was added to the filter holds the term.
  bool MayBeIn(const TrigramFilter& filter) const;

  // Can any UUID's text hold the term?
  bool fits_uuid() const { return even_.starts != 0 || odd_.starts != 0; }
  bool IsIn(const Uuid& uuid) const;

 private:
  // What the byte `offset` behind the one where the digits begin must be, as far as the mask goes.
  struct ByteTest {
    uint8_t mask;
    uint8_t value;
    uint8_t offset;
  };
  // The term's digits as they lie in the bytes of a UUID when the first is the high one of its byte
  // (even) or the low one (odd), and at which bytes they may begin, so that the term's hyphens are
  // where the text has some: one bit a byte.
  struct UuidPattern {
    std::vector<ByteTest> tests;
    uint32_t starts = 0;
    bool IsIn(const Uuid& uuid) const;
  };
  void FitToUuids();
  bool Matches(const char* text) const;  // text[0..size()), all of it

  Bytes folded_;
  std::vector<uint32_t> trigrams_;  // as bits of a filter
  UuidPattern even_;
  UuidPattern odd_;
};

}  // namespace latchkey
