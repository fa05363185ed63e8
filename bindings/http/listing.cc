#include "listing.h"

#include <algorithm>

#include "limits.h"
#include "refusal.h"

namespace latchkey::http {

const char kBadQuery[] = "unable to parse query string: ";

Listing::Listing(const Request& request, const char* hidden)
    : form_(request.target.query, kBadQuery), hidden_(hidden) {
  if (const std::string* sort = form_.Find("sort"); sort != nullptr && *sort != "name") {
    form_.Refuse("sort", "it is name");
  }
  if (const std::string* direction = form_.Find("direction"); direction != nullptr) {
    query_.descending = *direction == "desc";
    if (!query_.descending && *direction != "asc") {
      form_.Refuse("direction", "it is asc or desc");
    }
  }
  query_.page = std::max(form_.Whole("page", 1, UINT32_MAX), 1u);
  query_.page_size = form_.Whole("per_page", LATCHKEY_PAGE_SIZE_DEFAULT,
                                 static_cast<uint32_t>(limits::kPerPageMax));
  query_.revoked = form_.Truth(hidden);
  if (const std::string* name = form_.Find("name"); name != nullptr) {
    if (latchkey_name_check(name->data(), name->size()) != LATCHKEY_OK) {
      form_.Refuse("name", latchkey_error_text());
    }
    query_.name = *name;
  }
  if (const std::string* slug = form_.Find("slug"); slug != nullptr) {
    if (latchkey_slug_check(slug->data(), slug->size()) != LATCHKEY_OK) {
      form_.Refuse("slug", latchkey_error_text());
    }
    query_.slug = *slug;
  }
  if (const std::string* search = form_.Find("search"); search != nullptr) {
    if (search->size() > LATCHKEY_SEARCH_BYTES_MAX) {
      form_.Refuse("search", "it has at most 1024 bytes");
    }
    query_.search = *search;
  }
}

bool Listing::NarrowToSlug(std::string slug) {
  if (query_.slug && *query_.slug != slug) return false;
  narrowed_slug_ = std::move(slug);
  query_.slug = narrowed_slug_;
  return true;
}

std::string Listing::PageReference(uint64_t page) const {
  // A reference of a query alone keeps the path, however the client spelled it.
  std::string out = "<?";
  const auto add = [&](std::string_view name, std::string_view value) {
    if (out.size() > 2) out += '&';
    out.append(name).append("=").append(EncodeComponent(value));
  };
  for (const char* name : {"direction", "email", "name"}) {
    if (const std::string* value = form_.Find(name); value != nullptr) add(name, *value);
  }
  add("page", std::to_string(page));
  add("per_page", std::to_string(query_.page_size));
  for (const char* name : {hidden_, "search", "slug", "sort"}) {
    if (const std::string* value = form_.Find(name); value != nullptr) add(name, *value);
  }
  return out + ">; rel=";
}

std::string Listing::Link(uint64_t total) const {
  if (query_.page_size == 0) return "";
  const uint64_t last = std::max<uint64_t>((total + query_.page_size - 1) / query_.page_size, 1);
  const uint64_t page = query_.page;
  std::string link = PageReference(1) + "\"first\"";
  if (page > 1) link += ", " + PageReference(std::min(page - 1, last)) + "\"prev\"";
  if (page < last) link += ", " + PageReference(page + 1) + "\"next\"";
  return link + ", " + PageReference(last) + "\"last\"";
}

}  // namespace latchkey::http
