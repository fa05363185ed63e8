"""Drives the built host over sockets of the loopback.

LATCHKEYD names the host, LATCHKEY_CLI the command that makes its store. Every answer of every call
is judged here, whatever else its suite looks at: headers, shape, OpenAPI document, and no secret in
it. What the host wrote to its log is searched when it has stopped.
"""

import ctypes
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from schemas import Document
from world import CANARY, JWT_SECRET, World

BINARY = os.path.abspath(os.environ.get("LATCHKEYD", "build/bin/latchkeyd"))
CLI = os.path.abspath(os.environ.get("LATCHKEY_CLI", "build/bin/latchkey"))
SOURCE = pathlib.Path(__file__).resolve().parents[2]
LONGER = bool(os.environ.get("LATCHKEY_CHECK"))
TIMEOUT_S = 60

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
UUID_V4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
KEY = re.compile(rb"bencher_(?:user|run)_[0-9A-Za-z]{30}")
JWT = re.compile(rb"eyJ[\w-]+\.[\w-]+\.[\w-]{43}")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
HINT = ("Expected format is `Authorization: Bearer <bencher.api.token>`. Where "
        "`<bencher.api.token>` is your Bencher API token (JWT) or user API key "
        "(`bencher_user_...`).")
PRCTL = ctypes.CDLL(None).prctl  # found before any fork
FIXED_HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "Content-Type, Authorization",
    "access-control-expose-headers": "X-Total-Count, Link, X-Request-Id, Retry-After",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}
FORBIDDEN_HEADERS = ("set-cookie", "access-control-allow-credentials")


def redacted(text):
    """What was asked, fit to be printed by a failing test."""
    data = text if isinstance(text, bytes) else str(text).encode("utf-8", "replace")
    data = JWT.sub(b"<jwt>", KEY.sub(b"<key>", data))
    return data[:2000].decode("utf-8", "backslashreplace")


class Vault:
    """Every secret that a suite has seen, and a quick search for them in any bytes."""

    RUN = re.compile(rb"[0-9A-Za-z_-]{30,}")

    def __init__(self):
        self._parts = {30: set(), 43: set()}

    def add(self, secret):
        """Keeps what must never be seen of it: a key's body, a JWT's signature."""
        part = re.split(r"[_.]", secret)[-1].encode() if secret.startswith("bencher_") \
            else secret.rsplit(".", 1)[-1].encode()
        if len(part) in self._parts:
            self._parts[len(part)].add(part)

    def found_in(self, data):
        if KEY.search(data) or JWT_SECRET in data:
            return True
        for run in self.RUN.findall(data):
            for size, parts in self._parts.items():
                if any(run[at:at + size] in parts for at in range(len(run) - size + 1)):
                    return True
        return False


class Answer:
    def __init__(self, asked, status, headers, body):
        self.asked = asked
        self.status = status
        self.pairs = [(name.lower(), value) for name, value in headers]
        self.headers = dict(self.pairs)
        self.body = body

    def json(self):
        return json.loads(self.body, object_pairs_hook=unique_members)

    @property
    def message(self):
        return self.json()["message"]

    @property
    def total(self):
        return int(self.headers["x-total-count"])

    def __repr__(self):
        headers = "".join(f"{name}: {value}\n" for name, value in self.pairs)
        return redacted(f"\n> {redacted(self.asked)}\n< {self.status}\n{headers}\n"
                        + self.body.decode("utf-8", "backslashreplace"))


def unique_members(pairs):
    if len(dict(pairs)) != len(pairs):
        raise AssertionError(f"a member twice: {[name for name, _ in pairs]}")
    return dict(pairs)


