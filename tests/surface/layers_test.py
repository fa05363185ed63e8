#!/usr/bin/env python3
"""Holds every #include line to the table of who may include whom.

  layers_test.py --root TREE     reports each line that breaks a rule as file:line: rule
  layers_test.py --selftest      breaks every rule once, in a tree of its own, and must see each

An include that the table does not know is an error too: a new dependency is a decision, and it is
made here.
"""

import argparse
import pathlib
import re
import sys
import tempfile

# A room may include itself and these: a room's name, or one header of a room.
ROOMS = {
    "base": [],
    "codec": ["base"],
    "crypto": ["base", "codec"],
    "storage": ["base"],
    "schema": ["base", "codec", "storage/column.h"],
    "authority": ["base", "codec", "crypto", "schema", "storage"],
    "index": ["base", "schema"],
    "service": ["base", "codec", "crypto", "storage", "schema", "authority", "index"],
    "capi": ["base", "service", "latchkey"],
}

# Headers that a room keeps to itself: they may name the library behind it, so only sources of the
# same room, and other such headers, may include them.
PRIVATE_HEADER = re.compile(r"([a-z]+)/(?:rocks_[a-z_]+|[a-z_]+_impl)\.h")

# The libraries that the engine stands on, each with the only files that may include it, as a
# pattern and in words. Elsewhere a forward declaration does.
THIRD_PARTY = [
    (r"simdjson(\.h|/.*)", r"engine/codec/json\.cc|bindings/http/(json_body|target)\.cc",
     "only codec/json.cc, and json_body.cc and target.cc of the host, may include simdjson"),
    (r"sodium(\.h|/.*)", r"engine/crypto/.*", "only crypto may include libsodium"),
    (r"openssl/.*", r"engine/crypto/.*", "only crypto may include OpenSSL"),
    (r"rocksdb/.*", r"engine/storage/([a-z_]+\.cc|rocks_[a-z_]+\.h|[a-z_]+_impl\.h)",
     "only sources and private headers (rocks_*.h, *_impl.h) of storage may include RocksDB"),
]

# What the engine may include with angle brackets besides: the C++ library (a name without a dot),
# the C library, POSIX, and what the compiler brings along.
SYSTEM = re.compile(
    r"[a-z_0-9]+"
    r"|(sys|linux|asm)/[a-z_0-9]+\.h"
    r"|(assert|ctype|cpuid|dirent|endian|errno|fcntl|float|[a-z]mmintrin|inttypes|limits|locale"
    r"|poll"
    r"|pthread|sched|signal|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|strings"
    r"|time|unistd|x86intrin|arm_neon|arm_acle)\.h")

INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
SUFFIXES = {".h", ".hpp", ".c", ".cc", ".cpp", ".cxx"}
IGNORED_FOLDERS = {"node_modules", "target", "__pycache__"}


def sources(folder):
    for path in sorted(folder.rglob("*")):
        if path.suffix in SUFFIXES and path.is_file() and not IGNORED_FOLDERS & set(path.parts):
            yield path


def includes(path):
    """Yields (line number, included name, whether in quotes)."""
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1] or match[2], match[1] is not None


def third_party_rule(name, place):
    """The rule that `place` breaks by including `name`, None if it may, False if it is not ours."""
    for pattern, allowed, rule in THIRD_PARTY:
        if re.fullmatch(pattern, name):
            return None if re.fullmatch(allowed, place) else rule
    return False


def engine_rule(root, room, place, name, quoted):
    """The rule that an include in a room breaks, or None."""
    rule = third_party_rule(name, place)
    if rule is not False:
        return rule
    target = name.split("/")[0]
    if target in ROOMS or target == "latchkey":
        if target != room and target not in ROOMS[room] and name not in ROOMS[room]:
            allowed = ", ".join(ROOMS[room]) or "no other room"
            return f"{room} may include {allowed}"
        if target in ROOMS and not (root / "engine" / name).is_file():
            return "there is no such file in engine/"
        here = place.removeprefix("engine/")
        if PRIVATE_HEADER.fullmatch(name) and not (
                target == room and (here.endswith(".cc") or PRIVATE_HEADER.fullmatch(here))):
            return f"it is for sources and private headers of {target} only"
        return None
    if quoted:
        return 'write "room/file.h" for a file of ours and <name> for everything else'
    if not SYSTEM.fullmatch(name):
        return "not a system header, and no library that this room is known to stand on"
    return None


def outside_rule(root, home, path, name, quoted):
    """The rule that an include in a binding, or in a test of the C API, breaks, or None. `home` is
    the folder of that binding."""
    place = path.relative_to(root).as_posix()
    rule = third_party_rule(name, place)
    if rule is not False:
        return rule
    target = name.split("/")[0]
    if target == "latchkey":
        return None
    if quoted or target in ROOMS:
        candidates = [path.parent / name, home / name, home / "include" / name, home / "src" / name]
        if target == "support" and home == root / "tests" / "capi":
            candidates.append(root / "tests" / name)
        for candidate in candidates:
            resolved = candidate.resolve()
            if resolved.is_file() and (resolved.is_relative_to(home.resolve()) or
                                       resolved.is_relative_to((root / "tests/support").resolve())):
                return None
        return "it may include latchkey/ and files of its own folder, nothing of the engine"
    return None


def support_headers_of(root, home):
    """Files of tests/support that the tests of the C API reach: the same rule binds them."""
    found = []
    queue = list(sources(home))
    while queue:
        for _, name, quoted in includes(queue.pop()):
            path = root / "tests" / name
            if quoted and name.startswith("support/") and path.is_file() and path not in found:
                found.append(path)
                queue.append(path)
    return found


