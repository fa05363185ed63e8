#!/usr/bin/env python3
"""Kills an import into an empty store, again and again, and looks at the store it leaves.

  import_kill_test.py --child crash_child [--rounds N]

The import commits by files. It is killed at any moment, and at points of its path to the disk:
while the files are written, linked, and named in the MANIFEST. Whatever the moment: the store
opens, latchkey_store_check() finds nothing, what is there is a beginning of the lines (whole
groups, in order), and a second import brings the rest and skips what is there. LATCHKEY_TEST_SEED
replays the lines and the moments as far as the machine does.
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
import time
import uuid

# Syncs take their time here, whatever TMPDIR is.
DEVICE = "/var/tmp"
LINES = 30000
OWNERS = 3
# Points of tests/crash/death.cc, and how often this import comes there, about.
POINTS = {"ingest": 60, "ingest-link": 30, "ingest-linked": 30, "manifest": 16, "manifest-sync": 16,
          "acked": 4, "name": 60, "write": 90}


class Failure(Exception):
    pass


def lines_of(rng, owners):
    lines, keys = [], []
    for i in range(LINES):
        key = str(uuid.UUID(int=rng.getrandbits(128)))
        owner = rng.choice(owners)
        digest = hashlib.sha256(b"%d" % rng.getrandbits(64)).hexdigest()
        revoked = "1755009412" if rng.random() < 0.1 else "null"
        name = f"name-{rng.randrange(1000)}"
        lines.append(
            f'{{"type":"user_key","uuid":"{key}","user":"{owner}","name":"{name}",'
            f'"sha256":"{digest}","creation":1755009411,"expiration":6049976706,'
            f'"revoked":{revoked}}}\n')
        state = "active" if revoked == "null" else "revoked"
        keys.append((key, owner, name, state))
    return "".join(lines).encode(), keys


def run(child, verb, folder, *arguments, text=b""):
    done = subprocess.run([child, verb, folder, *arguments], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300)
    if done.returncode != 0:
        raise Failure(f"{verb}: {done.stdout.decode()[-2000:]}")
    return done.stdout.decode()


def kill_midway(child, folder, text, delay, point=()):
    """After so many seconds; or when it comes to the point, though not later than its end."""
    process = subprocess.Popen([child, "import", folder, *point], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    try:
        process.stdin.write(text)
        process.stdin.close()
        process.stdout.readline()  # "begun": all has been read, and is being imported
        if point:
            process.wait(timeout=300)
        else:
            time.sleep(delay)
    except BrokenPipeError:
        pass  # it died while it opened the store
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    if process.returncode not in (0, -signal.SIGKILL):
        raise Failure(f"killed at {point}, the import ended: {process.returncode}")


def look(child, folder, keys):
    """How many of the lines are there; they must be the first ones."""
    asked = "".join(f"key {key} {owner} maybe-absent {name} - -\n"
                    for key, owner, name, _ in keys).encode()
    found = run(child, "check", folder, text=asked).splitlines()
    there = [line.split() for line in found if line.startswith(("key ", "absent "))]
    states = {words[1]: words[2] for words in there if words[0] == "key"}
    count = len(states)
    for key, _, _, state in keys[:count]:
        if states.get(key) != state:
            raise Failure(f"of {count} keys {key} is {states.get(key)}, not {state}")
    return count


def play(child, rng, took, by_point):
    with tempfile.TemporaryDirectory(prefix="latchkey-import-", dir=DEVICE) as base:
        folder = str(pathlib.Path(base) / "store")
        owners = [str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(OWNERS)]
        run(child, "init", folder, *owners)
        text, keys = lines_of(rng, owners)
        place = rng.choice(list(POINTS))
        nth = 1 + int(POINTS[place] * rng.random())
        point = [place, str(nth)] if by_point else []
        kill_midway(child, folder, text, took * rng.random(), point)
        leftovers = [p.name for p in pathlib.Path(folder, "rocks").glob("ingest-*")]
        count = look(child, folder, keys)
        if list(pathlib.Path(folder, "rocks").glob("ingest-*")):
            raise Failure("files of a killed import were left behind")
        report = run(child, "import", folder, text=text).split()
        if report[-3:] != [str(LINES - count), str(count), "0"]:
            raise Failure(f"{count} were there, and the second import says {report}")
        if look(child, folder, keys) != LINES:
            raise Failure("the second import is not whole")
        return count, len(leftovers)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--child", required=True)
    parser.add_argument("--rounds", type=int)
    arguments = parser.parse_args()
    how_long = os.environ.get("LATCHKEY_CHECK")
    rounds = arguments.rounds or (200 if how_long == "long" else 24 if how_long else 4)
    seed = int(os.environ.get("LATCHKEY_TEST_SEED", random.randrange(2**32)))
    print(f"LATCHKEY_TEST_SEED={seed}")
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="latchkey-import-", dir=DEVICE) as base:
        # How long it takes when nobody kills it.
        folder = str(pathlib.Path(base) / "store")
        owners = [str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(OWNERS)]
        run(arguments.child, "init", folder, *owners)
        text, _ = lines_of(rng, owners)
        begin = time.monotonic()
        run(arguments.child, "import", folder, text=text)
        took = time.monotonic() - begin
    wrong = 0
    for number in range(rounds):
        try:
            count, leftovers = play(arguments.child, rng, took, by_point=number % 2 == 1)
        except Failure as failure:
            print(f"round {number}: {failure}")
            wrong += 1
            break
        print(f"round {number}: {count} of {LINES} lines survived, {leftovers} files removed",
              flush=True)
    print(f"crash in an import: faults {number + 1}, wrong {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
