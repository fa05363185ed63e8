"""The life of the host: how it starts, ends, starts again, takes signals, and tells the time."""

import hashlib
import os
import re
import signal
import socket
import ssl
import subprocess
import time
import unittest
import urllib.request

from cases import EXPIRED_JWT, FALSE_JWT, INVALID_KEY
from harness import BINARY, TIMEOUT_S, Host, HttpTest, Wire, redacted
from world import JWT_SECRET, World, claims_of, new_secret, sign

KEYS = "/v0/users/muriel-bagge/keys"
NOW_S = int(time.time())
TTL_S = 200  # a leap of more than five minutes would not be remembered
# Later than the making of the store, however slow that was: its clock does not run back.
START_S = NOW_S + TTL_S // 2
REFUSED, USAGE, FAILURE = 1, 2, 3


class Timed(World):
    """World, and credentials that end soon."""

    def __init__(self):
        super().__init__()
        self.user_key("muriel.soon", "muriel", expires_s=NOW_S + TTL_S)
        self.project_key("computer.soon", "computer", expires_s=NOW_S + TTL_S)
        self.token("muriel.token_soon", "muriel", expires_s=NOW_S + TTL_S)


class LifeTest(HttpTest):
    with_host = False
    host = None
    world_type = Timed

    def tearDown(self):
        if self.host is not None:
            self.stop(self.host)

    def eventually(self, check, what):
        """Until it holds: what it waits for is sure to come, sooner or later."""
        end = time.monotonic() + TIMEOUT_S
        while not check():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)

    def refuses_connections(self):
        try:
            with Wire(self.host) as wire:
                wire.send(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = wire.answer()
                return answer is None or answer.status == 503
        except OSError:
            return True

    def run_host(self, *flags, env=None):
        """A start that ends by itself."""
        return subprocess.run([BINARY, *flags], stdin=subprocess.DEVNULL, capture_output=True,
                              check=False, cwd=self.folder, env=self.environment(env),
                              timeout=TIMEOUT_S)

    def refused(self, codes, *flags, env=None, says=""):
        process = self.run_host(*flags, env=env)
        text = redacted(process.stderr)
        self.assertIn(process.returncode, codes, text)
        self.assertEqual(process.stdout, b"")
        self.assertIn(says, text)
        self.assertGreater(len(text), 10)
        self.assertFalse(self.vault.found_in(process.stderr))
        return text


class Clock(LifeTest):
    def setUp(self):
        self.clock = self.folder / "clock"
        self.set_file(START_S)
        self.start("--clock-file", "clock")

    def set_file(self, now_s):
        (self.folder / "clock.new").write_text(f"{now_s}\n")
        os.replace(self.folder / "clock.new", self.clock)

    def set(self, now_s):
        self.set_file(now_s)
        admin = sign(claims_of("eustace@nowhere.com", expires_s=NOW_S + 10 ** 8,
                               issued_s=NOW_S - 100))
        self.eventually(lambda: self.call("GET", "/v0/stats", admin, status=200).json()["time_s"]
                        == now_s, "the clock file is not read")

    def test_a_key_is_dead_at_its_expiration_and_a_jwt_lives_through_it(self):
        end_s = NOW_S + TTL_S
        made = self.create(KEYS, "short", "muriel", ttl=end_s - START_S)
        session = sign(claims_of("muriel@nowhere.com", issued_s=NOW_S, expires_s=end_s))
        self.set(end_s - 1)
        for secret in ("muriel.soon", "muriel.token_soon", made["key"], session):
            self.call("GET", KEYS, secret, status=200)
        self.assertTrue(self.verify(self.secret("computer.soon"))["active"])
        self.assertEqual(self.verify(made["key"])["exp"], end_s)
        self.set(end_s)
        for secret in ("muriel.soon", made["key"]):
            self.assertEqual(self.call("GET", KEYS, secret, status=401).message, INVALID_KEY)
        for name in ("muriel.soon", "computer.soon"):
            self.assertEqual(self.verify(self.secret(name)), {"active": False})
            self.assertEqual(self.verify(self.secret(name), query="?reason=true")["reason"],
                             "expired")
        for secret in ("muriel.token_soon", session):
            self.call("GET", KEYS, secret, status=200)
        self.assertTrue(self.verify(self.secret("muriel.token_soon"))["active"])
        self.set(end_s + 1)
        for secret in ("muriel.token_soon", session):
            self.assertEqual(self.call("GET", KEYS, secret, status=400).message, EXPIRED_JWT)
        self.assertFalse(self.verify(self.secret("muriel.token_soon"))["active"])
        # Expired is not revoked: it is still listed, viewed, renamed and revoked.
        row = f"{KEYS}/{made['uuid']}"
        names = [key["name"] for key in self.call("GET", KEYS + "?per_page=255", "muriel").json()]
        self.assertIn("short", names)
        self.call("PATCH", row, "muriel", {"name": "ended"}, status=200)
        self.call("DELETE", row, "muriel", status=204)
        # A clock that runs back revives nothing.
        self.set_file(end_s - 30)
        for _ in range(10):
            self.assertEqual(self.verify(self.secret("computer.soon")), {"active": False})
            time.sleep(0.02)

    def test_a_bad_clock_file(self):
        self.stop(self.host)
        (self.folder / "bad").write_text("x\n")
        for name in ("bad", "missing"):
            self.refused((REFUSED, USAGE, FAILURE), "--store", "store", "--listen", "127.0.0.1:0",
                         "--metrics-listen", "off", "--clock-file", name)


class Restart(LifeTest):
    def test_what_was_acknowledged_outlives_every_end(self):
        self.start()
        keys = {}
        for number, end in enumerate((signal.SIGTERM, signal.SIGINT, signal.SIGKILL)):
            kept = self.create(KEYS, f"kept {number}", "muriel")
            revoked = self.create(KEYS, f"revoked {number}", "muriel")
            self.call("DELETE", f"{KEYS}/{revoked['uuid']}", "muriel", status=204)
            keys[kept["key"]], keys[revoked["key"]] = True, False
            code = self.host.stop(end)
            self.assertEqual(code, -signal.SIGKILL if end == signal.SIGKILL else 0)
            self.start()
            for key, active in keys.items():
                self.assertEqual(self.verify(key)["active"], active)
            self.call("DELETE", f"{KEYS}/{revoked['uuid']}", "muriel", status=409)

    def test_an_idle_connection_holds_nobody_up(self):
        self.start()
        with Wire(self.host) as idle, Wire(self.host) as used:
            used.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(used.answer().status, 200)
            self.assertEqual(self.host.stop(), 0)
            self.assertTrue(idle.closed())
            self.assertTrue(used.closed())

    def half_request(self):
        """A connection on which half a request has been sent, and the other half."""
        wire = Wire(self.host)
        self.addCleanup(wire.socket.close)
        body = b'{"name":"drained"}'
        wire.send((f"POST {KEYS} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
                   f"Authorization: Bearer {self.secret('muriel')}\r\n\r\n").encode() + body[:5])
        # Another request has been answered since: the host has seen the half.
        self.call("GET", "/healthz", status=200)
        return wire, body[5:]

    def test_a_request_that_has_begun_is_answered(self):
        self.start()
        wire, rest = self.half_request()
        self.host.hang_up()
        self.host.process.send_signal(signal.SIGTERM)
        self.eventually(self.refuses_connections, "the host does not drain")
        wire.send(rest)
        answer = self.judge(wire.answer("POST"), "POST", KEYS)
        self.assertIn(answer.status, (201, 503), answer)
        self.assertEqual(self.host.stop(None), 0)
        self.start()
        listed = self.call("GET", KEYS + "?name=drained", "muriel", status=200)
        self.assertEqual(listed.total, 1 if answer.status == 201 else 0)

    def test_draining_ends(self):
        self.start("--drain", "1")
        self.half_request()
        self.assertEqual(self.host.stop(), 0)

    def test_a_second_signal_ends_it_at_once(self):
        # At once: a thread that has ended is not waited for, which is no finding.
        options = os.environ.get("TSAN_OPTIONS", "") + ":report_thread_leaks=0"
        self.start("--drain", "600", env={"TSAN_OPTIONS": options})
        self.half_request()
        self.host.hang_up()
        self.host.process.send_signal(signal.SIGTERM)
        self.eventually(self.refuses_connections, "the host does not drain")
        self.assertIn(self.host.stop(signal.SIGINT), (128 + signal.SIGINT, -signal.SIGINT))
        self.start()


class Signals(LifeTest):
    def test_hup_reads_the_jwt_secret_again(self):
        self.start()
        file = self.folder / "jwt.secret"
        self.addCleanup(file.write_bytes, JWT_SECRET)
        other = b"another secret, as long as the first"
        session = sign(claims_of("muriel@nowhere.com"), secret=other)
        self.call("GET", KEYS, "muriel", status=200)
        self.assertEqual(self.call("GET", KEYS, session, status=400).message, FALSE_JWT)
        file.write_bytes(other)
        self.host.process.send_signal(signal.SIGHUP)
        self.eventually(lambda: self.call("GET", KEYS, session).status == 200, "no reload")
        self.assertEqual(self.call("GET", KEYS, "muriel", status=400).message, FALSE_JWT)
        # Stored tokens are known by their digest, whatever the secret is.
        self.call("GET", KEYS, "muriel.token", status=200)
        # What cannot be read leaves the old one in force.
        file.unlink()
        self.host.process.send_signal(signal.SIGHUP)
        for _ in range(20):
            self.call("GET", KEYS, session, status=200)
            time.sleep(0.01)

    def test_pipe_and_window_signals_do_nothing(self):
        self.start()
        for number in (signal.SIGPIPE, signal.SIGWINCH):
            self.host.process.send_signal(number)
            self.call("GET", "/healthz", status=200)


class Start(LifeTest):
    def test_wrong_usage(self):
        for flags in (("--unknown",), ("extra",), ("--listen", "x"), ("--listen", "127.0.0.1"),
                      ("--listen", "127.0.0.1:x"), ("--listen", "127.0.0.1:65536"),
                      ("--listen", "localhost:1"), ("--metrics-listen", "x"), ("--log", "loud"),
                      ("--guess-burst", "-1"), ("--guess-rate", "x"), ("--trusted-proxy", "x"),
                      ("--trusted-proxy", "1.2.3.4/33"), ("--threads", "0"), ("--drain", "x"),
                      ("--tls-cert", "cert.pem"), ("--tls-key", "key.pem")):
            with self.subTest(flags=flags):
                self.refused((USAGE,), "--store", "store", *flags)
        for name in ("LATCHKEY_LISTEN", "LATCHKEY_LOG", "LATCHKEY_GUESS_BURST"):
            with self.subTest(name=name):
                self.refused((USAGE,), "--store", "store", env={name: "x!"})

    def test_help_and_version(self):
        for flag, text in (("--help", "--listen"), ("--version", ".")):
            process = self.run_host(flag)
            self.assertEqual(process.returncode, 0)
            self.assertIn(text, process.stdout.decode())
            self.assertEqual(process.stderr, b"")

    def test_files_that_are_not_there(self):
        for flags in (("--store", "absent"), ("--store", "store", "--jwt-secret-file", "absent"),
                      ("--store", "store", "--pepper-file", "absent"),
                      ("--store", "store", "--tls-cert", "absent", "--tls-key", "absent")):
            with self.subTest(flags=flags):
                self.refused((REFUSED, USAGE, FAILURE), *flags, "--listen", "127.0.0.1:0",
                             "--metrics-listen", "off")
        self.assertFalse((self.folder / "absent").exists())
        empty = self.folder / "empty.secret"
        empty.write_bytes(b"")
        self.refused((REFUSED, USAGE, FAILURE), "--store", "store", "--listen", "127.0.0.1:0",
                     "--metrics-listen", "off", "--jwt-secret-file", "empty.secret")

    def test_a_store_has_one_host_and_a_port_as_well(self):
        self.start()
        self.refused((REFUSED, FAILURE), "--store", "store", "--listen", "127.0.0.1:0",
                     "--metrics-listen", "off")
        self.refused((REFUSED, FAILURE), "--store", "other", "--create",
                     "--listen", f"127.0.0.1:{self.host.port}", "--metrics-listen", "off")
        self.call("GET", KEYS, "muriel", status=200)

    def test_a_store_can_be_made(self):
        host = Host(self.folder, "--create", store="new", judge=self.judge)
        self.addCleanup(self.stop, host)
        self.assertTrue((self.folder / "new").is_dir())
        self.assertEqual(host.call("GET", "/readyz").status, 200)
        self.assertEqual(host.stop(), 0)
        again = Host(self.folder, store="new", judge=self.judge)
        self.assertEqual(again.stop(), 0)

    def test_flags_from_the_environment(self):
        host = Host(self.folder, judge=self.judge, env={"LATCHKEY_API_VERSION": "9.8.7"})
        self.addCleanup(self.stop, host)
        self.assertEqual(host.call("GET", "/v0/server/version").json()["version"], "9.8.7")

    def test_require_tls_refuses_plain_http_elsewhere(self):
        self.refused((REFUSED, USAGE, FAILURE), "--store", "store", "--listen", "0.0.0.0:0",
                     "--metrics-listen", "off", "--require-tls")

    def test_untracked_tokens(self):
        untracked = sign(claims_of("muriel@nowhere.com", "api_key"))
        self.start()
        self.assertEqual(self.call("GET", KEYS, untracked, status=400).message, FALSE_JWT)
        self.assertFalse(self.verify(untracked)["active"])
        self.stop(self.host)
        self.start("--accept-untracked-tokens")
        self.call("GET", KEYS, untracked, status=200)
        verdict = self.verify(untracked)
        self.assertEqual((verdict["active"], verdict["kind"], verdict["uuid"], verdict["iat"]),
                         (True, "user_token", None, None))
        self.assertFalse(self.verify(self.secret("muriel.token_revoked"))["active"])
        self.assertEqual(self.call("GET", KEYS, "muriel.token_revoked").status, 401)
        for claims in (claims_of("nobody@nowhere.com", "api_key"),
                       claims_of("locked@nowhere.com", "api_key")):
            self.assertFalse(self.verify(sign(claims))["active"])

    def test_logs(self):
        for style in ("text", "json", "off"):
            self.folder.joinpath("host.log").write_bytes(b"")
            self.start("--log", style)
            answer = self.call("GET", KEYS + "?search=secretword", "muriel", status=200)
            self.call("GET", "/v0/users/secretword/keys", "muriel.key", status=404)
            self.call("POST", KEYS, "muriel", {"name": "secretword"}, status=201)
            self.stop(self.host)
            text = self.host.log.read_text()
            self.assertNotIn("secretword", text)
            self.assertEqual(answer.headers["x-request-id"] in text, style != "off")


class Systemd(LifeTest):
    def test_a_socket_that_is_already_open(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            self.start(command=["sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@" '
                                f'3<&{listener.fileno()}', BINARY], pass_fds=(listener.fileno(),))
        self.assertEqual(self.host.port, port)
        self.call("GET", KEYS, "muriel", status=200)

    def test_it_says_when_it_is_ready_and_when_it_stops(self):
        path = str(self.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(path)
            listener.settimeout(TIMEOUT_S)
            self.start(env={"NOTIFY_SOCKET": path})
            text = ""
            while "READY=1" not in text.split("\n"):
                text = listener.recv(4096).decode()
            self.stop(self.host)
            while "STOPPING=1" not in text.split("\n"):
                text = listener.recv(4096).decode()


class Tls(LifeTest):
    def certificate(self, name):
        process = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", "key.new", "-out", "cert.new", "-days", "2", "-subj",
             f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"],
            capture_output=True, check=False, cwd=self.folder, timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 0, process.stderr)
        (self.folder / "key.new").chmod(0o600)
        os.replace(self.folder / "key.new", self.folder / "key.pem")
        os.replace(self.folder / "cert.new", self.folder / "cert.pem")
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(
            (self.folder / "cert.pem").read_text())).digest()

    def presented(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.host.port), timeout=TIMEOUT_S) as plain, \
                context.wrap_socket(plain) as wrapped:
            return hashlib.sha256(wrapped.getpeercert(binary_form=True)).digest()

    def test_a_certificate_and_another(self):
        first = self.certificate("first")
        self.start("--tls-cert", "cert.pem", "--tls-key", "key.pem", "--require-tls")
        self.assertTrue(self.host.url.startswith("https://"))
        self.call("GET", KEYS, "muriel", status=200)
        self.assertEqual(self.presented(), first)
        # Plain HTTP gets no answer to what it asks, and does no harm.
        with Wire(self.host) as wire:
            wire.send(b"GET /v0/server/version HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                self.assertNotIn(b"HTTP", wire.socket.recv(65536))
            except ConnectionResetError:
                pass
        running = self.host.connect()
        self.addCleanup(running.close)
        running.request("GET", "/healthz")
        running.getresponse().read()
        second = self.certificate("second")
        self.host.process.send_signal(signal.SIGHUP)
        self.eventually(lambda: self.presented() == second, "the certificate is not reloaded")
        running.request("GET", "/healthz")  # the connection of before goes on
        self.assertEqual(running.getresponse().read(), b'{"status":"ok"}')
        self.host.hang_up()
        self.call("GET", KEYS, "muriel", status=200)
        # A pair that does not fit, or is none, leaves the second in force.
        (self.folder / "cert.pem").write_text("no certificate\n")
        self.host.process.send_signal(signal.SIGHUP)
        for _ in range(10):
            self.assertEqual(self.presented(), second)


class Metrics(LifeTest):
    def metrics(self):
        with urllib.request.urlopen(self.host.metrics_url, timeout=TIMEOUT_S) as response:
            self.assertTrue(response.headers["Content-Type"].startswith("text/plain"))
            self.assertIn("version=0.0.4", response.headers["Content-Type"])
            text = response.read().decode()
        self.assertFalse(self.vault.found_in(text.encode()))
        samples = {}
        kinds = dict(re.findall(r"(?m)^# TYPE (\S+) (\w+)$", text))
        for line in text.splitlines():
            if line.startswith("#"):
                self.assertRegex(line, r"\A# (HELP|TYPE) [a-z_]+ .")
                continue
            match = re.fullmatch(r'([a-z_]+)(?:\{((?:[a-z_]+="[^"]*",?)*)\})? (\S+)', line)
            self.assertTrue(match, line)
            name, labels, value = match.groups()
            base = re.sub(r"_(bucket|sum|count)\Z", "", name)
            self.assertTrue(name in kinds or kinds.get(base) == "histogram", line)
            key = (name, *sorted(re.findall(r'([a-z_]+)="([^"]*)"', labels or "")))
            self.assertNotIn(key, samples)
            samples[key] = float(value)
        return samples

    @staticmethod
    def total(samples, name, **labels):
        return sum(value for (found, *pairs), value in samples.items()
                   if found == name and set(labels.items()) <= set(pairs))

    def test_what_is_counted(self):
        self.start(metrics=True)
        before = self.metrics()
        for _ in range(3):
            self.call("GET", KEYS, "muriel", status=200)
        self.call("GET", KEYS, status=400)
        self.call("GET", "/v0/" + "x" * 20, status=404)
        self.verify(self.secret("muriel.key"))
        self.verify(self.secret("muriel.revoked"))
        self.verify(new_secret())
        after = self.metrics()

        def grown(name, **labels):
            return self.total(after, name, **labels) - self.total(before, name, **labels)
        # A request counts once it is over, which is a moment after its answer is here.
        deadline = time.monotonic() + TIMEOUT_S
        while grown("latchkey_http_requests_total") < 8 and time.monotonic() < deadline:
            time.sleep(0.01)
            after = self.metrics()
        self.assertEqual(grown("latchkey_http_requests_total", route="/v0/users/{user}/keys",
                               method="GET"), 4)
        self.assertEqual(grown("latchkey_http_requests_total"), 8)
        self.assertEqual(grown("latchkey_http_request_duration_seconds_count",
                               route="/v0/users/{user}/keys"), 4)
        self.assertGreaterEqual(grown("latchkey_verdicts_total", kind="user_key",
                                      reason="allowed"), 1)
        self.assertEqual(grown("latchkey_verdicts_total", kind="user_key", reason="revoked"), 1)
        self.assertEqual(grown("latchkey_verdicts_total", reason="unknown"), 1)
        self.assertNotIn("x" * 20, repr(after))

    def test_the_listener_serves_nothing_else(self):
        self.start(metrics=True)
        base = self.host.metrics_url.rpartition("/")[0]
        for path in ("/", "/v0/server/version", "/healthz", "/v0/users"):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(base + path, timeout=TIMEOUT_S)
            self.assertEqual(caught.exception.code, 404)
            caught.exception.close()
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(self.host.metrics_url, data=b"x", timeout=TIMEOUT_S)
        self.assertEqual(caught.exception.code, 405)
        caught.exception.close()
        self.call("GET", "/metrics", status=404)


if __name__ == "__main__":
    unittest.main()
