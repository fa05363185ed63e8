"""import: what it reports, what it refuses, what it leaves alone."""

import json
import os
import unittest

from harness import FAILURE, KNOWN_SECRET, KNOWN_SHA256, REFUSED, USAGE, CliTest

USER = "01897bd9-0000-7000-8000-000000000001"
PROJECT = "01897bd9-0000-7000-8000-000000000002"
KEY = "01897bd9-0000-7000-8000-000000000003"

ROWS = [
    {"type": "user", "uuid": USER, "name": "Muriel Bagge", "slug": "muriel-bagge",
     "email": "muriel@nowhere.com", "admin": True, "locked": False, "created": 1690000000},
    {"type": "project", "uuid": PROJECT, "name": "The Computer", "slug": "the-computer",
     "visibility": "private", "created": 1690000001, "deleted": None},
    {"type": "grant", "project": PROJECT, "user": USER, "role": "developer"},
    {"type": "user_key", "uuid": KEY, "user": USER, "name": "Laptop", "sha256": KNOWN_SHA256,
     "creation": 1700000000, "expiration": 5000000000, "revoked": None},
]


def ndjson(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


class Import(CliTest):
    def report(self, rows, *flags, code=0):
        return self.json("import", "-", *flags, stdin=ndjson(rows), code=code)

    def test_everything_and_again(self):
        self.assertEqual(self.report(ROWS), {"imported": 4, "skipped": 0, "refused": []})
        self.assertEqual(self.json("user", "view", "muriel-bagge"), {
            "uuid": USER, "name": "Muriel Bagge", "slug": "muriel-bagge",
            "email": "muriel@nowhere.com", "admin": True, "locked": False,
            "created": "2023-07-22T04:26:40Z"})
        self.assertEqual(self.json("project", "view", "the-computer")["visibility"], "private")
        self.assertEqual(self.json("grant", "list", "the-computer"),
                         [{"project": PROJECT, "user": USER, "role": "developer"}])
        self.ok("verify", stdin=KNOWN_SECRET)
        self.assertEqual(self.report(ROWS), {"imported": 0, "skipped": 4, "refused": []})
        # What was revoked elsewhere since then is revoked here, too, and only that.
        revoked = [*ROWS[:3], {**ROWS[3], "revoked": 1700000009}]
        self.assertEqual(self.report(revoked), {"imported": 1, "skipped": 3, "refused": []})
        self.assertEqual(self.run_cli("verify", stdin=KNOWN_SECRET).code, REFUSED)

    def test_from_a_file(self):
        (self.folder / "rows.ndjson").write_text(ndjson(ROWS))
        answer = self.ok("import", "rows.ndjson")
        self.assertEqual(answer.out, "imported 4, skipped 0, refused 0\n")
        self.assertEqual(answer.err, "")

    def test_a_dry_run_changes_nothing(self):
        before = self.json("stats")
        self.assertEqual(self.report(ROWS, "--dry-run"),
                         {"imported": 4, "skipped": 0, "refused": []})
        after = self.json("stats")
        for member in ("event_number", "users", "projects", "active", "revoked"):
            self.assertEqual(after[member], before[member])
        self.assertEqual(self.json("user", "list"), [])
        self.assertIn("would import 4", self.ok("import", "--dry-run", "-", stdin=ndjson(ROWS)).out)

    def test_refused_lines_stop_nothing(self):
        text = ndjson(ROWS[:1]) + "{\n" + ndjson([{**ROWS[0], "uuid": KEY, "name": " x"}])
        text += ndjson(ROWS[1:])
        report = self.json("import", "-", stdin=text, code=REFUSED)
        self.assertEqual((report["imported"], report["skipped"]), (4, 0))
        self.assertEqual([list(line) for line in report["refused"]], [["line", "code", "text"]] * 2)
        self.assertEqual([line["line"] for line in report["refused"]], [2, 3])
        for line in report["refused"]:
            self.assertEqual(line["code"], "invalid_argument")
            self.assertGreater(len(line["text"]), 5)
        answer = self.run_cli("import", "-", stdin=text)
        self.assertEqual((answer.code, answer.out),
                         (REFUSED, "imported 0, skipped 4, refused 2\n"))
        lines = answer.err.splitlines()
        self.assertTrue(lines[0].startswith("line 2: "), answer)
        self.assertTrue(lines[1].startswith("line 3: "), answer)

    def test_conflicts_have_their_own_code(self):
        self.make_user("Other", "--slug", "muriel-bagge")
        report = self.json("import", "-", stdin=ndjson(ROWS[:1]), code=REFUSED)
        self.assertEqual(report["refused"][0]["code"], "conflict")

    def test_what_is_no_export(self):
        for text in (b"\0" * 1000, b"\xff\n", b"x" * 10_000_000, b"[]\n", b"null\n",
                     b'{"type":1}\n', b"{}\n", b"\xef\xbb\xbf{}\n"):
            answer = self.run_cli("import", "-", "-o", "json", stdin=text)
            self.assertEqual(answer.code, REFUSED, text[:20])
            self.assertEqual(json.loads(answer.out)["imported"], 0)
        self.assertEqual(self.json("import", "-"), {"imported": 0, "skipped": 0, "refused": []})

    def test_files_that_cannot_be_read(self):
        self.refused(FAILURE, "import", "missing.ndjson", says="'missing.ndjson'")
        os.mkdir(self.folder / "folder")
        self.refused(FAILURE, "import", "folder", says="'folder'")
        self.refused(USAGE, "import", says="FILE")


if __name__ == "__main__":
    unittest.main()
