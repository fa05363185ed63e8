// Searching for a fragment: sixteen places of a text at a time where the processor can, and all
// places of a UUID at once, by comparing its bytes instead of writing its text.
#include "index/text_search.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>

namespace latchkey {
namespace {

constexpr uint32_t kTrigramMask = 0xFFFFFF;

uint32_t FilterBit(uint32_t trigram) {
  constexpr uint32_t kSpread = 0x9E3779B1;  // 2^32 over the golden ratio: neighbours part
  return trigram * kSpread >> (32 - TrigramFilter::kBitsLog2);
}

// Calls `visit(bit)` for each three bytes in a row, case folded.
template <typename Visit>
void ForEachTrigram(ByteView text, Visit&& visit) {
  uint32_t trigram = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    trigram = (trigram << 8 | static_cast<uint8_t>(FoldAscii(text[i]))) & kTrigramMask;
    if (i >= 2) visit(FilterBit(trigram));
  }
}

constexpr bool IsHyphenPlace(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

// -1 if it is no lower-case hexadecimal digit.
constexpr int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#if defined(__SSE2__)
// Matches one byte in either case: for a letter, setting bit 5 makes both cases the lower one and
// no other byte a letter; for other bytes nothing is set.
class FoldedByte {
 public:
  explicit FoldedByte(char folded)
      : case_bit_(_mm_set1_epi8(folded >= 'a' && folded <= 'z' ? 0x20 : 0)),
        byte_(_mm_set1_epi8(folded)) {}
  __m128i In(const char* text) const {
    __m128i bytes;
    std::memcpy(&bytes, text, sizeof bytes);
    return _mm_cmpeq_epi8(_mm_or_si128(bytes, case_bit_), byte_);
  }

 private:
  __m128i case_bit_;
  __m128i byte_;
};
#endif

}  // namespace

void TrigramFilter::Add(ByteView text) {
  if (words_.empty()) words_.resize((size_t{1} << kBitsLog2) / 64);
  ForEachTrigram(text, [this](uint32_t bit) { words_[bit / 64] |= uint64_t{1} << bit % 64; });
}

void TrigramFilter::Add(const TrigramFilter& other) {
  if (other.words_.empty()) return;
  if (words_.empty()) words_.resize(other.words_.size());
  for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
}

SearchTerm::SearchTerm(ByteView term) : folded_(term) {
  std::transform(folded_.begin(), folded_.end(), folded_.begin(), FoldAscii);
  ForEachTrigram(folded_, [this](uint32_t bit) { trigrams_.push_back(bit); });
  FitToUuids();
}

void SearchTerm::FitToUuids() {
  if (folded_.empty()) return;  // most lists are not searched
  std::vector<uint8_t> digits;
  for (const char c : folded_) {
    if (c != '-' && DigitOf(c) < 0) return;
    if (c != '-') digits.push_back(static_cast<uint8_t>(DigitOf(c)));
  }
  for (UuidPattern* const pattern : {&even_, &odd_}) {
    size_t half = pattern == &odd_ ? 1 : 0;  // of a byte: 0 = high
    for (const uint8_t digit : digits) {
      const bool is_high = half % 2 == 0;
      const ByteTest test{static_cast<uint8_t>(is_high ? 0xF0 : 0x0F),
                          static_cast<uint8_t>(is_high ? digit << 4 : digit),
                          static_cast<uint8_t>(half / 2)};
      if (!is_high && !pattern->tests.empty()) {
        pattern->tests.back().mask |= test.mask;
        pattern->tests.back().value |= test.value;
      } else {
        pattern->tests.push_back(test);
      }
      ++half;
    }
    // Whole bytes tell more than halves.
    std::partition(pattern->tests.begin(), pattern->tests.end(),
                   [](const ByteTest& test) { return test.mask == 0xFF; });
  }
  size_t digit = 0;  // before the place in the text
  for (size_t begin = 0; begin + folded_.size() <= Uuid::kTextSize; ++begin) {
    bool fits = !folded_.empty();
    for (size_t i = 0; fits && i < folded_.size(); ++i) {
      fits = IsHyphenPlace(begin + i) == (folded_[i] == '-');
    }
    if (fits) (digit % 2 == 0 ? even_ : odd_).starts |= 1u << digit / 2;
    if (!IsHyphenPlace(begin)) ++digit;
  }
}

bool SearchTerm::UuidPattern::IsIn(const Uuid& uuid) const {
  uint32_t at = starts;
#if defined(__SSE2__)
  __m128i bytes;
  std::memcpy(&bytes, uuid.bytes.data(), sizeof bytes);
  for (const ByteTest& test : tests) {
    if (at == 0) return false;
    const __m128i masked = _mm_and_si128(bytes, _mm_set1_epi8(static_cast<char>(test.mask)));
    const __m128i same = _mm_cmpeq_epi8(masked, _mm_set1_epi8(static_cast<char>(test.value)));
    at &= static_cast<uint32_t>(_mm_movemask_epi8(same)) >> test.offset;
  }
#else
  for (const ByteTest& test : tests) {
    if (at == 0) return false;
    uint32_t same = 0;
    for (size_t i = 0; i < Uuid::kSize; ++i) {
      same |= uint32_t{(uuid.bytes[i] & test.mask) == test.value} << i;
    }
    at &= same >> test.offset;
  }
#endif
  return at != 0;
}

bool SearchTerm::IsIn(const Uuid& uuid) const { return even_.IsIn(uuid) || odd_.IsIn(uuid); }

bool SearchTerm::MayBeIn(const TrigramFilter& filter) const {
  if (filter.empty()) return true;
  return std::all_of(trigrams_.begin(), trigrams_.end(),
                     [&](uint32_t bit) { return filter.Has(bit); });
}

bool SearchTerm::Matches(const char* text) const {
  for (size_t i = 0; i < folded_.size(); ++i) {
    if (FoldAscii(text[i]) != folded_[i]) return false;
  }
  return true;
}

size_t SearchTerm::FindIn(ByteView text, size_t from) const {
  if (text.size() < folded_.size()) return ByteView::npos;
  const size_t places = text.size() - folded_.size() + 1;
  size_t at = from;
#if defined(__SSE2__)
  // Where the first and the last byte are right, the rest is worth a look.
  const FoldedByte first(folded_.front());
  const FoldedByte last(folded_.back());
  constexpr size_t kLanes = 16;
  for (; at + kLanes <= places; at += kLanes) {
    const __m128i found =
        _mm_and_si128(first.In(text.data() + at), last.In(text.data() + at + folded_.size() - 1));
    for (auto bits = static_cast<uint32_t>(_mm_movemask_epi8(found)); bits != 0; bits &= bits - 1) {
      const size_t place = at + static_cast<size_t>(std::countr_zero(bits));
      if (Matches(text.data() + place)) return place;
    }
  }
#endif
  for (; at < places; ++at) {
    if (Matches(text.data() + at)) return at;
  }
  return ByteView::npos;
}

}  // namespace latchkey
