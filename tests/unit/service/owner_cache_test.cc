// Owners and grants are answered from memory, and the answer is always that of the store: after
// every kind of change, beside changes on another thread, and after a failed write.
#include <atomic>
#include <chrono>
#include <thread>

#include "unit/service/fixture.h"

namespace latchkey::test {
namespace {

class OwnerCacheTest : public EngineTest {
 protected:
  OwnerRecord MakeOwner(OwnerSort sort, ByteView name, ByteView email = {}) {
    NewOwner wish;
    wish.sort = sort;
    wish.name = name;
    wish.email = email;
    Result<OwnerRecord> owner = CreateOwnerNow(*engine_, Uuid{}, wish);
    EXPECT_TRUE(owner.ok()) << owner.status().why();
    return owner.ok() ? *owner : OwnerRecord{};
  }
  // Twice, so that the second comes from memory.
  Result<std::shared_ptr<const OwnerRecord>> Find(OwnerSort sort, ByteView id) {
    FindOwner(*engine_, sort, id).status().IgnoreBecause("the second answer counts");
    return FindOwner(*engine_, sort, id);
  }
  Code FindCode(OwnerSort sort, ByteView id) { return Find(sort, id).code(); }
  Code May(const OwnerRecord& user, const OwnerRecord& project, Role role) {
    Authorize(*engine_, user.uuid, project.uuid, role).IgnoreBecause("the second answer counts");
    return Authorize(*engine_, user.uuid, project.uuid, role).code();
  }
  Bytes InStore(const Uuid& uuid) {
    const auto view = engine_->authority().Look();
    if (!view.ok()) return "unreadable";
    const Result<OwnerRecord> owner = (*view)->reader().Owner(uuid);
    return owner.ok() ? owner->Encode() : Bytes("not found");
  }
  // All ways to name the owner give this very record.
  void ExpectFound(const OwnerRecord& due) {
    EXPECT_EQ(InStore(due.uuid), due.Encode());
    std::vector<Bytes> ids = {FormatUuid(due.uuid)};
    if (due.deleted_s == 0) ids.push_back(due.slug);
    if (!due.email.empty()) ids.push_back(due.email);
    for (const Bytes& id : ids) {
      for (int i = 0; i < 2; ++i) {
        const auto found = FindOwner(*engine_, due.sort, id);
        ASSERT_TRUE(found.ok()) << id << ": " << found.status().why();
        EXPECT_EQ((*found)->Encode(), due.Encode()) << id;
      }
    }
  }
  template <typename Change>
  void ExpectChanged(OwnerRecord* owner, Change&& change) {
    UpdateOwner wish;
    wish.uuid = owner->uuid;
    change(&wish);
    Result<OwnerRecord> after = UpdateOwnerNow(*engine_, {}, wish);
    ASSERT_TRUE(after.ok()) << after.status().why();
    ExpectFound(*after);
    *owner = *after;
  }
};

TEST_F(OwnerCacheTest, EveryChangeIsSeen) {
  OwnerRecord user = MakeOwner(OwnerSort::kUser, "Muriel", "muriel@nowhere.com");
  OwnerRecord project = MakeOwner(OwnerSort::kProject, "Farm");
  ExpectFound(user);
  ExpectFound(project);
  ExpectChanged(&user, [](UpdateOwner* wish) { wish->name = "Muriel Bagge"; });
  ExpectChanged(&user, [](UpdateOwner* wish) { wish->slug = "bagge"; });
  EXPECT_EQ(FindCode(OwnerSort::kUser, "muriel"), Code::kNotFound);
  ExpectChanged(&user, [](UpdateOwner* wish) { wish->email = "bagge@nowhere.com"; });
  EXPECT_EQ(FindCode(OwnerSort::kUser, "muriel@nowhere.com"), Code::kNotFound);
  EXPECT_EQ(FindCode(OwnerSort::kUser, "BAGGE@nowhere.com"), Code::kOk);
  ExpectChanged(&user, [](UpdateOwner* wish) { wish->admin = true; });
  ExpectChanged(&user, [](UpdateOwner* wish) { wish->locked = true; });
  ExpectChanged(&user, [](UpdateOwner* wish) { wish->locked = false; });
  ExpectChanged(&project, [](UpdateOwner* wish) { wish->is_private = true; });
  EXPECT_EQ(FindCode(OwnerSort::kProject, FormatUuid(user.uuid)), Code::kNotFound);
  EXPECT_EQ(FindCode(OwnerSort::kProject, "bagge"), Code::kNotFound);

  ASSERT_TRUE(DeleteOwnerNow(*engine_, {}, user.uuid).ok());
  EXPECT_EQ(FindCode(OwnerSort::kUser, "bagge"), Code::kNotFound);
  EXPECT_EQ(FindCode(OwnerSort::kUser, "bagge@nowhere.com"), Code::kNotFound);
  const auto gone = Find(OwnerSort::kUser, FormatUuid(user.uuid));
  ASSERT_TRUE(gone.ok());
  EXPECT_NE((*gone)->deleted_s, 0);
}

TEST_F(OwnerCacheTest, ANameThatChangesHandsLeadsToWhoHasIt) {
  OwnerRecord first = MakeOwner(OwnerSort::kUser, "first", "shared@nowhere.com");
  OwnerRecord second = MakeOwner(OwnerSort::kUser, "second");
  ExpectFound(first);
  ExpectChanged(&first, [](UpdateOwner* wish) {
    wish->slug = "moved";
    wish->email = "";
  });
  ExpectChanged(&second, [](UpdateOwner* wish) {
    wish->slug = "first";
    wish->email = "shared@nowhere.com";
  });
  ExpectFound(first);
  ASSERT_TRUE(DeleteOwnerNow(*engine_, {}, second.uuid).ok());
  ExpectFound(MakeOwner(OwnerSort::kUser, "first", "shared@nowhere.com"));
  ExpectFound(MakeOwner(OwnerSort::kProject, "first"));  // another sort, another name
  ExpectFound(first);
}

TEST_F(OwnerCacheTest, AnAbsentOwnerIsFoundOnceMade) {
  EXPECT_EQ(FindCode(OwnerSort::kUser, "muriel"), Code::kNotFound);
  ExpectFound(MakeOwner(OwnerSort::kUser, "muriel"));
}

TEST_F(OwnerCacheTest, RolesFollowGrantsLocksAndDeletions) {
  OwnerRecord user = MakeOwner(OwnerSort::kUser, "muriel");
  const OwnerRecord project = MakeOwner(OwnerSort::kProject, "farm");
  EXPECT_EQ(May(user, project, Role::kViewer), Code::kForbidden);
  ASSERT_TRUE(SetGrantNow(*engine_, {}, {project.uuid, user.uuid, Role::kDeveloper}).ok());
  EXPECT_EQ(May(user, project, Role::kDeveloper), Code::kOk);
  EXPECT_EQ(May(user, project, Role::kMaintainer), Code::kForbidden);
  ASSERT_TRUE(SetGrantNow(*engine_, {}, {project.uuid, user.uuid, Role::kViewer}).ok());
  EXPECT_EQ(May(user, project, Role::kDeveloper), Code::kForbidden);
  ExpectChanged(&user, [](UpdateOwner* wish) { wish->locked = true; });
  EXPECT_EQ(May(user, project, Role::kViewer), Code::kForbidden);
  ExpectChanged(&user, [](UpdateOwner* wish) { wish->locked = false; });
  EXPECT_EQ(May(user, project, Role::kViewer), Code::kOk);
  ASSERT_TRUE(RemoveGrantNow(*engine_, {}, {project.uuid, user.uuid}).ok());
  EXPECT_EQ(May(user, project, Role::kViewer), Code::kForbidden);
  ExpectChanged(&user, [](UpdateOwner* wish) { wish->admin = true; });
  EXPECT_EQ(May(user, project, Role::kMaintainer), Code::kOk);
  ASSERT_TRUE(DeleteOwnerNow(*engine_, {}, project.uuid).ok());
  EXPECT_EQ(May(user, project, Role::kViewer), Code::kNotFound);
  EXPECT_EQ(May(project, user, Role::kViewer), Code::kNotFound);
}

// What an update has returned no later answer contradicts, and no answer is older than one before.
TEST_F(OwnerCacheTest, ReadersBesideAWriterNeverSeeOlderNames) {
  const OwnerRecord user = MakeOwner(OwnerSort::kUser, "0", "muriel@nowhere.com");
  std::atomic<int> returned{0};
  std::atomic<bool> done{false};
  std::atomic<bool> failed{false};
  std::vector<std::thread> readers;
  for (const Bytes& id : {FormatUuid(user.uuid), user.email}) {
    readers.emplace_back([this, id, &returned, &done, &failed] {
      int seen = 0;
      while (!done.load() && !failed.load()) {
        const int due = returned.load();
        const auto found = FindOwner(*engine_, OwnerSort::kUser, id);
        const int name = found.ok() ? std::stoi((*found)->name) : -1;
        if (name < due || name < seen) failed = true;
        seen = name;
      }
    });
  }
  for (int i = 1; i <= 300; ++i) {
    UpdateOwner wish;
    wish.uuid = user.uuid;
    wish.name = std::to_string(i);
    EXPECT_TRUE(UpdateOwnerNow(*engine_, {}, wish).ok());
    returned.store(i);
  }
  done.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(failed.load());
}

class OwnerCacheHeals : public OwnerCacheTest, public testing::WithParamInterface<LogFault> {
 protected:
  // Nobody knows what became of the change, so nobody is told anything; then the store heals.
  void FailAndHeal(const UpdateOwner& wish) {
    env_.files->set_fault(GetParam());
    ASSERT_EQ(UpdateOwnerNow(*engine_, {}, wish).code(), Code::kOutcomeUnknown);
    EXPECT_EQ(FindCode(OwnerSort::kUser, FormatUuid(wish.uuid)), Code::kBusy);
    EXPECT_EQ(FindCode(OwnerSort::kUser, "muriel@nowhere.com"), Code::kBusy);
    env_.files->set_fault(LogFault::kNone);
    for (int i = 0; i < 600 && engine_->authority().healing(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ASSERT_FALSE(engine_->authority().healing());
  }
};

TEST_P(OwnerCacheHeals, AndShowsWhatTheStoreCameToHold) {
  const OwnerRecord user = MakeOwner(OwnerSort::kUser, "muriel", "muriel@nowhere.com");
  ExpectFound(user);
  UpdateOwner rename;
  rename.uuid = user.uuid;
  rename.name = "Muriel Bagge";
  rename.slug = "bagge";
  ASSERT_NO_FATAL_FAILURE(FailAndHeal(rename));
  const auto found = Find(OwnerSort::kUser, FormatUuid(user.uuid));
  ASSERT_TRUE(found.ok()) << found.status().why();
  ExpectFound(**found);
  EXPECT_EQ(FindCode(OwnerSort::kUser, (*found)->slug == "bagge" ? "muriel" : "bagge"),
            Code::kNotFound);
  ExpectSound();
}

TEST_P(OwnerCacheHeals, AndALockThatWasTriedAgainIsSeen) {
  const OwnerRecord user = MakeOwner(OwnerSort::kUser, "muriel", "muriel@nowhere.com");
  const OwnerRecord project = MakeOwner(OwnerSort::kProject, "farm");
  ASSERT_TRUE(SetGrantNow(*engine_, {}, {project.uuid, user.uuid, Role::kMaintainer}).ok());
  ExpectFound(user);
  ASSERT_EQ(May(user, project, Role::kMaintainer), Code::kOk);
  UpdateOwner lock;
  lock.uuid = user.uuid;
  lock.locked = true;
  ASSERT_NO_FATAL_FAILURE(FailAndHeal(lock));
  // It is committed just after the store has healed.
  for (int i = 0; i < 200 && May(user, project, Role::kMaintainer) != Code::kForbidden; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(May(user, project, Role::kMaintainer), Code::kForbidden);
  const auto found = Find(OwnerSort::kUser, "muriel");
  ASSERT_TRUE(found.ok()) << found.status().why();
  EXPECT_TRUE((*found)->locked);
  ExpectFound(**found);
}

INSTANTIATE_TEST_SUITE_P(Faults, OwnerCacheHeals,
                         testing::Values(LogFault::kAppend, LogFault::kSync),
                         [](const auto& fault) {
                           return fault.param == LogFault::kAppend ? "Append" : "Sync";
                         });

}  // namespace
}  // namespace latchkey::test
