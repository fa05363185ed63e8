// Is an epoch in the past of a store?
#include "authority/epoch.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "authority/event_chain.h"
#include "schema/columns.h"
#include "schema/keys.h"
#include "schema/lineage.h"

namespace latchkey {
namespace {

Status Absent() {
  return Status::Error(Code::kRolledBack,
                       "the store does not hold the event that the epoch names: an older copy, or "
                       "another history, was put in its place");
}

// How far the store's past is that of this history too; nullopt = not at all.
std::optional<uint64_t> SharedNumber(const StoreRecord& store, const HeadRecord& head,
                                     const Uuid& history_id) {
  if (history_id == store.history_id) return head.event_number;
  const std::vector<Ancestor> lineage = LineageOf(store);
  const auto found = std::find_if(lineage.begin(), lineage.end(), [&](const Ancestor& ancestor) {
    return ancestor.history_id == history_id;
  });
  if (found == lineage.end()) return std::nullopt;
  return found->shared_number;
}

}  // namespace

Status CheckEpoch(const Storage& storage, const StoreRecord& store, const HeadRecord& head,
                  const Epoch& epoch) {
  const std::optional<uint64_t> shared = SharedNumber(store, head, epoch.history_id);
  if (!shared || epoch.event_number > *shared) return Absent();
  if (epoch.event_number < head.event_floor) {
    return Status::Error(Code::kGone, "the part of the history that the epoch names is gone");
  }
  std::array<uint8_t, 16> id = epoch.event_id;
  uint64_t number = epoch.event_number;
  const auto partition = KeyWriter().Be16(0);
  Scan scan = storage.ScanPrefix(column::kEvent, partition.view(),
                                 keys::Event(0, number + 1).view(), nullptr, /*fill_cache=*/false);
  for (; scan.Valid(); scan.Next()) {
    ++number;
    if (scan.key() != keys::Event(0, number).view() || scan.value().size() < id.size()) {
      return Absent();
    }
    id = NextEventId(id, number, scan.value().substr(id.size()));
  }
  LATCHKEY_TRY(scan.status());
  return number == head.event_number && id == head.event_id ? Status::Ok() : Absent();
}

}  // namespace latchkey
