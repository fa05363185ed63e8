// Credentials by the thousand: made by commands of their own, many to a commit.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "service/engine.h"

namespace latchkey::test {

inline CredentialRecord RandomCredential(std::mt19937_64& random, const Uuid& owner, ByteView name,
                                         int64_t creation_s) {
  CredentialRecord record;
  for (uint8_t& byte : record.uuid.bytes) byte = static_cast<uint8_t>(random());
  for (uint8_t& byte : record.tag) byte = static_cast<uint8_t>(random());
  record.owner = owner;
  record.kind = kind::kUserKey;
  record.name = name;
  record.creation_s = creation_s;
  record.expires_s = creation_s + 1000;
  record.scopes = random() % 4;
  return record;
}

// Returns them as they were committed, with their slugs.
inline std::vector<CredentialRecord> Create(Engine& engine, std::vector<CredentialRecord> wishes) {
  std::vector<CredentialRecord> created;
  for (size_t begin = 0; begin < wishes.size(); begin += 128) {
    std::vector<Command> commands;
    for (size_t i = begin; i < std::min(wishes.size(), begin + 128); ++i) {
      CreateCredential create;
      create.slug.base = "k";
      create.slug.suffix = HexEncode(ByteView(wishes[i].uuid.view()).substr(0, 8));
      create.credential = std::move(wishes[i]);
      commands.push_back(Command{engine.clock().NowS(), Uuid{}, std::move(create)});
    }
    for (const Outcome& outcome : engine.authority().SubmitAll(commands)) {
      EXPECT_TRUE(outcome.status.ok()) << outcome.status.why();
      if (!outcome.status.ok()) continue;
      created.push_back(std::get<CredentialCreated>(outcome.events.front().body).credential);
    }
  }
  return created;
}

// So many keys of the owner, with names of that many bytes.
inline std::vector<CredentialRecord> CreateMany(Engine& engine, std::mt19937_64& random,
                                                const Uuid& owner, size_t count,
                                                size_t name_bytes) {
  std::vector<CredentialRecord> wishes;
  for (size_t i = 0; i < count; ++i) {
    Bytes name = std::to_string(random() % 100'000);
    name.resize(name_bytes, 'n');
    wishes.push_back(RandomCredential(random, owner, name, static_cast<int64_t>(random() % 5)));
  }
  return Create(engine, std::move(wishes));
}

}  // namespace latchkey::test
