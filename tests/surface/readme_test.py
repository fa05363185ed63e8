#!/usr/bin/env python3
"""The C program in README.md compiles without a warning, as C99, and runs.

  readme_test.py --readme FILE --library-dir FOLDER --include FOLDER... [--cc CC]

Takes the first block that begins with ```c. Ends with 77, "skipped" to ctest, while there is none.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

SKIPPED = 77
RUN_SECONDS_MAX = 60


def first_program(readme):
    if not readme.is_file():
        return None
    match = re.search(r"^```c[ ]*\n(.*?)^```[ ]*$", readme.read_text(encoding="utf-8"),
                      re.DOTALL | re.MULTILINE)
    return match[1] if match else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readme", type=pathlib.Path, required=True)
    parser.add_argument("--library-dir", type=pathlib.Path, required=True)
    parser.add_argument("--include", type=pathlib.Path, action="append", required=True)
    parser.add_argument("--cc", default="cc")
    arguments = parser.parse_args()

    program = first_program(arguments.readme)
    if program is None:
        print("README.md holds no C program")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="latchkey-readme-") as folder:
        source = pathlib.Path(folder) / "readme.c"
        source.write_text(program, encoding="utf-8")
        library = arguments.library_dir.resolve()
        compiled = subprocess.run(
            [arguments.cc, "-std=c99", "-Wall", "-Wextra", "-Werror",
             *(f"-I{include.resolve()}" for include in arguments.include), str(source),
             "-o", "readme", f"-L{library}", "-llatchkey", f"-Wl,-rpath,{library}"],
            cwd=folder, check=False)
        if compiled.returncode != 0:
            print("the program in README.md does not compile")
            return 1
        ran = subprocess.run(["./readme"], cwd=folder, check=False, timeout=RUN_SECONDS_MAX)
        if ran.returncode != 0:
            print(f"the program in README.md ended with {ran.returncode}")
            return 1
    print("the program in README.md compiles and runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
