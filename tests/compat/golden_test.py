"""Opens the store of each format under golden/ with the latchkey command, and compares what it says
with what it said when the store was made.

    golden_test.py --latchkey PATH            check every format
    golden_test.py --latchkey PATH --make N   make golden/format-N anew: for a new format only

A golden store is never made anew for a format that has been released: that the old bytes still open
is the point. Its pepper and secrets are worth nothing: they were made for this test.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE / "golden"
TOUR = HERE.parent.parent / "bindings" / "cli" / "tour.ndjson"
# An hour after the store was made; every key in it lives longer, but for the one that does not.
LATER_S = "1800000000"


class Store:
    def __init__(self, latchkey, path):
        self.latchkey = latchkey
        self.path = path

    def run(self, *arguments, text=None):
        command = [self.latchkey, "--store", str(self.path), "--yes", "-o", "json", *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)

    def must(self, *arguments, text=None):
        done = self.run(*arguments, text=text)
        if done.returncode != 0:
            sys.exit(f"latchkey {' '.join(arguments)}: {done.stderr}")
        return json.loads(done.stdout)


def describe(store, secrets):
    """All that can be asked of the store, as one value."""
    def lists(*verb):
        return {flag: store.must(*verb, *flag.split(), "--per-page", "255")
                for flag in ("", "--revoked", "--direction desc")}

    users = store.must("user", "list", "--per-page", "255")
    projects = store.must("project", "list", "--per-page", "255")
    answer = {"users": users, "projects": projects, "keys": {}, "grants": {}, "verdicts": []}
    for user in users:
        answer["keys"][user["slug"]] = [lists("user", "key", "list", user["uuid"]),
                                        lists("token", "list", user["uuid"])]
    for project in projects:
        answer["keys"][project["slug"]] = lists("project", "key", "list", project["uuid"])
        answer["grants"][project["slug"]] = store.must("grant", "list", project["uuid"])
    for secret in secrets:
        verdict = store.run("verify", "--at", LATER_S, text=secret).stdout
        answer["verdicts"].append(json.loads(verdict))
    stats = store.must("stats")
    answer["stats"] = {name: stats[name] for name in ("users", "projects", "active", "revoked")}
    return answer


def make(latchkey, number):
    folder = GOLDEN / f"format-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    store = Store(latchkey, folder / "store")
    store.must("init")
    store.must("import", str(TOUR))
    lines = [json.loads(line) for line in TOUR.read_text().splitlines() if line.strip()]
    secrets = ["bencher_user_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh",
               "bencher_run_aB3xY9mN2pQ7rS4tU8vW1zK5jL0fGh"]
    secrets += [line["jwt"] for line in lines if line["type"] == "user_token"]
    user = next(line for line in lines if line["type"] == "user")["slug"]
    project = next(line for line in lines if line["type"] == "project")["slug"]
    names = ["ci", "ci", "\u00c9clair", "\u043a\u043b\u044e\u0447", "deploy"]
    for name in names:
        secrets.append(store.must("user", "key", "create", user, "--name", name)["key"])
    short = store.must("user", "key", "create", user, "--name", "short", "--ttl", "1")
    secrets.append(short["key"])
    secrets.append(store.must("project", "key", "create", project, "--name", "scoped",
                              "--scope", "verify", "--scope", "9")["key"])
    store.must("user", "key", "revoke", user, "deploy")
    store.must("user", "key", "update", user, "eclair", "--name", "renamed")
    store.must("user", "create", "--name", "Locked Out", "--email", "locked@example.com")
    secrets.append(store.must("user", "key", "create", "locked-out", "--name", "k")["key"])
    store.must("user", "lock", "locked-out")
    store.must("project", "create", "--name", "Gone", "--private")
    secrets.append(store.must("project", "key", "create", "gone", "--name", "k")["key"])
    store.must("project", "delete", "gone")
    store.must("user", "update", user, "--email", "new@example.com")  # sweeps the legacy tokens
    store.must("stats")
    (folder / "secrets.json").write_text(json.dumps(secrets, indent=1) + "\n")
    # RocksDB writes these anew; they hold nothing of the store, and are long.
    for options in (folder / "store" / "rocks").glob("OPTIONS-*"):
        options.unlink()
    check(latchkey, folder, write=True)


def check(latchkey, folder, write=False):
    secrets = json.loads((folder / "secrets.json").read_text())
    with tempfile.TemporaryDirectory() as temporary:
        # A copy: opening a store writes to it.
        path = pathlib.Path(temporary) / "store"
        shutil.copytree(folder / "store", path)
        shutil.copy(folder / "store.pepper", f"{path}.pepper")
        pathlib.Path(f"{path}.pepper").chmod(0o600)  # which git does not keep
        answer = describe(Store(latchkey, path), secrets)
    expected = folder / "expected.json"
    if write:
        expected.write_text(json.dumps(answer, indent=1, sort_keys=True) + "\n")
        return True
    if json.loads(expected.read_text()) == answer:
        print(f"{folder.name}: {len(secrets)} verdicts and every list as when it was made")
        return True
    got = tempfile.NamedTemporaryFile("w", suffix=".json", delete=False)
    json.dump(answer, got, indent=1, sort_keys=True)
    print(f"{folder.name}: differs from {expected}; what was found is in {got.name}")
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latchkey", required=True)
    parser.add_argument("--make", metavar="N")
    arguments = parser.parse_args()
    if arguments.make:
        make(arguments.latchkey, arguments.make)
        return 0
    formats = sorted(GOLDEN.glob("format-*"))
    results = [check(arguments.latchkey, folder) for folder in formats]
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
