#!/usr/bin/env python3
"""Kills a process in the midst of its changes, again and again, and looks at the store it leaves.

  kill_test.py --child crash_child [--points] [--rounds N]

At any moment, while three threads make changes; or, with --points, when it comes to a drawn point
of its path to the disk for a drawn time: before and after the log is appended to, synced, and `ack`
written, in the midst of a flush, a compaction, a recovery, the tombstones of a mass revocation, or
any other call that changes a file.

What was acknowledged is there: a created key verifies, a revoked one never again. What was not is
whole or absent. latchkey_store_check() finds nothing. At the end no file of the store holds a
secret, nor the SHA-256 of one. LATCHKEY_TEST_SEED replays what is done, though not the moment of
the kill: with --points the call at which it dies, as far as RocksDB's own threads allow.
"""

import argparse
import collections
import hashlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import uuid

# Syncs take their time here, whatever TMPDIR is: many a kill at any moment is to meet one.
DEVICE = "/var/tmp"
OWNERS = 3
CHILD_SECONDS_MAX = 120
ROUNDS_OF_A_STORE = 100  # then a new one, lest the looking take all the time
# Points of tests/crash/death.cc, and how often a life of 80 changes with three reopens comes there,
# about: the round beyond that dies at its end.
POINTS = {
    "log-append": 60, "log-appended": 60, "log-sync": 60, "log-synced": 60, "ack": 60, "acked": 60,
    "sweep": 4, "flush": 60, "compaction": 15, "manifest": 40, "manifest-sync": 20, "name": 40,
    "write": 400, "open": 300,
}
# The same of an open alone, of a store whose process was killed: its logs are read back.
POINTS_OF_AN_OPEN = {"recovery": 40, "manifest": 6, "manifest-sync": 4, "name": 12, "write": 90,
                     "open": 60}


class Failure(Exception):
    pass


class Key:
    def __init__(self, owner, name):
        self.owner = owner
        self.name = name
        self.other_name = "-"  # of a rename that was not acknowledged
        self.state = "maybe-absent"
        self.secret = "-"


class Expected:
    """What must be in the store, as far as the lines of the child tell."""

    def __init__(self, owners):
        self.locked = {owner: "0" for owner in owners}
        self.keys = {}
        self.secrets = []
        self.pending_lock = {}
        self.counts = {}

    def begin(self, verb, words):
        if verb == "create":
            self.keys[words[0]] = Key(words[1], words[2])
        elif verb == "rename":
            self.keys[words[0]].other_name = words[1]
        elif verb == "revoke":
            self.keys[words[0]].state = "either"
        elif verb == "lock":
            self.pending_lock[words[0]] = words[1]
            self.locked[words[0]] = "?"
        elif verb == "sweep":
            for key in self.keys.values():
                if key.owner == words[0] and key.state == "active":
                    key.state = "either"

    def done(self, verb, words):
        self.counts[verb] = self.counts.get(verb, 0) + 1
        if verb == "create":
            key = self.keys[words[0]]
            key.state, key.secret = "active", words[1]
            self.secrets.append(bytes.fromhex(words[1]))
        elif verb == "rename":
            key = self.keys[words[0]]
            key.name, key.other_name = key.other_name, "-"
        elif verb == "revoke":
            self.keys[words[0]].state = "revoked"
        elif verb == "lock":
            self.locked[words[0]] = self.pending_lock.pop(words[0])
        elif verb == "sweep":
            for key in self.keys.values():
                if key.owner == words[0] and key.state == "either":
                    key.state = "revoked"

    def child_said(self, line):
        when, *words = line.split()
        if when == "begin":
            self.begin(words[0], words[1:])
        elif when == "done":
            self.done(words[0], words[1:])
        elif when == "wrong":
            raise Failure(line)

    def lines(self):
        for owner, locked in self.locked.items():
            yield f"owner {owner} {locked}"
        for name, key in self.keys.items():
            yield (f"key {name} {key.owner} {key.state} {key.name} {key.other_name} {key.secret}")

    def checker_said(self, line):
        """From here on it is certain what became of what had not been acknowledged."""
        what, *words = line.split()
        if what == "owner":
            self.locked[words[0]] = words[1]
        elif what == "absent":
            del self.keys[words[0]]
        elif what == "key":
            key = self.keys[words[0]]
            key.state, key.name, key.other_name = words[1], words[2], "-"


def run(command, text=""):
    done = subprocess.run(command, input=text, capture_output=True, text=True,
                          timeout=CHILD_SECONDS_MAX)
    wrong = [line for line in done.stdout.splitlines() if line.startswith("wrong")]
    if done.returncode != 0 or wrong:
        raise Failure("\n".join(wrong[:20]) or f"{command[1]}: {done.returncode} {done.stderr}")
    return done.stdout.splitlines()


class Life:
    """A child that is killed, by itself or from here; to end in any other way is a failure."""

    def __init__(self, command):
        self.verb = command[1]
        self.has_hung = False
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.watchdog = threading.Timer(CHILD_SECONDS_MAX, self._give_up)

    def _give_up(self):
        self.has_hung = True
        self.process.kill()

    def lines(self):
        """What it said. A line that the kill has cut off was said to nobody."""
        for line in self.process.stdout:
            if line.endswith(b"\n"):
                yield line.decode()

    def __enter__(self):
        self.watchdog.start()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.process.wait()
        self.watchdog.cancel()
        self.process.kill()
        code = self.process.wait()
        self.process.stdout.close()
        if kind is None and (self.has_hung or code != -signal.SIGKILL):
            how = f"hung for {CHILD_SECONDS_MAX} s" if self.has_hung else f"ended: {code}"
            raise Failure(f"'{self.verb}' was to be killed, and {how}")


