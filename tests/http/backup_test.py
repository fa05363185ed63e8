"""Backups that the host makes while it serves, and what comes back of them."""

import re
import subprocess
import time
import unittest
import urllib.request

from harness import CLI, TIMEOUT_S, Host, HttpTest

KEYS = "/v0/users/muriel-bagge/keys"


class Backups(HttpTest):
    with_host = False

    def serve(self, *flags, **options):
        host = Host(self.folder, *flags, judge=self.judge, metrics=True, **options)
        self.addCleanup(self.stop, host)
        return host

    def metric(self, host, name):
        with urllib.request.urlopen(host.metrics_url, timeout=TIMEOUT_S) as response:
            return int(re.search(rf"^{name} (\d+)$", response.read().decode(), re.MULTILINE)[1])

    def eventually(self, check, what):
        """Until it holds: what it waits for is sure to come, sooner or later."""
        end = time.monotonic() + TIMEOUT_S
        while not check():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)

    def backed_up(self, host):
        self.eventually(lambda: self.metric(host, "latchkey_backup_timestamp_seconds") > 0,
                        "no backup is made")

    def numbers(self):
        out = subprocess.run([CLI, "backup", "backups", "--list"], cwd=self.folder, check=True,
                             capture_output=True, timeout=TIMEOUT_S).stdout.decode()
        return [int(line.split()[0]) for line in out.splitlines()[1:]]

    def test_what_was_backed_up_is_restored_and_what_was_revoked_stays_so(self):
        host = self.host = self.serve("--backup-dir", "backups", "--backup-keep", "2")
        self.backed_up(host)
        self.assertEqual(self.numbers(), [1])
        self.assertEqual(self.metric(host, "latchkey_backup_failures_total"), 0)
        late = self.create(KEYS, "after the backup", "muriel")
        self.call("DELETE", f"{KEYS}/{self.uuid('muriel.spare')}", "muriel", status=204)
        self.stop(host)
        # One that is young enough is not made again.
        self.stop(self.serve("--backup-dir", "backups"))
        self.assertEqual(self.numbers(), [1])
        pepper = ("--pepper-file", "store.pepper")
        subprocess.run([CLI, "restore", "backups", "--to", "back", "--damaged", "store", *pepper],
                       cwd=self.folder, check=True, capture_output=True, timeout=TIMEOUT_S)
        self.host = self.serve(*pepper, store="back")
        self.call("GET", KEYS, "muriel", status=200)
        self.assertEqual(self.verify(late["key"]), {"active": False})
        self.assertEqual(self.verify(self.secret("muriel.spare")), {"active": False})

    def test_a_folder_that_cannot_be_written_does_not_stop_the_host(self):
        self.folder.joinpath("file").write_bytes(b"")
        host = self.host = self.serve("--backup-dir", "file")
        self.eventually(lambda: self.metric(host, "latchkey_backup_failures_total") == 1,
                        "the failure is not counted")
        self.assertEqual(self.metric(host, "latchkey_backup_timestamp_seconds"), 0)
        self.call("GET", KEYS, "muriel", status=200)
        self.assertIn("no backup was made", host.log.read_text())


if __name__ == "__main__":
    unittest.main()
