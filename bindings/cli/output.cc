#include "output.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "refusal.h"

namespace latchkey::cli {
namespace {

// The code point that starts at text[*position], which is moved past it; nothing, and no move, when
// the bytes there are not UTF-8.
std::optional<char32_t> NextCodePoint(std::string_view text, size_t* position) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[*position + i]); };
  const unsigned first = byte(0);
  size_t size = 1;
  char32_t code_point = first;
  if (first >= 0xF0 && first < 0xF5) {
    size = 4;
    code_point = first & 0x07;
  } else if (first >= 0xE0 && first < 0xF0) {
    size = 3;
    code_point = first & 0x0F;
  } else if (first >= 0xC2 && first < 0xE0) {
    size = 2;
    code_point = first & 0x1F;
  } else if (first >= 0x80) {
    return std::nullopt;
  }
  if (text.size() - *position < size) return std::nullopt;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return std::nullopt;
    code_point = code_point << 6 | (byte(i) & 0x3F);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < kSmallest[size] || code_point > 0x10FFFF || surrogate) return std::nullopt;
  *position += size;
  return code_point;
}

// Moves the cursor, turns the direction of text, or shows nothing at all. Joiners (U+200C, U+200D)
// are left alone: scripts and emoji need them.
bool IsDeceptive(char32_t c) {
  struct Range {
    char32_t first;
    char32_t last;
  };
  static constexpr Range kRanges[] = {
      {0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C}, {0x200B, 0x200B}, {0x200E, 0x200F},
      {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [c](const Range& range) { return range.first <= c && c <= range.last; });
}

void AppendFormatted(const char* format, unsigned number, std::string* out) {
  char text[16];
  std::snprintf(text, sizeof text, format, number);
  *out += text;
}

// JSON has its own spelling for any character, so nothing is lost by using it here.
std::string WithDeceptiveEscaped(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (size_t position = 0; position < json.size();) {
    const size_t begin = position;
    const std::optional<char32_t> c = NextCodePoint(json, &position);
    if (!c) {
      ++position;  // nlohmann has replaced what is not UTF-8, so this is not reached
    } else if (*c > 0xFFFF && IsDeceptive(*c)) {
      AppendFormatted("\\u%04x", 0xD800 + ((*c - 0x10000) >> 10), &out);
      AppendFormatted("\\u%04x", 0xDC00 + ((*c - 0x10000) & 0x3FF), &out);
    } else if (*c >= 0x7F && IsDeceptive(*c)) {
      AppendFormatted("\\u%04x", *c, &out);
    } else {
      out.append(json, begin, position - begin);
    }
  }
  return out;
}

size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

void PrintText(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void PrintJson(const Json& value) {
  PrintText(WithDeceptiveEscaped(value.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n");
}

void PrintJsonLine(const Json& value) {
  PrintText(WithDeceptiveEscaped(value.dump(-1, ' ', false, Json::error_handler_t::replace)) +
            "\n");
}

void FlushOutput() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw Refusal(kFailure, "standard output", std::strerror(errno),
                  "What was done stands; only the answer is lost.");
  }
}

std::string EscapeForTerminal(std::string_view text) {
  std::string out;
  for (size_t position = 0; position < text.size();) {
    const size_t begin = position;
    const std::optional<char32_t> c = NextCodePoint(text, &position);
    if (!c) {
      AppendFormatted("\\x%02x", static_cast<unsigned char>(text[position++]), &out);
    } else if (*c == '\\') {
      out += "\\\\";
    } else if (IsDeceptive(*c)) {
      AppendFormatted("\\u{%x}", *c, &out);
    } else {
      out += text.substr(begin, position - begin);
    }
  }
  return out;
}

Table::Table(std::vector<std::string> headings) { rows_.push_back(std::move(headings)); }

void Table::AddRow(const std::vector<std::string>& cells) {
  std::vector<std::string> row;
  for (const std::string& cell : cells) row.push_back(EscapeForTerminal(cell));
  rows_.push_back(std::move(row));
}

void Table::Print() const {
  std::vector<size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - Width(row[i]) + 2, ' ');
    }
    PrintText(line + "\n");
  }
}

void PrintFields(const std::vector<Field>& fields) {
  size_t width = 0;
  for (const Field& field : fields) {
    if (!field.second.empty()) width = std::max(width, Width(field.first));
  }
  for (const Field& field : fields) {
    if (field.second.empty()) continue;
    PrintText(field.first + std::string(width - Width(field.first) + 2, ' ') +
              EscapeForTerminal(field.second) + "\n");
  }
}

std::string PageSummary(uint32_t page, uint32_t per_page, size_t count, uint64_t total) {
  if (count == 0) return "0 of " + std::to_string(total);
  const uint64_t first = uint64_t{page == 0 ? 0 : page - 1} * per_page + 1;
  return std::to_string(first) + "-" + std::to_string(first + count - 1) + " of " +
         std::to_string(total);
}

}  // namespace latchkey::cli
