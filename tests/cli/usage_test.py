"""The command line itself: verbs, help, where flags may stand, the environment, init and stats."""

import os
import re
import stat
import subprocess
import unittest

from harness import BINARY, DONE, FAILURE, REFUSED, USAGE, CliTest, answer_of

LEAVES = [
    ["init"], ["stats"], ["verify"], ["identify"], ["import"], ["session"],
    ["backup"], ["restore"], ["epoch"],
    ["check"], ["repair"],
    *[["user", verb] for verb in ("create", "list", "view", "update", "lock", "unlock", "delete")],
    *[["project", verb] for verb in ("create", "list", "view", "update", "delete")],
    *[["grant", verb] for verb in ("set", "remove", "list")],
    *[[*noun, verb] for noun in (["token"], ["user", "key"], ["project", "key"])
      for verb in ("list", "create", "view", "update", "revoke")],
]
ALIASES = {"list": "ls", "create": "add", "view": "get", "update": "edit", "revoke": "rm",
           "delete": "rm", "remove": "rm"}


class Help(CliTest):
    with_store = False

    def test_every_verb_has_help_with_an_example_of_it(self):
        for leaf in LEAVES:
            for flag in ("--help", "-h"):
                out = self.ok(*leaf, flag).out
                self.assertIn("Example", out, leaf)
                due = ["user", "key", "create"] if leaf == ["token", "create"] else leaf
                example = out[out.index("Example"):]
                for word in due:
                    self.assertIn(word, example, leaf)

    def test_aliases(self):
        for leaf in LEAVES:
            alias = ALIASES.get(leaf[-1])
            if alias is not None:
                self.assertEqual(self.ok(*leaf[:-1], alias, "--help").out,
                                 self.ok(*leaf, "--help").out)

    def test_groups_and_the_whole(self):
        out = self.ok("--help").out
        for word in ("init", "stats", "user", "project", "grant", "token", "verify", "identify",
                     "import", "session", "check", "repair", "backup", "restore", "epoch",
                     "LATCHKEY_STORE",
                     "LATCHKEY_PEPPER_FILE", "LATCHKEY_OUTPUT", "LATCHKEY_YES", "Exit codes"):
            self.assertIn(word, out)
        for group in (["user"], ["project"], ["grant"], ["token"], ["user", "key"],
                      ["project", "key"]):
            self.ok(*group, "--help")

    def test_version(self):
        self.assertRegex(self.ok("--version").out, r"\Alatchkey \d+\.\d+\.\d+\n\Z")
        self.ok("user", "list", "--version")

    def test_what_is_not_understood(self):
        for arguments in ([], ["bogus"], ["user"], ["user", "bogus"], ["user", "key"],
                          ["stats", "extra"], ["stats", "--bogus"], ["user", "view"],
                          ["user", "view", "a", "b"], ["user", "create"],
                          ["user", "key", "create", "a", "--nam", "b"], ["--output"],
                          ["user", "list", "--deleted=maybe"], ["--store"], ["Stats"],
                          ["user", "create", "--name", "a", "--name", "b"],
                          ["project", "lock", "a"], ["project", "create", "--name", "a", "--admin"],
                          ["user", "create", "--name", "a", "--private"]):
            answer = self.run_cli(*arguments)
            self.assertEqual((answer.code, answer.out), (USAGE, ""), f"{arguments} {answer}")
            self.assertIn("--help", answer.err)
        self.assertIn("'bogus'", self.run_cli("user", "bogus").err)
        self.assertIn("'--nam'", self.run_cli("user", "key", "create", "a", "--nam", "b").err)


class Globals(CliTest):
    with_store = False

    def test_flags_before_and_behind_the_verb(self):
        for arguments in (["--store", "a", "init"], ["init", "--store", "b"],
                          ["--store=c", "init"], ["init", "--store=d"]):
            self.ok(*arguments)
        for name in "abcd":
            self.assertTrue((self.folder / name / "LATCHKEY").exists())
            self.assertTrue((self.folder / f"{name}.pepper").exists())
        for arguments in (["--store", "a", "-o", "json", "user", "list"],
                          ["user", "--store", "a", "list", "--output", "json"],
                          ["user", "list", "--output=json", "--store=a"],
                          ["-ojson", "user", "list", "--store", "a"]):
            self.assertEqual(self.ok(*arguments).out, "[]\n")

    def test_variables_and_that_flags_win(self):
        self.ok("init", env={"LATCHKEY_STORE": "a", "LATCHKEY_PEPPER_FILE": "p"})
        self.assertTrue((self.folder / "p").exists())
        self.assertFalse((self.folder / "a.pepper").exists())
        both = {"LATCHKEY_STORE": "a", "LATCHKEY_PEPPER_FILE": "p"}
        self.assertEqual(self.ok("user", "list", env={**both, "LATCHKEY_OUTPUT": "json"}).out,
                         "[]\n")
        self.assertEqual(self.ok("user", "list", "-o", "table",
                                 env={**both, "LATCHKEY_OUTPUT": "json"}).out, "0 of 0\n")
        self.ok("user", "list", "--store", "a", "--pepper-file", "p",
                env={"LATCHKEY_STORE": "nowhere", "LATCHKEY_PEPPER_FILE": "nowhere"})
        self.refused(REFUSED, "user", "list", "--store", "nowhere", env=both)
        # Empty is not set.
        self.ok("init", env={"LATCHKEY_STORE": "", "LATCHKEY_OUTPUT": ""})
        self.assertTrue((self.folder / "latchkey-data").is_dir())

    def test_bad_values(self):
        self.ok("init")
        for text in ("xml", "", "JSON"):
            answer = self.run_cli("stats", "--output", text)
            self.assertEqual(answer.code, USAGE)
            self.assertIn("table or json", answer.err)
        self.assertEqual(self.run_cli("stats", env={"LATCHKEY_OUTPUT": "xml"}).code, USAGE)
        self.assertEqual(self.run_cli("stats", env={"LATCHKEY_YES": "perhaps"}).code, USAGE)
        self.refused(USAGE, "--store", "", "stats")
        self.refused(USAGE, "--store=", "stats")

    def test_yes_can_be_taken_back(self):
        self.ok("init")
        self.make_user("A")
        self.refused(USAGE, "user", "delete", "a", "--yes=false", env={"LATCHKEY_YES": "1"})
        self.refused(USAGE, "user", "delete", "a", env={"LATCHKEY_YES": "false"})
        self.ok("user", "delete", "a", env={"LATCHKEY_YES": "true"})


