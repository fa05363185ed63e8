"""64 connections create, verify and revoke at once, and no answer contradicts an earlier one; then
the host is killed, and what it had acknowledged still holds."""

import os
import random
import signal
import threading
import time
import unittest

from harness import LONGER, HttpTest

CONNECTIONS = 64
SECONDS = 20 if LONGER else 3
KEYS = "/v0/users/courage/keys"
RUNS = "/v0/projects/the-computer/keys"


class Made:
    """A key that was made, and what is known of it; a flag is only ever raised."""

    def __init__(self, path, created):
        self.path = path
        self.uuid = created["uuid"]
        self.secret = created["key"]
        self.revoke_sent = False
        self.revoked = False


class Load(HttpTest):
    flags = ("--guess-burst", "0", "--log", "json")

    def setUp(self):
        self.seed = int(os.environ.get("LATCHKEY_TEST_SEED")
                        or random.SystemRandom().randrange(2**32))
        self.made = []
        self.errors = []
        self.end = time.monotonic() + SECONDS

    def check_verdict(self, key, was_revoked, verdict):
        """`was_revoked` before the question was sent; afterwards it may have been."""
        if was_revoked:
            self.assertEqual(verdict, {"active": False}, "a revoked key is active")
        elif not key.revoke_sent:
            self.assertTrue(verdict["active"], "a key that nobody revoked is not active")
            self.assertEqual(verdict["uuid"], key.uuid)

    def create_one(self, generator, number):
        path, who = generator.choice(((KEYS, "courage"), (RUNS, "maintainer")))
        key = Made(path, self.create(path, f"load {number}", who))
        self.check_verdict(key, False, self.verify(key.secret))
        self.made.append(key)

    def revoke_one(self, key):
        key.revoke_sent = True
        status = self.call("DELETE", f"{key.path}/{key.uuid}", "eustace").status
        # Two threads may have chosen the same key: one of them is told that it came too late.
        self.assertIn(status, (204, 409))
        key.revoked = True
        self.check_verdict(key, True, self.verify(key.secret))

    def verify_some(self, keys):
        before = [key.revoked for key in keys]
        results = self.call("POST", "/v0/verify", "eustace",
                            {"tokens": [key.secret for key in keys]}, status=200).json()["results"]
        for key, was_revoked, verdict in zip(keys, before, results):
            self.check_verdict(key, was_revoked, verdict)

    def present(self, key):
        """The key itself in the Authorization header."""
        if key.path != KEYS:
            return
        was_revoked = key.revoked
        status = self.call("GET", f"{KEYS}/{key.uuid}", key.secret).status
        if was_revoked:
            self.assertEqual(status, 401)
        elif not key.revoke_sent:
            self.assertEqual(status, 200)

    def work(self, number):
        generator = random.Random(f"{self.seed} {number}")
        try:
            first = True
            while (first or time.monotonic() < self.end) and not self.errors:
                first = False
                self.create_one(generator, number)
                keys = self.made[:]
                self.verify_some([generator.choice(keys) for _ in range(8)])
                self.present(generator.choice(keys))
                if generator.random() < 0.6:
                    self.revoke_one(generator.choice(keys))
        except BaseException as error:  # Raised again by the test's own thread.
            self.errors.append(error)

    def test_nothing_contradicts_an_earlier_answer(self):
        threads = [threading.Thread(target=self.work, args=(n,)) for n in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.errors:
            print(f"LATCHKEY_TEST_SEED={self.seed}")
            raise self.errors[0]
        self.assertGreaterEqual(len(self.made), CONNECTIONS)
        self.host.stop(signal.SIGKILL)
        self.start()
        for at in range(0, len(self.made), 500):
            self.verify_some(self.made[at:at + 500])


if __name__ == "__main__":
    unittest.main()
