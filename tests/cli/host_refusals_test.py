"""--host: flags and variables, keys and addresses, and what goes wrong on the way, which is told
with the right exit code and without a secret."""

import json
import os
import pathlib
import subprocess
import unittest

from credentials_test import jwt
from harness import (BINARY, DONE, FAILURE, KNOWN_SECRET, REFUSED, TIMEOUT_S, USAGE, answer_of)
from host_harness import CLAIMS, UUID, HostTest


class Flags(HostTest):
    def test_host_and_store_are_one_too_many(self):
        self.refused(USAGE, *self.at_host, "--store", "local", "user", "list", says="--store")
        self.refused(USAGE, *self.at_host, "--pepper-file", "local.pepper", "user", "list",
                     says="--pepper-file")
        self.refused(USAGE, "--store", "local", "--key-file", str(self.key_file), "user", "list",
                     says="--key-file")
        self.refused(USAGE, *self.at_host, "--key", "x", "user", "list", says="--key-file")

    def test_variables(self):
        key = self.key_file.read_text().strip()
        where = {"LATCHKEY_HOST": self.address}
        for name, value in (("LATCHKEY_KEY_FILE", str(self.key_file)), ("LATCHKEY_API_KEY", key),
                            ("LATCHKEY_API_TOKEN", key)):
            self.assertIn("muriel-bagge", self.ok("user", "list", env={**where, name: value}).out)
        with_key = {**where, "LATCHKEY_API_KEY": key}
        # A flag beats the other's variable, and LATCHKEY_HOST beats LATCHKEY_STORE.
        self.ok("user", "list", env={**with_key, "LATCHKEY_STORE": "nowhere"})
        self.ok("--store", "local", "user", "list", env={**with_key, "LATCHKEY_HOST": "bad"})
        self.ok(*self.at_host, "user", "list",
                env={"LATCHKEY_STORE": "nowhere", "LATCHKEY_HOST": "bad", "LATCHKEY_API_KEY": "x",
                     "LATCHKEY_PEPPER_FILE": "nowhere"})
        self.ok("--store", "local", "user", "list", env={"LATCHKEY_KEY_FILE": "nowhere"})
        self.refused(USAGE, "user", "list", env=where, says="--key-file")
        for word in ("LATCHKEY_HOST", "LATCHKEY_KEY_FILE", "LATCHKEY_API_KEY",
                     "LATCHKEY_API_TOKEN"):
            self.assertIn(word, self.ok("--help").out)

    def test_what_needs_the_store(self):
        for verb in (["init"], ["import", "-"], ["verify", "--at", "1700000000"]):
            self.refused(USAGE, *self.at_host, *verb, says=["--host", "--store"])
            self.refused(USAGE, *verb, env={"LATCHKEY_HOST": self.address},
                         says=["LATCHKEY_HOST", "--store"])
        self.ok("--store", "local", "verify", "--at", "1700000000", stdin=KNOWN_SECRET,
                env={"LATCHKEY_HOST": self.address})

    def test_a_store_that_a_host_holds(self):
        self.refused(FAILURE, "--store", "held", "user", "list",
                     says=["Another process holds the store", "--host"])

    def test_key_files(self):
        user_list = ("--host", self.address, "user", "list", "--key-file")
        for mode in (0o640, 0o604, 0o620, 0o644):
            os.chmod(self.key_file, mode)
            self.refused(FAILURE, *user_list, str(self.key_file), says="0600")
        os.chmod(self.key_file, 0o400)
        self.ok(*user_list, str(self.key_file))
        self.refused(FAILURE, *user_list, "nowhere", says="--key-file")
        for data in (b"", b"\n", b"two words", b"a\r\nX-Header: b", b"\xff", b"x" * 10_000):
            self.refused(USAGE, *user_list, str(self.write_secret("bad.key", data)))

    def test_a_key_in_an_argument_works_with_a_warning(self):
        key = self.key_file.read_text().strip()
        answer = self.ok("--host", self.address, "--key", key, "user", "list")
        self.assertIn("--key-file", answer.err)
        self.assertNotIn(key[-20:], answer.err)

    def test_addresses(self):
        for address in ("", "127.0.0.1:61016", "ftp://127.0.0.1", "file:///etc/passwd", "http://",
                        "http://user:pass@127.0.0.1", self.address + "/?a=b", self.address + "#a"):
            answer = self.refused(USAGE, "--host", address, "--key-file", str(self.key_file),
                                  "user", "list")
            self.assertNotIn("pass@", answer.err)
        self.ok("--host", self.address + "/", "--key-file", str(self.key_file), "user", "list")