class Stores(CliTest):
    with_store = False

    def test_init_says_what_backups_lack(self):
        answer = self.ok("--store", "s", "init")
        for text in ("s.pepper", "Backups"):
            self.assertIn(text, answer.out)
        self.assertEqual(stat.S_IMODE(os.stat(self.folder / "s.pepper").st_mode), 0o600)
        self.refused(REFUSED, "--store", "s", "init", says="'s'")
        made = self.json("--store", "t/", "init")
        self.assertEqual((made["store"], made["pepper"]), ("t", "t.pepper"))
        self.assert_uuid(made["store_id"])
        self.assertEqual(self.json("--store", "t", "stats")["store_id"], made["store_id"])

    def test_no_store(self):
        for arguments in (["stats"], ["user", "list"], ["verify"], ["import", "-"],
                          ["user", "create", "--name", "a"], ["grant", "list", "a"],
                          ["identify", "--sha256", "0" * 64],
                          ["user", "key", "revoke", "a", "b", "--yes"]):
            self.refused(REFUSED, *arguments, says=["latchkey init", "latchkey-data"])
        self.assertEqual(list(self.folder.iterdir()), [])
        self.refused(REFUSED, "--store", "no/folder", "init", says="Make that folder first")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_folder_that_is_no_store(self):
        (self.folder / "mine").mkdir()
        (self.folder / "mine" / "file").write_text("precious")
        for verb in ("init", "stats"):
            answer = self.run_cli("--store", "mine", verb)
            self.assertNotEqual(answer.code, DONE)
            self.assertIn("'mine'", answer.err)
        self.assertEqual(os.listdir(self.folder / "mine"), ["file"])

    def test_the_wrong_pepper(self):
        self.ok("--store", "a", "init")
        self.ok("--store", "b", "init")
        self.refused(FAILURE, "--store", "a", "--pepper-file", "b.pepper", "stats",
                     says="--pepper-file")
        os.rename(self.folder / "a.pepper", self.folder / "kept")
        self.refused(FAILURE, "--store", "a", "stats", says="--pepper-file")
        self.assertFalse((self.folder / "a.pepper").exists())
        self.ok("--store", "a", "--pepper-file", "kept", "stats")
        os.chmod(self.folder / "kept", 0o644)
        self.refused(FAILURE, "--store", "a", "--pepper-file", "kept", "stats", says="0600")

    def test_a_store_that_another_process_holds(self):
        self.ok("init")
        holder = subprocess.Popen([BINARY, "verify", "--each"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, cwd=self.folder, env=self.environment())
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        self.addCleanup(holder.stdout.close)
        os.write(holder.stdin.fileno(), b"x\n")
        answer_of(holder)
        self.refused(FAILURE, "stats", says="Another process holds the store")
        holder.stdin.close()
        self.assertEqual(holder.wait(), DONE)
        self.ok("stats")

    def test_stats(self):
        self.ok("init")
        self.make_user()
        self.make_project()
        for name in ("a", "b"):
            self.ok("user", "key", "create", "muriel-bagge", "--name", name)
        self.ok("user", "key", "revoke", "muriel-bagge", "a", "--yes")
        stats = self.json("stats")
        self.assertEqual(list(stats), [
            "store_id", "history_id", "event_number", "users", "projects", "active", "revoked",
            "sweeps_pending", "commits", "commands", "verify_table_bytes", "directory_bytes",
            "disk_bytes", "log_bytes", "time_s", "clock_jump_pending", "format",
            "verify_table_entries", "verify_table_missing", "loading", "load_done", "load_total"])
        self.assertEqual((stats["users"], stats["projects"], stats["active"], stats["revoked"]),
                         (1, 1, 1, 1))
        self.assertGreaterEqual(stats["event_number"], 5)
        self.assertIs(stats["clock_jump_pending"], False)
        out = self.ok("stats").out
        for member in stats:
            self.assertTrue(re.search(rf"(?m)^{member} ", out), member)

    def test_output_that_cannot_be_written(self):
        self.ok("init")
        with open("/dev/full", "wb") as full:
            for arguments in (["stats"], ["user", "list"], ["--help"]):
                process = subprocess.run([BINARY, *arguments], stdout=full, stderr=subprocess.PIPE,
                                         cwd=self.folder, env=self.environment(), check=False)
                self.assertEqual(process.returncode, FAILURE, arguments)


if __name__ == "__main__":
    unittest.main()
