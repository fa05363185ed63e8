"""Requests that no client of good faith sends. The host answers with the right code or hangs up,
says nothing of what it was sent, and lives on."""

import json
import re
import time
import unittest

from cases import BAD_BODY, BAD_KEY, BAD_PATH, BAD_QUERY, INVALID_HEADER, NO_HEADER
from harness import TIMEOUT_S, HttpTest, Wire
from world import CANARY

KEYS = "/v0/users/muriel-bagge/keys"
MIB = 1024 * 1024
BODY_MAX = 4 * MIB


class RawTest(HttpTest):
    def tearDown(self):
        self.assertIsNone(self.host.process.poll(), "the host has ended")
        self.call("GET", "/v0/server/version", status=200)
        self.call("GET", KEYS, "muriel", status=200)

    def wire(self):
        wire = Wire(self.host)
        self.addCleanup(wire.socket.close)
        return wire

    def head(self, method, target, *headers, version="HTTP/1.1", secret="muriel"):
        """A request's head; parts may be bytes."""
        lines = [f"{method} {target} {version}", "Host: localhost", *headers]
        if secret:
            lines.append(f"Authorization: Bearer {self.secret(secret)}")
        return b"".join((line if isinstance(line, bytes) else line.encode()) + b"\r\n"
                        for line in lines) + b"\r\n"

    def judged(self, answer, method, target):
        self.assertIsNotNone(answer)
        return self.judge(answer, method, target)

    def raw(self, data, status, says=None, method="GET", target="/"):
        """One answer that the host itself wrote."""
        wire = self.wire()
        wire.send(data)
        answer = self.judged(wire.answer(method), method, target)
        self.assertEqual(answer.status, status, answer)
        if isinstance(says, str):
            self.assertEqual(answer.message, says, answer)
        elif says is not None:
            self.assertTrue(says.match(answer.message), answer)
        return answer

    def refused_anyhow(self, data, *statuses):
        """What is no HTTP at all may be answered by the layer below, in its own words, or with
        silence; but never with success, and never with what was sent."""
        wire = self.wire()
        wire.send(data)
        return self.refusal_on(wire, *statuses)

    def refusal_on(self, wire, *statuses):
        answer = wire.answer()
        if answer is None:
            return None
        self.assertIn(answer.status, statuses or (400,), answer)
        seen = repr(answer.pairs).encode() + answer.body
        self.assertNotIn(CANARY.encode(), seen.lower())
        self.assertFalse(self.vault.found_in(seen))
        return answer

    def post(self, body, *headers, size=None):
        size = len(body) if size is None else size
        return self.head("POST", KEYS, *headers, f"Content-Length: {size}") + body


