"""token, user key, project key: list, create, view, update, revoke."""

import base64
import datetime
import hashlib
import hmac
import json
import os
import subprocess
import unittest

from harness import BINARY, FAILURE, NO_UUID, REFUSED, USAGE, CliTest

KEY_MEMBERS = ["uuid", "user", "name", "creation", "expiration", "slug"]
TTL_MAX_S = 4294967295


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def lifetime_s(row):
    return seconds(row["expiration"]) - seconds(row["creation"])


class UserKeys(CliTest):
    def setUp(self):
        super().setUp()
        self.user = self.make_user()

    def create(self, name, *flags):
        return self.json("user", "key", "create", "muriel-bagge", "--name", name, *flags)

    def test_create_shows_the_secret_once(self):
        key = self.create("CI")
        self.assertEqual(list(key),
                         ["uuid", "user", "name", "key", "creation", "expiration", "slug"])
        self.assertRegex(key["key"], r"\Abencher_user_[0-9A-Za-z]{30}\Z")
        self.assertEqual((key["user"], key["name"], key["slug"]), (self.user["uuid"], "CI", "ci"))
        self.assertEqual(lifetime_s(key), TTL_MAX_S)
        for view in ("view", "get"):
            shown = self.json("user", "key", view, "muriel-bagge", "ci")
            self.assertEqual(list(shown), KEY_MEMBERS)
            self.assertEqual(shown, {k: key[k] for k in KEY_MEMBERS})
        for output in ("table", "json"):
            for verb in (["view", "muriel-bagge", "ci"], ["list", "muriel-bagge"]):
                answer = self.ok("user", "key", *verb, "-o", output)
                self.assertNotIn(key["key"][13:], answer.out + answer.err)

    def test_the_table_says_that_it_is_shown_once(self):
        answer = self.ok("user", "key", "add", "muriel-bagge", "--name", "CI")
        self.assertRegex(answer.out, r"(?m)^key +bencher_user_[0-9A-Za-z]{30}$")
        self.assertIn("only time", answer.out)

    def test_a_secret_that_cannot_be_written_is_told(self):
        reader, writer = os.pipe()
        os.close(reader)
        full = os.open("/dev/full", os.O_WRONLY)
        for number, output in enumerate((writer, full), 1):
            process = subprocess.run(
                [BINARY, "user", "key", "create", "muriel-bagge", "--name", str(number)],
                stdout=output, stderr=subprocess.PIPE, cwd=self.folder, env=self.environment(),
                check=False)
            os.close(output)
            self.assertEqual(process.returncode, FAILURE)
            key = self.json("user", "key", "list", "muriel-bagge", "--name", str(number))[0]
            self.assertIn(f"latchkey user key revoke muriel-bagge {key['uuid']}",
                          process.stderr.decode())

    def test_lifetimes(self):
        for text, due_s in (("1", 1), ("60s", 60), ("30m", 1800), ("12h", 43200), ("90d", 7776000),
                            (str(TTL_MAX_S), TTL_MAX_S), ("49710d", 49710 * 86400)):
            self.assertEqual(lifetime_s(self.create("a", "--ttl", text)), due_s)
        for text in ("0", "0d", "-1", "+1", "4294967296", "49711d", "1w", "1.5h", "", "d", " 1",
                     "1 d", "0x10", "18446744073709551616", "213503982334602d", "1d1"):
            self.refused(USAGE, "user", "key", "create", "muriel-bagge", "--name", "a", "--ttl",
                         text, says="4294967295")
        self.assertEqual(
            lifetime_s(self.json("user", "key", "create", "muriel-bagge", "--name", "a",
                                 env={"LATCHKEY_TTL": "12h"})), 43200)

    def test_scopes(self):
        self.assertNotIn("scopes", self.create("none"))
        key = self.create("some", "--scope", "63", "--scope", "verify", "--scope=7")
        self.assertEqual(key["scopes"], ["verify", 7, 63])
        self.assertEqual(list(key)[-1], "scopes")
        self.assertEqual(self.json("user", "key", "view", "muriel-bagge", "some")["scopes"],
                         ["verify", 7, 63])
        self.assertEqual(self.create("zero", "--scope", "0")["scopes"], ["verify"])
        for text in ("64", "-1", "Verify", "", "1,2", "[1,2]"):
            self.refused(USAGE, "user", "key", "create", "muriel-bagge", "--name", "a", "--scope",
                         text, says="0 to 63")

    def test_update_renames_and_keeps_the_slug(self):
        key = self.create("CI")
        renamed = self.json("user", "key", "update", "muriel-bagge", "ci", "--name", "Runner")
        self.assertEqual(renamed, {**{k: key[k] for k in KEY_MEMBERS}, "name": "Runner"})
        self.assertEqual(self.json("user", "key", "edit", "muriel-bagge", key["uuid"], "--name",
                                   "CI")["name"], "CI")
        self.refused(USAGE, "user", "key", "update", "muriel-bagge", "ci",
                     says="nothing to update")
        self.refused(USAGE, "user", "key", "update", "muriel-bagge", "ci", "--name", "a" * 65)

    def test_revoke_is_final(self):
        key = self.create("CI")
        self.refused(USAGE, "user", "key", "revoke", "muriel-bagge", "ci", says="--yes")
        self.assertNotIn("revoked", self.json("user", "key", "view", "muriel-bagge", "ci"))
        self.assertIsNone(self.json("user", "key", "revoke", "muriel-bagge", "ci", "--yes"))
        shown = self.json("user", "key", "view", "muriel-bagge", "ci")
        self.assertEqual(list(shown), KEY_MEMBERS[:-1] + ["revoked", "slug"])
        self.assert_time(shown["revoked"])
        self.refused(REFUSED, "user", "key", "rm", "muriel-bagge", "ci", "--yes",
                     says=["CI", key["uuid"]])
        self.assertEqual(self.json("user", "key", "list", "muriel-bagge"), [])
        self.assertEqual(self.json("user", "key", "list", "muriel-bagge", "--revoked"), [shown])
        # Renaming a revoked one is allowed, and brings nothing back.
        self.json("user", "key", "update", "muriel-bagge", "ci", "--name", "Old")
        self.assertEqual(
            self.run_cli("verify", stdin=key["key"]).out.split()[:2], ["denied", "revoked"])

    def test_the_table_shows_states(self):
        self.create("gone", "--ttl", "1")
        self.create("live")
        self.ok("user", "key", "create", "muriel-bagge", "--name", "dead")
        self.ok("user", "key", "revoke", "muriel-bagge", "dead", "--yes")
        rows = [{"type": "user_key", "uuid": NO_UUID, "user": self.user["uuid"], "name": "old",
                 "sha256": "00" * 32, "creation": 1000000000, "expiration": 1000000001,
                 "revoked": None}]
        self.assertEqual(self.import_rows(rows)["imported"], 1)
        out = self.ok("user", "key", "list", "muriel-bagge").out
        self.assertRegex(out, r"live +active ")
        self.assertRegex(out, r"old +expired ")
        self.assertIn("1-3 of 3", out)
        out = self.ok("user", "key", "list", "muriel-bagge", "--revoked").out
        self.assertRegex(out, r"dead +revoked ")

    def test_keys_of_others_are_not_found(self):
        key = self.create("CI")
        self.make_user("Courage")
        self.make_project()
        for verb in (["view"], ["update", "--name", "x"], ["revoke", "--yes"]):
            self.refused(REFUSED, "user", "key", verb[0], "courage", key["uuid"], *verb[1:],
                         says=[key["uuid"], "'courage'"])
            self.refused(REFUSED, "project", "key", verb[0], "the-computer", key["uuid"], *verb[1:])
            self.refused(REFUSED, "token", verb[0], "muriel-bagge", key["uuid"], *verb[1:])
            self.refused(REFUSED, "user", "key", verb[0], "muriel-bagge", NO_UUID, *verb[1:])
            self.refused(REFUSED, "user", "key", verb[0], "nobody", "ci", *verb[1:],
                         says="'nobody'")
        self.assertNotIn("revoked", self.json("user", "key", "view", "muriel-bagge", "ci"))

    def test_a_secret_given_for_a_name_is_not_echoed(self):
        secret = self.create("CI")["key"]
        for arguments in (["user", "view", secret], ["user", "key", "view", "muriel-bagge", secret],
                          ["user", "key", "revoke", "muriel-bagge", secret, "--yes"],
                          ["verify", "--at", secret], ["user", "list", secret],
                          ["identify", "--sha256", secret], ["--output", secret, "stats"],
                          ["user", "key", "create", "muriel-bagge", "--name", "a", "--ttl", secret],
                          [secret]):
            answer = self.run_cli(*arguments)
            self.assertIn(answer.code, (REFUSED, USAGE), f"{arguments} {answer}")
            self.assertNotIn(secret[13:], answer.out + answer.err)
        # The default format of a host's own kinds, and a token.
        for other in ("deploy_" + "0aZ" * 16 + "9", "0aZ" * 15, jwt({"sub": "a"})):
            self.assertNotIn(other[-12:], self.run_cli("user", "view", other).err)


