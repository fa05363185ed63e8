#!/usr/bin/env python3
"""Runs what `./dev check` runs, in stages, and ends with a table of what was tried.

  run.py [--long] [ARGUMENTS OF CTEST]

Every build must be there: `./dev check` makes them. With ARGUMENTS (-R unit/codec) each stage that
tests runs what they choose, and nothing else. What ctest says goes to build/check/STAGE.log, what
it found to build/check/STAGE.xml. Exit code 1 when anything is wrong, or was not counted.
"""

import argparse
import dataclasses
import os
import pathlib
import platform
import re
import subprocess
import sys
import threading
import time

import table

ROOT = pathlib.Path(__file__).resolve().parents[2]
START = re.compile(r"^\s*Start\s+\d+: (.*)")
DONE = re.compile(r"^\s*(\d+)/(\d+) Test\s+#\d+: (.*?) \.*\s*(Passed|\*\*\*.*?)\s+[\d.]+ sec")
TSAN_BITS_MAX = 28  # of addresses, beyond which ThreadSanitizer of g++ 12 cannot start
OUTPUT_BYTES_MAX = 4 << 20  # of a test, in the JUnit file: ctest keeps 1 KiB otherwise
SIGN_OF_LIFE_S = 60  # where there is no terminal
MEMORY_FOLDER = pathlib.Path("/dev/shm")
MEMORY_BYTES_MIN = 2 << 30  # free in it
# Long, and without a second thread: nothing that ThreadSanitizer could see, and under asan as well.
ONE_THREAD = r"^unit/(index/Directory|storage/(Recovery|LogFrames|StoreDirTest))\."


@dataclasses.dataclass
class Stage:
    name: str
    preset: str  # empty = a command of its own
    arguments: list
    environment: dict = dataclasses.field(default_factory=dict)


def stages(long):
    """Everything once without sanitizers, longer; then what reads bytes of strangers, under
    addresses and undefined behaviour; then what has threads. At night, all of it longer."""
    longer = {"LATCHKEY_CHECK": "long" if long else "1"}
    sanitized = {"LATCHKEY_FUZZ_SECONDS": "600" if long else "20"}
    if long:
        sanitized["LATCHKEY_CHECK"] = "1"
    chosen = [
        Stage("release", "release", [], longer),
        Stage("asan", "asan", ["-R", "^(unit|capi|model|http|compat|fuzz)/"], sanitized),
        Stage("tsan", "tsan", ["-R", "^(unit/(storage|authority|index|service|capi)|capi|model|http"
                                     "|histories)/", "-E", ONE_THREAD], sanitized),
        Stage("timing", "release", ["-C", "Timing", "-R", "^timing/(compare|verify_classes)$"],
              {"LATCHKEY_TIMING_SAMPLES": "100000000" if long else "10000000"}),
    ]
    if long:
        chosen += [
            Stage("libfuzzer", "fuzz", ["-R", "^fuzz/"], {}),
            Stage("mutants", "", [sys.executable, "-B", "tests/mutants/run.py", "--work",
                                  "build/mutants"]),
        ]
    return chosen


class Progress:
    """Which stage of how many, how long it has taken, how far it is: one line that is rewritten,
    or a line a minute. A test may take ten, so that it does not wait for one to end."""

    def __init__(self, count):
        self.count = count
        self.begin = time.monotonic()
        self.number = 0
        self.last = 0.0
        self.what = ""  # empty = nothing runs
        self.is_terminal = sys.stdout.isatty()
        self.lock = threading.Lock()
        threading.Thread(target=self.go_on, daemon=True).start()

    def go_on(self):
        while True:
            time.sleep(1)
            with self.lock:
                if self.what:
                    self.show_locked()

    def enter(self, stage):
        self.number += 1
        self.stage = stage
        self.last = 0.0
        self.show("begun")

    def show(self, what):
        with self.lock:
            self.what = what
            self.show_locked()

    def end(self):
        """Nothing is shown any more: what follows is not to be written over."""
        with self.lock:
            self.what = ""

    def show_locked(self):
        now = time.monotonic()
        if not self.is_terminal and now - self.last < SIGN_OF_LIFE_S and self.last:
            return
        self.last = now
        line = (f"stage {self.number} of {self.count}, {table.clock(now - self.begin)}: "
                f"{self.stage}: {self.what}")
        if self.is_terminal:
            print(f"\r\033[K{line[:os.get_terminal_size().columns - 1]}", end="", flush=True)
        else:
            print(line, flush=True)

    def say(self, line):
        with self.lock:
            print(f"\r\033[K{line}" if self.is_terminal else line, flush=True)


def quick_folder():
    """Where a sync costs nothing. What a device would lose is worked out; and what is to meet syncs
    that take their time (crash/kill, crash/import) looks for a device itself."""
    if "TMPDIR" in os.environ or not MEMORY_FOLDER.is_dir():
        return {}
    free = os.statvfs(MEMORY_FOLDER)
    if free.f_bavail * free.f_frsize < MEMORY_BYTES_MIN:
        return {}
    return {"TMPDIR": str(MEMORY_FOLDER)}


