#!/usr/bin/env python3
"""Kills a process in the midst of its changes, again and again, and looks at the store it leaves.

  kill_test.py --child crash_child [--rounds N]

What was acknowledged is there: a created key verifies, a revoked one never again. What was not is
whole or absent. latchkey_store_check() finds nothing. At the end no file of the store holds a
secret, nor the SHA-256 of one. LATCHKEY_TEST_SEED replays what is done, though not the moment of
the kill.
"""

import argparse
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

OWNERS = 3
CHILD_SECONDS_MAX = 120


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


def work_and_kill(child, store, owners, expected, draw):
    """Lets the child work for a moment and kills it; takes in all that it said until then."""
    command = [child, "work", store, str(draw.getrandbits(32)), *owners]
    # Killed a moment after so many lines (0: while it still opens the store), or as soon as it has
    # acknowledged a sweep, whose records are still to be written then.
    lines_before_death = draw.choice([0, 1, 10, 100, 400, None, None])
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    death = threading.Timer(draw.uniform(0, 0.15), process.kill)
    watchdog = threading.Timer(CHILD_SECONDS_MAX, process.kill)
    watchdog.start()
    is_due = lines_before_death == 0
    try:
        if is_due:
            death.start()
        for count, line in enumerate(process.stdout, 1):
            if not line.endswith(b"\n"):
                break  # cut off by the kill, so nobody was told
            if lines_before_death is None and line.startswith(b"done sweep"):
                process.kill()
                is_due = True
            elif count == lines_before_death:
                death.start()
                is_due = True
            expected.child_said(line.decode())
        process.wait()
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
        if death.is_alive():
            death.join()
    if not is_due or process.returncode != -signal.SIGKILL:
        raise Failure(f"the child was not killed, it ended: {process.returncode}")


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--child", required=True)
    parser.add_argument("--rounds", type=int,
                        default=200 if os.environ.get("LATCHKEY_CHECK") else 15)
    arguments = parser.parse_args()
    seed = int(os.environ.get("LATCHKEY_TEST_SEED", 0)) or random.SystemRandom().getrandbits(32)
    print(f"LATCHKEY_TEST_SEED={seed}", flush=True)
    draw = random.Random(seed)
    owners = [str(uuid.UUID(int=draw.getrandbits(128), version=4)) for _ in range(OWNERS)]
    with tempfile.TemporaryDirectory(prefix="latchkey-kill-") as name:
        folder = pathlib.Path(name)
        store = str(folder / "store")
        expected = Expected(owners)
        run([arguments.child, "init", store, *owners])
        for number in range(arguments.rounds):
            try:
                work_and_kill(arguments.child, store, owners, expected, draw)
                text = "\n".join(expected.lines()) + "\n"
                for line in run([arguments.child, "check", store], text):
                    expected.checker_said(line)
            except Failure as failure:
                print(f"round {number + 1}: {failure}")
                return 1
        try:
            scan(arguments.child, pathlib.Path(store), expected.secrets)
            check_that_scan_can_find(arguments.child, folder, expected.secrets[0])
        except Failure as failure:
            print(failure)
            return 1
        print(f"{arguments.rounds} kills, acknowledged: {expected.counts}, "
              f"{len(expected.keys)} keys at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
