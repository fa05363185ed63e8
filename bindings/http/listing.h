// Lists: what a query asks for, and the links to the pages around the one it gets.
#pragma once

#include <latchkey/latchkey.hpp>

#include <string>

#include "request.h"

namespace latchkey::http {

// Owns the texts that its query borrows.
class Listing {
 public:
  // `hidden` is the parameter for what is listed no more: "revoked" or "deleted". Throws a Refusal
  // (400).
  Listing(const Request& request, const char* hidden);

  // A parameter that only some lists have; nullptr when it is not there.
  const std::string* Find(std::string_view name) const { return form_.Find(name); }

  // For the caller to fill in whose list it is, and of what.
  ListQuery* query() { return &query_; }
  // For a caller who sees one row only. False when he asked for another.
  bool NarrowToSlug(std::string slug);

  // The value of a Link header (RFC 8288) for a list of so many rows; empty when a page has none.
  std::string Link(uint64_t total) const;

 private:
  std::string PageReference(uint64_t page) const;

  Form form_;
  const char* hidden_;
  std::string narrowed_slug_;
  ListQuery query_;
};

// "unable to parse query string: ", which every refusal of a query begins with.
extern const char kBadQuery[];

}  // namespace latchkey::http
