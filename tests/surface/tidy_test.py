#!/usr/bin/env python3
"""The rules of the house that a machine can read: widths, sizes, characters and words.

  tidy_test.py --root TREE     reports each breach as file:line: rule
  tidy_test.py --selftest      breaks every rule once, in a tree of its own, and must see each
"""

import argparse
import os
import pathlib
import re
import sys
import tempfile

COLUMNS_MAX = 100
HEADER_LINES_MAX = 300
SOURCE_LINES_MAX = 600
TEST_LINES_MAX = 800
# Both C headers are references, read by searching: one file each is worth more than short files.
LINES_MAX = {"include/latchkey/latchkey.h": 1200, "include/latchkey/latchkey.hpp": 800}

CPP = {".h", ".hpp", ".c", ".cc", ".cpp"}
SCRIPTS = {".py", ".sh", ".cmake", ".map", ".go", ".rs", ".js", ".ts", ".mjs"}
PROSE = {".md", ".txt", ".json", ".jsonl", ".toml", ".in", ".yml", ".yaml"}
SCRIPT_NAMES = {"dev", "run", "CMakeLists.txt", ".clang-format", ".clang-tidy"}
TABS_BY_CUSTOM = {".go", ".mod"}
IGNORED_FOLDERS = {"node_modules", "target", "__pycache__", "golden", "vectors", "corpus"}

# In two halves, so that this file does not hold the words it looks for.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK|no" r"commit"
                        r"|not imple" r"mented|place" r"holder)\b")
MACHINE_PATH = re.compile(r"/(?:work|root|farm)/|/home/[a-z]")
USING_NAMESPACE = re.compile(r"^\s*using\s+namespace\s+(?![\w:]*literals\s*;)")


def files(root):
    for folder, folders, names in os.walk(root):
        at_top = pathlib.Path(folder) == root
        folders[:] = sorted(
            name for name in folders
            if name not in IGNORED_FOLDERS and (not name.startswith(".") or name == ".ci")
            and not (at_top and (name.startswith("build") or name.startswith("latchkey-"))))
        for name in sorted(names):
            path = pathlib.Path(folder) / name
            if path.suffix in CPP | SCRIPTS | PROSE | TABS_BY_CUSTOM or name in SCRIPT_NAMES:
                yield path


def lines_max(place, suffix):
    if place in LINES_MAX:
        return LINES_MAX[place]
    if suffix not in CPP:
        return None
    if place.startswith("tests/"):
        return TEST_LINES_MAX
    return HEADER_LINES_MAX if suffix in {".h", ".hpp"} else SOURCE_LINES_MAX


def check_line(place, path, line):
    """Yields the rules that one line breaks."""
    is_cpp = path.suffix in CPP
    is_source = is_cpp or path.suffix in SCRIPTS or path.name in SCRIPT_NAMES
    in_tests = place.startswith("tests/")
    if is_source and len(line) > COLUMNS_MAX:
        yield f"{len(line)} columns, more than {COLUMNS_MAX}"
    if line != line.rstrip():
        yield "white space at the end of the line"
    if "\t" in line and path.suffix not in TABS_BY_CUSTOM:
        yield "a tab"
    if is_source and not in_tests and not line.isascii():
        yield "not ASCII"
    if is_cpp and USING_NAMESPACE.search(line):
        yield "using namespace"
    if is_source and UNFINISHED.search(line):
        yield "a word of unfinished work"
    if MACHINE_PATH.search(line) or (place.startswith("engine/") and "/tmp/" in line):
        yield "a path of one machine"


def check(root):
    problems = []
    for path in files(root):
        place = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        lines = text.split("\n")
        for number, line in enumerate(lines, 1):
            for rule in check_line(place, path, line):
                problems.append(f"{place}:{number}: {rule}")
        if text and not text.endswith("\n"):
            problems.append(f"{place}:{len(lines)}: no new line at the end of the file")
        limit = lines_max(place, path.suffix)
        if limit and len(lines) - 1 > limit:
            problems.append(f"{place}:1: {len(lines) - 1} lines, more than {limit}: split it")
        if path.suffix in {".h", ".cc"} and place.startswith("engine/"):
            if not text.startswith(("//", "/*")):
                problems.append(f"{place}:1: begin with a comment that says what the file is for")
    return problems


# (file, content, whether it must be reported)
SELFTEST = [
    ("engine/base/fine.h", "// A fine file.\n#pragma once\n", False),
    ("engine/base/wide.h", "// " + "x" * 98 + "\n", True),
    ("engine/base/full.h", "// " + "x" * 97 + "\n", False),
    ("engine/base/tail.h", "// A file. \n", True),
    ("engine/base/tab.h", "// A file.\n\tint x;\n", True),
    ("engine/base/accent.h", "// caf\u00e9\n", True),
    ("tests/unit/base/accent_test.cc", "// caf\u00e9\n", False),
    ("engine/base/using.cc", "// A file.\nusing namespace std;\n", True),
    ("engine/base/literals.cc", "// A file.\nusing namespace std::chrono_literals;\n", False),
    ("engine/base/unfinished.cc", "// A file.\n// TO" "DO: finish\n", True),
    ("bindings/cli/unfinished.sh", "# FIX" "ME\n", True),
    ("engine/base/machine.cc", '// A file.\nauto p = "/' 'work/x";\n', True),
    ("README.md", "See /" "root/x.\n", True),
    ("engine/base/temporary.cc", '// A file.\nauto p = "/tmp/' 'x";\n', True),
    ("engine/base/silent.cc", '#include "base/fine.h"\n', True),
    ("engine/base/cut.h", "// A file.", True),
    ("engine/base/long.h", "// A file.\n" * 301, True),
    ("engine/base/brimful.h", "// A file.\n" * 300, False),
    ("engine/base/long.cc", "// A file.\n" * 601, True),
    ("engine/base/brimful.cc", "// A file.\n" * 600, False),
    ("tests/unit/base/long_test.cc", "// A file.\n" * 801, True),
    ("include/latchkey/latchkey.h", "// A file.\n" * 700, False),
    ("bindings/go/main.go", "package main\n\tvar x int\n", False),
    ("build-asan/notes.md", "tail \n", False),
    ("CHANGELOG.md", "| " + "x" * 200 + " |\n", False),
]


def selftest():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for place, content, _ in SELFTEST:
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        reported = {problem.split(":")[0] for problem in check(root)}
    wrong = [(place, due) for place, _, due in SELFTEST if (place in reported) != due]
    for place, due in wrong:
        print(f"selftest: {place}: {'not reported' if due else 'reported'}")
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path)
    parser.add_argument("--selftest", action="store_true")
    arguments = parser.parse_args()
    if arguments.selftest:
        return 0 if selftest() else 1
    if not arguments.root or not (arguments.root / "engine").is_dir():
        parser.error("--root must name the tree that holds engine/")
    problems = check(arguments.root.resolve())
    print("\n".join(problems) if problems else "the tree is tidy")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
