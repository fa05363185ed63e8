#!/usr/bin/env python3
"""Asks every question of bench/figures/ and writes report.json and report.html.

  run.py [--quick | --full] [--bin build/bin] [--out build/bench] [--only QUESTION,...] [--fresh]
         [--postgres SERVER]

Quick takes the populations 10k, 100k and 1M; full 10M as well, and Redis and PostgreSQL among the
peers. Each question runs in a process of its own, over a store that was built by import and is
removed at the end. A large store is kept in OUT/prepared, and what is measured is a copy of it: the
next run is spared the import. --fresh builds it again. The folder OUT says on which device the
stores lie. With --only the report is called part.json.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import definitions
import plots

POPULATIONS = {"quick": (10_000, 100_000, 1_000_000),
               "full": (10_000, 100_000, 1_000_000, 10_000_000)}
# Which questions are asked at which populations. The last one spoils its store.
ASKED_AT = {
    "verify": lambda population: True,
    "list": lambda population: population >= 100_000,
    "engine": lambda population: population >= 1_000_000,
    "open": lambda population: population >= 1_000_000,
    "write": lambda population: population == 10_000,
    "contend": lambda population: population >= 1_000_000,
}
ROUNDS = 15
STAGE_LIMIT_S = 3600
KEPT_FROM = 1_000_000
PREPARED = "format-1-keys-1"  # of the store, and of figures/keys.cc: what a kept store depends on
SUFFIXES = ((1_000_000, "m"), (1000, "k"))


def label(population):
    return next(f"{population // size}{letter}" for size, letter in SUFFIXES if population >= size)


def first_line(path, start):
    try:
        with open(path, encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith(start)),
                        "unknown")
    except OSError:
        return "unknown"


def machine(out):
    """What a figure depends on and a commit does not change."""
    huge = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
    pages = huge.read_text(encoding="utf-8") if huge.exists() else "[unknown]"
    file_system = subprocess.run(["stat", "-f", "-c", "%T", str(out)], capture_output=True,
                                 text=True, check=False).stdout.strip()
    memory_kib = int(first_line("/proc/meminfo", "MemTotal").split()[0])
    model = first_line("/proc/cpuinfo", "model name")
    number = first_line("/proc/cpuinfo", "model\t")
    return {"processor": f"{model} (model {number})", "cores": os.cpu_count(),
            "memory_gib": round(memory_kib / 2**20), "system": platform.system(),
            "kernel": platform.release(), "architecture": platform.machine(),
            "huge_pages": pages[pages.find("[") + 1:pages.find("]")],
            "file_system": file_system}


def commit():
    here = pathlib.Path(__file__).resolve().parent
    def git(*arguments):
        done = subprocess.run(["git", "-C", str(here), *arguments], capture_output=True, text=True,
                              check=False)
        return done.stdout.strip() if done.returncode == 0 else ""
    name = git("rev-parse", "--short=12", "HEAD") or "unknown"
    return name + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


class Server:
    """One of the run's own, on a socket in a folder that nobody else reads; ended by its pid."""

    def __init__(self, environment_name):
        self.environment_name = environment_name
        self.folder = None
        self.server = None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="latchkey-bench-")
        path = pathlib.Path(self.folder.name)
        try:
            self.server = self.start(path)
            socket = path / self.SOCKET
            for _ in range(100):
                if socket.exists():
                    return {self.environment_name: str(self.reached_at(path))}
                time.sleep(0.1)
            raise RuntimeError(f"{self.environment_name}: the server did not start")
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self.server:
            self.server.send_signal(signal.SIGINT)
            self.server.wait()
        self.folder.cleanup()


class Redis(Server):
    """In memory."""

    SOCKET = "socket"

    def __init__(self, command):
        super().__init__("LATCHKEY_BENCH_REDIS")
        self.command = command

    def start(self, path):
        return subprocess.Popen(
            [self.command, "--port", "0", "--unixsocket", str(path / self.SOCKET), "--save", "",
             "--appendonly", "no", "--daemonize", "no", "--dir", str(path)],
            stdout=subprocess.DEVNULL)

    def reached_at(self, path):
        return path / self.SOCKET


class Postgres(Server):
    """With its pages in memory; as somebody else than root, whom it refuses."""

    SOCKET = "socket/.s.PGSQL.5432"

    def __init__(self, command):
        super().__init__("LATCHKEY_BENCH_POSTGRES")
        self.bin = pathlib.Path(command).resolve().parent

    def start(self, path):
        somebody = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
        (path / "socket").mkdir()
        if somebody:
            for folder in (path, path / "socket"):
                shutil.chown(folder, **somebody)
        subprocess.run([self.bin / "initdb", "--pgdata", path / "data", "--username", "latchkey",
                        "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C"],
                       check=True, stdout=subprocess.DEVNULL, **somebody)
        settings = {"listen_addresses": "", "unix_socket_directories": path / "socket",
                    "shared_buffers": "4GB", "fsync": "off", "jit": "off",
                    "max_parallel_workers_per_gather": "0", "autovacuum": "off"}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return subprocess.Popen([self.bin / "postgres", "-D", path / "data", *arguments],
                                stderr=subprocess.DEVNULL, **somebody)

    def reached_at(self, path):
        return path / "socket"


