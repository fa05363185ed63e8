"""verify and identify."""

import json
import os
import subprocess
import unittest

from harness import (BINARY, DONE, KNOWN_SECRET, KNOWN_SHA256, NO_UUID, REFUSED, USAGE, CliTest,
                     answer_of)

SECRET_BYTES_MAX = 8192
NOTHING = {"uuid": None, "kind": None, "owner": None}
MALFORMED = {"verdict": "denied", "reason": "malformed", **NOTHING}
UNKNOWN = {"verdict": "denied", "reason": "unknown", **NOTHING}


class Verify(CliTest):
    def setUp(self):
        super().setUp()
        self.user = self.make_user()
        self.key = self.json("user", "key", "create", "muriel-bagge", "--name", "CI")
        self.secret = self.key["key"]
        self.allowed = {"verdict": "allowed", "reason": "allowed", "uuid": self.key["uuid"],
                        "kind": "user_key", "owner": self.user["uuid"]}

    def verdict(self, stdin, *flags):
        answer = self.run_cli("-o", "json", "verify", *flags, stdin=stdin)
        verdict = json.loads(answer.out)
        self.assertEqual(list(verdict), ["verdict", "reason", "uuid", "kind", "owner"])
        self.assertEqual(answer.code, DONE if verdict["verdict"] == "allowed" else REFUSED, answer)
        self.assertEqual(answer.err, "")
        return verdict

    def each(self, stdin, *flags):
        answer = self.ok("verify", "--each", "-o", "json", *flags, stdin=stdin)
        return [json.loads(line) for line in answer.out.splitlines()]

    def test_one_newline_at_the_end_is_dropped(self):
        for ending in ("", "\n", "\r\n"):
            self.assertEqual(self.verdict(self.secret + ending), self.allowed)
        for text in (self.secret + "\n\n", self.secret + "\r", self.secret + "\r\r\n",
                     "\n" + self.secret, " " + self.secret, self.secret + " ",
                     self.secret + "\n" + self.secret):
            self.assertEqual(self.verdict(text), MALFORMED, repr(text))

    def test_malformed(self):
        for secret in (b"", b"\n", self.secret[:-1], self.secret + "0", b"\0", b"\xff" * 43,
                       self.secret[:20] + "\0" + self.secret[21:], "bencher_user_",
                       "Bencher_user_" + self.secret[13:], b"A" * 10_000_000, b"\0" * 10_000_000,
                       b"\n" * 10_000, b"A" * SECRET_BYTES_MAX, b"A" * (SECRET_BYTES_MAX + 1),
                       b"A" * (SECRET_BYTES_MAX + 3)):
            self.assertEqual(self.verdict(secret), MALFORMED, secret[:60])

    def test_unknown(self):
        self.assertEqual(self.verdict("bencher_user_" + "0" * 30), UNKNOWN)

    def test_table(self):
        answer = self.ok("verify", stdin=self.secret)
        self.assertEqual(answer.out, f"allowed  user_key  {self.key['uuid']}  "
                                     f"owner {self.user['uuid']}\n")
        answer = self.run_cli("verify", stdin="x")
        self.assertEqual((answer.code, answer.out), (REFUSED, "denied  malformed\n"))
        self.ok("user", "key", "revoke", "muriel-bagge", "ci", "--yes")
        answer = self.run_cli("verify", stdin=self.secret)
        self.assertEqual((answer.code, answer.out),
                         (REFUSED, f"denied  revoked  user_key  {self.key['uuid']}  "
                                   f"owner {self.user['uuid']}\n"))

    def test_every_reason(self):
        def denied(reason):
            return {**self.allowed, "verdict": "denied", "reason": reason}
        self.assertEqual(self.verdict(self.secret, "--at", "253402300799"), denied("expired"))
        self.assertEqual(self.verdict(self.secret, "--scope", "verify"), denied("scope"))
        self.ok("user", "lock", "muriel-bagge")
        self.assertEqual(self.verdict(self.secret), denied("locked"))
        self.ok("user", "unlock", "muriel-bagge")
        self.assertEqual(self.verdict(self.secret), self.allowed)
        self.ok("user", "delete", "muriel-bagge", "--yes")
        self.assertEqual(self.verdict(self.secret), denied("deleted"))
        self.ok("user", "key", "revoke", self.user["uuid"], "ci", "--yes")
        self.assertEqual(self.verdict(self.secret), denied("revoked"))

    def test_scopes_must_all_be_there(self):
        secret = self.json("user", "key", "create", "muriel-bagge", "--name", "s", "--scope",
                           "verify", "--scope", "5")["key"]
        for scopes, verdict in ((["verify"], "allowed"), (["5"], "allowed"),
                                (["0", "5"], "allowed"), (["5", "6"], "denied"),
                                (["63"], "denied"), ([], "allowed")):
            flags = [flag for scope in scopes for flag in ("--scope", scope)]
            self.assertEqual(self.verdict(secret, *flags)["verdict"], verdict, scopes)
        self.refused(USAGE, "verify", "--scope", "64", stdin=secret)

    def test_at_is_a_what_if(self):
        rows = [{"type": "user_key", "uuid": NO_UUID, "user": self.user["uuid"], "name": "old",
                 "sha256": KNOWN_SHA256, "creation": 1700000000, "expiration": 1700001000,
                 "revoked": None}]
        self.import_rows(rows)
        for at, verdict in (("1700000999", "allowed"), ("1700001000", "denied"),
                            ("1700001001", "denied")):
            self.assertEqual(self.verdict(KNOWN_SECRET, "--at", at)["verdict"], verdict, at)
        # Another process asked for a time far ahead, and that kills nothing.
        self.verdict(self.secret, "--at", "253402300799")
        self.assertEqual(self.verdict(self.secret), self.allowed)
        for at in ("0", "-1", "now", "", "253402300800", "1e9"):
            self.refused(USAGE, "verify", "--at", at, stdin=self.secret, says="--at")

    def test_an_argument_works_with_a_warning(self):
        answer = self.run_cli("verify", self.secret)
        self.assertEqual(answer.code, DONE)
        self.assertIn("standard input", answer.err)
        self.assertNotIn(self.secret[13:], answer.err)
        self.assertEqual(self.run_cli("verify", "bencher_user_" + "0" * 30).code, REFUSED)
        self.refused(USAGE, "verify", "--each", self.secret)
        self.refused(USAGE, "verify", self.secret, self.secret)

    def test_each_answers_in_order(self):
        unknown = "bencher_user_" + "0" * 30
        lines = [self.secret, unknown, "", self.secret, "x" * 9000, self.secret, "a\0b"]
        due = [self.allowed, UNKNOWN, MALFORMED, self.allowed, MALFORMED, self.allowed, MALFORMED]
        for separator in ("\n", "\r\n"):
            text = separator.join(lines)
            self.assertEqual(self.each(text), due)
            self.assertEqual(self.each(text + separator), due)
        self.assertEqual(self.each(""), [])
        self.assertEqual(self.each("\n"), [MALFORMED])
        table = self.ok("verify", "--each", stdin="\n".join(lines)).out.splitlines()
        self.assertEqual([line.split()[0] for line in table],
                         [verdict["verdict"] for verdict in due])

    def test_each_around_the_size_of_its_buffer(self):
        # One long line, whose end falls on every place around a multiple of what is read at once,
        # must not shift the lines behind it.
        for size in (8190, 8191, 8192, 8193, 8194, 8195, 65535, 65536, 65537, 131072, 10_000_000):
            for ending in ("\n", "\r\n"):
                text = self.secret + ending + "x" * size + ending + self.secret + ending
                self.assertEqual(self.each(text), [self.allowed, MALFORMED, self.allowed], size)
        text = self.secret + "\n" + "x" * 10_000_000
        self.assertEqual(self.each(text), [self.allowed, MALFORMED])
        many = (self.secret + "\n") * 5000
        self.assertEqual(self.each(many), [self.allowed] * 5000)

    def test_each_answers_before_the_next_line_is_sent(self):
        process = subprocess.Popen([BINARY, "verify", "--each"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, cwd=self.folder, env=self.environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        for secret, due in ((self.secret, b"allowed"), ("x", b"denied"), (self.secret, b"allowed")):
            os.write(process.stdin.fileno(), secret.encode() + b"\n")
            self.assertTrue(answer_of(process).startswith(due))
        process.stdin.close()
        self.assertEqual(process.wait(), DONE)

    def test_no_store_is_not_an_answer(self):
        self.refused(REFUSED, "--store", "elsewhere", "verify", stdin=self.secret,
                     says="latchkey init")


class Identify(CliTest):
    def test_by_digest_in_every_state(self):
        user = self.make_user()
        self.refused(REFUSED, "identify", "--sha256", KNOWN_SHA256, says="SHA-256")
        self.import_rows([{"type": "user_key", "uuid": NO_UUID, "user": user["uuid"],
                           "name": "Laptop", "sha256": KNOWN_SHA256, "creation": 1700000000,
                           "expiration": 5000000000, "revoked": None}])
        found = self.json("identify", "--sha256", KNOWN_SHA256)
        self.assertEqual(found, {
            "kind": "user_key", "uuid": NO_UUID, "user": user["uuid"], "name": "Laptop",
            "creation": "2023-11-14T22:13:20Z", "expiration": "2128-06-11T08:53:20Z",
            "slug": "laptop"})
        self.assertEqual(self.json("identify", "--sha256", KNOWN_SHA256.upper()), found)
        self.ok("user", "key", "revoke", "muriel-bagge", "laptop", "--yes")
        self.assertIn("revoked", self.json("identify", "--sha256", KNOWN_SHA256))
        self.assertIn("Laptop", self.ok("identify", "--sha256", KNOWN_SHA256).out)

    def test_bad_digests(self):
        for text in ("", KNOWN_SHA256[:-1], KNOWN_SHA256 + "0", "g" + KNOWN_SHA256[1:],
                     KNOWN_SECRET):
            self.refused(USAGE, "identify", "--sha256", text, says="64 hexadecimal digits")
        self.refused(USAGE, "identify")


if __name__ == "__main__":
    unittest.main()
