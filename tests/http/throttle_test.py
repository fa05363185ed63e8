"""Guesses are throttled for each address; who holds a good credential never notices."""

import time
import unittest

from cases import EXPIRED_JWT, FALSE_JWT, INVALID_KEY, INVALID_PROJECT_KEY, THROTTLED
from harness import HttpTest, Wire
from world import claims_of, new_secret, sign

KEYS = "/v0/users/muriel-bagge/keys"
BURST = 3
# Many more than the bucket holds, on one connection at once: the refill while they are answered
# cannot keep up with them, however slow the machine is.
GUESSES = 60


def false_jwt():
    return sign(claims_of("muriel@nowhere.com"), secret=new_secret().encode())


class ThrottleTest(HttpTest):
    with_host = False
    flags = ("--guess-burst", str(BURST), "--guess-rate", "1")

    def setUp(self):
        self.start()  # a full bucket for each test

    def tearDown(self):
        self.stop(self.host)

    def guess(self, count=GUESSES, secret=new_secret, headers=lambda n: (), target=KEYS):
        """The statuses of guesses sent at once; each answer is judged."""
        with Wire(self.host) as wire:
            secrets = [secret() for _ in range(count)]
            wire.send("".join(
                f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {guess}\r\n"
                + "".join(f"{header}\r\n" for header in headers(n)) + "\r\n"
                for n, guess in enumerate(secrets)).encode())
            answers = [self.judge(wire.answer(), "GET", target, guess) for guess in secrets]
        for answer in answers:
            if answer.status == 429:
                self.assertEqual(answer.message, THROTTLED)
                self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)
        return [answer.status for answer in answers]

    def empty(self):
        statuses = self.guess()
        self.assertEqual(statuses[:BURST], [401] * BURST)
        self.assertIn(429, statuses)
        return statuses


class Throttle(ThrottleTest):
    def test_an_empty_bucket(self):
        statuses = self.empty()
        self.assertEqual(set(statuses), {401, 429})

    def test_a_good_credential_is_never_refused(self):
        self.empty()
        for _ in range(5):
            for who in ("muriel", "muriel.key", "muriel.token", "eustace"):
                self.call("GET", KEYS, who, status=200)
        self.call("POST", "/v0/verify", "eustace", {"token": new_secret()}, status=200)
        self.call("GET", "/v0/server/version", new_secret(), status=200)

    def test_it_fills_again(self):
        self.empty()
        for _ in range(60):
            answer = self.call("GET", KEYS, new_secret())
            if answer.status == 401:
                return
            self.assertEqual(answer.status, 429, answer)
            time.sleep(int(answer.headers["retry-after"]))
        self.fail("the bucket stays empty")

    def test_a_jwt_that_is_badly_signed_is_a_guess(self):
        statuses = self.guess(secret=false_jwt)
        self.assertEqual(statuses[:BURST], [400] * BURST)
        self.assertEqual(set(statuses), {400, 429})
        # One bucket for all sorts of guesses.
        self.assertIn(429, self.guess(10))

    def test_unknown_project_keys_where_they_may_come(self):
        body = b'{"token":"x"}'
        with Wire(self.host) as wire:
            for _ in range(GUESSES):
                wire.send(b"POST /v0/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n"
                          b"Authorization: Bearer " + new_secret("bencher_run_").encode()
                          + b"\r\n\r\n" + body)
            answers = [self.judge(wire.answer(), "POST", "/v0/verify") for _ in range(GUESSES)]
        self.assertEqual(answers[0].message, INVALID_PROJECT_KEY)
        self.assertEqual({answer.status for answer in answers}, {401, 429})

    def test_what_is_no_guess(self):
        # A key that was good once, a JWT that was signed well, and what is not even well-formed.
        for who, status, says in (("muriel.revoked", 401, INVALID_KEY),
                                  ("muriel.expired", 401, INVALID_KEY),
                                  ("locked.key", 401, INVALID_KEY),
                                  ("muriel.token_expired", 400, EXPIRED_JWT),
                                  ("bencher_user_short", 400, None), ("x", 400, None),
                                  (sign(claims_of("nobody@nowhere.com")), 404, None)):
            for _ in range(BURST * 4):
                answer = self.call("GET", KEYS, who, status=status)
                if says:
                    self.assertEqual(answer.message, says)
        self.empty()

    def test_what_is_asked_about_is_no_guess(self):
        for _ in range(5):
            self.call("POST", "/v0/verify", "eustace",
                      {"tokens": [new_secret() for _ in range(50)]}, status=200)
        self.empty()

    def test_a_request_that_is_refused_earlier_costs_nothing(self):
        statuses = self.guess(target=KEYS + "?page=x")
        self.assertEqual(set(statuses), {400})
        self.empty()

    def test_a_header_that_anybody_can_write_is_not_believed(self):
        statuses = self.guess(headers=lambda n: (f"X-Forwarded-For: 192.0.2.{n}",))
        self.assertIn(429, statuses)

    def test_false_jwts_are_told_so_while_there_is_room(self):
        self.assertEqual(self.call("GET", KEYS, false_jwt(), status=400).message, FALSE_JWT)


class Trusted(ThrottleTest):
    flags = (*ThrottleTest.flags, "--trusted-proxy", "127.0.0.0/8", "--trusted-proxy", "::1/128",
             "--trusted-proxy", "10.0.0.0/8")

    def test_each_client_behind_a_proxy_has_its_own(self):
        for text in ("192.0.2.{}", "198.51.100.7, 192.0.2.{}", "192.0.2.{}, 10.1.2.3",
                     "192.0.2.{} ,10.0.0.1,127.0.0.1", "2001:db8:0:{}::1"):
            statuses = self.guess(30, headers=lambda n, t=text: ("X-Forwarded-For: "
                                                                 + t.format(n),))
            self.assertEqual(set(statuses), {401}, text)
            self.stop(self.host)
            self.start()

    def test_the_same_client_is_the_same(self):
        for text in ("192.0.2.1", "198.51.100.{}, 192.0.2.1", "junk{}, 192.0.2.1",
                     "2001:db8:0:1::{}", "192.0.2.1, 10.0.0.{}"):
            statuses = self.guess(headers=lambda n, t=text: (f"X-Forwarded-For: {t.format(n)}",))
            self.assertIn(429, statuses, text)
            self.stop(self.host)
            self.start()

    def test_one_client_does_not_empty_anothers(self):
        self.assertIn(429, self.guess(headers=lambda n: ("X-Forwarded-For: 192.0.2.1",)))
        self.assertEqual(self.guess(1, headers=lambda n: ("X-Forwarded-For: 192.0.2.2",)), [401])
        self.assertEqual(self.guess(1), [401])

    def test_junk_in_the_header(self):
        for text in ("", ",", "x", "," * 3000, "1.2.3.4.5", "[::1", "a" * 4000, "\t", "-1"):
            with self.subTest(text=text[:10]):
                self.assertIn(self.guess(1, headers=lambda n, t=text: (f"X-Forwarded-For: {t}",)),
                              ([401], [429]))


class Off(ThrottleTest):
    flags = ("--guess-burst", "0")

    def test_no_guess_is_refused(self):
        self.assertEqual(set(self.guess(400)), {401})


if __name__ == "__main__":
    unittest.main()