class Runner:
    def __init__(self, program, out, servers):
        self.program = program
        self.servers = servers
        self.stores = out / "stores"
        self.prepared = out / "prepared"
        self.series = {}
        self.start = time.monotonic()
        self.failed = []

    def say(self, text):
        print(f"[{time.monotonic() - self.start:5.0f} s] {text}", flush=True)

    def ask(self, question, population):
        """With the servers beside it that are its peers, anew for each population."""
        with contextlib.ExitStack() as stack:
            environment = {}
            for server in self.servers if question == "verify" else ():
                environment.update(stack.enter_context(server()))
            self.run(question, population, environment)

    def run(self, question, population, environment):
        scratch = self.stores / "scratch"
        scratch.mkdir()
        self.say(f"{question}, {label(population)} keys")
        try:
            running = subprocess.Popen(
                [str(self.program), question, str(self.stores / label(population)), str(scratch),
                 str(population), str(ROUNDS)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, env={**os.environ, **environment})
            for line in running.stdout:
                if line.startswith("{"):
                    one = json.loads(line)
                    self.series[(one["what"], one["engine"], one["population"])] = one
                else:
                    self.say("    " + line.rstrip())
            if running.wait(timeout=STAGE_LIMIT_S) != 0:
                self.failed.append(f"{question} at {label(population)}")
                self.say(f"    FAILED: {question} ended with {running.returncode}")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def build(self, population):
        """A store of this population in stores/: a copy of the one that is kept, if there is."""
        name = label(population)
        kept = self.prepared / f"{PREPARED}-{name}"
        if kept.is_dir():
            self.say(f"copying the store of {name} keys that an earlier run has built")
            self.copy(kept, self.stores)
            return
        self.ask("build", population)
        if population >= KEPT_FROM and not self.failed:
            unfinished = self.prepared / "copying"
            unfinished.mkdir(parents=True)
            for path in (self.stores / name, self.stores / f"{name}.pepper"):
                self.copy(path, unfinished)
            unfinished.rename(kept)

    @staticmethod
    def copy(source, target):
        contents = source.iterdir() if source.name.startswith(PREPARED) else [source]
        for path in contents:
            subprocess.run(["cp", "-a", "--reflink=auto", str(path), str(target)], check=True)


def run(mode, program, out, only, fresh, postgres):
    servers = []
    if mode == "full" and (redis := shutil.which("redis-server")):
        servers.append(lambda: Redis(redis))
    if mode == "full" and postgres:
        servers.append(lambda: Postgres(postgres))
    runner = Runner(program, out, servers)
    # What a run that was cut short has left; the benchmark's own stores, nobody's keys.
    shutil.rmtree(runner.stores, ignore_errors=True)
    shutil.rmtree(runner.prepared if fresh else runner.prepared / "copying", ignore_errors=True)
    runner.stores.mkdir(parents=True)
    report = {"report": 1, "mode": mode, "machine": machine(out), "commit": commit(),
              "date": time.strftime("%Y-%m-%d", time.gmtime()),
              "load_before": os.getloadavg()[0]}
    try:
        for population in POPULATIONS[mode]:
            if only and not any(ASKED_AT[question](population) for question in only):
                continue
            runner.build(population)
            for question, asked in ASKED_AT.items():
                if asked(population) and (not only or question in only):
                    runner.ask(question, population)
            # As large as everything else together, and not needed any more.
            shutil.rmtree(runner.stores / label(population), ignore_errors=True)
    finally:
        shutil.rmtree(runner.stores, ignore_errors=True)
    report["seconds"] = round(time.monotonic() - runner.start)
    report["load_after"] = os.getloadavg()[0]
    report["figures"] = definitions.figures(runner.series)
    report["missing"] = definitions.missing(report["figures"])
    report["series"] = list(runner.series.values())
    report["failed"] = runner.failed
    return report


def print_figures(report):
    print()
    for key, one in report["figures"].items():
        target = one.get("target")
        verdict = ""
        if target:
            verdict = f"{target['sign']} {target['number']:.4g}"
            verdict += "" if one["met"] else "  MISSED"
        low, high = one["spread"]
        print(f"{key:48} {one['value']:>10.4g} {one['unit']:12} {verdict:20}"
              f" n={one['n']} {low:.4g}..{high:.4g}")
    if report["missing"]:
        print("\nnot measured in this run: " + ", ".join(report["missing"]))
    for name in report["failed"]:
        print(f"\nFAILED: {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_const", const="quick", dest="mode")
    mode.add_argument("--full", action="store_const", const="full", dest="mode")
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/bin"))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/bench"))
    parser.add_argument("--only", default="", help="questions, with commas; the rest is left out")
    parser.add_argument("--postgres", help="PostgreSQL's server, a peer of --full")
    parser.add_argument("--fresh", action="store_true", help="build the kept stores again")
    arguments = parser.parse_args()
    only = [name for name in arguments.only.split(",") if name]
    unknown = [name for name in only if name not in ASKED_AT]
    if unknown:
        parser.error(f"no such question: {unknown[0]}; there are {', '.join(ASKED_AT)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    program = arguments.bin / "latchkey_figures"
    report = run(arguments.mode or "quick", program, arguments.out, only, arguments.fresh,
                 arguments.postgres)
    written = arguments.out / ("part.json" if only else "report.json")
    written.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    written.with_suffix(".html").write_text(plots.page(report), encoding="utf-8")
    print_figures(report)
    print(f"\n{written} and {written.with_suffix('.html').name}, after {report['seconds']} s")
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
