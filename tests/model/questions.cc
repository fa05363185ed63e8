// What the driver asks of both.
#include "driver.h"

#include <algorithm>

namespace latchkey_model {
namespace {

using latchkey_test::CodeName;
using latchkey_test::Sized;
using latchkey_test::Text;

}  // namespace

latchkey_list_options Driver::ListOptions(const Query& query) const {
  auto options = Sized<latchkey_list_options>();
  options.owner = ToUuid(query.owner);
  options.kind = query.kind;
  options.revoked = query.revoked;
  options.descending = query.descending;
  if (query.name) {
    options.name = query.name->data();
    options.name_size = query.name->size();
  }
  if (query.slug) {
    options.slug = query.slug->data();
    options.slug_size = query.slug->size();
  }
  options.search = query.search.data();
  options.search_size = query.search.size();
  return options;
}

std::vector<Id> Driver::ReadPage(const Query& query, uint32_t page, uint32_t page_size,
                                 uint64_t* total) {
  latchkey_list_options options = ListOptions(query);
  options.page = page;
  options.page_size = page_size;
  size_t count = 0;
  std::vector<Id> out;
  if (query.owner.empty()) {
    std::vector<latchkey_owner> rows(page_size, Sized<latchkey_owner>());
    Expect(LATCHKEY_OK,
           latchkey_owner_list(store_, &options, rows.data(), rows.size(), &count, total),
           "list owners");
    for (size_t i = 0; i < count; ++i) {
      out.push_back(Text(rows[i].uuid));
      CompareOwner(rows[i], model_.owners[out.back()]);
    }
  } else {
    std::vector<latchkey_credential> rows(page_size, Sized<latchkey_credential>());
    Expect(LATCHKEY_OK,
           latchkey_credential_list(store_, &options, rows.data(), rows.size(), &count, total),
           "list keys");
    for (size_t i = 0; i < count; ++i) {
      out.push_back(Text(rows[i].uuid));
      CompareKey(rows[i], model_.keys[out.back()]);
    }
  }
  return out;
}

void Driver::CompareList(const Query& query, uint32_t page_size) {
  const std::vector<Id> due = model_.List(query);
  std::vector<Id> all;
  for (uint32_t page = 1;; ++page) {
    uint64_t total = 0;
    const std::vector<Id> rows = ReadPage(query, page, page_size, &total);
    EXPECT_EQ(due.size(), total) << "page " << page << ", search '" << query.search << "'";
    all.insert(all.end(), rows.begin(), rows.end());
    if (rows.empty() || all.size() > due.size()) break;
    if (all.size() < due.size()) {
      EXPECT_EQ(page_size, rows.size());
    }
  }
  EXPECT_EQ(due, all) << "search '" << query.search << "'";
}

void Driver::ListPages() { CompareList(DrawQuery(), static_cast<uint32_t>(1 + Draw(12))); }

// Changes go on between the steps of the cursor; what they did not touch is seen once, in order.
void Driver::WalkList() {
  Query query = DrawQuery();
  if (query.owner.empty()) return;
  const std::vector<Id> due = model_.List(query);
  touched_.clear();
  latchkey_list_options options = ListOptions(query);
  options.page_size = static_cast<uint32_t>(1 + Draw(5));
  std::vector<latchkey_credential> rows(options.page_size, Sized<latchkey_credential>());
  auto cursor = Sized<latchkey_cursor>();
  std::vector<Id> seen;
  for (size_t step = 0; cursor.done == 0; ++step) {
    ASSERT_LE(step, 2 * model_.keys.size() + 1000) << "the walk does not end";
    size_t count = 0;
    Expect(
        LATCHKEY_OK,
        latchkey_credential_list_next(store_, &options, &cursor, rows.data(), rows.size(), &count),
        "next rows");
    if (count == 0) {
      EXPECT_EQ(1u, cursor.done);
      break;
    }
    for (size_t i = 0; i < count; ++i) seen.push_back(Text(rows[i].uuid));
    const Choice& choice = Choices()[Draw(Choices().size())];
    if (choice.changes) (this->*choice.action)();
  }
  const auto was_touched = [&](const Id& uuid) { return touched_.count(uuid) > 0; };
  std::vector<Id> due_untouched;
  std::remove_copy_if(due.begin(), due.end(), std::back_inserter(due_untouched), was_touched);
  seen.erase(std::remove_if(seen.begin(), seen.end(), was_touched), seen.end());
  EXPECT_EQ(due_untouched, seen);
}

void Driver::CompareVerdict(const Key& key, uint64_t scopes, int64_t at_s) {
  if (key.secret.empty()) return;
  auto options = Sized<latchkey_verify_options>();
  options.required_scopes = scopes;
  options.at_s = at_s;
  auto verdict = Sized<latchkey_verdict>();
  const latchkey_code code =
      latchkey_verify(store_, key.secret.data(), key.secret.size(), &options, &verdict);
  const uint32_t due = model_.Judge(key, scopes, at_s != 0 ? at_s : now_s());
  EXPECT_STREQ(latchkey_reason_text(due), latchkey_reason_text(verdict.reason)) << key.uuid;
  Expect(due == LATCHKEY_REASON_ALLOWED ? LATCHKEY_OK : LATCHKEY_DENIED, code, "verify");
  EXPECT_EQ(key.uuid, Text(verdict.uuid));
  EXPECT_EQ(key.owner, Text(verdict.owner));
  EXPECT_EQ(key.kind, verdict.kind);
  EXPECT_EQ(key.scopes, verdict.scopes);
  EXPECT_EQ(key.expires_s, verdict.expires_s);
}

void Driver::VerifySome() {
  const Key* key = Any(&model_.keys);
  if (key == nullptr || key->secret.empty()) return;
  const int64_t moments[] = {0,
                             key->expires_s,
                             key->expires_s - 1,
                             std::max<int64_t>(key->not_before_s, 1),
                             std::max<int64_t>(key->not_before_s - 1, 1),
                             now_s() + static_cast<int64_t>(Draw(1000))};
  CompareVerdict(*key, Chance(2) ? 0 : Draw(16), moments[Draw(std::size(moments))]);
  std::string other = key->secret;
  char& last = other[other.size() - 1 - Draw(20)];
  last = last == 'q' ? 'r' : 'q';
  EXPECT_EQ(key->kind == kHostKind ? "malformed" : "unknown", store_.Verify(other)) << key->uuid;
}

void Driver::VerifyBatch() {
  std::vector<const Key*> keys;
  std::vector<latchkey_bytes> bytes;
  for (uint64_t i = Draw(40); i > 0; --i) {
    const Key* key = Any(&model_.keys);
    if (key == nullptr || key->secret.empty()) return;
    keys.push_back(key);
    bytes.push_back({key->secret.data(), key->secret.size()});
  }
  std::vector<latchkey_code> codes(keys.size(), LATCHKEY_INTERNAL);
  std::vector<latchkey_verdict> verdicts(keys.size(), Sized<latchkey_verdict>());
  auto options = Sized<latchkey_verify_options>();
  options.required_scopes = Draw(4);
  Expect(LATCHKEY_OK,
         latchkey_verify_batch(store_, bytes.data(), bytes.size(), &options, codes.data(),
                               verdicts.data()),
         "verify a batch");
  for (size_t i = 0; i < keys.size(); ++i) {
    const uint32_t due = model_.Judge(*keys[i], options.required_scopes, now_s());
    EXPECT_EQ(due, verdicts[i].reason);
    EXPECT_EQ(due == LATCHKEY_REASON_ALLOWED ? LATCHKEY_OK : LATCHKEY_DENIED, codes[i]);
    EXPECT_EQ(keys[i]->uuid, Text(verdicts[i].uuid));
  }
}

void Driver::Identify() {
  const Key* key = Any(&model_.keys);
  if (key == nullptr || key->secret.empty()) return;
  auto row = Sized<latchkey_credential>();
  Expect(LATCHKEY_OK,
         latchkey_identify_secret(store_, key->secret.data(), key->secret.size(), &row),
         "identify");
  CompareKey(row, *key);
  const latchkey_uuid uuid = ToUuid(key->uuid);
  std::string metadata(LATCHKEY_METADATA_BYTES_MAX, '\0');
  size_t size = 0;
  Expect(LATCHKEY_OK,
         latchkey_credential_metadata(store_, &uuid, metadata.data(), metadata.size(), &size),
         "metadata");
  EXPECT_EQ(key->metadata, metadata.substr(0, size));
}

void Driver::FindKey() {
  auto row = Sized<latchkey_credential>();
  const Key* key = Any(&model_.keys);
  if (key == nullptr) return;
  const Owner* asked = Chance(3) ? Any(&model_.owners) : &model_.owners[key->owner];
  const latchkey_uuid owner = ToUuid(asked->uuid);
  const std::string& id = Chance(2) ? key->uuid : key->slug;
  const latchkey_code code =
      latchkey_credential_find(store_, &owner, key->kind, id.data(), id.size(), &row);
  const auto fits = [&](const auto& entry) {
    const Key& other = entry.second;
    return other.owner == asked->uuid && other.kind == key->kind &&
           (other.uuid == id || other.slug == id);
  };
  const auto due = std::find_if(model_.keys.begin(), model_.keys.end(), fits);
  const bool is_there = due != model_.keys.end();
  EXPECT_EQ(is_there, code == LATCHKEY_OK) << id;
  if (is_there) CompareKey(row, due->second);
}

void Driver::FindOwner() {
  const Owner* owner = Any(&model_.owners);
  if (owner == nullptr) return;
  auto row = Sized<latchkey_owner>();
  const auto find = [&](const std::string& id) {
    return latchkey_owner_get(store_, owner->sort, id.data(), id.size(), &row);
  };
  Expect(LATCHKEY_OK, find(owner->uuid), "by UUID");
  CompareOwner(row, *owner);
  if (owner->deleted_s != 0) return;
  Expect(LATCHKEY_OK, find(owner->slug), "by slug");
  CompareOwner(row, *owner);
  if (owner->email.empty()) return;
  std::string email = owner->email;
  email[0] = email[0] == 'm' ? 'M' : 'm';
  Expect(LATCHKEY_OK, find(email), "by e-mail");
  CompareOwner(row, *owner);
}

void Driver::ListGrants() {
  const Owner* project = AnyOwner(LATCHKEY_OWNER_PROJECT, true);
  if (project == nullptr) return;
  std::vector<std::pair<Id, uint32_t>> due;
  for (const auto& [place, role] : model_.grants) {
    if (place.first == project->uuid) due.emplace_back(place.second, role);
  }
  const latchkey_uuid uuid = ToUuid(project->uuid);
  std::vector<std::pair<Id, uint32_t>> all;
  std::vector<latchkey_grant> rows(1 + Draw(3), Sized<latchkey_grant>());
  latchkey_uuid after{};
  size_t count = 0;
  do {
    uint64_t total = 0;
    Expect(LATCHKEY_OK,
           latchkey_grant_list(store_, &uuid, all.empty() ? nullptr : &after, rows.data(),
                               rows.size(), &count, &total),
           "list grants");
    EXPECT_EQ(due.size(), total);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(project->uuid, Text(rows[i].project));
      all.emplace_back(Text(rows[i].user), rows[i].role);
      after = rows[i].user;
    }
  } while (count > 0 && all.size() <= due.size());
  EXPECT_EQ(due, all);
}

void Driver::Authorize() {
  const Owner* project = AnyOwner(LATCHKEY_OWNER_PROJECT, false);
  const Owner* user = AnyOwner(LATCHKEY_OWNER_USER, false);
  if (project == nullptr || user == nullptr) return;
  const latchkey_uuid project_uuid = ToUuid(project->uuid);
  const latchkey_uuid user_uuid = ToUuid(user->uuid);
  const auto role = static_cast<uint32_t>(LATCHKEY_ROLE_VIEWER + Draw(3));
  const latchkey_code code = latchkey_authorize(store_, &user_uuid, &project_uuid, role);
  EXPECT_EQ(model_.Authorized(user->uuid, project->uuid, role), code == LATCHKEY_OK)
      << CodeName(code);
  if (code != LATCHKEY_OK && project->deleted_s == 0 && user->deleted_s == 0) {
    Expect(LATCHKEY_FORBIDDEN, code, "authorize");
  }
}

}  // namespace latchkey_model