class Judge:
    """What is true of every answer of the host."""

    def __init__(self, vault):
        self.vault = vault
        self.document = None
        self._ids = set()

    def __call__(self, answer, method, target, presented=""):
        complaints = list(self.complaints(answer, method, target, presented))
        if complaints:
            raise AssertionError("; ".join(complaints) + f"\n{answer!r}")
        return answer

    def complaints(self, answer, method, target, presented):
        yield from self.headers(answer, method)
        path = re.sub(r"^https?://[^/]*", "", target.partition("?")[0])
        value = ...
        if answer.status == 204 or method == "HEAD":
            if answer.body:
                yield "a body where there is none"
        else:
            if answer.headers.get("content-type") != "application/json":
                yield f"content-type {answer.headers.get('content-type')}"
            value = answer.json()
            yield from self.shape(answer, value, path)
        if answer.status < 400 and method != "OPTIONS":
            yield from self.count(answer, value, method)
        if method == "OPTIONS" and answer.status == 200:
            if answer.body != b"null":
                yield "the body of OPTIONS is not null"
        elif self.document and method in METHODS:
            yield from self.document.complaints(method, path, answer.status, value)
        yield from self.secrets(answer, value, presented)

    def headers(self, answer, method):
        for name, due in FIXED_HEADERS.items():
            if answer.headers.get(name) != due:
                yield f"{name} is {answer.headers.get(name)}"
        allow = answer.headers.get("access-control-allow-methods", "")
        if method in METHODS and method != "OPTIONS" and allow != method:
            yield f"access-control-allow-methods is {allow!r}"
        for name in FORBIDDEN_HEADERS:
            if name in answer.headers:
                yield name
        for name, status in (("allow", 405), ("www-authenticate", 401)):
            if (name in answer.headers) != (answer.status == status):
                yield f"{name} on {answer.status}: {answer.headers.get(name)}"
        if answer.headers.get("www-authenticate", "Bearer") != "Bearer":
            yield "www-authenticate is not Bearer"
        if answer.status in (429, 503) and not answer.headers.get("retry-after", "").isdigit():
            yield f"retry-after is {answer.headers.get('retry-after')}"
        names = [name for name, _ in answer.pairs]
        if len(set(names)) != len(names):
            yield f"a header twice: {names}"
        request_id = answer.headers.get("x-request-id", "")
        if not UUID_V4.match(request_id) or request_id in self._ids:
            yield f"x-request-id is {request_id!r}"
        self._ids.add(request_id)

    @staticmethod
    def shape(answer, value, path):
        if answer.status >= 400:
            members = ["request_id", "error_code", "message"]
            if answer.status != 500:
                members.remove("error_code")
            if list(value) != members:
                yield f"members {list(value)}"
            elif value["request_id"] != answer.headers.get("x-request-id"):
                yield "two request ids"
            elif not value["message"]:
                yield "no message"
            if answer.body.decode() != json.dumps(value, indent=2, ensure_ascii=False):
                yield "an error that is not written with two spaces"
        elif path != "/v0/openapi.json":
            due = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
            if answer.body.decode() != due:
                yield "a body that is not compact"

    @staticmethod
    def count(answer, value, method):
        total = answer.headers.get("x-total-count")
        if answer.status == 204:
            due = total == "0"
        elif isinstance(value, list):
            due = total is not None and total.isdigit() and int(total) >= len(value)
        else:
            due = total == "1" or (method == "HEAD" and str(total).isdigit())
        if not due:
            yield f"x-total-count is {total}"

    def secrets(self, answer, value, presented):
        seen = answer.body + "".join(f"\n{n}: {v}" for n, v in answer.pairs).encode()
        if answer.status == 201 and isinstance(value, dict) and "key" in value:
            self.vault.add(value["key"])
            if seen.count(value["key"].encode()) != 1:
                yield "the new key is there more than once"
            seen = seen.replace(value["key"].encode(), b"")
        if self.vault.found_in(seen):
            yield "a secret is in the answer"
        if len(presented) >= 12 and presented.encode("utf-8", "replace") in seen:
            yield "the credential is echoed"
        if answer.status >= 400 and CANARY.encode() in seen.lower():
            yield "bytes of the caller are echoed"