def work_and_kill(child, store, owners, expected, draw):
    """Lets the child work for a moment and kills it; takes in all that it said until then."""
    command = [child, "work", store, str(draw.getrandbits(32)), *owners]
    # Killed a moment after so many lines (0: while it still opens the store), or as soon as it has
    # acknowledged a sweep, whose records are still to be written then.
    lines_before_death = draw.choice([0, 1, 10, 100, 400, None, None])
    with Life(command) as life:
        death = threading.Timer(draw.uniform(0, 0.15), life.process.kill)
        if lines_before_death == 0:
            death.start()
        for count, line in enumerate(life.lines(), 1):
            if lines_before_death is None and line.startswith("done sweep"):
                life.process.kill()
            elif count == lines_before_death:
                death.start()
            expected.child_said(line)
    if death.ident is not None:
        death.join()


def work_and_die(child, store, owners, expected, draw):
    """As above, but at a point of its own path to the disk: which; none = it was not come to."""
    point, nth = draw_point(POINTS, draw)
    return die(expected, [child, "die", store, str(draw.getrandbits(32)), point, nth, *owners])


def draw_point(points, draw):
    point = draw.choice(list(points))
    # More often early: later ones are like earlier ones.
    return point, str(1 + int(points[point] * draw.random() ** 2))


def die(expected, command):
    died_at = ""
    with Life(command) as life:
        for line in life.lines():
            if line.startswith("dies "):
                died_at = line.split()[1]
            else:
                expected.child_said(line)
    return died_at


def needles(secrets):
    for secret in secrets:
        digest = hashlib.sha256(secret).digest()
        yield secret.hex()
        yield secret[secret.rindex(b"_") + 1:].hex()  # without its prefix
        yield digest.hex()
        yield digest.hex().encode().hex()
        yield digest.hex().upper().encode().hex()


def scan(child, folder, secrets):
    run([child, "scan", str(folder)], "\n".join(needles(secrets)) + "\n")


def check_that_scan_can_find(child, folder, secret):
    for number, needle in enumerate(needles([secret])):
        place = folder / f"planted-{number}"
        place.mkdir()
        (place / "file").write_bytes(b"some bytes before" + bytes.fromhex(needle) + b"and behind")
        try:
            scan(child, place, [secret])
        except Failure:
            continue
        raise Failure(f"the scan does not find needle {number}")


def live(child, folder, rounds, draw, points, died_at):
    """A store and so many deaths, which `died_at` counts by their points. What it came to."""
    owners = [str(uuid.UUID(int=draw.getrandbits(128), version=4)) for _ in range(OWNERS)]
    store = str(folder / "store")
    expected = Expected(owners)
    run([child, "init", store, *owners])
    for number in range(rounds):
        try:
            if points:
                died_at[work_and_die(child, store, owners, expected, draw) or "its end"] += 1
                if draw.random() < 0.3:
                    point, nth = draw_point(POINTS_OF_AN_OPEN, draw)
                    at = die(expected, [child, "open", store, point, nth])
                    died_at[f"open: {at}" if at else "its end"] += 1
            else:
                work_and_kill(child, store, owners, expected, draw)
                died_at["any moment"] += 1
            text = "\n".join(expected.lines()) + "\n"
            for line in run([child, "check", store], text):
                expected.checker_said(line)
        except Failure as failure:
            raise Failure(f"death {number + 1} of this store: {failure}") from None
    if expected.secrets:
        scan(child, pathlib.Path(store), expected.secrets)
        check_that_scan_can_find(child, folder, expected.secrets[0])
    return expected


def rounds_of(points):
    how_long = os.environ.get("LATCHKEY_CHECK")
    if points:
        return 20000 if how_long == "long" else 2000 if how_long else 25
    return 3000 if how_long == "long" else 200 if how_long else 15


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--child", required=True)
    parser.add_argument("--points", action="store_true")
    parser.add_argument("--rounds", type=int)
    arguments = parser.parse_args()
    rounds = arguments.rounds or rounds_of(arguments.points)
    seed = int(os.environ.get("LATCHKEY_TEST_SEED", 0)) or random.SystemRandom().getrandbits(32)
    suite = "crash at points" if arguments.points else "crash"
    died_at, acknowledged, wrong = collections.Counter(), collections.Counter(), 0
    while not wrong and sum(died_at.values()) < rounds:
        # Each store has a seed of its own, so that a failure is had again without those before it.
        print(f"LATCHKEY_TEST_SEED={seed}", flush=True)
        with tempfile.TemporaryDirectory(prefix="latchkey-kill-",
                                         dir=None if arguments.points else DEVICE) as name:
            try:
                due = min(ROUNDS_OF_A_STORE, rounds - sum(died_at.values()))
                expected = live(arguments.child, pathlib.Path(name), due, random.Random(seed),
                                arguments.points, died_at)
                acknowledged.update(expected.counts)
            except Failure as failure:
                print(f"LATCHKEY_TEST_SEED={seed}: {failure}")
                wrong += 1
        seed += 1
    places = ", ".join(f"{place} {count}" for place, count in sorted(died_at.items()))
    changes = ", ".join(f"{verb} {count}" for verb, count in sorted(acknowledged.items()))
    print(f"{suite}: faults {sum(died_at.values())}, wrong {wrong}, died at {places}; "
          f"acknowledged: {changes}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
