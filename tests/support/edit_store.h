// Writes to the database of a store behind the engine's back.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "schema/columns.h"
#include "storage/storage.h"

namespace latchkey::test {

// `store_path` is the folder of a store that nobody has open. What `edit(storage, batch)` puts into
// the batch is committed.
template <typename Edit>
void EditStoreAt(const std::string& store_path, Edit&& edit) {
  StorageOptions options;
  options.path = store_path + "/rocks";
  options.columns = kColumns;
  Result<std::unique_ptr<Storage>> storage = Storage::Open(options, nullptr);
  ASSERT_TRUE(storage.ok()) << storage.status().why();
  Batch batch(**storage);
  edit(**storage, &batch);
  ASSERT_TRUE((*storage)->Commit(&batch).ok());
}

}  // namespace latchkey::test