class ProjectKeys(CliTest):
    def test_the_life_of_one(self):
        project = self.make_project()
        key = self.json("project", "key", "create", "the-computer", "--name", "CI")
        self.assertEqual(list(key),
                         ["uuid", "project", "name", "key", "creation", "expiration", "slug"])
        self.assertRegex(key["key"], r"\Abencher_run_[0-9A-Za-z]{30}\Z")
        shown = self.json("project", "key", "view", "the-computer", "ci")
        self.assertEqual(list(shown),
                         ["uuid", "project", "creator", "name", "creation", "expiration", "slug"])
        self.assertEqual((shown["project"], shown["creator"]), (project["uuid"], None))
        self.assertEqual(self.json("project", "key", "ls", project["uuid"]), [shown])
        self.json("project", "key", "edit", "the-computer", "ci", "--name", "CI 2")
        self.assertIsNone(self.json("project", "key", "rm", "the-computer", "ci", "--yes"))
        self.assertEqual(len(self.json("project", "key", "list", "the-computer", "--revoked")), 1)
        self.refused(REFUSED, "project", "key", "list", "nothing", says="'nothing'")

    def test_a_creator_is_shown_when_known(self):
        user, project = self.make_user(), self.make_project()
        self.import_rows([{"type": "project_key", "uuid": NO_UUID, "project": project["uuid"],
                           "creator": user["uuid"], "name": "CI", "sha256": "ab" * 32,
                           "creation": 1700000000, "expiration": 5000000000, "revoked": None}])
        shown = self.json("project", "key", "view", "the-computer", NO_UUID)
        self.assertEqual(shown["creator"], user["uuid"])
        self.assertEqual(shown["creation"], "2023-11-14T22:13:20Z")
        self.assertEqual(shown["expiration"], "2128-06-11T08:53:20Z")