class Wire:
    """A bare connection: any bytes out, whole answers in."""

    def __init__(self, host, asked=""):
        self.socket = socket.create_connection(("127.0.0.1", host.port), timeout=TIMEOUT_S)
        self.asked = asked
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False when the host has hung up, which it may when it has had enough."""
        self.asked = data
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self._buffer += data
        return bool(data)

    def answer(self, method="GET"):
        """The next one, or None when the host hung up without any. Skips 100 Continue."""
        while True:
            while b"\r\n\r\n" not in self._buffer:
                if not self._more():
                    if self._buffer:
                        raise AssertionError(f"half an answer: {self._buffer[:200]}")
                    return None
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ")[1])
            if status != 100:
                break
        pairs = [tuple(line.split(": ", 1)) for line in lines[1:]]
        size = int({name.lower(): value for name, value in pairs}.get("content-length", "0"))
        if method == "HEAD" or status == 204:
            size = 0
        while len(self._buffer) < size:
            if not self._more():
                raise AssertionError(f"half an answer: {lines[0]}")
        body, self._buffer = self._buffer[:size], self._buffer[size:]
        return Answer(self.asked, status, pairs, body)

    def closed(self):
        """The host hangs up, and says nothing more."""
        return not self._buffer and not self._more()


def end_with_parent():
    """In the child, before it becomes the host: a suite that is killed leaves no host behind."""
    PRCTL(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Host:
    """A running host over a folder's store. Its log is in `log`; stop() judges it."""

    def __init__(self, folder, *flags, env=None, judge=None, command=None, pass_fds=(),
                 metrics=False, store="store"):
        self.folder = folder
        self.judge = judge
        self.log = folder / "host.log"
        self.metrics_url = None
        environment = HttpTest.environment(env)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*(command or [BINARY]), "--store", store, "--listen", "127.0.0.1:0",
                 "--jwt-secret-file", "jwt.secret",
                 "--metrics-listen", "127.0.0.1:0" if metrics else "off", *flags],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd=folder,
                env=environment, pass_fds=pass_fds, preexec_fn=end_with_parent)
        self._out = b""
        self.url = self._line(rb"latchkeyd ready on (https?://\S+)\n")
        self.port = int(self.url.rsplit(":", 1)[1].rstrip("/"))
        if metrics:
            self.metrics_url = self._line(rb"latchkeyd metrics on (https?://\S+)\n")
        self._local = threading.local()
        self._connections = []

    def _line(self, pattern):
        while not re.search(pattern, self._out):
            ready = select.select([self.process.stdout], [], [], TIMEOUT_S)[0]
            data = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not data:
                self.process.kill()
                self.process.wait()
                self.process.stdout.close()
                raise AssertionError(f"the host is not ready: {self._out}\n"
                                     + redacted(self.log.read_bytes()[-2000:]))
            self._out += data
        return re.search(pattern, self._out).group(1).decode()

    def connect(self):
        if self.url.startswith("https"):
            context = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=TIMEOUT_S,
                                               context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)

    def call(self, method, target, secret=None, body=None, headers=(), authorization=None):
        """One request on this thread's connection; the answer is judged. A body that is neither
        text nor bytes is sent as JSON."""
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        headers = dict(headers)
        if secret is not None:
            authorization = f"Bearer {secret}"
        if authorization is not None:
            headers["Authorization"] = authorization
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            headers["Content-Length"] = str(len(body))
        # Asked again once on a new connection: an idle one may just have been closed.
        for attempt in (0, 1):
            connection = getattr(self._local, "connection", None)
            fresh = connection is None
            if fresh:
                connection = self._local.connection = self.connect()
                self._connections.append(connection)
            try:
                connection.putrequest(method, target, skip_accept_encoding=True)
                for name, value in headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body)
                response = connection.getresponse()
                data = response.read()
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                connection.close()
                self._local.connection = None
                if fresh or attempt:
                    raise
        if response.will_close:
            connection.close()
            self._local.connection = None
        shown = {**headers, **({"Authorization": "..."} if authorization else {})}
        answer = Answer(f"{method} {target} {shown} {(body or b'')[:300]!r}",
                        response.status, response.getheaders(), data)
        presented = (authorization or "").partition(" ")[2].strip()
        return self.judge(answer, method, target, presented)

    def hang_up(self):
        """Closes the clients' connections."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._local = threading.local()

    def stop(self, number=signal.SIGTERM):
        """Sends the signal, or none; the exit code. The log has been searched."""
        self.hang_up()
        if number is not None and self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(TIMEOUT_S)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.check_log()

    def check_log(self):
        text = self.log.read_bytes()
        if self.judge.vault.found_in(text):
            raise AssertionError("a secret is in the log")
        for word in (CANARY.encode(), b"per_page=", b"search=", b"addresssanitizer",
                     b"threadsanitizer", b"runtime error"):
            if word in text.lower():
                line = [line for line in text.splitlines() if word in line.lower()][0]
                raise AssertionError(f"the log holds {word!r}: {redacted(line)}")


class HttpTest(unittest.TestCase):
    """One store with the people of World for the whole class, and a host over it unless
    `with_host` says otherwise."""

    with_host = True
    flags = ()
    world_type = World
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="latchkey-http-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.vault = Vault()
        cls.judge = Judge(cls.vault)
        cls.world = cls.world_type()
        for secret in cls.world.secrets.values():
            cls.vault.add(secret)
        secret_file = cls.folder / "jwt.secret"
        secret_file.write_bytes(JWT_SECRET)
        secret_file.chmod(0o600)
        cls.cli("init")
        report = json.loads(cls.cli("import", "-", "-o", "json", stdin=cls.world.ndjson()))
        if report["refused"]:
            raise AssertionError(report)
        if cls.with_host:
            cls.start()

    @staticmethod
    def environment(extra=None):
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith(("LATCHKEY", "LISTEN_", "NOTIFY_"))}
        environment["LC_ALL"] = "C.UTF-8"
        environment.update(extra or {})
        return environment

    @classmethod
    def cli(cls, *arguments, stdin=""):
        process = subprocess.run(
            [CLI, "--store", "store", *arguments], input=stdin.encode(), capture_output=True,
            check=False, cwd=cls.folder, env=cls.environment(), timeout=TIMEOUT_S)
        if process.returncode != 0:
            raise AssertionError(f"{arguments}: {redacted(process.stdout + process.stderr)}")
        return process.stdout.decode()

    @classmethod
    def start(cls, *flags, **options):
        """The host of the class, stopped at its end; it must end well."""
        cls.host = Host(cls.folder, *cls.flags, *flags, judge=cls.judge, **options)
        cls.addClassCleanup(cls.stop, cls.host)
        if cls.judge.document is None:
            answer = cls.host.call("GET", "/v0/openapi.json")
            cls.judge.document = Document(answer.json())
        return cls.host

    @staticmethod
    def stop(host):
        if host.process.stdout.closed:
            return
        code = host.stop()
        if code != 0:
            raise AssertionError(f"the host ended with {code}\n"
                                 + redacted(host.log.read_bytes()[-2000:]))

    def call(self, method, target, who=None, body=None, status=None, **options):
        """`who` names a credential of the world, or is a secret itself."""
        answer = self.host.call(method, target, self.secret(who), body, **options)
        if status is not None:
            self.assertEqual(answer.status, status, answer)
        return answer

    def secret(self, who):
        return self.world.secrets.get(who, who)

    def create(self, target, name="made", who="eustace", **members):
        """The created JSON of a key."""
        return self.call("POST", target, who, {"name": name, **members}, status=201).json()

    def verify(self, secret, who="eustace", query=""):
        return self.call("POST", "/v0/verify" + query, who, {"token": secret}, status=200).json()

    def uuid(self, name):
        return self.world.ids[name]
