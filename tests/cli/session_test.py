"""session: the JWT, checked with an implementation that is not ours."""

import base64
import hashlib
import hmac
import json
import time
import unittest

from harness import FAILURE, REFUSED, USAGE, CliTest

SECRET = b"DO_NOT_USE_THIS_IN_PRODUCTION"
TTL_MAX_S = 2592000


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Session(CliTest):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "jwt.secret"
        self.file.write_bytes(SECRET)
        self.flags = ("--jwt-secret-file", str(self.file))

    def claims(self, token, secret=SECRET):
        head, payload, signature = token.split(".")
        self.assertEqual(json.loads(decode(head)), {"typ": "JWT", "alg": "HS256"})
        due = hmac.new(secret, f"{head}.{payload}".encode(), hashlib.sha256).digest()
        self.assertEqual(decode(signature), due)
        self.assertNotIn("=", token)
        return json.loads(decode(payload))

    def test_claims(self):
        before = int(time.time())
        token = self.ok("session", "muriel@nowhere.com", *self.flags).out
        self.assertTrue(token.endswith("\n"))
        claims = self.claims(token.strip())
        self.assertEqual(set(claims), {"aud", "iss", "iat", "exp", "sub"})
        self.assertEqual((claims["aud"], claims["iss"], claims["sub"]),
                         ("client", "http://localhost:3000/", "muriel@nowhere.com"))
        self.assertEqual(claims["exp"] - claims["iat"], 3600)
        self.assertTrue(before <= claims["iat"] <= int(time.time()))

    def test_json(self):
        session = self.json("session", "muriel@nowhere.com", *self.flags, "--ttl", "90m",
                            "--issuer", "https://keys.nowhere.com/")
        self.assertEqual(list(session), ["token", "user", "expiration"])
        self.assertEqual(session["user"], "muriel@nowhere.com")
        claims = self.claims(session["token"])
        self.assertEqual(claims["iss"], "https://keys.nowhere.com/")
        self.assertEqual(claims["exp"] - claims["iat"], 5400)
        self.assertEqual(session["expiration"],
                         time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(claims["exp"])))

    def test_an_email_opens_no_store(self):
        self.ok("--store", "elsewhere", "session", "muriel@nowhere.com", *self.flags)
        self.assertFalse((self.folder / "elsewhere").exists())
        self.refused(REFUSED, "--store", "elsewhere", "session", "muriel-bagge", *self.flags)

    def test_the_subject_of_a_user(self):
        with_email = self.make_user("Muriel", "--email", "muriel@nowhere.com")
        without = self.make_user("Courage")
        for name, subject in (("muriel", "muriel@nowhere.com"),
                              (with_email["uuid"], "muriel@nowhere.com"),
                              ("courage", without["uuid"])):
            session = self.json("session", name, *self.flags)
            self.assertEqual(session["user"], subject)
            self.assertEqual(self.claims(session["token"])["sub"], subject)
        self.refused(REFUSED, "session", "nobody", *self.flags, says="'nobody'")
        self.ok("user", "lock", "courage")
        self.assertIn("locked", self.ok("session", "courage", *self.flags).err)
        self.ok("user", "delete", "courage", "--yes")
        self.refused(REFUSED, "session", without["uuid"], *self.flags, says="deleted")

    def test_lifetimes(self):
        for text, due_s in (("1", 1), ("30d", TTL_MAX_S), (str(TTL_MAX_S), TTL_MAX_S)):
            claims = self.claims(self.ok("session", "a@b", *self.flags, "--ttl", text).out.strip())
            self.assertEqual(claims["exp"] - claims["iat"], due_s)
        for text in ("0", "31d", str(TTL_MAX_S + 1), "-1", "", "1.5h"):
            self.refused(USAGE, "session", "a@b", *self.flags, "--ttl", text, says="2592000")

    def test_one_newline_of_the_secret_file_is_dropped(self):
        for content, secret in ((SECRET + b"\n", SECRET), (SECRET + b"\r\n", SECRET),
                                (SECRET + b"\n\n", SECRET + b"\n"), (b"a\0b\n", b"a\0b"),
                                (b"x" * 4096, b"x" * 4096), (b"x" * 4096 + b"\n", b"x" * 4096)):
            self.file.write_bytes(content)
            self.claims(self.ok("session", "a@b", *self.flags).out.strip(), secret)
        for content in (b"", b"\n", b"\r\n", b"x" * 4097, b"x" * 10_000_000):
            self.file.write_bytes(content)
            self.refused(USAGE, "session", "a@b", *self.flags, says="1 to 4096 bytes")

    def test_variables(self):
        session = self.ok("session", "a@b", env={
            "LATCHKEY_JWT_SECRET_FILE": str(self.file), "LATCHKEY_ISSUER": "https://x/",
            "LATCHKEY_TTL": "5m"})
        claims = self.claims(session.out.strip())
        self.assertEqual((claims["iss"], claims["exp"] - claims["iat"]), ("https://x/", 300))

    def test_what_is_missing(self):
        self.refused(USAGE, "session", "a@b", says="--jwt-secret-file")
        self.refused(FAILURE, "session", "a@b", "--jwt-secret-file", "missing", says="'missing'")
        self.refused(FAILURE, "session", "a@b", "--jwt-secret-file", str(self.folder))
        for user in ("@b", "a@", "a@b@c", "@", "a" * 254 + "@b"):
            self.refused(USAGE, "session", user, *self.flags)


if __name__ == "__main__":
    unittest.main()