def jwt(claims, secret=b"DO_NOT_USE_THIS_IN_PRODUCTION"):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    text = (part(b'{"typ":"JWT","alg":"HS256"}') + "." +
            part(json.dumps(claims, separators=(",", ":")).encode()))
    return text + "." + part(hmac.new(secret, text.encode(), hashlib.sha256).digest())


class Tokens(CliTest):
    def setUp(self):
        super().setUp()
        self.user = self.make_user("Muriel Bagge", "--email", "muriel@nowhere.com")
        self.jwt = jwt({"aud": "api_key", "exp": 5000000000, "iat": 1700000000,
                        "iss": "http://localhost:3000/", "sub": "muriel@nowhere.com", "org": None})
        self.import_rows([{"type": "user_token", "uuid": NO_UUID, "user": self.user["uuid"],
                           "name": "Old token", "jwt": self.jwt, "creation": 1700000000,
                           "expiration": 5000000000, "revoked": None}])

    def test_create_is_always_refused(self):
        text = ("User API tokens are deprecated and can no longer be created. Create a user API "
                "key instead: latchkey user key create USER --name NAME")
        for verb in ("create", "add"):
            for user in ("muriel-bagge", "nobody"):
                self.refused(REFUSED, "token", verb, user, "--name", "a", says=text)
        self.refused(REFUSED, "token", "create", "nobody", "--name", "a", "--ttl", "90d",
                     "--store", "elsewhere", says=text)
        self.refused(USAGE, "token", "create", "muriel-bagge", says="--name")

    def test_the_signature_is_never_shown(self):
        redacted = self.jwt[:self.jwt.rindex(".")] + ".REDACTED"
        row = self.json("token", "view", "muriel-bagge", "old-token")
        self.assertEqual(row, {
            "uuid": NO_UUID, "user": self.user["uuid"], "name": "Old token", "token": redacted,
            "creation": "2023-11-14T22:13:20Z", "expiration": "2128-06-11T08:53:20Z",
            "slug": "old-token"})
        self.assertEqual(list(row),
                         ["uuid", "user", "name", "token", "creation", "expiration", "slug"])
        self.assertEqual(self.json("token", "ls", "muriel-bagge"), [row])
        self.assertIn(redacted, self.ok("token", "get", "muriel-bagge", NO_UUID).out)

    def test_the_rest_of_its_life(self):
        self.ok("verify", stdin=self.jwt)
        found = self.json("token", "list", "muriel-bagge", "--search", "LD-TOK")
        self.assertEqual([row["uuid"] for row in found], [NO_UUID])
        self.json("token", "edit", "muriel-bagge", "old-token", "--name", "Older")
        self.refused(USAGE, "token", "rm", "muriel-bagge", "old-token", says="--yes")
        self.assertIsNone(self.json("token", "revoke", "muriel-bagge", "old-token", "--yes"))
        answer = self.run_cli("verify", stdin=self.jwt)
        self.assertEqual((answer.code, answer.out.split()[:3]),
                         (REFUSED, ["denied", "revoked", "user_token"]))


if __name__ == "__main__":
    unittest.main()
