#!/usr/bin/env python3
"""Requests a second of latchkeyd, against nginx serving a static file of the same size.

  run.py [--bin build/bin] [--nginx FILE] [--rounds N] [--seconds N] [--connections N]

Each question has its peer: `POST /v0/verify` and a page of 8 of 10,000 keys, each against a file as
long as its reply. The four take turns, round after round, and every round begins with another one.
Both servers have as many threads as each other, and no access log; where there are cores enough,
servers and wrk have cores of their own. Everything lives in a temporary folder; nginx runs from a
configuration made there.

Beside each rate stands what a request costs the server in processor time: where the machine is
shared, it is the steadier of the two.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import statistics
import string
import subprocess
import sys
import tempfile
import time

LUA = pathlib.Path(__file__).resolve().with_name("requests.lua")
KEYS = 10_000
KEYS_SENT = 1_000
START_LIMIT_S = 30
PROJECT = "00000000-0000-4000-8000-000000000001"
NGINX_CONFIGURATION = """
{user}
worker_processes {threads};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
daemon off;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  default_type application/json;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=16;
  open_file_cache_valid 1h;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


def free_port():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


def environment():
    """Ours, without the settings that everyday use of latchkey leaves in it."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith("LATCHKEY_")}


class Server:
    """A child process, bound to some cores, that ends with the block."""

    def __init__(self, command, cores, ready=None):
        self.process = subprocess.Popen(
            [str(word) for word in command], env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, preexec_fn=lambda: os.sched_setaffinity(0, cores))
        if ready and not self.process.stdout.readline().startswith(ready):
            self.__exit__()
            sys.exit(f"{command[0]} did not start: see above")

    def __enter__(self):
        return self

    def processor_s(self):
        """What it and its children have used until now, over all threads."""
        pids = [self.process.pid]
        children = pathlib.Path(f"/proc/{pids[0]}/task/{pids[0]}/children")
        if children.exists():
            pids += children.read_text().split()
        ticks = 0
        for pid in pids:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])  # user and system
        return ticks / os.sysconf("SC_CLK_TCK")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(START_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def fill(latchkey, folder):
    """A store with a project of KEYS keys, and the callers' keys. Returns some of the secrets."""
    draw = random.Random(20261121)
    alphabet = string.digits + string.ascii_letters
    secrets = ["bencher_run_" + "".join(draw.choices(alphabet, k=30)) for _ in range(KEYS)]
    lines = [{"type": "project", "uuid": PROJECT, "name": "Bench", "slug": "bench",
              "visibility": "private", "created": 1_700_000_000, "deleted": None}]
    for number, secret in enumerate(secrets):
        lines.append({"type": "project_key", "uuid": f"00000000-0000-4000-8001-{number:012x}",
                      "project": PROJECT, "creator": None, "name": f"key {number}",
                      "sha256": hashlib.sha256(secret.encode()).hexdigest(),
                      "creation": 1_700_000_000, "expiration": 4_000_000_000, "revoked": None})
    data = folder / "keys.ndjson"
    data.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def run(*words):
        return subprocess.run([latchkey, "--store", folder / "store", "--output", "json", *words],
                              env=environment(), check=True, stdout=subprocess.PIPE).stdout

    run("init")
    run("import", data)
    run("user", "create", "--name", "Bench", "--admin")
    # Whoever verifies has a key for that and nothing else, as the manual advises.
    for file, scopes in (("admin", []), ("verifier", ["--scope", "verify"])):
        made = run("user", "key", "create", "bench", "--name", file, *scopes)
        (folder / file).write_text(json.loads(made)["key"] + "\n")
    draw.shuffle(secrets)
    return secrets[:KEYS_SENT]


def ask(port, method, path, key=None, body=None):
    """One request over a connection of its own; the reply's body."""
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_LIMIT_S)
        try:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            text = reply.read()
            if reply.status != 200:
                sys.exit(f"{method} {path} answered {reply.status}: {text.decode()}")
            return text
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        finally:
            connection.close()


class Load:
    """One question to one server: what wrk is told."""

    def __init__(self, label, server, port, method, path, key_file="-", bodies="-"):
        self.label = label
        self.server = server
        self.url = f"http://127.0.0.1:{port}"
        self.words = [method, path, key_file, bodies]
        self.rates = []
        self.costs_us = []

    def run(self, wrk, threads, connections, seconds, cores):
        """Measures once more. A reply that is not 200 ends the benchmark."""
        before_s = self.server.processor_s()
        command = [wrk, "-t", threads, "-c", connections, "-d", f"{seconds}s", "-s", LUA, self.url,
                   "--", *self.words]
        done = subprocess.run([str(word) for word in command], check=True, text=True,
                              stdout=subprocess.PIPE,
                              preexec_fn=lambda: os.sched_setaffinity(0, cores))
        for line in done.stdout.splitlines():
            if line.startswith("result "):
                requests, microseconds, errors = map(int, line.split()[1:])
                if errors or not requests:
                    sys.exit(f"{self.label}: {errors} errors in {requests} requests")
                self.rates.append(requests / microseconds * 1e6)
                self.costs_us.append((self.server.processor_s() - before_s) / requests * 1e6)
                return
        sys.exit(f"wrk said nothing of use:\n{done.stdout}")


