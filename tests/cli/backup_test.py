"""backup, restore and epoch: a store that is lost, and what comes back."""

import json
import shutil
import unittest

from harness import NO_UUID, CliTest


class BackupAndRestore(CliTest):
    def setUp(self):
        super().setUp()
        self.ok("user", "create", "--name", "Muriel")
        self.keys = {name: json.loads(self.ok("-o", "json", "user", "key", "create", "muriel",
                                              "--name", name).out)
                     for name in ("live", "leaked", "listed")}

    def verify(self, name, store, **run):
        return self.run_cli("--store", store, "--pepper-file", "latchkey-data.pepper", "verify",
                            stdin=self.keys[name]["key"], **run)

    def restore(self, *arguments):
        return self.run_cli("--pepper-file", "latchkey-data.pepper", "-o", "json", "restore",
                            "backups", *arguments)

    def test_the_whole_way(self):
        made = self.ok("backup", "backups")
        self.assertIn("does not hold the pepper", made.out)
        before = self.ok("epoch").out.strip()
        self.ok("user", "key", "revoke", "muriel", "leaked", "--yes")
        after = self.ok("epoch").out.strip()
        self.ok("epoch", "--holds", before)
        self.ok("epoch", "--holds", after)
        (self.folder / "list").write_text(
            f"{self.keys['listed']['uuid']} 1790000000\n\n{NO_UUID}\r\n")
        answer = self.restore("--to", "new", "--damaged", "latchkey-data", "--revocations", "list")
        self.assertEqual(answer.code, 0, answer)
        report = json.loads(answer.out)
        self.assertEqual(report["carried_revocations"], 1)
        self.assertEqual((report["listed"], report["listed_unknown"]), (1, 1))
        self.assertEqual(self.verify("live", "new").code, 0)
        self.assertEqual(self.verify("leaked", "new").code, 1)
        self.assertEqual(self.verify("listed", "new").code, 1)
        place = ["--store", "new", "--pepper-file", "latchkey-data.pepper", "epoch", "--holds"]
        self.ok(*place, before)
        self.assertEqual(self.run_cli(*place, after).code, 3)

    def test_the_list_and_what_is_kept(self):
        for _ in range(3):
            self.ok("backup", "backups", "--keep", "2")
        rows = json.loads(self.ok("-o", "json", "backup", "backups", "--list").out)
        self.assertEqual([row["number"] for row in rows], [2, 3])
        self.assertIn("NUMBER", self.ok("backup", "backups", "--list").out)
        self.ok("backup", "backups", "--verify")
        self.ok("backup", "backups", "--verify", "--number", "2")
        self.assertEqual(self.run_cli("backup", "backups", "--verify", "--number", "1").code, 1)

    def test_what_is_refused(self):
        self.ok("backup", "backups")
        (self.folder / "list").write_text("not a UUID\n")
        self.assertEqual(self.restore("--to", "new", "--revocations", "list").code, 2)
        self.assertEqual(self.restore("--to", "new", "--revocations", "none").code, 3)
        self.assertEqual(self.restore("--to", "latchkey-data").code, 1)
        self.assertEqual(self.restore("--to", "new", "--backup", "9").code, 1)
        self.assertEqual(self.run_cli("restore", "backups", "--to", "new").code, 3)  # no pepper
        self.assertEqual(self.run_cli("epoch", "--holds", "1/2/3").code, 2)
        self.assertFalse((self.folder / "new").exists())

    def test_a_store_of_which_little_is_left(self):
        self.ok("backup", "backups")
        self.ok("user", "key", "revoke", "muriel", "leaked", "--yes")
        store = self.folder / "latchkey-data"
        for path in store.glob("rocks/*"):
            if path.suffix not in (".sst", ".log"):
                path.unlink()
        (store / "LATCHKEY").unlink()
        self.assertEqual(self.restore("--to", "new", "--damaged", "latchkey-data").code, 0)
        self.assertEqual(self.verify("leaked", "new").code, 1)
        shutil.rmtree(store)
        self.assertEqual(self.restore("--to", "other", "--damaged", "latchkey-data").code, 1)


if __name__ == "__main__":
    unittest.main()
