"""A running host and a copy of its store, for the suites that compare the two.

LATCHKEYD names the host's binary.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from credentials_test import jwt
from harness import BINARY, DONE, KNOWN_SHA256, TIMEOUT_S, CliTest, answer_of

LATCHKEYD = os.path.abspath(os.environ.get("LATCHKEYD", "build/bin/latchkeyd"))
ADMIN = "01897bd9-0000-7000-8000-0000000000ad"
MURIEL = "01897bd9-0000-7000-8000-000000000001"
COURAGE = "01897bd9-0000-7000-8000-000000000002"
COMPUTER = "01897bd9-0000-7000-8000-0000000000c0"
TOKEN = "01897bd9-0000-7000-8000-0000000000f0"
JWT_SECRET = b"a secret of at least thirty-two bytes for the sessions"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CLAIMS = {"aud": "api_key", "exp": 5000000000, "iat": 1700000000,
          "iss": "http://localhost:3000/", "sub": "muriel@nowhere.com", "org": None}


def seed_rows():
    """Owners, roles and credentials in every state, with fixed UUIDs and times."""
    def user(uuid, name, slug, email, admin=False):
        return {"type": "user", "uuid": uuid, "name": name, "slug": slug, "email": email,
                "admin": admin, "locked": False, "created": 1700000000}

    def key(number, name, secret_digest, **more):
        return {"type": "user_key", "uuid": f"01897bd9-0000-7000-8000-0000000001{number:02x}",
                "user": MURIEL, "name": name, "sha256": secret_digest, "creation": 1700000000,
                "expiration": 5000000000, "revoked": None, **more}
    rows = [user(ADMIN, "Admin", "admin", "admin@nowhere.com", True),
            user(MURIEL, "Muriel Bagge", "muriel-bagge", "muriel@nowhere.com"),
            user(COURAGE, "Courage \u202e\x1b[2J", "courage", None),
            {"type": "project", "uuid": COMPUTER, "name": "The Computer", "slug": "the-computer",
             "visibility": "private", "created": 1700000000, "deleted": None},
            {"type": "grant", "project": COMPUTER, "user": MURIEL, "role": "maintainer"},
            {"type": "grant", "project": COMPUTER, "user": COURAGE, "role": "viewer"},
            key(1, "Laptop", KNOWN_SHA256),
            key(2, "Old", "02" * 32, expiration=1700000001),
            key(3, "Lost \u202e\x1b[2J", "03" * 32, revoked=1700000100),
            {"type": "project_key", "uuid": "01897bd9-0000-7000-8000-0000000002c1",
             "project": COMPUTER, "creator": MURIEL, "name": "CI", "sha256": "c1" * 32,
             "creation": 1700000000, "expiration": 5000000000, "revoked": None},
            {"type": "user_token", "uuid": TOKEN, "user": MURIEL, "name": "Token",
             "jwt": jwt(CLAIMS), "creation": 1700000000, "expiration": 5000000000,
             "revoked": None}]
    rows += [key(16 + i, f"Many {i:02}", f"{16 + i:02x}" * 32) for i in range(20)]
    return rows


class Seed:
    """The store that the tests copy, made once."""
    folder = None

    @classmethod
    def path(cls):
        if cls.folder is None:
            cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="latchkey-seed-"))
            unittest.addModuleCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
            text = "".join(json.dumps(row) + "\n" for row in seed_rows()).encode()
            for arguments, stdin in ((["init"], b""), (["import", "-"], text)):
                subprocess.run([BINARY, "--store", cls.folder / "seed", *arguments], input=stdin,
                               env=CliTest.environment(), stdout=subprocess.DEVNULL, check=True,
                               timeout=TIMEOUT_S)
        return cls.folder / "seed"


class HostTest(CliTest):
    """Two copies of the seed: `local`, which --store works on, and `held`, which a host holds."""

    with_store = False
    key_text = None  # what to ask with; None = an administrator's session

    def setUp(self):
        super().setUp()
        for name in ("local", "held"):
            shutil.copytree(Seed.path(), self.folder / name)
            shutil.copy(f"{Seed.path()}.pepper", self.folder / f"{name}.pepper")
        self.jwt_file = self.write_secret("jwt.secret", JWT_SECRET)
        session = self.ok("session", "admin@nowhere.com", "--jwt-secret-file", str(self.jwt_file))
        self.key_file = self.write_secret("admin.key", session.out.encode())
        self.process, self.address = self.start_host()
        self.at_host = ("--host", self.address, "--key-file", str(self.key_file))

    def write_secret(self, name, data, mode=0o600):
        path = self.folder / name
        path.write_bytes(data)
        os.chmod(path, mode)
        return path

    def start_host(self, *flags):
        process = subprocess.Popen(
            [LATCHKEYD, "--store", str(self.folder / "held"), "--listen", "127.0.0.1:0",
             "--metrics-listen", "off", "--jwt-secret-file", str(self.jwt_file), "--log", "off",
             *flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self.environment())
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        line = answer_of(process).decode()
        self.assertRegex(line, r"\Alatchkeyd ready on https?://\S+\n\Z")
        return process, line.split()[-1]

    def stop_host(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(TIMEOUT_S), DONE)

    def plain(self, text):
        """Without what must differ: times of this run, UUIDs that were made in it, and that a host
        knows who creates."""
        this_run = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
        text = TIME.sub(lambda m: "MAX" if m[0] > "2150" else
                        "NOW" if this_run < m[0] < "2100" else m[0], text)
        fixed = {row.get("uuid") for row in seed_rows()}
        seen = {}
        text = UUID.sub(
            lambda m: m[0] if m[0] in fixed else f"UUID{seen.setdefault(m[0], len(seen))}", text)
        text = re.sub(r"bencher_(user|run)_[0-9A-Za-z]{30}", r"bencher_\1_SECRET", text)
        text = re.sub(r',?\n *"last_used": "NOW"|\nlast used +NOW', "", text)
        text = re.sub(rf',\n *"creator": "{ADMIN}"(?=\n)|\ncreator +{ADMIN}', "", text)
        return text.replace(f'"creator": "{ADMIN}"', '"creator": null')

    def both(self, *arguments, code=DONE, stdin=b""):
        """The same verb on the store and through the host, in both outputs; the host's JSON."""
        due = self.run_cli("--store", "local", *arguments, stdin=stdin)
        self.assertEqual(due.code, code, f"{arguments}: {due}")
        answer = self.run_cli(*self.at_host, *arguments, stdin=stdin)
        self.assertEqual(answer.code, code, f"{arguments}: {answer}")
        self.assertEqual(self.plain(answer.out), self.plain(due.out), arguments)
        if code == DONE:
            self.assertEqual(answer.err, due.err, arguments)
        return due, answer

    def both_outputs(self, *arguments, code=DONE, stdin=b""):
        for output in ("table", "json"):
            due, answer = self.both("-o", output, *arguments, code=code, stdin=stdin)
        return due, answer
