"""--host: every verb through a running host prints what it prints on the store."""

import json
import os
import subprocess
import unittest

from credentials_test import jwt
from harness import BINARY, DONE, KNOWN_SECRET, KNOWN_SHA256, NO_UUID, REFUSED, USAGE, answer_of
from host_harness import CLAIMS, COMPUTER, COURAGE, MURIEL, TOKEN, HostTest


class SameAsTheStore(HostTest):
    def test_owners_are_shown_alike(self):
        for verb in (["user", "list"], ["user", "list", "--direction", "desc", "--per-page", "2"],
                     ["user", "list", "--search", "BAG"], ["user", "list", "--page", "2"],
                     ["user", "list", "--name", "Muriel Bagge"], ["user", "list", "--deleted"],
                     ["user", "list", "--per-page", "0"], ["project", "list"],
                     ["project", "list", "--search", "&?=+ %41"],
                     ["user", "view", "muriel-bagge"], ["user", "view", COURAGE],
                     ["user", "view", "Muriel@Nowhere.com"],
                     ["user", "get", "{" + MURIEL.upper() + "}"],
                     ["project", "view", "the-computer"], ["grant", "list", "the-computer"],
                     ["grant", "list", COMPUTER]):
            self.both_outputs(*verb)

    def test_credentials_are_shown_alike(self):
        keys = ["user", "key"]
        for verb in ([*keys, "list", "muriel-bagge"], [*keys, "list", "muriel@nowhere.com"],
                     [*keys, "list", "muriel-bagge", "--page", "3", "--per-page", "7"],
                     [*keys, "list", "muriel-bagge", "--page", "4294967295"],
                     [*keys, "list", "muriel-bagge", "--search", "many 0"],
                     [*keys, "list", "muriel-bagge", "--direction", "desc", "--sort", "name"],
                     [*keys, "list", "muriel-bagge", "--name", "Laptop", "--per-page", "255"],
                     [*keys, "list", "muriel-bagge", "--revoked"],
                     [*keys, "list", "courage"],
                     [*keys, "view", "muriel-bagge", "laptop"],
                     [*keys, "view", "muriel-bagge", "old"],
                     [*keys, "view", MURIEL, "01897BD9000070008000000000000101"],
                     ["project", "key", "list", "the-computer"],
                     ["project", "key", "view", "the-computer", "ci"],
                     ["token", "list", "muriel-bagge"], ["token", "view", "muriel-bagge", TOKEN],
                     ["token", "list", "muriel-bagge", "--search", "OKE"],
                     ["token", "view", "muriel-bagge", "token"],
                     ["identify", "--sha256", KNOWN_SHA256], ["identify", "--sha256", "03" * 32],
                     ["identify", "--sha256", "C1" * 32]):
            self.both_outputs(*verb)
        lost = json.loads(self.both("-o", "json", *keys, "list", "muriel-bagge",
                                    "--revoked")[1].out)[0]
        self.both_outputs(*keys, "view", "muriel-bagge", lost["slug"])

    def test_the_life_of_an_owner(self):
        for word, flags, change in (("user", ["--email", "new@nowhere.com"], ["--admin", "true"]),
                                    ("project", ["--private"], ["--private", "false"])):
            self.both("-o", "json", word, "create", "--name", "New one", "--slug", "new", *flags)
            self.both(word, "create", "--name", "New two", "--slug", "two")
            self.both_outputs(word, "update", "new", "--name", "Newer", *change)
            self.both(word, "update", "new", "--slug", "newer")
            self.both_outputs(word, "update", "newer", "--slug", "newer")
            self.both_outputs(word, "list")
            if word == "user":
                self.both_outputs("user", "lock", "newer")
                self.both_outputs("user", "unlock", "newer")
                self.both("user", "update", "newer", "--email", "other@nowhere.com")
                self.assertIsNone(json.loads(self.both(
                    "-o", "json", "user", "update", "newer", "--email", "")[1].out)["email"])
            self.both(word, "delete", "newer", "--yes")
            self.both("-o", "json", word, "delete", "two", "--yes")
            self.both_outputs(word, "view", "newer", code=REFUSED)
            self.both_outputs(word, "list", "--deleted")

    def test_a_deleted_owner(self):
        for word, uuid in (("user", COURAGE), ("project", COMPUTER)):
            self.both(word, "delete", uuid, "--yes")
            self.both_outputs(word, "view", uuid)
            for flags in (("--store", "local"), self.at_host):
                self.refused(REFUSED, *flags, word, "delete", uuid, "--yes",
                             says="Nothing is left to do")
                self.refused(REFUSED, *flags, word, "update", uuid, "--name", "a")

    def test_the_life_of_a_grant(self):
        self.both_outputs("grant", "set", "the-computer", "courage", "developer")
        self.both_outputs("grant", "set", COMPUTER, "muriel@nowhere.com", "viewer")
        self.both_outputs("grant", "list", "the-computer")
        self.both("grant", "remove", "the-computer", "courage")
        self.both("-o", "json", "grant", "rm", "the-computer", MURIEL)
        self.both_outputs("grant", "list", "the-computer")
        self.both_outputs("grant", "remove", "the-computer", "courage", code=REFUSED)

    def test_more_grants_than_a_page_holds(self):
        rows = []
        for i in range(300):
            uuid = f"01897bd9-0001-7000-8000-{i:012x}"
            rows += [{"type": "user", "uuid": uuid, "name": f"U{i}", "slug": f"u{i}",
                      "email": None, "admin": False, "locked": False, "created": 1700000000},
                     {"type": "grant", "project": COMPUTER, "user": uuid, "role": "viewer"}]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        self.stop_host()
        for store in ("local", "held"):
            self.ok("--store", store, "import", "-", stdin=text)
        self.process, self.address = self.start_host()
        self.at_host = ("--host", self.address, "--key-file", str(self.key_file))
        _, answer = self.both("-o", "json", "grant", "list", "the-computer")
        self.assertEqual(len(json.loads(answer.out)), 302)
        # An e-mail is found on whichever page of users it is.
        self.both("user", "view", "muriel@nowhere.com")

    def test_the_life_of_a_key(self):
        for noun, owner in ((["user", "key"], "muriel-bagge"), (["project", "key"],
                                                                "the-computer")):
            _, made = self.both("-o", "json", *noun, "create", owner, "--name", "New", "--ttl",
                                "90d", "--scope", "verify", "--scope", "9")
            secret = json.loads(made.out)["key"]
            self.assertEqual(json.loads(made.out)["scopes"], ["verify", 9])
            self.both(*noun, "create", owner, "--name", "Newer")
            self.assertEqual(self.run_cli(*self.at_host, "verify", stdin=secret).code, DONE)
            self.both_outputs(*noun, "view", owner, "new")
            self.both_outputs(*noun, "update", owner, "new", "--name", "Renamed")
            self.both(*noun, "revoke", owner, "new", "--yes")
            self.both("-o", "json", *noun, "rm", owner, "newer", "--yes")
            self.both_outputs(*noun, "view", owner, "new")
            self.both_outputs(*noun, "list", owner, "--revoked")
            self.both_outputs(*noun, "revoke", owner, "new", "--yes", code=REFUSED)
            answer = self.run_cli(*self.at_host, "verify", stdin=secret)
            self.assertEqual((answer.code, answer.out.split()[:2]), (REFUSED,
                                                                     ["denied", "revoked"]))

    def test_the_life_of_a_token(self):
        self.both_outputs("token", "create", "muriel-bagge", "--name", "a", code=REFUSED)
        self.both_outputs("token", "update", "muriel-bagge", "token", "--name", "Older")
        self.both("token", "revoke", "muriel-bagge", "token", "--yes")
        self.both_outputs("token", "view", "muriel-bagge", "token")
        self.both_outputs("verify", stdin=jwt(CLAIMS), code=REFUSED)

    def test_verdicts(self):
        self.both_outputs("verify", stdin=KNOWN_SECRET)
        self.both_outputs("verify", stdin=KNOWN_SECRET + "\n")
        self.both_outputs("verify", stdin=jwt(CLAIMS))
        self.both_outputs("verify", "--scope", "5", "--scope", "verify", stdin=KNOWN_SECRET,
                          code=REFUSED)
        for secret in (b"", b"x", b"\xff\x00", b"a\0b", b'"\\\n\t', b"x" * 9000, b"\xc3\xa9",
                       b"bencher_user_" + b"0" * 30, KNOWN_SECRET.encode() + b" "):
            self.both_outputs("verify", stdin=secret, code=REFUSED)
        lines = "\n".join([KNOWN_SECRET, "x", "", KNOWN_SECRET, "bencher_user_" + "0" * 30])
        self.both_outputs("verify", "--each", stdin=lines)
        self.both("user", "lock", "muriel-bagge")
        self.both_outputs("verify", stdin=KNOWN_SECRET, code=REFUSED)
        self.both("user", "unlock", "muriel-bagge")
        self.both("user", "delete", "muriel-bagge", "--yes")
        self.both_outputs("verify", stdin=KNOWN_SECRET, code=REFUSED)

    def test_each_answers_before_the_next_line_is_sent(self):
        process = subprocess.Popen([BINARY, *self.at_host, "verify", "--each"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder,
                                   env=self.environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        for secret, due in ((KNOWN_SECRET, b"allowed"), ("x", b"denied"),
                            (KNOWN_SECRET, b"allowed")):
            os.write(process.stdin.fileno(), secret.encode() + b"\n")
            self.assertTrue(answer_of(process).startswith(due))
        process.stdin.close()
        self.assertEqual(process.wait(), DONE)

    def test_stats(self):
        due = json.loads(self.ok("--store", "local", "-o", "json", "stats").out)
        stats = json.loads(self.ok(*self.at_host, "-o", "json", "stats").out)
        self.assertEqual(list(stats), list(due))
        for member in ("store_id", "history_id", "event_number", "users", "projects", "active",
                       "revoked", "format"):
            self.assertEqual(stats[member], due[member], member)
        table = self.ok(*self.at_host, "stats").out
        self.assertEqual([line.split()[0] for line in table.splitlines()], list(due))

    def test_session(self):
        for user in ("muriel-bagge", "muriel@nowhere.com"):
            out = self.ok(*self.at_host, "-o", "json", "session", user, "--jwt-secret-file",
                          str(self.jwt_file)).out
            self.assertEqual(json.loads(out)["user"], "muriel@nowhere.com")

    def test_the_same_mistakes(self):
        keys = ["user", "key"]
        for code, verb in (
                (REFUSED, ["user", "view", "nobody"]), (REFUSED, ["user", "view", NO_UUID]),
                (REFUSED, ["user", "view", "nobody@nowhere.com"]),
                (REFUSED, ["user", "create", "--name", "a", "--slug", "courage"]),
                (REFUSED, ["user", "create", "--name", "a", "--email", "muriel@nowhere.com"]),
                (REFUSED, ["user", "update", "courage", "--slug", "muriel-bagge"]),
                (REFUSED, ["user", "delete", "nobody", "--yes"]),
                (REFUSED, ["project", "view", "nothing"]),
                (REFUSED, ["grant", "set", "nothing", "courage", "viewer"]),
                (REFUSED, ["grant", "set", "the-computer", "nobody", "viewer"]),
                (REFUSED, [*keys, "list", "nobody"]),
                (REFUSED, [*keys, "view", "muriel-bagge", "nothing"]),
                (REFUSED, [*keys, "view", "muriel-bagge", NO_UUID]),
                (REFUSED, [*keys, "view", "courage", "laptop"]),
                (REFUSED, [*keys, "create", "nobody", "--name", "a"]),
                (REFUSED, ["project", "key", "view", "the-computer", TOKEN]),
                (REFUSED, ["identify", "--sha256", "ff" * 32]),
                (USAGE, ["user", "view", ""]), (USAGE, ["user", "view", ".."]),
                (USAGE, ["user", "view", "Not A Slug"]), (USAGE, ["user", "view", "a/b"]),
                (USAGE, ["user", "create", "--name", "a" * 65]),
                (USAGE, ["user", "create", "--name", " a"]),
                (USAGE, ["user", "create", "--name", b"\xff"]),
                (USAGE, ["user", "create", "--name", "a", "--email", "nowhere"]),
                (USAGE, ["user", "update", "courage"]),
                (USAGE, [*keys, "create", "muriel-bagge", "--name", "a", "--ttl", "0"]),
                (USAGE, [*keys, "create", "muriel-bagge", "--name", ""]),
                (USAGE, [*keys, "update", "muriel-bagge", "laptop", "--name", "b" * 65]),
                (USAGE, ["user", "list", "--search", "a" * 1025]),
                (USAGE, [*keys, "revoke", "muriel-bagge", "laptop"])):
            for flags in (("--store", "local"), self.at_host):
                self.refused(code, *flags, *verb)


if __name__ == "__main__":
    unittest.main()
