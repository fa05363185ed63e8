// The on-disk catalogue. Names and numbers are stored: never reuse, never reorder, only append.
// engine/FORMAT.md gives every key and value byte by byte.
//
//   column       key                                              value
//   default      "format" "store" "head" "pepper/" "count/"       see records.h
//   owner        uuid:16                                          OwnerRecord
//   owner_slug   sort:u8 | slug                                   uuid:16
//   owner_email  e-mail, ASCII lower case                         uuid:16
//   grant        project:16 | user:16                             GrantRecord
//   kind         kind:be16                                        KindRecord
//   credential   uuid:16                                          CredentialRecord
//   by_tag       lookup tag:16                                    uuid:16
//   by_name      owner:16 | kind:be16 | name:text | creation:be64 | uuid:16   ListRow
//   by_slug      owner:16 | kind:be16 | slug                      uuid:16
//   tombstone    uuid:16                                          TombstoneRecord
//   sweep        event number:be64                                SweepRecord
//   usage        uuid:16                                          last used: u64, little-endian
//   event        partition:be16 | number:be64                     EventRecord
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "storage/column.h"

namespace latchkey {

// What a store says it needs of whoever reads or writes it.
inline constexpr uint32_t kFormatVersion = 1;

namespace column {
enum Id : uint8_t {
  kDefault,
  kOwner,
  kOwnerSlug,
  kOwnerEmail,
  kGrant,
  kKind,
  kCredential,
  kByTag,
  kByName,
  kBySlug,
  kTombstone,
  kSweep,
  kUsage,
  kEvent,
};
}  // namespace column

inline constexpr std::array kColumns = {
    ColumnSpec{column::kDefault, "default", Access::kPoint},
    ColumnSpec{column::kOwner, "owner", Access::kPoint},
    ColumnSpec{column::kOwnerSlug, "owner_slug", Access::kPoint},
    ColumnSpec{column::kOwnerEmail, "owner_email", Access::kPoint},
    ColumnSpec{column::kGrant, "grant", Access::kPrefixScan},
    ColumnSpec{column::kKind, "kind", Access::kPoint},
    ColumnSpec{column::kCredential, "credential", Access::kPoint},
    ColumnSpec{column::kByTag, "by_tag", Access::kPoint},
    ColumnSpec{column::kByName, "by_name", Access::kPrefixScan},
    ColumnSpec{column::kBySlug, "by_slug", Access::kPoint},
    ColumnSpec{column::kTombstone, "tombstone", Access::kPoint},
    ColumnSpec{column::kSweep, "sweep", Access::kAppend},
    ColumnSpec{column::kUsage, "usage", Access::kMax64},
    ColumnSpec{column::kEvent, "event", Access::kAppend},
};

consteval bool CatalogueIsSound() {
  for (size_t i = 0; i < kColumns.size(); ++i) {
    if (kColumns[i].id != i) return false;  // dense and in order
    for (size_t j = 0; j < i; ++j) {
      if (std::string_view(kColumns[i].name) == kColumns[j].name) return false;
    }
  }
  return true;
}
static_assert(CatalogueIsSound());

}  // namespace latchkey
