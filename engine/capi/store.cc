// The store itself, and kinds.
#include <thread>

#include "capi/handles.h"
#include "capi/translate.h"
#include "service/check.h"
#include "service/import.h"
#include "service/owners.h"

namespace latchkey {

// A table of one page a segment: less would hold next to nothing. A test sets it lower.
uint64_t memory_budget_bytes_min = 1 << 20;

namespace {

Status TakeLoadOptions(const latchkey_open_options& options, EngineOptions* engine) {
  if (options.memory_budget_bytes != 0 && options.memory_budget_bytes < memory_budget_bytes_min) {
    return Status::Error(Code::kInvalidArgument, "a memory budget is 1048576 bytes or more");
  }
  if (options.load > LATCHKEY_LOAD_FIRST || options.load_reserved != 0) {
    return Status::Error(Code::kInvalidArgument, "there is no such way to load a store");
  }
  engine->budgets.table_bytes = options.memory_budget_bytes;
  engine->load_first = options.load == LATCHKEY_LOAD_FIRST;
  if (options.load_progress != nullptr) {
    engine->load.progress = [progress = options.load_progress, context = options.load_context](
                                uint64_t done, uint64_t total) { progress(context, done, total); };
  }
  return Status::Ok();
}

Status OpenEngine(const latchkey_open_options& options, latchkey_store* store) {
  if (options.path == nullptr || options.path[0] == '\0') {
    return Status::Error(Code::kInvalidArgument, "the path of the store is missing");
  }
  if (options.mode > LATCHKEY_OPEN_OR_CREATE || options.reserved != 0) {
    return Status::Error(Code::kInvalidArgument, "there is no such way to open a store");
  }
  if (!store->fork_guard.ok()) {
    return Status::Error(Code::kUnsupported, "the system cannot tell a forked process apart");
  }
  EngineOptions engine;
  engine.store.path = options.path;
  while (engine.store.path.size() > 1 && engine.store.path.back() == '/') {
    engine.store.path.pop_back();  // "DIR/" has its pepper beside it too, not inside
  }
  engine.store.pepper_path =
      options.pepper_path != nullptr ? options.pepper_path : engine.store.path + ".pepper";
  engine.store.mode = static_cast<OpenMode>(options.mode);
  if (options.clock != nullptr) {
    store->clock = std::make_unique<HostClock>(options.clock, options.clock_context);
    engine.clock = store->clock.get();
  }
  if (options.log != nullptr) {
    engine.log = [log = options.log, context = options.log_context](LogLevel level, Status what) {
      log(context, static_cast<uint32_t>(level), what.why());
    };
  }
  if (options.directory_budget_bytes != 0) {
    engine.budgets.directories_bytes =
        static_cast<size_t>(std::min<uint64_t>(options.directory_budget_bytes, SIZE_MAX / 2));
  }
  LATCHKEY_TRY(TakeLoadOptions(options, &engine));
  if (options.epoch != nullptr) {
    latchkey_epoch epoch;
    LATCHKEY_TRY(TakeOptions(options.epoch, &epoch));
    engine.store.epoch = TakeEpoch(epoch);
  }
  engine.load.failed = [door = &store->door](Status why) { door->Fail(why); };
  LATCHKEY_TRY_ASSIGN(store->engine, Engine::Open(std::move(engine)));
  return Status::Ok();
}

latchkey_stats GiveStats(const Engine& engine) {
  const LocalAuthority& authority = engine.authority();
  const AuthorityState state = authority.state();
  latchkey_stats stats{};
  stats.store_id = GiveUuid(authority.store().store_id);
  stats.history_id = GiveUuid(authority.store().history_id);
  stats.event_number = state.head.event_number;
  stats.users = state.head.users;
  stats.projects = state.head.projects;
  const VerifyTable& table = engine.memory().table();
  const Loader& loader = engine.loader();
  const bool is_complete = engine.memory().complete();
  stats.verify_table_entries = table.size();
  if (is_complete) {
    // As verdicts have it: what a sweep covers counts as revoked before its tombstone is written.
    stats.revoked = table.revoked();
    stats.active = table.size() - std::min<uint64_t>(table.size(), stats.revoked);
  } else {
    stats.revoked = state.head.revoked;
    stats.active = state.head.active;
    const uint64_t all = stats.revoked + stats.active;
    stats.verify_table_missing = all - std::min(all, stats.verify_table_entries);
  }
  stats.loading = loader.loading() ? 1 : 0;
  stats.load_done = loader.done();
  stats.load_total = loader.total();
  stats.sweeps_pending = state.pending_sweeps.size();
  stats.commits = authority.commits();
  stats.commands = authority.commands();
  stats.verify_table_bytes = table.memory_bytes();
  const Directories& directories = engine.memory().directories();
  const Directories::Stats kept = directories.stats();
  stats.directory_bytes = kept.memory_bytes;
  stats.directories = kept.count;
  stats.directories_evicted = kept.evicted;
  stats.directory_budget_bytes = directories.budget_bytes();
  if (const auto view = authority.Look(); view.ok()) {
    const Storage::Sizes sizes = (*view)->storage().sizes();
    stats.disk_bytes = sizes.disk_bytes;
    stats.log_bytes = sizes.log_bytes;
  }
  stats.time_s = engine.clock().NowS();
  stats.clock_jump_pending = engine.clock().jump_pending();
  stats.format = kFormatVersion;
  return stats;
}

// A field of fixed size is text up to its NUL, and must have one.
template <size_t N>
Status TakeField(const char (&field)[N], Bytes* text) {
  const void* end = std::memchr(field, '\0', N);
  if (end == nullptr) {
    return Status::Error(Code::kInvalidArgument, "a text field does not end in NUL");
  }
  text->assign(field, static_cast<const char*>(end));
  return Status::Ok();
}

}  // namespace

extern "C" {

LATCHKEY_API latchkey_code latchkey_store_open(const latchkey_open_options* options,
                                               latchkey_store** out) {
  return Guard([&]() -> Status {
    if (out == nullptr) return Status::Error(Code::kInvalidArgument, "the result is NULL");
    *out = nullptr;
    latchkey_open_options taken;
    LATCHKEY_TRY(TakeOptions(options, &taken));
    auto store = std::make_unique<latchkey_store>();
    LATCHKEY_TRY(OpenEngine(taken, store.get()));
    *out = store.release();
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_store_close(latchkey_store* store) {
  return Guard([&]() -> Status {
    if (store == nullptr) return Status::Ok();
    if (store->fork_guard.inherited()) {
      // Threads, files and locks are the parent's: in the child there is nothing to close, and
      // running the engine's destructor would wait for a thread that is not here.
      return Status::Ok();
    }
    constexpr uint32_t kClosing = Door::kClosing;
    if ((store->door.state.fetch_or(kClosing) & kClosing) != 0) {
      return Status::Error(Code::kBusy, "another close is running");
    }
    bool any = true;
    const Status counted = store->calls.Any(&any);
    if (!counted.ok() || any) {
      store->door.state.fetch_and(~kClosing);
      if (!counted.ok()) return counted;
      return Status::Error(Code::kBusy, "calls are still running on the store");
    }
    delete store;
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_store_stats(latchkey_store* store, latchkey_stats* out) {
  Out<latchkey_stats> result(out);
  const auto give = [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.Required());
    result.Give(GiveStats(engine));
    return Status::Ok();
  };
  return Call(store, give, After::kAnyLoad);
}

LATCHKEY_API latchkey_code latchkey_store_accept_clock(latchkey_store* store) {
  return Call(store, [&](Engine& engine) -> Status {
    engine.clock().AcceptJump();
    return engine.Run(Uuid{}, PersistClock{/*accept_jump=*/true}).status();
  });
}

LATCHKEY_API latchkey_code latchkey_store_check(latchkey_store* store,
                                                latchkey_check_function found, void* context) {
  return Call(store, [&](Engine& engine) -> Status {
    return CheckStore(engine, [&](Literal what, const Uuid& uuid) {
      if (found == nullptr) return;
      const latchkey_uuid key = GiveUuid(uuid);
      found(context, what.text, &key);
    });
  });
}

LATCHKEY_API latchkey_code latchkey_kind_register(latchkey_store* store,
                                                  const latchkey_kind* kind) {
  return Call(store, [&](Engine& engine) -> Status {
    latchkey_kind taken;
    LATCHKEY_TRY(TakeOptions(kind, &taken));
    KindRecord record;
    LATCHKEY_TRY(TakeKind(taken.kind, &record.kind));
    LATCHKEY_TRY(TakeSort(taken.owner_sort, &record.owner_sort));
    if (taken.format > UINT8_MAX || taken.reserved != 0) {
      return Status::Error(Code::kInvalidArgument, "there is no such format");
    }
    record.format = static_cast<uint8_t>(taken.format);
    LATCHKEY_TRY(TakeField(taken.name, &record.name));
    LATCHKEY_TRY(TakeField(taken.prefix, &record.prefix));
    return RegisterKindNow(engine, std::move(record));
  });
}

LATCHKEY_API latchkey_code latchkey_kind_get(latchkey_store* store, uint32_t kind,
                                             latchkey_kind* out) {
  Out<latchkey_kind> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.Required());
    uint16_t number = 0;
    LATCHKEY_TRY(TakeKind(kind, &number));
    LATCHKEY_TRY_ASSIGN(const KindRecord record, GetKind(engine, number));
    latchkey_kind given{};
    given.kind = record.kind;
    given.format = record.format;
    given.owner_sort = static_cast<uint32_t>(record.owner_sort);
    GiveText(record.name, given.name);
    GiveText(record.prefix, given.prefix);
    result.Give(given);
    return Status::Ok();
  });
}

LATCHKEY_API latchkey_code latchkey_import(latchkey_store* store,
                                           const latchkey_import_options* options,
                                           latchkey_import_report* out) {
  Out<latchkey_import_report> result(out);
  return Call(store, [&](Engine& engine) -> Status {
    LATCHKEY_TRY(result.status());
    latchkey_import_options taken;
    LATCHKEY_TRY(TakeOptions(options, &taken));
    if (taken.read == nullptr || taken.dry_run > 1 || taken.reserved != 0) {
      return Status::Error(Code::kInvalidArgument,
                           "an import needs a function to read, and dry_run of 0 or 1");
    }
    ImportHooks hooks;
    hooks.read = [&](char* buffer, size_t capacity) -> std::optional<size_t> {
      const size_t size = taken.read(taken.context, buffer, capacity);
      if (size == SIZE_MAX) return std::nullopt;
      return size;
    };
    if (taken.refused != nullptr) {
      hooks.refused = [&](uint64_t line, Status why) {
        taken.refused(taken.context, line, static_cast<latchkey_code>(why.code()), why.why());
      };
    }
    if (taken.progress != nullptr) {
      hooks.progress = [&](uint64_t lines, uint64_t bytes) {
        return taken.progress(taken.context, lines, bytes) == 0;
      };
    }
    ImportReport report;
    const Status status = Import(engine, TakeUuid(taken.actor), taken.dry_run == 1, hooks, &report);
    latchkey_import_report given{};
    given.lines = report.lines;
    given.imported = report.imported;
    given.skipped = report.skipped;
    given.refused = report.refused;
    result.Give(given);
    return status;
  });
}

}  // extern "C"

}  // namespace latchkey
