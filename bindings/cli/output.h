// What is printed, and how it is made safe to print: JSON for programs, tables for people. Names
// are text that somebody else chose; on a terminal a control or direction character in one could
// rewrite the lines around it.
#pragma once

#include <wire/wire.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latchkey::cli {

using wire::Json;

// One value on lines of its own, and one value on one line.
void PrintJson(const Json& value);
void PrintJsonLine(const Json& value);
void PrintText(std::string_view text);

// Throws if what was printed could not be written (a full device, a closed pipe).
void FlushOutput();

// Control, direction and invisible characters as \u{202e}, a backslash as two, and bytes that are
// not UTF-8 as \xff.
std::string EscapeForTerminal(std::string_view text);

// Columns under headings, as wide as they need to be. Cells are escaped here.
class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  void AddRow(const std::vector<std::string>& cells);
  void Print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "label  value" lines for one thing. Values are escaped here; empty ones are left out.
using Field = std::pair<std::string, std::string>;
void PrintFields(const std::vector<Field>& fields);

// "1-8 of 33".
std::string PageSummary(uint32_t page, uint32_t per_page, size_t count, uint64_t total);

}  // namespace latchkey::cli
