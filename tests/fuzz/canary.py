#!/usr/bin/env python3
"""Runs a fuzz target that pretends to be broken, and expects it to notice within a minute.

  canary.py --once=OPTIONS --minute=OPTIONS TARGET ARGUMENT...

TARGET is compiled with LATCHKEY_CANARY: see target.h. With the OPTIONS of `once` it runs its corpus
and nothing else, which must find nothing; with those of `minute` it must end itself by abort()
after it has shown what is wrong. To end in any other way, or not at all, is not to notice.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

SECONDS_MAX = 70


def run(command):
    """What it said, and its exit code; None when it did not end."""
    # It leaves what it found in the current folder.
    with tempfile.TemporaryDirectory(prefix="latchkey-canary-") as folder:
        try:
            done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace",
                                  timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return "", None
    return done.stdout, done.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--once", required=True)
    parser.add_argument("--minute", required=True)
    parser.add_argument("target", type=lambda path: pathlib.Path(path).resolve())
    options, arguments = parser.parse_known_args()
    name = options.target.name.removeprefix("fuzz_").removesuffix("_canary")

    said, code = run([options.target, *options.once.split(), *arguments])
    is_right = code == 0
    what = "its corpus alone finds it, or does not end"
    if is_right:
        begin = time.monotonic()
        said, code = run([options.target, *options.minute.split(), *arguments])
        # libFuzzer ends with a code of its own after an abort().
        is_right = code not in (0, None) and "\nfuzz: " in "\n" + said
        what = f"after {time.monotonic() - begin:.1f} s" if is_right else "not found"
    print(f"fuzz canaries: tried 1, wrong {int(not is_right)}, {name}: {what}")
    if not is_right:
        print(f"It ended with {code}:\n{said[-2000:]}")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