def report(ours, peer):
    for load in (ours, peer):
        middle = statistics.median(load.rates)
        spread = (max(load.rates) - min(load.rates)) / middle
        print(f"  {load.label:30} {middle:8.0f} requests/s, {min(load.rates):.0f} to "
              f"{max(load.rates):.0f} (spread {spread:.0%}); "
              f"{statistics.median(load.costs_us):.1f} us of processor a request")
    ratios = [a / b for a, b in zip(ours.rates, peer.rates)]
    costs = [b / a for a, b in zip(ours.costs_us, peer.costs_us)]
    print(f"  {'ratio, round by round':30} {statistics.median(ratios):8.2f} of nginx, "
          f"{min(ratios):.2f} to {max(ratios):.2f}; "
          f"by processor time {statistics.median(costs):.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/bin"))
    parser.add_argument("--nginx", default=shutil.which("nginx") or "/usr/sbin/nginx")
    parser.add_argument("--wrk", default=shutil.which("wrk") or "wrk")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=2, help="of each load in a round")
    parser.add_argument("--connections", type=int, default=64)
    arguments = parser.parse_args()
    for program in (arguments.bin / "latchkey", arguments.bin / "latchkeyd", arguments.nginx,
                    arguments.wrk):
        if not shutil.which(program):
            sys.exit(f"there is no program {program}")

    # Ends as Ctrl-C does: the servers are stopped, and the folder is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    cores = sorted(os.sched_getaffinity(0))
    half = max(1, len(cores) // 2)
    server_cores, client_cores = set(cores[:half]), set(cores[half:] or cores)
    with tempfile.TemporaryDirectory(prefix="latchkey-bench-http-") as name, \
            contextlib.ExitStack() as servers:
        folder = pathlib.Path(name)
        secrets = fill(arguments.bin / "latchkey", folder)
        port, peer_port = free_port(), free_port()
        host = servers.enter_context(Server(
            [arguments.bin / "latchkeyd", "--store", folder / "store", "--listen",
             f"127.0.0.1:{port}", "--metrics-listen", "off", "--log", "off", "--threads", half],
            server_cores, b"latchkeyd ready"))
        verifier = (folder / "verifier").read_text().strip()
        admin = (folder / "admin").read_text().strip()
        bodies = folder / "bodies"
        bodies.write_text("".join(json.dumps({"token": secret}) + "\n" for secret in secrets))
        list_path = "/v0/projects/bench/keys?page=600"
        # Each secret once: a benchmark of wrong answers would be worth nothing.
        for secret in secrets:
            verdict = ask(port, "POST", "/v0/verify", verifier,
                          json.dumps({"token": secret}))
            if not json.loads(verdict)["active"]:
                sys.exit("latchkeyd denied a key that is good")
        page = ask(port, "GET", list_path, admin)
        if len(json.loads(page)) != 8:
            sys.exit("latchkeyd gave no page of 8")

        folder.chmod(0o755)
        (folder / "files").mkdir(mode=0o755)
        for file, content in (("verify.json", verdict), ("list.json", page)):
            (folder / "files" / file).write_bytes(b"x" * len(content))
        user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(NGINX_CONFIGURATION.format(
            user=user, threads=half, folder=folder, port=peer_port))
        nginx = servers.enter_context(Server(
            [arguments.nginx, "-p", folder, "-e", folder / "nginx.log", "-c",
             folder / "nginx.conf"], server_cores))

        loads = [
            Load(f"POST /v0/verify, {len(verdict)} bytes", host, port, "POST",
                 "/v0/verify", folder / "verifier", bodies),
            Load("nginx, a file of that size", nginx, peer_port, "GET", "/verify.json"),
            Load(f"GET a page of 8, {len(page)} bytes", host, port, "GET", list_path,
                 folder / "admin"),
            Load("nginx, a file of that size", nginx, peer_port, "GET", "/list.json"),
        ]
        for path, content in (("/verify.json", verdict), ("/list.json", page)):
            if len(ask(peer_port, "GET", path)) != len(content):
                sys.exit("nginx serves another file than it was given")
        print(f"threads: {half} a server, {half} of wrk; {arguments.connections} connections; "
              f"rounds: {arguments.rounds} of {arguments.seconds} s a load; {KEYS} keys")
        for index in range(-1, arguments.rounds):
            turn = index % len(loads)
            for load in loads[turn:] + loads[:turn]:
                load.run(arguments.wrk, half, arguments.connections, arguments.seconds,
                         client_cores)
            if index < 0:  # the first round warms up
                for load in loads:
                    load.rates.clear()
                    load.costs_us.clear()
        report(loads[0], loads[1])
        report(loads[2], loads[3])
    return 0


if __name__ == "__main__":
    sys.exit(main())