def fixed_addresses():
    """What must stand before a command that ThreadSanitizer runs in."""
    try:
        bits = int(pathlib.Path("/proc/sys/vm/mmap_rnd_bits").read_text())
    except (OSError, ValueError):
        return []
    prefix = ["setarch", platform.machine(), "-R"]
    if bits <= TSAN_BITS_MAX or subprocess.run([*prefix, "true"], check=False).returncode != 0:
        return []
    return prefix


def follow(lines, log, progress):
    """Keeps what ctest says, and shows how far it is, what runs, and what failed."""
    running, ended = [], "begun"
    for line in lines:
        log.write(line)
        log.flush()
        if start := START.match(line):
            running.append(start.group(1).split("  #")[0])
        elif done := DONE.match(line):
            number, count, name, outcome = done.groups()
            ended = f"{number} of {count}"
            if name.split("  #")[0] in running:
                running.remove(name.split("  #")[0])
            if (outcome.startswith("***") and "Skipped" not in outcome
                    and "Not Run" not in outcome):
                progress.say(f"  {progress.stage}: {name} {outcome.strip('*')}")
        progress.show(f"{ended}, running {', '.join(running)}" if running else ended)


def tests_of_command(stage, log_path, code):
    """A command that is no ctest counts as one test of the stage's name."""
    output = log_path.read_text(errors="replace")
    return [table.Test(stage.name, "run" if code == 0 else "fail", 0.0, output)]


def run_stage(stage, arguments, folder, progress, result):
    progress.enter(stage.name)
    log_path, junit = folder / f"{stage.name}.log", folder / f"{stage.name}.xml"
    junit.unlink(missing_ok=True)
    if stage.preset:
        # Many a test waits for the device, or for a store to heal: one more than there are cores.
        jobs = 1 if stage.name == "timing" else (os.cpu_count() or 1) + 1
        command = ["ctest", "--preset", stage.preset, "-j", str(jobs), "--output-junit", str(junit),
                   "--test-output-size-passed", str(OUTPUT_BYTES_MAX),
                   "--test-output-size-failed", str(OUTPUT_BYTES_MAX),
                   *(arguments or stage.arguments)]
        command = (fixed_addresses() if stage.preset == "tsan" else []) + command
    else:
        command = stage.arguments
    begin = time.monotonic()
    with open(log_path, "w", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(command, cwd=ROOT,
                                   env={**os.environ, **quick_folder(), **stage.environment},
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   errors="replace")
        follow(process.stdout, log, progress)
        code = process.wait()
    seconds = time.monotonic() - begin
    if not stage.preset:
        tests = tests_of_command(stage, log_path, code)
        tests[0].seconds = seconds
    elif junit.exists():
        tests = table.read_junit(junit)
    else:
        tests = []
        result.fail(f"{stage.name}: ctest ended with {code}, and says nothing: see {log_path}")
    if code != 0 and not any(test.status == "fail" for test in tests):
        result.fail(f"{stage.name}: the command ended with {code}: see {log_path}")
    if not tests and not arguments:
        result.fail(f"{stage.name}: there are no tests: is it built? See {log_path}")
    result.add(stage.name, tests)
    for test in tests:
        if test.status == "fail":
            show_failure(stage, test, progress)
    return seconds


def show_failure(stage, test, progress):
    """The end of what it said, and how to have it again."""
    progress.say(f"\n{stage.name}: {test.name} failed. The end of what it said:")
    for line in test.output.splitlines()[-30:]:
        progress.say("  " + line)
    if stage.preset:
        words = " ".join(f"{name}={value}" for name, value in stage.environment.items())
        prefix = " ".join(fixed_addresses() if stage.preset == "tsan" else [])
        name = re.escape(test.name.split("  #")[0])
        progress.say("Again: " + " ".join(
            f"{words} {prefix} ctest --preset {stage.preset} -R '^{name}'".split()) + "\n")


def machine():
    processor = platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.split(":", 1)[1].strip()
            break
    memory_gib = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    return f"{processor}, {os.cpu_count()} cores, {memory_gib} GiB"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", help="the stages of these names, separated by commas")
    options, arguments = parser.parse_known_args()
    chosen = stages(options.long)
    if options.only:
        chosen = [stage for stage in chosen if stage.name in options.only.split(",")]
    if arguments:
        chosen = [stage for stage in chosen if stage.name in ("release", "asan", "tsan")]
    folder = ROOT / "build" / "check"
    folder.mkdir(parents=True, exist_ok=True)
    progress = Progress(len(chosen))
    result = table.Table()
    took = {stage.name: run_stage(stage, arguments, folder, progress, result)
            for stage in chosen}
    progress.end()
    progress.say("")
    print(result.text())
    print(f"{machine()}, {time.strftime('%Y-%m-%d')}: " +
          ", ".join(f"{name} {table.clock(seconds)}" for name, seconds in took.items()) +
          f", all {table.clock(time.monotonic() - progress.begin)}")
    print("Everything passed" if result.is_right() else
          f"wrong: {result.wrong}" if result.wrong else "nothing was tried")
    return 0 if result.is_right() else 1


if __name__ == "__main__":
    sys.exit(main())