class BadInput(RawTest):
    # ---- heads

    def test_ten_thousand_headers(self):
        for count, size in ((10000, 10), (3, 100000), (1, 1000000)):
            lines = [f"X-{n}: {CANARY * size}"[:size + 8] for n in range(count)]
            self.refused_anyhow(self.head("GET", KEYS, *lines), 431, 400, 413)

    def test_long_targets(self):
        for target in ("/" + "a" * 200000, KEYS + "?search=" + "a" * 200000, "/" * 200000,
                       "/v0" + "/a" * 50000, KEYS + "?" + "a&" * 100000):
            self.refused_anyhow(self.head("GET", target), 400, 404, 414, 431)
        # One that fits is judged like any other.
        self.raw(self.head("GET", "/" + "a" * 3000), 404, "Not Found", target="/x")
        self.raw(self.head("GET", "/v0/users/" + "a" * 3000 + "/keys"), 400, BAD_PATH,
                 target=KEYS)

    def test_many_parameters(self):
        def target(count):
            return KEYS + "?" + "&".join(f"a{n}=1" for n in range(count))
        self.raw(self.head("GET", target(60)), 200, target=KEYS)
        self.raw(self.head("GET", target(400)), 400, BAD_QUERY, target=KEYS)

    def test_long_authorization(self):
        for size in (1000, 4000):
            self.raw(self.head("GET", KEYS, "Authorization: Bearer " + "x" * size, secret=None),
                     400, "Malformed JSON Web Token", target=KEYS)
        self.refused_anyhow(self.head("GET", KEYS, "Authorization: Bearer " + "x" * 100000,
                                      secret=None), 400, 431)

    def test_the_first_authorization_counts(self):
        junk = "Authorization: Bearer bencher_user_" + CANARY
        good = "Authorization: Bearer " + self.secret("muriel")
        self.raw(self.head("GET", KEYS, good, junk, secret=None), 200, target=KEYS)
        self.raw(self.head("GET", KEYS, junk, good, secret=None), 400, BAD_KEY, target=KEYS)

    def test_authorization_that_is_not_ascii(self):
        for value in (b"\xff\xfe", b"Bearer \xc3\xa9", b"Bearer \x80" + CANARY.encode(),
                      b"Bearer a\x7f"):
            self.raw(self.head("GET", KEYS, b"Authorization: " + value, secret=None), 400,
                     INVALID_HEADER, target=KEYS)

    def test_case_of_header_names_does_not_matter(self):
        for name in ("authorization", "AUTHORIZATION", "aUTHORIZATION"):
            self.raw(self.head("GET", KEYS, f"{name}: Bearer {self.secret('muriel')}", secret=None),
                     200, target=KEYS)

    # ---- targets and methods

    def test_bytes_that_are_no_text(self):
        for segment in ("%ff", "%c3", "%ed%a0%80", "%c0%af", "%00", "a%00b", "%zz", "%", "%a",
                        "%u0041", "%f5%80%80%80"):
            for path in (f"/v0/users/{segment}/keys", f"{KEYS}/{segment}",
                         f"/v0/projects/{segment}/keys"):
                with self.subTest(path=path):
                    self.raw(self.head("GET", path), 400, target=path)
        for query in ("search=%ff", "search=%ed%a0%80", "name=%c0%af", "page=%00", "name=%80"):
            with self.subTest(query=query):
                self.raw(self.head("GET", f"{KEYS}?{query}"), 400, BAD_QUERY, target=KEYS)
        for path in ("/v0/users/%2e%2e/keys", "/v0/../v0/users", "/v0/./users", "/.."):
            with self.subTest(path=path):
                self.raw(self.head("GET", path), 400, target=path)

    def test_raw_bytes_in_the_target(self):
        for target in (b"/v0/users/\xff/keys", b"/v0/users/\xc3\xa9/keys", b"/\x01", b"/\x7f"):
            data = b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
            self.refused_anyhow(data, 400, 404)

    def test_targets_with_a_host(self):
        for target in (f"http://localhost:{self.host.port}/v0/server/version",
                       "http://evil.example/v0/server/version"):
            wire = self.wire()
            wire.send(self.head("GET", target))
            answer = self.judged(wire.answer(), "GET", target)
            self.assertIn(answer.status, (200, 400, 404), answer)
        self.raw(self.head("GET", "//v0//server/version/"), 200, target="/v0/server/version")
        self.raw(self.head("GET", "//evil.example/v0/server/version"), 404, target="/x")
        self.refused_anyhow(self.head("OPTIONS", "*"), 200, 204, 400, 404, 405)
        self.refused_anyhow(self.head("GET", "v0/server/version"), 200, 400, 404)

    def test_unknown_methods(self):
        for method in ("FOO", "PROPFIND", "TRACE", "get", "G" * 100, "GET,POST"):
            with self.subTest(method=method):
                answer = self.raw(self.head(method, KEYS), 405, "Method Not Allowed",
                                  method=method, target=KEYS)
                self.assertNotIn(method, answer.headers["access-control-allow-methods"]
                                 .split(", "))
        self.refused_anyhow(self.head("CONNECT", "localhost:1"), 400, 404, 405, 501)
        self.refused_anyhow(self.head("M" * 100000, KEYS), 400, 405, 414, 431, 501)

    def test_a_get_may_have_a_body(self):
        wire = self.wire()
        wire.send(self.head("GET", KEYS, "Content-Length: 5") + b"hello")
        wire.send(self.head("GET", "/healthz"))
        self.judged(wire.answer(), "GET", KEYS)
        self.assertEqual(self.judged(wire.answer(), "GET", "/healthz").json(), {"status": "ok"})

    def test_http_1_0(self):
        wire = self.wire()
        wire.send(self.head("GET", "/v0/server/version", version="HTTP/1.0"))
        self.assertEqual(self.judged(wire.answer(), "GET", "/v0/server/version").status, 200)
        self.assertTrue(wire.closed())

    # ---- bodies

    def test_the_largest_body(self):
        body = b'{"name":"large"}'.ljust(BODY_MAX)
        self.raw(self.post(body), 201, method="POST", target=KEYS)
        self.raw(self.post(b"[" * BODY_MAX), 400, BAD_BODY, method="POST", target=KEYS)
        deep = b'{"name":"deep","x":' + b"[" * 100000 + b"]" * 100000 + b"}"
        self.raw(self.post(deep), 400, BAD_BODY, method="POST", target=KEYS)

    def test_larger_bodies(self):
        for size in (BODY_MAX + 1, BODY_MAX + MIB // 2, 6 * MIB, 16 * MIB):
            for chunked in (False, True):
                with self.subTest(size=size, chunked=chunked):
                    wire = self.wire()
                    body = b'{"name":"large"}'.ljust(size)
                    if chunked:
                        data = self.head("POST", KEYS, "Transfer-Encoding: chunked") + b"".join(
                            b"%x\r\n%s\r\n" % (len(part), part)
                            for part in (body[at:at + 65536] for at in range(0, size, 65536)))
                        data += b"0\r\n\r\n"
                    else:
                        data = self.post(body)
                    sent = wire.send(data)
                    answer = wire.answer("POST")
                    # Up to 1 MiB more is read and dropped, and the answer surely comes.
                    if size <= BODY_MAX + MIB // 2 or (sent and answer is not None):
                        self.judged(answer, "POST", KEYS)
                        self.assertEqual(answer.status, 413, answer)
                        # Either the connection is good for more, or it is closed.
                        if answer.headers.get("connection", "").lower() != "close":
                            wire.send(self.head("GET", "/healthz"))
                            again = wire.answer()
                            self.assertTrue(again is None or again.status == 200, again)

    def test_too_large_beats_what_the_body_says_but_not_the_header(self):
        body = b"{".ljust(BODY_MAX + 1)
        data = self.head("POST", KEYS, f"Content-Length: {len(body)}", secret=None) + body
        wire = self.wire()
        wire.send(data)
        answer = self.judged(wire.answer("POST"), "POST", KEYS)
        self.assertIn((answer.status, answer.message.startswith(NO_HEADER[:20])),
                      ((413, False), (400, True)))

    def test_expect_continue(self):
        body = b'{"name":"expected"}'
        wire = self.wire()
        wire.send(self.head("POST", KEYS, f"Content-Length: {len(body)}", "Expect: 100-continue"))
        wire.send(body)
        self.assertEqual(self.judged(wire.answer("POST"), "POST", KEYS).status, 201)

    def test_chunks_of_one_byte(self):
        body = json.dumps({"name": "chunked \u00e9"}, ensure_ascii=False).encode()
        data = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        answer = self.raw(self.head("POST", KEYS, "Transfer-Encoding: chunked") + data, 201,
                          method="POST", target=KEYS)
        self.assertEqual(answer.json()["name"], "chunked \u00e9")

    def test_byte_by_byte(self):
        wire = self.wire()
        body = b'{"name":"slow"}'
        for byte in self.post(body):
            wire.send(bytes([byte]))
        self.assertEqual(self.judged(wire.answer("POST"), "POST", KEYS).status, 201)

    # ---- connections

    def test_pipelined_requests(self):
        wire = self.wire()
        rows = [("GET", "/v0/server/version", 200), ("POST", KEYS, 201), ("GET", "/v0/x", 404),
                ("HEAD", KEYS, 200), ("POST", KEYS, 400), ("OPTIONS", KEYS, 200),
                ("GET", "/healthz", 200)] * 5
        data = b""
        for method, target, status in rows:
            body = {201: b'{"name":"piped"}', 400: b"{"}.get(status, b"") \
                if method == "POST" else b""
            extra = [f"Content-Length: {len(body)}"] if body else []
            data += self.head(method, target, *extra) + body
        wire.send(data)
        for method, target, status in rows:
            answer = self.judged(wire.answer(method), method, target)
            self.assertEqual(answer.status, status, (method, target, answer))

    def test_many_pipelined_and_hung_up(self):
        for count in (100, 1000):
            wire = self.wire()
            wire.send(self.head("GET", KEYS) * count)
            self.assertEqual(wire.answer().status, 200)
            wire.socket.close()

    def test_idle_connections_keep_nobody_out(self):
        idle = [self.wire() for _ in range(100)]
        for wire in idle[::2]:
            wire.send(b"GET /v0/server")
        self.raw(self.head("GET", KEYS), 200, target=KEYS)

    def test_no_message_repeats_a_name_or_a_value(self):
        answers = [
            self.call("GET", f"/v0/users/{CANARY}/keys", "muriel", status=404),
            self.call("GET", f"/v0/projects/{CANARY}/keys", "muriel", status=404),
            self.call("GET", f"/v0/users/{CANARY.upper()}/keys", "muriel", status=400),
            self.call("GET", f"{KEYS}?page={CANARY}", "muriel", status=400),
            self.call("POST", KEYS, "muriel", f'{{"name":"{CANARY} "}}', status=400),
            self.call("POST", KEYS, "muriel", f'{{"name":{CANARY}}}', status=400),
            self.call("GET", f"/v0/{CANARY}", "muriel", status=404)]
        for answer in answers:
            self.assertFalse(re.search(CANARY, answer.body.decode(), re.IGNORECASE))
            self.assertLess(len(answer.body), 1000)


class CutOff(RawTest):
    """Requests that never end. Those of a test are sent side by side, and then waited for."""

    flags = ("--request-timeout", "2")

    def all_refused(self, requests, *statuses, closed=False):
        """The answers, None for silence. `closed`: and nothing more may be asked after it."""
        wires = []
        for data in requests:
            wires.append(self.wire())
            wires[-1].send(data)
            self.wire().send(data)  # And once more, which hangs up when the test ends.
        answers = [self.refusal_on(wire, *statuses) for wire in wires]
        for wire, answer in zip(wires, answers):
            if closed and answer is not None:
                self.assertEqual(answer.headers.get("connection", "").lower(), "close", answer)
                self.assertTrue(wire.closed())
        return answers

    def test_what_is_no_http(self):
        self.all_refused(
            (b"\r\n" * 100 + b"x", b"\0" * 1000, b"\xff" * 1000, b"GET\r\n\r\n", b"", b"G",
             CANARY.encode() * 100 + b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
             b"GET / HTTP/1.1 x\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
             b" GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET  HTTP/1.1\r\nHost: x\r\n\r\n",
             b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400, 404, 405, 414, 431, 501, 505)

    def test_heads_with_holes(self):
        self.all_refused(
            [self.head("POST", KEYS, line) for line in (
                b"no colon", b": no name", b"a b: c", b"x\0y: z", b"Content-Length: x",
                b"Content-Length: -1", b"Content-Length: 1e3",
                b"Content-Length: 99999999999999999999999",
                b"Transfer-Encoding: " + CANARY.encode())], 400, 413, 501)

    def test_two_lengths_are_none(self):
        self.all_refused(
            [self.head("POST", KEYS, f"Content-Length: {first}", f"Content-Length: {second}")
             + b"{}x" * 10 for first, second in (("3", "30"), ("30", "3"))], 400,
            closed=True)

    def test_a_length_and_chunks_smuggle_nothing(self):
        hidden = self.head("DELETE", KEYS + "/" + self.uuid("muriel.spare"))
        self.all_refused(
            [self.head("POST", KEYS, "Content-Length: 3", "Transfer-Encoding: chunked")
             + b"0\r\n\r\n" + hidden], 400, closed=True)
        self.call("DELETE", KEYS + "/" + self.uuid("muriel.spare"), "muriel", status=204)

    def test_bodies_cut_off(self):
        chunked = self.head("POST", KEYS, "Transfer-Encoding: chunked")
        self.all_refused(
            (self.post(b'{"name":"x"', size=1000), self.post(b"", size=10),
             chunked + b"5\r\n{\"na", chunked + b"zz\r\n", chunked + b"ffffffffffffffff\r\nx",
             self.head("POST", KEYS)[:-2], self.head("POST", KEYS)[:40]), 400, 413)

    def test_a_huge_length_is_refused_before_the_body_comes(self):
        requests = []
        for size in (BODY_MAX + 1, 10 ** 12, 2 ** 62):
            head = self.head("POST", KEYS, f"Content-Length: {size}")
            requests += [head, head + b" " * min(2 * MIB, size),
                         self.head("POST", KEYS, f"Content-Length: {size}", "Expect: 100-continue")]
        answers = self.all_refused(requests, 413)
        for answer in filter(None, answers):
            self.judged(answer, "POST", KEYS)
        self.assertTrue(any(answers[2:]))

    def test_a_byte_now_and_then(self):
        """Slow loris: whatever it is that does not end, it is ended."""
        endless = ((self.head("GET", KEYS)[:-2], b"X: y\r\n"), (b"GET /", b"a"),
                   (self.post(b"{", size=MIB), b" "),
                   (self.head("POST", KEYS, "Transfer-Encoding: chunked"), b"1\r\n \r\n"))
        wires = [(self.wire(), more) for _, more in endless]
        for (wire, _), (begin, _) in zip(wires, endless):
            wire.send(begin)
            wire.socket.settimeout(0.05)
        end = time.monotonic() + TIMEOUT_S
        while wires:
            self.assertLess(time.monotonic(), end, f"{len(wires)} are still open")
            wires = [(wire, more) for wire, more in wires if not self.ended(wire, more)]

    @staticmethod
    def ended(wire, more):
        if not wire.send(more):
            return True
        try:
            return not wire.socket.recv(1000)
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True


if __name__ == "__main__":
    unittest.main()
