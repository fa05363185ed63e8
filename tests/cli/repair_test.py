"""check and repair: what they say of a sound store and of one that has lost its `ack`, and what a
kill in the middle of a repair leaves."""

import hashlib
import os
import shutil
import subprocess
import time
import unittest

from harness import BINARY, DONE, FAILURE, REFUSED, USAGE, CliTest, seeded_random


class Repair(CliTest):
    def setUp(self):
        super().setUp()
        self.make_user()
        made = self.json("user", "key", "create", "muriel-bagge", "--name", "live")
        self.live = made["key"]
        made = self.json("user", "key", "create", "muriel-bagge", "--name", "revoked")
        self.revoked = made["key"]
        self.ok("user", "key", "revoke", "muriel-bagge", made["uuid"], "--yes")
        self.store = self.folder / "latchkey-data"

    def files(self):
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(self.store.rglob("*")) if path.is_file()}

    def allowed(self, secret):
        return self.run_cli("verify", stdin=secret).code == DONE

    def test_a_sound_store(self):
        report = self.json("check")
        self.assertEqual((report["sound"], report["findings"]), (True, []))
        self.assertEqual((report["owners"], report["credentials"], report["tombstones"],
                          report["events"]), (1, 2, 1, 4))
        self.assertIn("sound: 0 findings in 2 credentials", self.ok("check").out)
        before = self.files()
        for flags in (["--dry-run"], []):
            report = self.json("repair", *flags)
            self.assertEqual((report["proof"], report["findings"], report["written"]),
                             ("sum", [], False))
            self.assertEqual(self.ok("repair", *flags).out, "sound: nothing was written\n")
        self.assertEqual(self.files(), before)
        self.assertTrue(self.allowed(self.live))

    def test_what_cannot_be_shown_is_given_up_only_when_accepted(self):
        os.remove(self.store / "ack")
        before = self.files()
        self.refused(FAILURE, "check")
        self.refused(FAILURE, "stats")
        for flags in ([], ["--dry-run"]):
            answer = self.run_cli("repair", *flags)
            self.assertEqual(answer.code, REFUSED, answer)
            self.assertIn("ack file is lost", answer.out)
            self.assertIn("Restore a backup", answer.err)
        self.refused(USAGE, "repair", "--accept-broken-events")  # nobody to ask
        report = self.json("repair", "--accept-broken-events", "--dry-run", code=REFUSED)
        self.assertEqual((report["proof"], report["needs_accept"], report["written"]),
                         ("nothing", True, False))
        self.assertEqual((report["credentials_withdrawn"], report["owners_withdrawn"]), (1, 1))
        self.assertEqual(self.files(), before)

        report = self.json("repair", "--accept-broken-events", "--yes")
        self.assertEqual((report["active"], report["revoked"], report["written"]), (0, 2, True))
        self.assert_uuid(report["history_id"])
        self.assertTrue(self.json("check")["sound"])
        self.assertEqual(self.json("repair")["findings"], [])
        self.assertFalse(self.allowed(self.live))
        self.assertFalse(self.allowed(self.revoked))
        self.ok("user", "unlock", "muriel-bagge")
        made = self.json("user", "key", "create", "muriel-bagge", "--name", "new")
        self.assertTrue(self.allowed(made["key"]))

    def test_what_cannot_be_repaired(self):
        self.refused(REFUSED, "--store", "nowhere", "repair")
        self.refused(FAILURE, "--pepper-file", "nowhere", "repair")
        self.refused(USAGE, "--host", "http://127.0.0.1:1", "repair")
        self.refused(USAGE, "--host", "http://127.0.0.1:1", "check")
        marker = self.store / "LATCHKEY"
        marker.write_bytes(marker.read_bytes().replace(b"pepper 1", b"pepper 2"))
        self.refused(FAILURE, "repair")

    def test_killed_in_the_middle(self):
        """What a repair leaves behind, wherever it was killed, the next one ends."""
        seed, random = seeded_random()
        owner = self.json("user", "view", "muriel-bagge")["uuid"]
        self.import_rows([{"type": "user_key", "uuid": f"01890000-0000-7000-8000-{i:012x}",
                           "user": owner, "name": f"k{i}",
                           "sha256": hashlib.sha256(str(i).encode()).hexdigest(),
                           "creation": 1700000000, "expiration": 4000000000, "revoked": None}
                          for i in range(4000)])
        os.remove(self.store / "ack")
        copy = self.folder / "copy"
        shutil.copytree(self.store, copy)
        command = [BINARY, "repair", "--accept-broken-events", "--yes"]
        begun = time.monotonic()
        whole = subprocess.run(command, cwd=self.folder, env=self.environment(), check=True,
                               capture_output=True)
        took_s = time.monotonic() - begun
        self.assertIn(b"credentials_withdrawn", whole.stdout)
        self.assertIn(b" more", whole.stdout)
        self.assertLess(len(whole.stdout.splitlines()), 120)  # and not one for each key
        for _ in range(5):
            shutil.rmtree(self.store)
            shutil.copytree(copy, self.store)
            process = subprocess.Popen(command, cwd=self.folder, env=self.environment(),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0, took_s))
            process.kill()
            process.wait()
            report = self.json("repair", "--accept-broken-events", "--yes")
            self.assertEqual((report["active"], report["revoked"]), (0, 4002), f"seed {seed}")
            self.assertTrue(self.json("check")["sound"], f"seed {seed}")
            self.assertFalse(self.allowed(self.live), f"seed {seed}")


if __name__ == "__main__":
    unittest.main()