class Refusals(HostTest):
    def ask(self, key, *verb, **options):
        path = self.write_secret("other.key", key.encode())
        return self.run_cli("--host", self.address, "--key-file", str(path), *verb, **options)

    def test_a_host_that_does_not_know_the_key(self):
        unknown = "bencher_user_" + "0" * 30
        answer = self.ask(unknown, "user", "list")
        self.assertEqual((answer.code, answer.out), (REFUSED, ""), answer)
        self.assertIn("Invalid user key", answer.err)
        self.assertRegex(answer.err, UUID)  # the request id
        self.assertNotIn("0" * 30, answer.err)
        self.assertEqual(self.ask("bencher_user_short", "user", "list").code, USAGE)

    def test_somebody_who_is_no_administrator(self):
        key = KNOWN_SECRET
        self.assertEqual(self.ask(key, "user", "list").code, REFUSED)
        self.assertEqual(self.ask(key, "stats").code, REFUSED)
        self.assertEqual(self.ask(key, "verify", stdin=key).code, REFUSED)
        # Himself and, with a user key, that key alone.
        self.assertIn("muriel-bagge", self.ask(key, "user", "view", "muriel-bagge").out)
        answer = self.ask(key, "user", "key", "list", "muriel-bagge")
        self.assertIn("1-1 of 1", answer.out, answer)
        self.assertIn("active", answer.out)

    def test_a_verifier_is_told_no_reason(self):
        made = self.ok("-o", "json", *self.at_host, "user", "key", "create", "muriel-bagge",
                       "--name", "verifier", "--scope", "verify")
        key = json.loads(made.out)["key"]
        answer = self.ask(key, "-o", "json", "verify", stdin=KNOWN_SECRET)
        self.assertEqual(answer.code, DONE, answer)
        self.assertEqual(json.loads(answer.out)["reason"], "allowed")
        answer = self.ask(key, "-o", "json", "verify", "--each", stdin="x\n" + KNOWN_SECRET)
        denied, allowed = [json.loads(line) for line in answer.out.splitlines()]
        self.assertEqual(denied, {"verdict": "denied", "reason": None, "uuid": None, "kind": None,
                                  "owner": None})
        self.assertEqual(allowed["verdict"], "allowed")
        self.assertEqual(self.ask(key, "verify", stdin="x").out, "denied\n")

    def test_nobody_there(self):
        self.stop_host()
        self.refused(FAILURE, *self.at_host, "user", "list", says="--host")
        self.refused(FAILURE, *self.at_host, "verify", stdin=KNOWN_SECRET)

    def test_a_secret_is_in_no_argument_and_in_no_message(self):
        process = subprocess.Popen([BINARY, *self.at_host, "verify", "--each"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder,
                                   env=self.environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        os.write(process.stdin.fileno(), KNOWN_SECRET.encode() + b"\n")
        answer_of(process)
        seen = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
        self.assertNotIn(KNOWN_SECRET[13:].encode(), seen)
        self.assertNotIn(self.key_file.read_bytes().strip(), seen)
        process.stdin.close()
        for verb in (["user", "view", KNOWN_SECRET],
                     ["user", "key", "view", "muriel-bagge", KNOWN_SECRET],
                     ["user", "list", "--search", KNOWN_SECRET + "x" * 1024],
                     ["project", "view", jwt(CLAIMS)]):
            answer = self.run_cli(*self.at_host, *verb)
            self.assertIn(answer.code, (REFUSED, USAGE), f"{verb} {answer}")
            self.assertNotIn(KNOWN_SECRET[13:], answer.out + answer.err)
            self.assertNotIn(jwt(CLAIMS)[-20:], answer.out + answer.err)


class Encrypted(HostTest):
    """A host with a certificate of its own."""

    def certificate(self, name):
        """For an address, made here: the certificate and its key."""
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=latchkey",
                        "-addext", f"subjectAltName=IP:{name}", "-keyout", key, "-out", cert],
                       capture_output=True, check=True, timeout=TIMEOUT_S)
        os.chmod(key, 0o600)
        return str(cert), str(key)

    def test_certificates_are_verified(self):
        self.stop_host()
        for name, code in (("127.0.0.1", DONE), ("127.0.0.2", FAILURE)):
            cert, key = self.certificate(name)
            process, address = self.start_host("--tls-cert", cert, "--tls-key", key)
            self.assertTrue(address.startswith("https://127.0.0.1:"))
            at = ("--host", address, "--key-file", str(self.key_file))
            self.refused(FAILURE, *at, "stats", says="certificate")
            for answer in (self.run_cli(*at, "--ca-file", cert, "stats"),
                           self.run_cli(*at, "stats", env={"LATCHKEY_CA_FILE": cert})):
                self.assertEqual(answer.code, code, answer)
            self.refused(FAILURE, *at, "--ca-file", "nowhere", "stats")
            self.process = process
            self.stop_host()



if __name__ == "__main__":
    unittest.main()