def check(root):
    problems = []

    def report(path, number, name, rule):
        problems.append(f"{path.relative_to(root).as_posix()}:{number}: {name}: {rule}")

    for path in sources(root / "engine"):
        place = path.relative_to(root)
        room = place.parts[1]
        if room not in ROOMS:
            problems.append(f"{place.as_posix()}:1: a source file of the engine belongs to a room")
            continue
        for number, name, quoted in includes(path):
            rule = engine_rule(root, room, place.as_posix(), name, quoted)
            if rule:
                report(path, number, name, rule)

    homes = [root / "tests" / "capi"]
    if (root / "bindings").is_dir():
        homes += sorted(p for p in (root / "bindings").iterdir() if p.is_dir())
    for home in homes:
        files = list(sources(home))
        if home == root / "tests" / "capi":
            files += support_headers_of(root, home)
        for path in files:
            for number, name, quoted in includes(path):
                rule = outside_rule(root, home, path, name, quoted)
                if rule:
                    report(path, number, name, rule)

    for path in sources(root / "include"):
        for number, name, quoted in includes(path):
            if not name.startswith("latchkey/") and not SYSTEM.fullmatch(name):
                report(path, number, name, "a public header includes latchkey/ and the system only")
    return problems


# Each line must be reported where its last field says so. The first field is the file.
SELFTEST = [
    ("engine/base/a.h", "#include <vector>", False),
    ("engine/base/b.h", '#include "codec/key.h"', True),
    ("engine/codec/key.h", '#include "base/a.h"', False),
    ("engine/codec/json.cc", "#include <simdjson.h>", False),
    ("engine/codec/text.cc", "#include <simdjson.h>", True),
    ("engine/codec/up.cc", '#include "storage/column.h"', True),
    ("engine/crypto/seal.h", "#include <array>", False),
    ("engine/crypto/seal.cc", "#include <sodium.h>", False),
    ("engine/crypto/sha.cc", "#include <openssl/sha.h>", False),
    ("engine/crypto/rocks.cc", "#include <rocksdb/db.h>", True),
    ("engine/storage/column.h", "#include <cstdint>", False),
    ("engine/storage/batch.h", '#include "base/a.h"', False),
    ("engine/storage/storage.cc", "#include <rocksdb/db.h>", False),
    ("engine/storage/storage.h", "#include <rocksdb/db.h>", True),
    ("engine/storage/storage_impl.h", "#include <rocksdb/db.h>", False),
    ("engine/storage/rocks_status.h", '#include "storage/storage_impl.h"', False),
    ("engine/storage/recovery.cc", '#include "storage/storage_impl.h"', False),
    ("engine/storage/public.h", '#include "storage/storage_impl.h"', True),
    ("engine/authority/private.cc", '#include "storage/storage_impl.h"', True),
    ("engine/storage/seal.cc", "  #  include <sodium.h>", True),
    ("engine/storage/meaning.cc", '#include "schema/keys.h"', True),
    ("engine/schema/keys.h", '#include "storage/column.h"', False),
    ("engine/schema/batch.cc", '#include "storage/batch.h"', True),
    ("engine/schema/tls.cc", "#include <openssl/evp.h>", True),
    ("engine/index/table.h", '#include "crypto/seal.h"', True),
    ("engine/index/gone.h", '#include "schema/gone.h"', True),
    ("engine/authority/local.cc", '#include "index/table.h"', True),
    ("engine/authority/queue.cc", '#include "storage/batch.h"', False),
    ("engine/service/issue.cc", '#include "index/table.h"', False),
    ("engine/service/c.cc", '#include "latchkey/latchkey.h"', True),
    ("engine/service/json.cc", "#include <nlohmann/json.hpp>", True),
    ("engine/service/bare.cc", '#include "issue.h"', True),
    ("engine/service/c.h", '// #include "capi/handles.h" is what this must never do', False),
    ("engine/capi/capi.cc", '#include "latchkey/latchkey.h"', False),
    ("engine/capi/deep.cc", '#include "schema/keys.h"', True),
    ("engine/attic/a.h", "#include <vector>", True),
    ("bindings/cli/main.cc", '#include "commands.h"', False),
    ("bindings/cli/commands.h", "#include <CLI/CLI.hpp>", False),
    ("bindings/cli/api.cc", "#include <latchkey/latchkey.hpp>", False),
    ("bindings/cli/engine.cc", '#include "service/issue.h"', True),
    ("bindings/cli/angle.cc", "#include <base/a.h>", True),
    ("bindings/cli/path.cc", '#include "../../engine/base/a.h"', True),
    ("bindings/http/other.cc", '#include "../cli/commands.h"', True),
    ("bindings/http/hash.cc", "#include <sodium.h>", True),
    ("tests/capi/c99_test.c", '#include "latchkey/latchkey.h"', False),
    ("tests/capi/engine_test.cc", '#include "base/a.h"', True),
    ("tests/capi/fine_test.cc", '#include "support/fine.h"', False),
    ("tests/capi/indirect_test.cc", '#include "support/engine.h"', False),
    ("tests/support/fine.h", "#include <string>", False),
    ("tests/support/engine.h", '#include "base/a.h"', True),
    ("include/latchkey/latchkey.h", "#include <stdint.h>", False),
    ("include/latchkey/leak.h", '#include "base/a.h"', True),
]


def selftest():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for place, line, _ in SELFTEST:
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("// A file.\n" + line + "\n")
        reported = {problem.split(":")[0] for problem in check(root)}
    wrong = [(place, line, due) for place, line, due in SELFTEST if (place in reported) != due]
    for place, line, due in wrong:
        print(f"selftest: {place}: {line}: {'not reported' if due else 'reported'}")
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
    print("\n".join(problems) if problems else "every include keeps to the table")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
