// The list in the store's record: history id, number; history id, number; ...
#include "schema/lineage.h"

#include "codec/key.h"

namespace latchkey {

std::vector<Ancestor> LineageOf(const StoreRecord& store) {
  std::vector<Ancestor> lineage;
  KeyReader reader(store.lineage);
  ByteView history_id;
  Ancestor ancestor;
  while (reader.Raw(Uuid::kSize, &history_id) && reader.Be64(&ancestor.shared_number)) {
    ancestor.history_id = Uuid::From(history_id);
    lineage.push_back(ancestor);
  }
  return lineage;
}

void BeginHistory(const Uuid& history_id, uint64_t shared_number, StoreRecord* store) {
  store->lineage += KeyWriter().Raw(store->history_id.view()).Be64(shared_number).view();
  store->history_id = history_id;
}

}  // namespace latchkey
