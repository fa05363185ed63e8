#!/usr/bin/env python3
"""Installs latchkey into a temporary prefix, moves the prefix, and builds a program against it from
outside the tree: once by find_package(latchkey), once by pkg-config. Runs both, and the command if
it was installed.

  install_consumer_test.py --build FOLDER --version X.Y.Z [--cmake CMAKE] [--cc CC]
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CONSUMER = pathlib.Path(__file__).with_name("consumer")
HEADERS = {"latchkey.h", "latchkey.hpp", "values.hpp", "export.h", "version.h"}


def run(*command, **keywords):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            **keywords)
    if result.returncode != 0:
        print("failed:", *command)
        print(result.stdout + result.stderr)
        sys.exit(1)
    return result.stdout.strip()


def only(prefix, name):
    found = sorted(prefix.rglob(name))
    if len(found) != 1:
        sys.exit(f"expected one {name} under the prefix, found {len(found)}")
    return found[0]


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: found {found!r}, expected {wanted!r}")


def by_find_package(scratch, prefix, version, cmake, cc):
    build = scratch / "by_find_package"
    run(cmake, "-S", scratch / "consumer", "-B", build, "-G", "Ninja",
        f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={cc}", f"-DWANTED_VERSION={version}",
        "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF")
    run(cmake, "--build", build)
    expect("by find_package", run(build / "consumer"), version)

    # Who was written for the version before may not fit this one: while the version begins with 0
    # that is the minor version, later the major one.
    major, minor, _ = (int(part) for part in version.split("."))
    before = f"0.{minor - 1}.0" if major == 0 else f"{major - 1}.0.0"
    refused = subprocess.run([cmake, "-S", scratch / "consumer", "-B", scratch / "refused", "-G",
                              "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
                              f"-DWANTED_VERSION={before}", f"-DCMAKE_C_COMPILER={cc}"],
                             capture_output=True, text=True, check=False)
    if refused.returncode == 0 or "compatible with requested version" not in refused.stderr:
        sys.exit(f"find_package(latchkey {before}) should have refused version {version}:\n"
                 + refused.stderr)


def by_pkg_config(scratch, prefix, version, cc):
    package_file = only(prefix, "latchkey.pc")
    environment = dict(os.environ, PKG_CONFIG_PATH=str(package_file.parent))
    expect("pkg-config --modversion",
           run("pkg-config", "--modversion", "latchkey", env=environment), version)
    flags = run("pkg-config", "--cflags", "--libs", "latchkey", env=environment).split()
    program = scratch / "by_pkg_config"
    run(cc, "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", program,
        scratch / "consumer" / "main.c", *flags)
    library_folder = only(prefix, "liblatchkey.so").parent
    environment = dict(os.environ, LD_LIBRARY_PATH=str(library_folder))
    expect("by pkg-config", run(program, env=environment), version)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--cc", default="cc")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="latchkey-install-") as folder:
        scratch = pathlib.Path(folder).resolve()
        shutil.copytree(CONSUMER, scratch / "consumer")
        run(arguments.cmake, "--install", arguments.build, "--prefix", scratch / "first")
        prefix = scratch / "second"
        (scratch / "first").rename(prefix)  # nothing installed may remember where it was put

        header_folder = only(prefix, "latchkey.h").parent
        expect("headers", {path.name for path in header_folder.iterdir()}, HEADERS)
        for document in ("LICENSE", "SECURITY.md"):
            only(prefix, document)
        by_find_package(scratch, prefix, arguments.version, arguments.cmake, arguments.cc)
        by_pkg_config(scratch, prefix, arguments.version, arguments.cc)
        command = prefix / "bin" / "latchkey"
        if command.exists():
            version = run(command, "--version")
            if arguments.version not in version:
                sys.exit(f"latchkey --version says {version!r}, not {arguments.version}")
    print("an installed latchkey builds and runs programs both ways")
    return 0


if __name__ == "__main__":
    sys.exit(main())
