"""Drives the built command in a folder of its own.

LATCHKEY_CLI names the binary. Nothing else of the environment that concerns latchkey reaches it,
unless a test says so.
"""

import json
import os
import pathlib
import random
import re
import select
import shutil
import subprocess
import tempfile
import unittest

BINARY = os.path.abspath(os.environ.get("LATCHKEY_CLI", "build/bin/latchkey"))
SOURCE = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 60

DONE, REFUSED, USAGE, FAILURE = 0, 1, 2, 3
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
NO_UUID = "01897bd9-ffff-7fff-bfff-ffffffffffff"

# The published digest of bencher_user_aB3x..., and what it is the digest of.
KNOWN_SECRET = "bencher_user_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh"
KNOWN_SHA256 = "3e0ab8e17529ee01b55573f5c144940e7d57567c5173e5bd0afe30b1c1ed2f1d"


def seeded_random():
    """A generator whose seed is printed with a failure; LATCHKEY_TEST_SEED replays it."""
    seed = int(os.environ.get("LATCHKEY_TEST_SEED") or random.SystemRandom().randrange(2**32))
    return seed, random.Random(seed)


def answer_of(process):
    """The next line of a running command, which must come before anything more is sent to it."""
    if not select.select([process.stdout], [], [], TIMEOUT_S)[0]:
        raise AssertionError("no answer came")
    return process.stdout.readline()


class Answer:
    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout.decode("utf-8")
        self.err = process.stderr.decode("utf-8")

    def __repr__(self):
        return f"exit {self.code}\n--- out\n{self.out}--- err\n{self.err}"


class CliTest(unittest.TestCase):
    """A folder for each test, with a store in it unless `with_store` says otherwise."""

    with_store = True

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="latchkey-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        if self.with_store:
            self.ok("init")

    @staticmethod
    def environment(extra=None):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LATCHKEY_")}
        environment["LC_ALL"] = "C.UTF-8"
        environment.update(extra or {})
        return environment

    def run_cli(self, *arguments, stdin=b"", env=None):
        """Arguments are text or bytes; stdin is text or bytes."""
        if isinstance(stdin, str):
            stdin = stdin.encode()
        return Answer(
            subprocess.run([BINARY, *arguments], input=stdin, capture_output=True, check=False,
                           cwd=self.folder, env=self.environment(env), timeout=TIMEOUT_S))

    def ok(self, *arguments, **options):
        answer = self.run_cli(*arguments, **options)
        self.assertEqual(answer.code, DONE, f"{arguments}: {answer}")
        return answer

    def json(self, *arguments, code=DONE, **options):
        """The one value on standard output."""
        answer = self.run_cli("--output", "json", *arguments, **options)
        self.assertEqual(answer.code, code, f"{arguments}: {answer}")
        self.assertTrue(answer.out.endswith("\n"), answer)
        return json.loads(answer.out)

    def refused(self, code, *arguments, says=(), **options):
        """Fails with that code, in both outputs alike, with nothing on standard output, and a
        message that holds every text of `says`."""
        for output in ("table", "json"):
            answer = self.run_cli(*arguments, "-o", output, **options)
            self.assertEqual(answer.code, code, f"{arguments}: {answer}")
            self.assertEqual(answer.out, "", f"{arguments}")
            for line in answer.err.splitlines():
                self.assertTrue(line.startswith("latchkey: "), answer)
            self.assertNotEqual(answer.err, "")
            for text in [says] if isinstance(says, str) else says:
                self.assertIn(text, answer.err)
        return answer

    def import_rows(self, rows, *flags, code=DONE):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        return self.json("import", "-", *flags, stdin=text, code=code)

    def assert_uuid(self, text):
        self.assertRegex(text, UUID)

    def assert_time(self, text):
        self.assertRegex(text, TIME)

    def make_user(self, name="Muriel Bagge", *flags):
        return self.json("user", "create", "--name", name, *flags)

    def make_project(self, name="The Computer", *flags):
        return self.json("project", "create", "--name", name, *flags)
