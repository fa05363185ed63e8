#!/usr/bin/env python3
"""The shared library exports exactly what symbols.txt lists, and latchkey.h declares exactly that.

  symbols_test.py --library FILE --header FILE [--nm NM] [--update]

A name that leaves the list breaks every program that uses it, and a name that joins it has to be
kept for good: both are decisions, made by editing the list. --update rewrites the list from the
library.
"""

import argparse
import pathlib
import re
import subprocess
import sys

LIST = pathlib.Path(__file__).with_name("symbols.txt")
DECLARATION = re.compile(r"\b(latchkey_[a-z0-9_]+)\s*\(")
LIST_HEAD = "# What liblatchkey.so exports. Append freely; take away only with a new ABI number.\n"


def exported(library, nm):
    """The dynamic symbols of the library that have a value, without the node's own name."""
    output = subprocess.run([nm, "-D", "--defined-only", str(library)], check=True,
                            capture_output=True, text=True).stdout
    names = set()
    for line in output.splitlines():
        kind, name = line.split()[-2:]
        if kind != "A":
            names.add(name.split("@")[0])
    return names


def declared(header):
    text = re.sub(r"/\*.*?\*/", " ", header.read_text(encoding="utf-8"), flags=re.DOTALL)
    names = set()
    for chunk in text.split("LATCHKEY_API")[1:]:
        match = DECLARATION.search(chunk.split(";")[0])
        if match:
            names.add(match[1])
    return names


def listed():
    lines = LIST.read_text(encoding="utf-8").splitlines() if LIST.is_file() else []
    return [line for line in lines if line and not line.startswith("#")]


def differences(found, wanted, extra, lacking):
    return ([f"  + {name}  {extra}" for name in sorted(found - wanted)] +
            [f"  - {name}  {lacking}" for name in sorted(wanted - found)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("--header", type=pathlib.Path, required=True)
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()

    found = exported(arguments.library, arguments.nm)
    if arguments.update:
        LIST.write_text(LIST_HEAD + "".join(name + "\n" for name in sorted(found)))
    wanted = listed()
    problems = []
    if wanted != sorted(set(wanted)):
        problems.append("  symbols.txt is not in order, or names something twice")
    problems += [f"  {name} does not begin with latchkey_"
                 for name in sorted(found | set(wanted)) if not name.startswith("latchkey_")]
    problems += differences(found, set(wanted), "is exported, and is not in symbols.txt",
                            "is in symbols.txt, and is not exported")
    problems += differences(declared(arguments.header), found,
                            "is declared in latchkey.h, and is not exported",
                            "is exported, and is not declared in latchkey.h")
    if problems:
        print("\n".join(problems))
        print("If that is meant:", "python3", " ".join(sys.argv), "--update")
        return 1
    print(f"{len(found)} symbols, as listed and as declared")
    return 0


if __name__ == "__main__":
    sys.exit(main())
