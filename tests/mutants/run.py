"""Breaks the engine on purpose, one place at a time, in a copy, and expects a test to fail.

    run.py [--root TREE] [--work FOLDER] [NAME ...]

A mutant that survives is a hole in the tests: exit 1. So is a line of the list that no longer fits
the source, and a test that fails, or hangs, without any mutant. FOLDER (a temporary one by default)
keeps the copy and its build, so that a second run is quick. tests/README.md says how long it takes.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

# What must be tried whole, not in a sample, to be sure to meet the place: the walk ends soon after
# the first wrong outcomes.
WHOLE = {"LATCHKEY_CHECK": "1"}

# name, file, what is there, what to put in its place, tests that must notice (a ctest expression),
# and what the environment is to hold, if anything
MUTANTS = [
    ("tombstone_not_written", "engine/authority/open_group.cc",
     "  return PutRecord(column::kTombstone, credential.uuid.view(), tombstone.Encode());",
     "  return Status::Ok();",
     "unit/service/(Tamper|FailedWrite)"),
    ("commit_without_fsync", "engine/storage/storage.cc",
     "write.sync = true;", "write.sync = false;",
     "unit/(service/Faults/FailedWrite|storage/CommitFailure)"),
    ("eight_bytes_of_the_tag", "engine/index/verify_table.cc",
     "(slot.tag_high.load(std::memory_order_acquire) ^ tag.high);",
     "0;",
     "unit/index/VerifyTable"),
    ("name_key_without_owner", "engine/schema/keys.h",
     "  return KeyWriter().Raw(owner.view()).Be16(kind);",
     "  static_cast<void>(owner);\n  return KeyWriter().Raw(Uuid{}.view()).Be16(kind);",
     "unit/schema/Keys|model/"),
    ("events_applied_before_the_commit", "engine/authority/local_authority.cc",
     "  open->WriteHead();\n",
     "  open->WriteHead();\n  sink_->Apply(open->events());\n",
     "unit/service/Faults/FailedWrite"),
    ("jwt_with_spare_bits", "engine/crypto/base64url.cc",
     "      return 0x0F;", "      return 0;",
     "unit/crypto/(Jwt|Base64)"),
    ("sweep_not_loaded", "engine/service/memory.cc",
     "    if (!is_known) sweeps_meanwhile_.push_back(PredicateOf(sweep));\n",
     "    static_cast<void>(is_known);\n",
     "capi/Sweep|unit/service/Load"),
    ("index_apart_from_its_record", "engine/authority/open_group.cc",
     "  batch_.Delete(column::kByName, before.view());\n",
     "",
     "model/"),
    ("refusals_of_a_failed_group_stand", "engine/authority/local_authority.cc",
     "    if (!retrying_) sink_->Restrict(open->events());",
     "",
     "unit/service/Faults/FailedWrite"),
    ("import_without_its_head", "engine/authority/local_authority.cc",
     "  open->WriteHead();\n",
     "  if (!by_files) open->WriteHead();\n",
     "unit/service/BulkImport"),
    ("import_without_a_column", "engine/storage/ingest.cc",
     "  std::erase_if(tables, [](const Table& table) {",
     "  tables[2].entries.clear();\n  std::erase_if(tables, [](const Table& table) {",
     "unit/storage/(Ingest|StorageModel)"),
    ("filter_not_told", "engine/storage/batch.cc",
     "  if (filter == nullptr) return;\n",
     "  return;\n",
     "unit/storage/Ingest"),
    ("ack_before_its_commit", "engine/authority/local_authority.cc",
     "  open->WriteHead();\n",
     "  open->WriteHead();\n"
     "  dir_->WriteAck({store_.store_id, store_.history_id, open->state().head.event_number})\n"
     "      .IgnoreBecause(\"a mutant\");\n",
     "crash/(points|import)"),
    ("commit_without_fsync_power_cut", "engine/storage/storage.cc",
     "write.sync = true;", "write.sync = false;",
     "fault/.*PowerCut"),
    ("ack_before_its_commit_power_cut", "engine/authority/local_authority.cc",
     "  open->WriteHead();\n",
     "  open->WriteHead();\n"
     "  dir_->WriteAck({store_.store_id, store_.history_id, open->state().head.event_number})\n"
     "      .IgnoreBecause(\"a mutant\");\n",
     "fault/.*PowerCut", WHOLE),
    ("tombstone_not_synced", "engine/storage/storage.cc",
     "    write.sync = true;\n",
     "    write.sync = true;\n"
     "    for (const auto* entry : batch->impl_->Sorted()) {\n"
     "      write.sync = write.sync && entry->column != 10;\n"
     "    }\n",
     "fault/.*PowerCut", WHOLE),
    ("default_wal_recovery_mode", "engine/storage/recovery.cc",
     "  if (!AllWhole(logs)) {\n    LATCHKEY_TRY_ASSIGN(auto looked,",
     "  mode = WALRecoveryMode::kPointInTimeRecovery;\n"
     "  if (!AllWhole(logs) && logs.empty()) {\n"
     "    LATCHKEY_TRY_ASSIGN(auto looked,",
     "unit/storage/Recovery|fault/.*FlippedBytes"),
    ("index_in_a_batch_of_its_own", "engine/storage/storage.cc",
     "    status = impl_->db->get()->Write(write, &writes);\n",
     "    for (const auto* entry : batch->impl_->Sorted()) {\n"
     "      if (entry->column != 8 || entry->change != Batch::Impl::Change::kPut) continue;\n"
     "      static_cast<void>(impl_->db->get()->Put(write, impl_->db->column(8),\n"
     "                                              ToSlice(entry->key_view()),\n"
     "                                              ToSlice(entry->value_view())));\n"
     "    }\n"
     "    status = impl_->db->get()->Write(write, &writes);\n",
     "fault/.*PowerCut"),
    ("marker_without_its_folder", "engine/storage/store_dir.cc",
     "  if (fsync(dir_fd) != 0) return FromErrno(errno);\n",
     "",
     "fault/.*PowerCut"),
    ("ack_not_asked", "engine/authority/open_store.cc",
     "    return head.event_number < ack.event_number;\n",
     "    return head.event_number + 1000 < ack.event_number;\n",
     "fault/.*FlippedBytes"),
    ("failed_revocation_forgotten", "engine/authority/local_authority.cc",
     "    std::move(retry.begin(), retry.end(), std::back_inserter(retry_));\n",
     "    retry.clear();\n",
     "fault/.*(FailingIo|FullDisk|OnADisk)"),
    ("reserve_kept", "engine/authority/heal.cc",
     "  if (IsNearlyFull()) dir_->ReleaseReserve();", "  //",
     "fault/OnADisk"),
    ("counts_not_written", "engine/authority/open_group.cc",
     "    PutUncounted(&batch_, mac_, keys::Count(key.owner, key.kind).view(), count.Encode());\n",
     "    static_cast<void>(count);\n",
     "unit/service"),
    ("no_second_look", "engine/service/verify.cc",
     "    if (!table.StillHolds(tag, sight)) continue;\n",
     "",
     "histories/"),
    ("no_second_look_by_threads", "engine/service/verify.cc",
     "    if (!table.StillHolds(tag, sight)) continue;\n",
     "",
     "histories/.*Linearizable"),
    ("revoked_too_late", "engine/service/memory.cc",
     "    if (!table_.Revoke(revoked->credential.tag) && loading_) {\n",
     "    static TagBytes late{};\n"
     "    const TagBytes due = late;\n"
     "    late = revoked->credential.tag;\n"
     "    if (!table_.Revoke(due) && loading_) {\n",
     "histories/.*Linearizable"),
    ("listed_too_late", "engine/service/memory.cc",
     "  directories_.Apply(events);\n",
     "  static std::vector<Event> late;\n"
     "  directories_.Apply(late);\n"
     "  late.assign(events.begin(), events.end());\n",
     "histories/.*Linearizable"),
    ("sweep_of_another_group_forgotten", "engine/service/memory.cc",
     "  const uint64_t id = open_sweeps_.Add(number, sweep);\n",
     "  const uint64_t id = number != 0 ? 0 : open_sweeps_.Add(number, sweep);\n",
     "unit/service/OpenSweeps"),
    ("tombstones_before_the_count", "engine/service/engine.cc",
     "    if (sweep_counts_.may_include(sweep.number)) continue;",
     "    //",
     "unit/service/OpenSweeps"),
    ("retried_beside_others", "engine/authority/heal.cc",
     "  LATCHKEY_TRY(Retry());\n"
     "  healing_.store(false, std::memory_order_release);\n"
     "  return Status::Ok();\n",
     "  healing_.store(false, std::memory_order_release);\n"
     "  lock.unlock();\n"
     "  const std::vector<Command> commands = std::move(retry_);\n"
     "  retry_.clear();\n"
     "  return commands.empty() ? Status::Ok() : SubmitAll(commands).front().status;\n",
     "unit/service/.*FailedWrite"),
    ("healed_only_where_a_commit_failed", "engine/authority/local_authority.cc",
     "  if (healing() || storage_->has_failed()) return Heal();\n",
     "  if (healing()) return Heal();\n",
     "unit/service/FailedFlush"),
    ("doubted_table_believed", "engine/service/verify.cc",
     "  const bool is_doubted = engine.memory().is_doubted();\n",
     "  const bool is_doubted = false;\n",
     "unit/service/OpenSweeps"),
    ("table_opened_unseen", "engine/storage/table_files.cc",
     "constexpr uint8_t kHasHashIndex = 0x80;",
     "constexpr uint8_t kHasHashIndex = 0;",
     "unit/storage/(Salvage|Open)"),
    ("unread_tombstone_is_none", "engine/service/verify_stored.cc",
     "  if (tombstone.code() == Code::kNotFound) return false;\n",
     "  if (!tombstone.ok()) return false;\n",
     "fault/.*UnreadStore"),
    ("shown_of_two_moments", "engine/service/credentials.cc",
     "    const StorageSource source(look.storage(), &moment);\n",
     "    const StorageSource source(look.storage());\n",
     "unit/service/OneMoment"),
    ("commit_without_fsync_simulated", "engine/storage/storage.cc",
     "write.sync = true;", "write.sync = false;",
     "simulation/"),
    ("refusals_of_a_failed_group_simulated", "engine/authority/local_authority.cc",
     "    if (!retrying_) sink_->Restrict(open->events());",
     "",
     "simulation/"),
    ("clock_not_remembered", "engine/authority/local_authority.cc",
     "  if (clock_ != nullptr) open->set_clock_s(clock_->remembered_s());\n",
     "",
     "simulation/"),
    ("tag_compared_with_an_early_return", "engine/index/verify_table.cc",
     "  const auto is_served = static_cast<size_t>",
     "  if (slot.tag_low.load(std::memory_order_acquire) != tag.low) return 0;\n"
     "  const auto is_served = static_cast<size_t>",
     "timing/memcheck"),
    ("checksum_by_a_table", "engine/crypto/key_format.cc",
     "  uint32_t rest = SecretCrc32(text);\n",
     "  uint32_t rest = SecretCrc32({}) ^ Crc32(text);\n",
     "timing/memcheck"),
    ("repair_that_drops_a_tombstone", "engine/authority/truth.cc",
     "  verdict.tombstone = DecodeStored<TombstoneRecord>(tombstone_fields, uuid);\n",
     "  static_cast<void>(tombstone_fields);\n",
     "unit/service/.*Repair"),
    ("repair_that_forgets_what_the_events_revoked", "engine/authority/truth.cc",
     "      if (!verdict.tombstone && found->second.revoked != 0) {",
     "      if (false) {",
     "unit/service/.*Repair"),
    ("repair_that_trusts_without_a_mac", "engine/authority/truth.cc",
     "  if (!fields.ok()) return std::optional<Bytes>();\n"
     "  return std::optional<Bytes>(Bytes(*fields));",
     "  static_cast<void>(fields);\n"
     "  if (value->size() < RecordMac::kTrailerSize) return std::optional<Bytes>();\n"
     "  return std::optional<Bytes>(value->substr(0, value->size() - RecordMac::kTrailerSize));",
     "unit/service/.*Repair"),
    ("repair_that_believes_an_older_head", "engine/authority/truth.cc",
     "  is_latest_ = ack_fits_ && !chain_.goes_on && last_number_ <= head_.event_number;\n",
     "  is_latest_ = true;\n",
     "unit/service/.*Repair"),
    ("check_that_skips_an_index", "engine/service/check.cc",
     "  return count(column::kBySlug, report_.credentials, \"the slug index has stray entries\");",
     "  return Status::Ok();",
     "unit/service/.*Tamper"),
    ("last_use_after_2106_begins_anew", "engine/service/stored_uses.h",
     "  return static_cast<uint32_t>(std::min<int64_t>(now_s, UINT32_MAX));",
     "  return static_cast<uint32_t>(now_s);",
     "unit/service/.*Clocks"),
    ("imported_line_left_behind", "engine/codec/json.cc",
     "  padded.reserve(json.size() + simdjson::SIMDJSON_PADDING);",
     "  padded = std::vector<char>();",
     "memory/"),
    ("digest_left_behind", "engine/crypto/digest.h",
     "  ~InnerDigest() { Wipe(bytes.data(), bytes.size()); }\n",
     "",
     "memory/"),
    ("tags_of_two_fields_exchanged", "engine/schema/records.cc",
     "  a.Number(6, r.locked);\n  a.Number(7, r.is_private);\n",
     "  a.Number(7, r.locked);\n  a.Number(6, r.is_private);\n",
     "compat/"),
    ("refused_key_without_its_exit_code", "bindings/cli/verify.cc",
     "  return verdict.allowed;\n",
     "  return true;\n",
     "cli/verify"),
    ("answers_kept_in_caches", "bindings/http/site.cc",
     "  reply->Add(\"Cache-Control\", \"no-store\");\n",
     "",
     "http/cases"),
    ("pepper_inherited", "engine/crypto/secret.cc",
     "MADV_WIPEONFORK", "MADV_NORMAL",
     "memory/|unit/crypto/SecretBytes"),
    ("restore_forgets_tombstones", "engine/service/carry_over.cc",
     "  return CarryTombstones();\n",
     "  return report_.listed == 0 ? Status::Ok() : CarryTombstones();\n",
     "unit/service/.*Restore|cli/backup"),
    ("restore_forgets_tombstones_simulated", "engine/service/carry_over.cc",
     "  return CarryTombstones();\n",
     "  return report_.listed == 0 ? Status::Ok() : CarryTombstones();\n",
     "simulation/"),
    ("restore_forgets_sweeps", "engine/service/carry_over.cc",
     "    LATCHKEY_TRY(CarrySweeps());\n",
     "    if (report_.listed != 0) LATCHKEY_TRY(CarrySweeps());\n",
     "unit/service/.*Restore"),
    ("restore_forgets_owners", "engine/service/carry_over.cc",
     "    LATCHKEY_TRY(CarryOwners());\n",
     "    if (report_.listed != 0) LATCHKEY_TRY(CarryOwners());\n",
     "unit/service/.*Restore"),
    ("restore_takes_numbers_of_another_history_for_its_own", "engine/service/carry_over.cc",
     "std::min(here->last_event, shared)",
     "(static_cast<void>(shared), here->last_event)",
     "unit/service/.*Restore"),
    ("restore_believes_what_has_no_mac", "engine/service/salvaged.cc",
     "    const Result<ByteView> fields = mac.Open(column, key, value);\n"
     "    if (!fields.ok() ||",
     "    const Result<ByteView> fields =\n"
     "        value.substr(0, value.size() - RecordMac::kTrailerSize);\n"
     "    static_cast<void>(mac);\n"
     "    if (!fields.ok() ||",
     "unit/service/.*Restore"),
    ("restore_without_its_list", "engine/service/restore.cc",
     "  LATCHKEY_TRY(RevokeListed());\n",
     "  if (wish_.revocations.empty()) LATCHKEY_TRY(RevokeListed());\n",
     "capi/(Backup|Hpp)"),
    ("list_over_a_pending_sweep", "engine/service/restore.cc",
     "    if (revoked || history_->IsSwept(*here)) continue;\n",
     "    if (revoked) continue;\n",
     "unit/service/RestoreTest"),
    ("torn_tail_left_in_its_log", "engine/storage/recovery.cc",
     "        if (log.end != LogEnd::kWhole && !options.read_only) {",
     "        mode = WALRecoveryMode::kTolerateCorruptedTailRecords;\n"
     "        if (log.end != LogEnd::kWhole && options.read_only) {",
     "unit/storage/Recovery"),
    ("restore_keeps_the_history_id", "engine/service/restore.cc",
     "  BeginHistory(history_id, ",
     "  static_cast<void>(history_id);\n  BeginHistory(Uuid(store_.history_id), ",
     "capi/(Backup|Epoch)"),
    ("restore_without_looking_for_its_moment", "engine/service/restore.cc",
     "      !CheckEpoch(*storage_, store_, state_.head, epoch).ok()) {",
     "      epoch.history_id.is_nil()) {",
     "capi/Backup"),
    ("epoch_by_number_only", "engine/authority/epoch.cc",
     "  const std::optional<uint64_t> shared = SharedNumber(",
     "  if (epoch.event_number <= head.event_number) return Status::Ok();\n"
     "  const std::optional<uint64_t> shared = SharedNumber(",
     "capi/EpochTest"),
    ("backup_without_the_log", "engine/storage/backup.cc",
     "  options.backup_log_files = true;",
     "  options.backup_log_files = false;",
     "capi/Backup"),
    ("backup_that_syncs_a_failed_log", "engine/storage/backup.cc",
     "  if (!storage.impl_->first_error->get().ok()) {\n",
     "  if (false) {\n",
     "unit/storage/CommitFailure"),
    ("backup_without_fsync", "engine/storage/backup.cc",
     "  options.sync = true;",
     "  options.sync = false;",
     "fault/.*PowerCut"),
    ("backup_of_any_store", "engine/storage/backup.cc",
     "  } else if (dir->store_id_ != store_id) {",
     "  } else if (dir->store_id_.is_nil()) {",
     "capi/Backup"),
]


FAILURES = ("(Failed)", "(Timeout)", "(SEGFAULT)", "(Subprocess aborted)", "(ILLEGAL)")


def run(command, cwd, environment=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, errors="replace",
                          env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout + done.stderr


def copy_tree(root, tree):
    _, listed = run(["git", "ls-files"], root)
    for name in listed.splitlines():
        source, target = root / name, tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copy(source, target)  # as of now: what was broken before is built anew


def build(tree, targets=()):
    return run(["cmake", "--build", "build", "-j2", *(["--target", *targets] if targets else [])],
               tree)


def programs_of(tests, tree):
    """What has to be built for these tests, as paths below build/."""
    _, text = run(["ctest", "--test-dir", "build", "-R", tests, "--show-only=json-v1"], tree)
    place = f"{tree}/build/"
    words = []
    for test in json.loads(text)["tests"]:
        words += test.get("command", [])
        for item in test.get("properties", []):
            if item["name"] == "ENVIRONMENT":
                words += [setting.split("=", 1)[-1] for setting in item["value"]]
    paths = {word.removeprefix(place) for word in words if word.startswith(place)}
    return sorted(path for path in paths if path.startswith(("bin/", "lib/")))


def failed_of(tests, tree, environment):
    """The tests that fail, or hang; None when there are none of these names."""
    _, text = run(["ctest", "--test-dir", "build", "-j2", "-R", tests], tree, environment)
    if "No tests were found" in text:
        return None
    return [line.split(" - ", 1)[1] for line in text.splitlines()
            if " - " in line and any(failure in line for failure in FAILURES)]


class Hunt:
    def __init__(self, tree):
        self.tree = tree
        self.wrong = []

    def say(self, name, what, begin, is_wrong):
        print(f"{name:36} {time.monotonic() - begin:5.0f} s  {what}", flush=True)
        if is_wrong:
            self.wrong.append(name)

    def try_original(self, mutants):
        """A test that fails without a mutant would notice all of them."""
        begin = time.monotonic()
        tests = "|".join(sorted({mutant[4] for mutant in mutants}))
        failed = failed_of(tests, self.tree, None)
        what = f"fails: {', '.join(failed)}" if failed else "passes"
        self.say("the original", what, begin, is_wrong=failed != [])

    def try_mutant(self, name, file, old, new, tests, environment=None):
        begin = time.monotonic()
        path = self.tree / file
        original = path.read_text()
        if original.count(old) != 1:
            what = f"{file} holds what is to be broken {original.count(old)} times"
            return self.say(name, what, begin, is_wrong=True)
        programs = programs_of(tests, self.tree)
        path.write_text(original.replace(old, new))
        try:
            code, text = build(self.tree, programs)
            failed = failed_of(tests, self.tree, environment) if code == 0 else None
        finally:
            path.write_text(original)
        if code != 0:
            self.say(name, f"does not compile:\n{text[-2000:]}", begin, is_wrong=True)
        elif failed is None:
            self.say(name, f"there is no test {tests}", begin, is_wrong=True)
        elif failed:
            self.say(name, f"killed by {len(failed)}: {failed[0]}", begin, is_wrong=False)
        else:
            self.say(name, "SURVIVED", begin, is_wrong=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--work", default=None)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {mutant[0] for mutant in MUTANTS}
    if unknown:
        parser.error(f"there is no mutant {', '.join(sorted(unknown))}")
    work = pathlib.Path(arguments.work or tempfile.mkdtemp(prefix="latchkey-mutants-")).resolve()
    tree = work / "tree"
    copy_tree(pathlib.Path(arguments.root), tree)
    print(f"building the original in {tree}", flush=True)
    # As ./dev test builds it, so that a compiler's cache has it already.
    code, text = run(["cmake", "--preset", "release", "-DLATCHKEY_TESTS=ON"], tree)
    if code == 0:
        code, text = build(tree)
    if code != 0:
        sys.exit(text[-4000:])

    mutants = [mutant for mutant in MUTANTS if not arguments.names or mutant[0] in arguments.names]
    hunt = Hunt(tree)
    hunt.try_original(mutants)
    for mutant in mutants:
        hunt.try_mutant(*mutant)
    print(f"mutants: tried {len(mutants)}, wrong {len(hunt.wrong)}" +
          (": " + ", ".join(hunt.wrong) if hunt.wrong else ""))
    return 1 if hunt.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
