// What lists of owners and of credentials have in common: their options.
#pragma once

#include "capi/translate.h"

namespace latchkey {

struct ListArguments {
  Uuid owner;
  uint32_t kind = 0;
  DirectoryFilter filter;
  uint64_t offset = 0;
  size_t limit = 0;
};

// `count` is only checked not to be NULL. 64-bit offsets: no page overflows.
inline Status TakeList(const latchkey_list_options* options, size_t capacity, const size_t* count,
                       ListArguments* out) {
  if (count == nullptr) return Status::Error(Code::kInvalidArgument, "the count is NULL");
  latchkey_list_options taken;
  LATCHKEY_TRY(TakeOptions(options, &taken));
  if (taken.revoked > 1 || taken.descending > 1 || taken.reserved != 0) {
    return Status::Error(Code::kInvalidArgument, "a flag is neither 0 nor 1");
  }
  out->owner = TakeUuid(taken.owner);
  out->kind = taken.kind;
  out->filter.revoked = taken.revoked == 1;
  out->filter.descending = taken.descending == 1;
  LATCHKEY_TRY(TakeOptionalText(taken.name, taken.name_size, &out->filter.name));
  LATCHKEY_TRY(TakeOptionalText(taken.slug, taken.slug_size, &out->filter.slug));
  LATCHKEY_TRY(TakeText(taken.search, taken.search_size, &out->filter.search));
  const uint64_t page = taken.page == 0 ? 1 : taken.page;
  out->offset = (page - 1) * taken.page_size;
  out->limit = std::min<size_t>(taken.page_size, capacity);
  return Status::Ok();
}

}  // namespace latchkey
